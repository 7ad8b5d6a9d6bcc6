"""Write a style as SLD, the standard that GeoServer, ArcGIS and 一张图 platforms read."""

from __future__ import annotations

from typing import Final

from careshed.report.layers.model import Geometry, Layer, Rule, Symbol, Test
from careshed.report.layers.xml import tag, text
from careshed.words import Lang

PIXELS_PER_MM: Final = 1 / 0.28
"""The standard's pixel is 0.28 mm wide."""

_METRE: Final = "http://www.opengeospatial.org/se/units/metre"
_OPS: Final = {
    "=": "PropertyIsEqualTo",
    "<>": "PropertyIsNotEqualTo",
    "<": "PropertyIsLessThan",
    "<=": "PropertyIsLessThanOrEqualTo",
    ">": "PropertyIsGreaterThan",
    ">=": "PropertyIsGreaterThanOrEqualTo",
}
_SPACES: Final = {
    "version": "1.1.0",
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:se": "http://www.opengis.net/se",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
}


def sld(layer: Layer, lang: Lang) -> str:
    """Write the style of a layer by Styled Layer Descriptor 1.1 and Symbology Encoding 1.1."""
    style, geometry = layer.style, layer.geometry
    if style is None or geometry is None:
        raise ValueError(f"{layer.name} has no style")
    rules = "".join(_rule(rule, geometry) for rule in style.rules)
    if style.label is not None:
        rules += _label(style.label.field, style.label.colour, style.label.size_pt)
    titled = tag("se:Name", {}, text(layer.name)) + _described(style.title)
    drawn = tag("UserStyle", {}, titled + tag("se:FeatureTypeStyle", {}, rules))
    named = tag("NamedLayer", {}, tag("se:Name", {}, text(layer.name)) + drawn)
    head = {**_SPACES, "xml:lang": "zh-CN" if lang == "zh" else "en"}
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tag("StyledLayerDescriptor", head, named)}\n'


def _described(title: str) -> str:
    return tag("se:Description", {}, tag("se:Title", {}, text(title)))


def _rule(rule: Rule, geometry: Geometry) -> str:
    parts = [tag("se:Name", {}, text(rule.label)), _described(rule.label), _filter(rule.tests)]
    parts.append(tag("se:MinScaleDenominator", {}, f"{rule.above:.0f}") if rule.above else "")
    parts.append(tag("se:MaxScaleDenominator", {}, f"{rule.below:.0f}") if rule.below else "")
    draw = {"MultiLineString": _line, "MultiPolygon": _polygon}.get(geometry, _point)
    return tag("se:Rule", {}, "".join(parts) + draw(rule.symbol))


def _filter(tests: tuple[Test, ...]) -> str:
    conditions = [_test(test) for test in tests]
    if not conditions:
        return ""
    joined = conditions[0] if len(conditions) == 1 else tag("ogc:And", {}, "".join(conditions))
    return tag("ogc:Filter", {}, joined)


def _test(test: Test) -> str:
    name = tag("ogc:PropertyName", {}, text(test.field))
    if test.op == "null":
        return tag("ogc:PropertyIsNull", {}, name)
    value = f"{test.value:g}" if isinstance(test.value, (int, float)) else test.value
    literal = f"<ogc:Literal>{text(value)}</ogc:Literal>"
    return tag(f"ogc:{_OPS[test.op]}", {}, name + literal)


def _given(values: dict[str, str]) -> str:
    return "".join(tag("se:SvgParameter", {"name": name}, value) for name, value in values.items())


def _fill(symbol: Symbol) -> str:
    if not symbol.fill:
        return ""
    return tag("se:Fill", {}, _given({"fill": symbol.fill, "fill-opacity": f"{symbol.opacity:g}"}))


def _stroke(symbol: Symbol, code: str) -> str:
    if not code:
        return ""
    width = symbol.width_mm * PIXELS_PER_MM
    values = {"stroke": code, "stroke-width": f"{width:.2f}", "stroke-opacity": f"{symbol.opacity:g}"}
    values |= {"stroke-linejoin": "round"} | ({"stroke-dasharray": "8 4"} if symbol.dashed else {})
    return tag("se:Stroke", {}, _given(values))


def _polygon(symbol: Symbol) -> str:
    return tag("se:PolygonSymbolizer", {}, _fill(symbol) + _stroke(symbol, symbol.line))


def _line(symbol: Symbol) -> str:
    return tag("se:LineSymbolizer", {}, _stroke(symbol, symbol.fill))


def _point(symbol: Symbol) -> str:
    # the standard has no diamond: a square turned by 45 degrees is one
    shape = "square" if symbol.shape == "diamond" else symbol.shape
    mark = tag("se:Mark", {}, tag("se:WellKnownName", {}, shape) + _fill(symbol) + _stroke(symbol, symbol.line))
    on_ground = symbol.size_m > 0
    size = f"{symbol.size_m:g}" if on_ground else f"{symbol.size_mm * PIXELS_PER_MM:.2f}"
    turned = tag("se:Rotation", {}, "45") if symbol.shape == "diamond" else ""
    graphic = tag("se:Graphic", {}, mark + tag("se:Size", {}, size) + turned)
    return tag("se:PointSymbolizer", {"uom": _METRE} if on_ground else {}, graphic)


def _label(field: str, code: str, size_pt: float) -> str:
    named = tag("se:Label", {}, tag("ogc:PropertyName", {}, text(field)))
    font = tag(
        "se:Font", {}, _given({"font-family": "Noto Sans CJK SC", "font-size": f"{size_pt / 72 * 25.4 * PIXELS_PER_MM:.1f}"})
    )
    return tag("se:Rule", {}, tag("se:TextSymbolizer", {}, named + font + tag("se:Fill", {}, _given({"fill": code}))))
