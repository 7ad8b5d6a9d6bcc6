"""Choose typefaces, sizes and spacing of a brief, as Chinese official papers and English reports have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from careshed.report.brief.marks import element
from careshed.words import Lang

if TYPE_CHECKING:
    from docx.document import Document
    from docx.styles.style import ParagraphStyle

TEAL, INK, SOFT = "0A6168", "1D2730", "55616C"


@dataclass(frozen=True)
class Faces:
    """Typefaces and sizes of one language; sizes in points."""

    lang: Lang
    title: tuple[str, str]
    """Latin and Chinese typeface."""
    heading: tuple[str, str]
    minor: tuple[str, str]
    body: tuple[str, str]
    table: tuple[str, str]
    body_size: float
    line: float
    """Line to line of the body, points."""
    indent: bool
    """Whether a paragraph begins two characters in."""


CHINESE: Final = Faces(
    "zh",
    title=("Times New Roman", "宋体"),
    heading=("Times New Roman", "黑体"),
    minor=("Times New Roman", "楷体"),
    body=("Times New Roman", "仿宋"),
    table=("Times New Roman", "宋体"),
    body_size=12.0,  # 小四
    line=17.0,
    indent=True,
)
ENGLISH: Final = Faces(
    "en",
    title=("Arial", "黑体"),
    heading=("Arial", "黑体"),
    minor=("Arial", "黑体"),
    body=("Times New Roman", "宋体"),
    table=("Arial", "宋体"),
    body_size=10.5,
    line=13.5,
    indent=False,
)


def faces_of(lang: Lang) -> Faces:
    """Give the typefaces of a language."""
    return CHINESE if lang == "zh" else ENGLISH


def set_styles(document: Document, faces: Faces) -> None:
    """Set the styles of the document and its page: A4, margins as official papers have them."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.top_margin, section.bottom_margin = Mm(22), Mm(19)
    section.header_distance, section.footer_distance = Mm(12), Mm(10)
    styles = document.styles
    for name in ("Point", "Table text", "Large number", "Picture", "Lead", "Title line", "Under title", "Small"):
        styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Normal"]
    normal, zh = styles["Normal"], faces.lang == "zh"
    _set(normal, faces.body, faces.body_size, line=faces.line, after=0 if zh else 5, both=zh, indent=faces.indent)
    _set(styles["Heading 1"], faces.heading, 15 if zh else 14, line=faces.line + 6, before=8, after=3, bold=not zh, keep=True)
    _set(styles["Heading 2"], faces.minor, 12.5 if zh else 11.5, line=faces.line, before=5, after=2, bold=True, keep=True)
    _set(styles["Title line"], faces.title, 21 if zh else 19, line=30 if zh else 25, after=5, bold=True, centre=zh)
    _set(styles["Under title"], faces.body, 11.5 if zh else 10.5, line=18, after=2, centre=zh, colour=SOFT)
    _set(
        styles["Lead"],
        faces.body,
        faces.body_size + 1,
        line=faces.line + 2,
        before=4,
        after=6,
        bold=True,
        both=zh,
        indent=faces.indent,
    )
    _set(styles["Point"], faces.body, faces.body_size, line=faces.line, after=0 if zh else 2, both=zh, indent=faces.indent)
    _set(styles["Table text"], faces.table, 9.5 if zh else 9, line=12.5 if zh else 12, before=0.75, after=0.75)
    _set(styles["Large number"], faces.heading, 25, line=33, before=5, colour=TEAL, bold=True)
    _set(styles["Picture"], faces.body, faces.body_size, before=4, centre=True, keep=True)
    _set(styles["Small"], faces.body, 9.5, line=14, after=2, colour=SOFT, both=zh)
    _set(styles["Caption"], faces.heading, 10 if zh else 9.5, line=16, before=3, after=4, centre=True, bold=False)
    for style in (styles["Header"], styles["Footer"]):
        _set(style, faces.table, 9, line=13, colour=SOFT)


def _set(
    style: ParagraphStyle, faces: tuple[str, str], size: float, *, line: float = 0.0, before: float = 0.0, after: float = 0.0,
    bold: bool = False, centre: bool = False, both: bool = False, indent: bool = False, keep: bool = False, colour: str = INK,
) -> None:  # fmt: skip
    from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
    from docx.shared import Pt, RGBColor

    style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
    style.font.color.rgb = RGBColor.from_string(colour)
    set_faces(style, faces)
    form = style.paragraph_format
    form.space_before, form.space_after, form.keep_with_next = Pt(before), Pt(after), keep
    if line:
        form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line)
    else:
        form.line_spacing_rule = WD_LINE_SPACING.SINGLE
    form.alignment = WD_ALIGN_PARAGRAPH.CENTER if centre else WD_ALIGN_PARAGRAPH.JUSTIFY if both else WD_ALIGN_PARAGRAPH.LEFT
    form.widow_control = False  # official papers fill every line of a page
    _indent(style, indent, size)


def set_faces(style: ParagraphStyle, faces: tuple[str, str]) -> None:
    """Name a style's Latin and Chinese typefaces; those of the template's theme go, since they would win."""
    properties = style.element.get_or_add_rPr()
    for old in properties.findall("{*}rFonts"):
        properties.remove(old)
    latin, chinese = faces
    properties.insert(0, element("w:rFonts", ascii=latin, hAnsi=latin, cs=latin, eastAsia=chinese))
    for old in properties.findall("{*}lang"):
        properties.remove(old)
    properties.append(element("w:lang", val="en-US", eastAsia="zh-CN"))


def _indent(style: ParagraphStyle, indent: bool, size: float) -> None:
    """Begin paragraphs two characters in, whatever their size; 0 undoes what the style is based on."""
    properties = style.element.get_or_add_pPr()
    for old in properties.findall("{*}ind"):
        properties.remove(old)
    style.paragraph_format.first_line_indent = round(2 * size * 12_700) if indent else 0
    ind = properties.find("{*}ind")
    if ind is not None:
        ind.set("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}firstLineChars", "200" if indent else "0")
