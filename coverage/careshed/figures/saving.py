"""Write a figure as PNG, SVG or PDF: whole or not at all, the same bytes for the same figure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.figures.fonts import typeface
from careshed.figures.ground import PICTURE_DPI
from careshed.figures.page import look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG_DPI: Final = 150
"""A slide is then 2000 pixels wide."""

_METADATA: Final[dict[str, dict[str, str | None]]] = {
    ".png": {"Software": "careshed"},
    ".svg": {"Date": None, "Creator": "careshed"},
    ".pdf": {"CreationDate": None, "ModDate": None, "Creator": "careshed", "Producer": "careshed"},
}


def save_figure(figure: Figure, path: str | Path, *, dpi: float | None = None) -> Path:
    """Write a figure; the suffix decides: ``.png``, ``.svg`` or ``.pdf``.

    The letters of an SVG are written as outlines, so that Chinese shows on machines without the font; a PDF holds the glyphs it
    uses, and its text can be searched and copied. No clock and no random id: the same figure gives the same bytes.

    Parameters
    ----------
    dpi
        Dots an inch; left out 150 for PNG, which makes a slide 2000 pixels wide, and 300 for dense streets within SVG and PDF.

    Raises
    ------
    ValueError
        If the suffix is another.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _METADATA:
        raise ValueError(f"{path.name}: figures are written as .png, .svg or .pdf  图件只写 .png、.svg 或 .pdf")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    with look(typeface("en")):
        figure.savefig(aside, format=kind[1:], dpi=dpi or (PNG_DPI if kind == ".png" else PICTURE_DPI), metadata=_METADATA[kind])
    os.replace(aside, path)
    return path
