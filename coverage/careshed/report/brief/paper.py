"""Set a brief on paper: styles, numbered headings, captions with cross references, three-line tables, figures, footers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from careshed.report.brief.faces import faces_of, set_styles
from careshed.report.brief.marks import (
    bookmark,
    cell_borders,
    cell_margins,
    field_run,
    keep_with_next,
    repeat_header,
    row_whole,
    table_frame,
)
from careshed.words import Lang, pick

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

    from careshed.figures.frame import SizeMm

Kind = Literal["figure", "table"]
Side = Literal["left", "right", "center"]

LABELS: Final[dict[Kind, tuple[str, str]]] = {"figure": ("图", "Figure "), "table": ("表", "Table ")}
NUMERALS: Final = "一二三四五六七八九十"

SHORT, KEPT = 5, 2
"""A table of up to so many rows stays on one page; of a longer one, so many rows stay with its caption, and its last two
together, lest one stands alone on the next page."""

CELL_SIDE: Final = 50
"""Room left and right in a cell, twentieths of a point."""

TEXT_MM: Final = 156.0
"""Width of the text: A4 less the margins."""


@dataclass(frozen=True)
class Reference:
    """A figure or table spoken of in the text; a field that Word renumbers."""

    kind: Kind
    number: int

    def text(self, lang: Lang) -> str:
        """Print as the caption does.

        >>> Reference("figure", 2).text("zh"), Reference("table", 1).text("en")
        ('图2', 'Table 1')
        """
        return f"{pick(lang, *LABELS[self.kind])}{self.number}"

    @property
    def mark(self) -> str:
        """Name of the bookmark around the caption's label."""
        return f"_careshed_{self.kind}_{self.number}"


Told = str | Reference
"""A piece of running text."""


@dataclass
class Paper:
    """A document as it grows; it counts headings, figures and tables."""

    document: Document
    lang: Lang
    counted: dict[str, int] = field(default_factory=dict)

    @classmethod
    def blank(cls, lang: Lang) -> Paper:
        """Take a sheet of A4 with the styles of a language."""
        from docx import Document as new_document

        document = new_document()
        set_styles(document, faces_of(lang))
        return cls(document, lang)

    def coming(self, kind: Kind, ahead: int = 0) -> Reference:
        """Refer to the next figure or table, or one further ahead."""
        return Reference(kind, self.counted.get(kind, 0) + 1 + ahead)

    def heading(self, zh: str, en: str) -> None:
        """Begin a section; it is numbered 一、二、 or 1, 2."""
        number = self.counted["section"] = self.counted.get("section", 0) + 1
        mark = f"{NUMERALS[number - 1]}、" if self.lang == "zh" else f"{number}  "
        told = self.document.add_paragraph(f"{mark}{clean(pick(self.lang, zh, en))}", style="Heading 1")
        told.paragraph_format.keep_with_next = True

    def minor(self, text: str) -> None:
        """Begin a part of a section."""
        self.document.add_paragraph(clean(text), style="Heading 2")

    def text(self, *pieces: Told, bold: bool = False, style: str = "Normal") -> Paragraph:
        """Write a paragraph; a `Reference` among the pieces becomes a field."""
        told = self.document.add_paragraph(style=style)
        for piece in pieces:
            if isinstance(piece, Reference):
                field_run(told, f"REF {piece.mark} \\h", piece.text(self.lang))
            else:
                told.add_run(clean(piece)).bold = bold or None
        return told

    def points(self, lines: Iterable[Sequence[Told]]) -> None:
        """List points, numbered as official papers do: （1） or a dash."""
        for at, pieces in enumerate(lines, start=1):
            self.text(pick(self.lang, f"（{at}）", f"{at}. "), *pieces, style="Point")

    def caption(self, kind: Kind, text: str) -> None:
        """Number a figure or table; the number is a field with a bookmark, so that references follow it."""
        number = self.counted[kind] = self.counted.get(kind, 0) + 1
        told = self.document.add_paragraph(style="Caption")
        told.paragraph_format.keep_with_next = kind == "table"
        label = pick(self.lang, *LABELS[kind])
        with bookmark(told, Reference(kind, number).mark, self._mark()):
            told.add_run(label)
            field_run(told, f"SEQ {label.strip()} \\* ARABIC", str(number))
        told.add_run(f"  {clean(text)}")

    def _mark(self) -> int:
        self.counted["mark"] = self.counted.get("mark", 0) + 1
        return self.counted["mark"]

    def table(
        self, caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[float], sides: Sequence[Side],
        bands: Iterable[int] = (), strong: Iterable[int] = (),
    ) -> None:  # fmt: skip
        """Set a three-line table with its caption above it.

        Parameters
        ----------
        widths
            Of the columns, as parts of the width of the text.
        bands
            Rows that head those below them: only their first cell is shown, across the table.
        strong
            Rows in bold.
        """
        self.caption("table", caption)
        table = self._grid(len(rows) + 1, widths)
        banded, bold = set(bands), set(strong)
        for at, told in enumerate([list(head), *(list(row) for row in rows)]):
            row = table.rows[at]
            row_whole(row)
            if at - 1 in banded:
                self._band(row.cells, told[0])
                continue
            for cell, text, side in zip(row.cells, told, sides, strict=True):
                self._cell(cell, text, "center" if at == 0 else side, bold=at == 0 or at - 1 in bold)
        repeat_header(table.rows[0])
        whole = len(table.rows) <= SHORT
        for at, row in enumerate(table.rows[:-1]):
            if whole or at < KEPT or at == len(table.rows) - 2 or at - 1 in banded:
                keep_with_next(row)
        table_frame(table)
        self.space(6)

    def _grid(self, rows: int, widths: Sequence[float]) -> Table:
        from docx.enum.table import WD_TABLE_ALIGNMENT
        from docx.shared import Mm

        table: Table = self.document.add_table(rows=rows, cols=len(widths))
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        cell_margins(table, CELL_SIDE)
        whole = sum(widths)
        for at, width in enumerate(widths):
            table.columns[at].width = Mm(TEXT_MM * width / whole)
            for cell in table.columns[at].cells:
                cell.width = Mm(TEXT_MM * width / whole)
        return table

    def _cell(self, cell: _Cell, text: str, side: Side, *, bold: bool = False) -> None:
        from docx.enum.table import WD_ALIGN_VERTICAL
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        told = cell.paragraphs[0]
        told.style = "Table text"
        told.alignment = {
            "left": WD_ALIGN_PARAGRAPH.LEFT,
            "right": WD_ALIGN_PARAGRAPH.RIGHT,
            "center": WD_ALIGN_PARAGRAPH.CENTER,
        }[side]
        told.add_run(clean(text)).bold = bold or None
        cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER

    def _band(self, cells: Sequence[_Cell], text: str) -> None:
        whole = cells[0].merge(cells[-1])
        for extra in whole.paragraphs[1:]:
            extra._p.getparent().remove(extra._p)
        self._cell(whole, text, "left", bold=True)
        cell_borders(whole, top=4, bottom=4, fill="EEF3F4")

    def figure(self, picture: bytes, size_mm: SizeMm, caption: str, alt: str) -> None:
        """Put a figure in, centred, with its caption under it and its meaning in words for those who cannot see it."""
        from docx.shared import Mm

        told = self.document.add_paragraph(style="Picture")
        shape = told.add_run().add_picture(BytesIO(picture), width=Mm(size_mm[0]))
        for side in "TBLR":  # where they are not stated, LibreOffice takes 3 mm and pushes the picture into the margin
            shape._inline.set(f"dist{side}", "0")
        properties = shape._inline.docPr
        properties.set("descr", clean(alt))
        properties.set("name", f"{self.coming('figure').text(self.lang)}")
        self.caption("figure", caption)

    def numbers(self, figures: Sequence[tuple[str, str]]) -> None:
        """Show the few numbers that matter, large, each with what it counts."""
        table = self._grid(2, [1.0] * len(figures))
        for at, (large, meaning) in enumerate(figures):
            self._cell(table.rows[0].cells[at], large, "center")
            self._cell(table.rows[1].cells[at], meaning, "center")
            table.rows[0].cells[at].paragraphs[0].style = "Large number"
            table.rows[0].cells[at].paragraphs[0].paragraph_format.keep_with_next = True
            for row, top, bottom in ((0, 12, 0), (1, 0, 12)):
                cell_borders(table.rows[row].cells[at], top=top, bottom=bottom)
        self.space(6)

    def plain_rows(self, rows: Sequence[Sequence[str]], widths: Sequence[float], *, height_mm: float) -> None:
        """Set rows with thin rules and room to write, such as for signatures."""
        from docx.enum.table import WD_ROW_HEIGHT_RULE
        from docx.shared import Mm

        table = self._grid(len(rows), widths)
        for row, texts in zip(table.rows, rows, strict=True):
            row.height, row.height_rule = Mm(height_mm), WD_ROW_HEIGHT_RULE.AT_LEAST
            row_whole(row)
            for cell, text in zip(row.cells, texts, strict=True):
                self._cell(cell, text, "left")
                cell_borders(cell, top=4, bottom=4)
        for row in table.rows[:-1]:
            keep_with_next(row)

    def space(self, points: float) -> None:
        """Leave some room."""
        from docx.enum.text import WD_LINE_SPACING
        from docx.shared import Pt

        told = self.document.add_paragraph(style="Table text")
        told.paragraph_format.line_spacing_rule, told.paragraph_format.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(points)


def clean(text: str) -> str:
    """Take control characters out, which no document can hold; all else stays as it is written.

    >>> clean("=HYPERLINK(1)\\x07 <b>")
    '=HYPERLINK(1)  <b>'
    """
    kept = (sign if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs") else " " for sign in text)
    return "".join(" " if sign in "\ufffe\uffff" else sign for sign in kept)
