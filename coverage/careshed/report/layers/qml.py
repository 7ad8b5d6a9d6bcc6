"""Write a style as QML, so that QGIS draws a layer as meant when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from careshed.report.layers.model import Geometry, Label, Layer, Rule, Style, Symbol, Test
from careshed.report.layers.xml import Attributes, tag
from careshed.words import Lang

_KINDS: Final[dict[Geometry, tuple[str, str]]] = {
    "Point": ("marker", "0"),
    "MultiPoint": ("marker", "0"),
    "MultiLineString": ("line", "1"),
    "MultiPolygon": ("fill", "2"),
}
"""Geometry -> (symbol type, geometry type) as QGIS numbers them."""

_CHINESE_FONT: Final = "Noto Sans CJK SC"


def qml(layer: Layer, lang: Lang) -> str:
    """Write the style of a layer, with the meaning of each field as its alias in forms and tables."""
    style, geometry = layer.style, layer.geometry
    if style is None or geometry is None:
        raise ValueError(f"{layer.name} has no style")
    labels = "1" if style.label is not None else "0"
    body = "".join(
        [
            _renderer(style, geometry),
            _labeling(style.label) if style.label is not None else "",
            _aliases(layer, lang),
            tag("layerGeometryType", {}, _KINDS[geometry][1]),
        ]
    )
    head = {"version": "3.22.0", "styleCategories": "Symbology|Labeling|Fields", "labelsEnabled": labels}
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{tag('qgis', head, body)}\n"


def _renderer(style: Style, geometry: Geometry) -> str:
    rules = "".join(_rule(at, rule) for at, rule in enumerate(style.rules))
    symbols = "".join(_symbol(at, rule.symbol, geometry) for at, rule in enumerate(style.rules))
    head = {"type": "RuleRenderer", "symbollevels": "0", "forceraster": "0", "enableorderby": "0"}
    return tag("renderer-v2", head, tag("rules", {"key": "{rules}"}, rules) + tag("symbols", {}, symbols))


def _rule(at: int, rule: Rule) -> str:
    head = {"key": f"{{rule-{at}}}", "symbol": str(at), "label": rule.label}
    if rule.tests:
        head["filter"] = " AND ".join(_test(test) for test in rule.tests)
    # QGIS calls the smallest scale, the largest number, "max"
    if rule.above:
        head |= {"scalemindenom": f"{rule.above:.0f}", "scalemaxdenom": "100000000"}
    if rule.below:
        head |= {"scalemindenom": "1", "scalemaxdenom": f"{rule.below:.0f}"}
    return tag("rule", head)


def _test(test: Test) -> str:
    """Write a condition in the expressions of QGIS.

    >>> _test(Test("覆盖率", ">=", 0.2)), _test(Test("why", "=", "it's")), _test(Test("覆盖率", "null"))
    ('"覆盖率" >= 0.2', '"why" = \\'it\\'\\'s\\'', '"覆盖率" IS NULL')
    """
    name = '"' + test.field.replace('"', '""') + '"'
    if test.op == "null":
        return f"{name} IS NULL"
    value = f"{test.value:g}" if isinstance(test.value, (int, float)) else "'" + test.value.replace("'", "''") + "'"
    return f"{name} {test.op} {value}"


def _symbol(at: int, symbol: Symbol, geometry: Geometry) -> str:
    kind = _KINDS[geometry][0]
    drawn = {"marker": ("SimpleMarker", _marker), "line": ("SimpleLine", _line), "fill": ("SimpleFill", _fill)}[kind]
    layer = tag("layer", {"class": drawn[0], "enabled": "1", "locked": "0", "pass": "0"}, _options(drawn[1](symbol)))
    head = {"type": kind, "name": str(at), "alpha": f"{symbol.opacity:g}", "clip_to_extent": "1", "force_rhr": "0"}
    return tag("symbol", head, layer)


def _marker(symbol: Symbol) -> Attributes:
    on_ground = symbol.size_m > 0
    return {
        "color": colour(symbol.fill),
        "name": symbol.shape,
        "outline_color": colour(symbol.line),
        "outline_style": "solid" if symbol.line else "no",
        "outline_width": f"{symbol.width_mm:g}",
        "outline_width_unit": "MM",
        "size": f"{symbol.size_m if on_ground else symbol.size_mm:g}",
        "size_unit": "RenderMetersInMapUnits" if on_ground else "MM",
        "scale_method": "diameter",
    }


def _line(symbol: Symbol) -> Attributes:
    return {
        "line_color": colour(symbol.fill),
        "line_width": f"{symbol.width_mm:g}",
        "line_width_unit": "MM",
        "line_style": "dash" if symbol.dashed else "solid",
        "capstyle": "round",
        "joinstyle": "round",
    }


def _fill(symbol: Symbol) -> Attributes:
    dashes = "dash" if symbol.dashed else "solid"
    return {
        "color": colour(symbol.fill),
        "style": "solid" if symbol.fill else "no",
        "outline_color": colour(symbol.line),
        "outline_style": dashes if symbol.line else "no",
        "outline_width": f"{symbol.width_mm:g}",
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }


def colour(code: str) -> str:
    """Write a colour as QGIS does.

    >>> colour("#0a6168"), colour("")
    ('10,97,104,255', '0,0,0,0')
    """
    return ",".join(str(int(code[at : at + 2], 16)) for at in (1, 3, 5)) + ",255" if code else "0,0,0,0"


def _options(values: Mapping[str, str]) -> str:
    """Write properties in the way of QGIS 3.16 and later, and in the way of those before."""
    now = "".join(tag("Option", {"type": "QString", "name": name, "value": value}) for name, value in values.items())
    before = "".join(tag("prop", {"k": name, "v": value}) for name, value in values.items())
    return tag("Option", {"type": "Map"}, now) + before


def _labeling(label: Label) -> str:
    face = {
        "fieldName": label.expression,
        "isExpression": "1",
        "fontFamily": _CHINESE_FONT,
        "fontSize": f"{label.size_pt:g}",
        "fontSizeUnit": "Point",
        "fontWeight": "75" if label.bold else "50",
        "namedStyle": "Bold" if label.bold else "Regular",
        "textColor": colour(label.colour),
        "textOpacity": "1",
        "multilineHeight": "1",
    }
    halo = {"bufferDraw": "0" if label.inside else "1", "bufferSize": "0.8", "bufferSizeUnits": "MM"}
    halo |= {"bufferColor": "255,255,255,230", "bufferOpacity": "0.9", "bufferJoinStyle": "128"}
    text = tag("text-style", face, tag("text-buffer", halo)) + tag("text-format", {"multilineAlign": "1"})
    placed = {"placement": "1", "quadOffset": "4", "priority": "8", "dist": "0", "centroidInside": "1"}
    shown = {"displayAll": "1" if label.inside else "0", "obstacle": "1", "fontLimitPixelSize": "0"}
    return tag("labeling", {"type": "simple"}, tag("settings", {}, text + tag("placement", placed) + tag("rendering", shown)))


def _aliases(layer: Layer, lang: Lang) -> str:
    rows = [
        tag("alias", {"field": field.name(lang), "index": str(at), "name": _alias(field.name(lang), field.unit[lang == "en"])})
        for at, field in enumerate(layer.fields, start=1)
    ]
    return tag("aliases", {}, "".join(rows))


def _alias(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit and unit not in name else ""
