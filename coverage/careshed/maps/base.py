"""Assemble what every page shares: its ground, its frame, its notes, and a file that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.maps.facts import Scope
from careshed.maps.layers import Layer, degrees, streets_layer, water_layer
from careshed.maps.moving import as_travelled
from careshed.maps.notes import Note, fault_lines
from careshed.maps.text import TEXTS, say
from careshed.maps.tiles import background_tiles
from careshed.words import pick

if TYPE_CHECKING:
    from careshed.schema import Fault
    from careshed.study import Study

FAULTS_LISTED = 80
"""Faults listed on the page; the run's fault table holds all of them."""


def background(study: Study) -> dict[str, Layer | None]:
    """Draw the ground under every map: water and streets, where the study has them."""
    found: dict[str, Layer | None] = {}
    water = getattr(study, "water", None)
    if water is not None and len(water):
        found["water"] = water_layer(water)
    lines_of = getattr(getattr(study, "streets", None), "lines", None)
    if lines_of is not None:
        lines = lines_of(study.crs)
        found |= {"streets": streets_layer(lines)} if len(lines) else {}
    return found


def bounds(study: Study) -> list[list[float]]:
    """Corners of the area shown, south-west and north-east, degrees."""
    shown = study.cells if len(study.cells) else study.units
    if shown is None or not len(shown):
        return [[-60.0, -180.0], [60.0, 180.0]]
    west, south, east, north = (round(float(edge), 5) for edge in degrees(shown).total_bounds)
    return [[south, west], [north, east]]


def head(
    study: Study, scope: Scope, heading: str, *, sentence: str, bar: Mapping[str, object] | None, note: str = ""
) -> dict[str, object]:
    """Fill the head of the page: what it shows, where, as of when, and the one sentence to take away."""
    return {
        "heading": heading,
        "place": study.name,
        "date": say(scope.lang, "data_date", study.data_date) if study.data_date else "",
        "made_up": study.made_up,
        "sentence": sentence,
        "bar": bar,
        "note": note,
    }


def notes(scope: Scope, listed: list[Note], faults: Iterable[Fault]) -> dict[str, object]:
    """Fill the foot of the panel: assumptions and faults."""
    told = fault_lines(faults, scope)
    more = len(told) - FAULTS_LISTED
    return {
        "assumptions": listed,
        "faults": told[:FAULTS_LISTED],
        "faults_more": say(scope.lang, "faults_more", more) if more > 0 else "",
        "fault_count": len(told),
    }


def write_page(
    path: str | Path,
    study: Study,
    scope: Scope,
    *,
    head: Mapping[str, object],
    body: Mapping[str, object],
    layers: Mapping[str, Layer | None],
    tiles: str | None = None,
    words: Mapping[str, tuple[str, str]] | None = None,
    parts: tuple[str, ...] = (),
) -> Path:
    """Write one page; layers that are None are left out.

    Parameters
    ----------
    words
        Texts of this kind of page beside those of all pages.
    parts
        Style sheets and scripts of this kind of page beside those of all pages, by name.
    """
    from careshed.maps.frame import Page, page_text

    texts = TEXTS | dict(words or {})
    page = Page(
        lang=scope.lang,
        title=f"{head['heading']} · {study.name}",
        head=head,
        body=body,
        bounds=bounds(study),
        layers={key: layer for key, layer in layers.items() if layer is not None},
        words={key: pick(scope.lang, *said) for key, said in texts.items()},
        made_up=study.made_up,
        attribution=study.config.map.attribution,
        tiles=background_tiles(study.config.map, tiles),
        approval_no=study.config.map.approval_no,
        parts=parts,
    )
    return _write_whole(Path(path), as_travelled(page_text(page), scope.mode))


def _write_whole(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(text.encode("utf-8"))
    aside.replace(path)
    return path
