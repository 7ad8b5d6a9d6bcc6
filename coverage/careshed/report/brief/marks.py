"""Write the parts of a document for which the library has no words: fields, bookmarks, borders, rows that stay whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.table import Table, _Cell, _Row
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run


def element(name: str, /, **attributes: str | int) -> BaseOxmlElement:
    """Make an element of the document's own language; attributes are of it too."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made: BaseOxmlElement = OxmlElement(name)
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), str(value))
    return made


def field_run(paragraph: Paragraph, instruction: str, shown: str) -> None:
    """Write a field, such as a page number, with what it shows until a program updates it."""
    for kind in ("begin", "instruction", "separate", "shown", "end"):
        run = paragraph.add_run()
        if kind == "shown":
            run.text = shown
        elif kind == "instruction":
            told = element("w:instrText")
            told.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            told.text = f" {instruction} "
            run._r.append(told)
        else:
            run._r.append(element("w:fldChar", fldCharType=kind))


@contextmanager
def bookmark(paragraph: Paragraph, name: str, number: int) -> Iterator[None]:
    """Put a bookmark around what is written meanwhile."""
    paragraph._p.append(element("w:bookmarkStart", id=number, name=name))
    yield
    paragraph._p.append(element("w:bookmarkEnd", id=number))


def cell_borders(cell: _Cell, *, top: int = 0, bottom: int = 0, fill: str = "") -> None:
    """Rule a cell above and below, eighths of a point; with a ground if asked for."""
    properties = cell._tc.get_or_add_tcPr()
    for old in properties.findall(_name("w:tcBorders")):
        properties.remove(old)
    borders = element("w:tcBorders")
    for side, size in (("top", top), ("bottom", bottom)):
        look = {"val": "single", "sz": size, "space": 0, "color": "1D2730"} if size else {"val": "nil"}
        borders.append(element(f"w:{side}", **look))
    _insert(properties, borders, ("w:shd", "w:noWrap", "w:tcMar", "w:vAlign"))
    if fill:
        _insert(properties, element("w:shd", val="clear", color="auto", fill=fill), ("w:noWrap", "w:tcMar", "w:vAlign"))


def table_frame(table: Table) -> None:
    """Rule a table with three lines: a heavy one above and below, a thin one under its head."""
    last = len(table.rows) - 1
    for at, row in enumerate(table.rows):
        for cell in row.cells:
            if at in (0, last):
                cell_borders(cell, top=12 if at == 0 else 0, bottom=6 if at == 0 and last else 12)


def cell_margins(table: Table, side: int) -> None:
    """Set the room left and right in every cell of a table, twentieths of a point."""
    margins = element("w:tblCellMar")
    for name in ("left", "right"):
        margins.append(element(f"w:{name}", w=side, type="dxa"))
    _insert(table._tbl.tblPr, margins, ("w:tblLook", "w:tblCaption", "w:tblDescription"))


def repeat_header(row: _Row) -> None:
    """Repeat a row at the head of every page that the table reaches."""
    row._tr.get_or_add_trPr().append(element("w:tblHeader"))


def row_whole(row: _Row) -> None:
    """Keep a row on one page."""
    row._tr.get_or_add_trPr().append(element("w:cantSplit"))


def keep_with_next(row: _Row) -> None:
    """Keep a row on the page of the row after it."""
    for paragraph in (one for cell in row.cells for one in cell.paragraphs):
        paragraph.paragraph_format.keep_with_next = True


def shade(run: Run, fill: str) -> None:
    """Put a ground behind words."""
    run._r.get_or_add_rPr().append(element("w:shd", val="clear", color="auto", fill=fill))


def _name(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(name))


def _insert(parent: BaseOxmlElement, child: BaseOxmlElement, before: tuple[str, ...]) -> None:
    """Put a child before the first of those that the schema wants after it."""
    later = {_name(one) for one in before}
    place = next((at for at, one in enumerate(parent) if one.tag in later), len(parent))
    parent.insert(place, child)
