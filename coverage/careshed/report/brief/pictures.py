"""Draw the figures of a brief and give them as pictures."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from careshed.figures.frame import SizeMm
from careshed.words import Lang

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

MAP_MM: Final[SizeMm] = (156.0, 90.0)
"""A map across the text, drawn for the page: cropped to the study, no letters below 7 points."""

DPI: Final = 170.0
"""Sharp on office printers, and small enough to mail."""


def picture(draw: Callable[..., Figure], *what: object, lang: Lang, size_mm: SizeMm) -> bytes:
    """Draw one figure at its size on paper; the same study gives the same bytes."""
    from careshed.figures.saving import save_figure

    with TemporaryDirectory() as folder:
        figure = draw(*what, lang, size_mm=size_mm)
        return save_figure(figure, Path(folder) / "figure.png", dpi=DPI).read_bytes()
