"""Frame the page with folium, cured of its links to other machines and of its random names."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from types import CodeType

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Environment as FoliumEnvironment
from jinja2 import Environment, Template

from careshed.maps.encode import json_text
from careshed.maps.layers import Layer
from careshed.words import Lang

LEAFLET = "static/js_lib_leaflet"

STYLES = ("page", "print")
"""Style sheets of all pages."""

SCRIPTS = ("unpack", "page", "paint", "cells", "choose", "print")
"""Scripts of all pages, in the order in which they run; they ask for Chromium 80, Firefox 78 or Safari 14, or newer."""


@dataclass(frozen=True)
class Page:
    """Everything the page shows."""

    lang: Lang
    title: str
    head: Mapping[str, object]
    body: Mapping[str, object]
    bounds: list[list[float]]
    """South-west and north-east corner, degrees."""
    layers: Mapping[str, Layer]
    words: Mapping[str, str]
    made_up: bool
    attribution: str
    tiles: Mapping[str, object] | None
    """Online background that the reader may switch on, as `careshed.maps.tiles.background_tiles` gives it."""
    parts: tuple[str, ...] = ()
    """Style sheets and scripts of this kind of page, by name, beside those of all pages."""
    approval_no: str = ""
    """审图号, shown on the map and in print."""


def page_text(page: Page) -> str:
    """Render the page; the same page gives the same text."""
    figure = Figure()
    figure._template = _template(
        "page.html",
        page=page,
        csp=_allowed(page.tiles),
        head=_filled("head.html", page, page.head),
        body=_filled("body.html", page, page.body),
    )
    for part, name in ((figure.header, "header"), (figure.html, "html"), (figure.script, "script")):
        part._id = name
    for name, text in (
        ("leaflet_css", f"<style>{_leaflet_css()}</style>"),
        ("page_css", f"<style>{''.join(_asset(f'{part}.css') for part in (*STYLES, *page.parts))}</style>"),
        ("leaflet_js", f"<script>{_leaflet_js()}</script>"),
        ("page_js", f"<script>{''.join(_asset(f'{part}.js') for part in (*SCRIPTS, *page.parts))}</script>"),
    ):
        figure.header.add_child(_raw(name, text), name=name)
    figure.add_child(_map(page), name="map")
    return str(figure.render())


def _map(page: Page) -> folium.Map:
    (south, west), (north, east) = page.bounds
    middle = [(south + north) / 2, (west + east) / 2]
    frame = folium.Map(location=middle, tiles=None, zoom_control=False, attribution_control=False)
    frame._id = "care"
    frame.default_js, frame.default_css = [], []
    frame._template = _template(
        "map.html",
        page=page,
        settings=json_text(_settings(page)),
        # folium runs what a map returns as a template once more: braces of a title must not open one
        label=escape(page.words["map_label"].format(page.title)).replace("{", "&#123;"),
    )
    for key, layer in page.layers.items():
        frame.add_child(_macro("layer", key, _template("layer.html", key=key, data=json_text(layer))), name=key)
    frame.add_child(_macro("panel", "care", _template("ready.html")), name="ready")
    return frame


def _settings(page: Page) -> dict[str, object]:
    """What the page's script must know beside the layers."""
    approval = page.words["approval_no"].format(page.approval_no) if page.approval_no else ""
    tiles = dict(page.tiles) | {"credit": escape(str(page.tiles["credit"]))} if page.tiles else None
    return {
        "bounds": page.bounds,
        "words": page.words,
        "credit": escape(page.attribution),
        "approval": escape(approval),
        "tiles": tiles,
    }


def _macro(kind: str, name: str, template: Template) -> MacroElement:
    """Make an element of the map with a fixed id: folium's are random and would change the page from run to run."""
    element: MacroElement = MacroElement()  # type: ignore[no-untyped-call]
    element._name, element._id = kind, name
    element._template = template
    return element


@cache
def _environment() -> FoliumEnvironment:
    return FoliumEnvironment()  # type: ignore[no-untyped-call]


@cache
def _compiled(text: str) -> CodeType:
    """Compile a template once; many elements of a page are made from the same."""
    return _environment().compile(text)


def _from_text(text: str, values: dict[str, object]) -> Template:
    environment = _environment()
    return Template.from_code(environment, _compiled(text), environment.make_globals(values))


def _template(asset: str, **values: object) -> Template:
    return _from_text(_asset(asset), values)


def _raw(name: str, text: str) -> Element:
    """Hold finished text; passed as a value, so that no template in it is ever run."""
    element = Element()
    element._id = name
    element._template = _from_text("{{ text }}", {"text": text})
    return element


def _filled(asset: str, page: Page, values: Mapping[str, object]) -> str:
    return filling(asset).render(t=page.words, **values)


@cache
def filling(asset: str) -> Template:
    """Compile a packaged part of a page; what it is filled with from data is escaped."""
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_asset(asset))


@cache
def _asset(name: str) -> str:
    return files("careshed.maps").joinpath("assets", name).read_text(encoding="utf-8")


def _leaflet(name: str) -> bytes:
    return files("js_lib_leaflet").joinpath(LEAFLET, name).read_bytes()


def _leaflet_js() -> str:
    return re.sub(r"//# sourceMappingURL=\S+", "", _leaflet("leaflet.js").decode("utf-8"))


def _leaflet_css() -> str:
    def inlined(found: re.Match[str]) -> str:
        return f"url(data:image/png;base64,{base64.b64encode(_leaflet(found[1])).decode('ascii')})"

    text = re.sub(r"url\((images/[\w.-]+)\)", inlined, _leaflet("leaflet.css").decode("utf-8"))
    return re.sub(r"behavior: url\(#default#VML\);", "", text)


def _allowed(tiles: Mapping[str, object] | None) -> str:
    """Tell the browser what the page may load: nothing from anywhere, or pictures where tiles were asked for."""
    pictures = "data: https: http:" if tiles else "data:"
    return f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
