"""Hold a layer as other programs open it: its name, its fields with unit and meaning, its rows, its style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pandas as pd

Both = tuple[str, str]
"""The same in Chinese and in English."""

Geometry = Literal["Point", "MultiPoint", "MultiLineString", "MultiPolygon"]
"""One kind of geometry a layer, as most programs ask; parts are never mixed with single shapes."""

Kind = Literal["text", "whole", "number"]
"""What a field holds; of whole numbers none is ever missing."""


@dataclass(frozen=True)
class Field:
    """One field of a layer: our key, the fixed names in two languages, what it counts and what it means."""

    key: str
    """Column of the table that the rows come from."""
    zh: str
    en: str
    kind: Kind
    unit: Both
    """What the number counts; "" for text."""
    meaning: Both

    def name(self, lang: Lang) -> str:
        """Name the field as the file does."""
        return pick(lang, self.zh, self.en)


@dataclass(frozen=True)
class Symbol:
    """How a thing is drawn."""

    fill: str = ""
    """Colour as ``#rrggbb``; "" for none. Of lines, the colour of the line."""
    line: str = ""
    """Colour of the outline; "" for none."""
    width_mm: float = 0.26
    """Width of the line or outline, millimetres on paper."""
    opacity: float = 1.0
    """Of the fill and the outline together, 0 to 1."""
    shape: Literal["circle", "square", "diamond"] = "circle"
    size_mm: float = 2.4
    """Size of a point's mark, millimetres on paper."""
    size_m: float = 0.0
    """Size on the ground, metres, in place of `size_mm`; 0 for none."""
    dashed: bool = False


@dataclass(frozen=True)
class Test:
    """One condition on a field: a comparison with a number or a text, or that the field is empty."""

    field: str
    """Name of the field as the file has it."""
    op: Literal["=", "<>", "<", "<=", ">", ">=", "null"]
    value: str | float = ""


@dataclass(frozen=True)
class Rule:
    """Rows that are drawn alike, and what the legend calls them."""

    label: str
    symbol: Symbol
    tests: tuple[Test, ...] = ()
    """All must hold."""
    above: float = 0.0
    """Drawn only where the map's scale is 1 : `above` or smaller; 0 for no limit."""
    below: float = 0.0
    """Drawn only where the map's scale is larger than 1 : `below`; 0 for no limit."""


@dataclass(frozen=True)
class Label:
    """What is written beside the rows."""

    expression: str
    """In the expressions of QGIS."""
    field: str
    """Field that programs without such expressions write."""
    colour: str
    size_pt: float
    bold: bool = False
    inside: bool = False
    """Whether the text stands on the mark, such as the rank of a site."""


@dataclass(frozen=True)
class Style:
    """How a layer is drawn: the first rule that fits a row in the list of rules draws first, later ones over it."""

    title: str
    rules: tuple[Rule, ...]
    label: Label | None = None


@dataclass(frozen=True)
class Layer:
    """One layer or table of a run."""

    name: str
    """Name of the table in the file."""
    title: str
    """What it shows, for people."""
    fields: tuple[Field, ...]
    table: pd.DataFrame
    """A column a field's key; of layers with geometry a GeoDataFrame in the study's CRS."""
    geometry: Geometry | None = None
    """None for a table without geometry."""
    style: Style | None = None
