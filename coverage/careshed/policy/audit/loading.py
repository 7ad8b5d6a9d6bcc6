"""Read a figures file, tell all its faults at once, and lay out the figures for the checks."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from careshed.policy.audit.figures import REF, Book, Derived, Entry, FigureEntry, Relation, Row, YearTable
from careshed.policy.audit.plausible import PLAUSIBLE
from careshed.policy.audit.results import Figure
from careshed.policy.audit.spans import Role, read_printed
from careshed.schema import Fault, InputError, file_label

FIGURES_FOLDER: Final = Path(__file__).parents[1] / "profiles" / "figures"


def audited_profiles() -> tuple[str, ...]:
    """List the plans whose figures are shipped.

    >>> "shuozhou-2023" in audited_profiles()
    True
    """
    return tuple(sorted(path.stem for path in FIGURES_FOLDER.glob("*.toml")))


def figures_path(profile: str | Path) -> Path:
    """Find the figures file of a shipped plan by its id, or take a path as it is."""
    shipped = FIGURES_FOLDER / f"{profile}.toml"
    if isinstance(profile, str) and shipped.is_file():
        return shipped
    path = Path(profile)
    if path.is_file():
        return path
    raise InputError([_no_figures(profile, path)])


_NEEDED: Final = (
    "审查需要数据文件（TOML：[plan]、[[figure]] 逐个写数值、年份和原文，再写 [[sum]]、[[ratio]] 等关系），给出其路径",
    "an audit needs a figures file (TOML: [plan], one [[figure]] a number with its year and quote, relations such as [[sum]] "
    "and [[ratio]]); give its path",
)
"""What a planner must write before a plan can be audited."""


def _no_figures(profile: str | Path, path: Path) -> Fault:
    """Say why a plan cannot be audited: a standard, a plan that is not there."""
    names = ", ".join(audited_profiles())
    if (FIGURES_FOLDER.parent / f"{profile}.toml").is_file():
        told = (
            "这是标准，只有指标、没有可互相核对的数据",
            "it is a standard: rules only, no figures to check against each other",
        )
    else:
        told = ("没有这个方案的数据文件", "there is no figures file of this plan")
    cure = (f"可用的方案：{names}；自己的方案：{_NEEDED[0]}", f"plans at hand: {names}; for a plan of your own, {_NEEDED[1]}")
    return Fault("no_figures", file_label(path), *told, *cure, found=str(profile))


def read_book(path: Path) -> Book:
    """Read and check a figures file.

    Raises
    ------
    InputError
        With every fault: keys, types, ids, references, numbers that cannot be read or are not in their quote.
    """
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([_toml_fault(path, error)]) from error
    if "plan" not in data and {"profile", "rule"} & set(data):
        told = ("这是指标文件，不是数据文件", "is a profile (rules), not a figures file")
        raise InputError([Fault("is_profile", file_label(path), *told, *_NEEDED)])
    try:
        book = Book.model_validate(data)
    except ValidationError as error:
        raise InputError([_key_fault(path, data, text, dict(case)) for case in error.errors()]) from error
    faults = [Fault(*found.told(path), row=_line(text, found.id)) for found in _faults(book)]
    if faults:
        raise InputError(faults)
    return book


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        fault = Fault(
            "not_utf8", file_label(path), "不是 UTF-8 文本", "is not UTF-8 text", "另存为 UTF-8 编码", "save it as UTF-8"
        )
        raise InputError([fault]) from error


def _toml_fault(path: Path, error: tomllib.TOMLDecodeError) -> Fault:
    cure = ("检查该行的引号、括号和等号", "check quotes, brackets and the equals sign of that line")
    return Fault("toml", file_label(path), f"不是有效的 TOML：{error}", f"is not valid TOML: {error}", *cure)


_KEY_TOLD: Final[dict[str, tuple[str, str, str, str]]] = {
    "extra_forbidden": ("没有这个键", "no such key", "检查拼写或删去", "check the spelling or leave it out"),
    "missing": ("缺少这个键", "the key is missing", "补上", "add it"),
    "string_type": (
        "应为文本", "should be text", '加引号照原文写，如 "18.20"', 'write it in quotes as printed, such as "18.20"',
    ),
    "too_short": ("至少要有一项", "needs at least one", "填入数据的编号", "name the figures"),
    "greater_than": ("应大于 0", "must be above 0", "改为正数", "give a positive number"),
    "literal_error": ("不在允许的取值之内", "is not one of the allowed words", "见模板", "see the allowed words"),
}  # fmt: skip


def _key_fault(path: Path, data: Any, text: str, case: dict[str, Any]) -> Fault:
    zh, en, cure_zh, cure_en = _KEY_TOLD.get(
        case["type"], ("类型不对", f"is of the wrong kind ({case['msg']})", "按模板改正", "give it the right kind")
    )
    if case["type"] == "literal_error":
        cure_zh = cure_en = case["ctx"]["expected"]
    loc = [part for part in case["loc"] if part != "tuple"]
    where, name = _where(loc, data)
    found = "" if case["type"] in ("missing", "too_short") else str(case["input"])[:60]
    return Fault(
        f"key_{case['type']}", file_label(path), f"{where}：{zh}", f"{where}: {en}", cure_zh, cure_en,
        row=_line(text, name), found=found,
    )  # fmt: skip


def _where(loc: list[Any], data: Any) -> tuple[str, str]:
    """Name a key by the table and the id it stands under."""
    name, told = "", []
    for part in loc:
        data = data[part] if isinstance(part, int) or (isinstance(data, dict) and part in data) else None
        if isinstance(part, int) and isinstance(data, dict):
            name = str(data.get("id", ""))
            told.append(f"“{name}”" if name else str(part + 1))
        else:
            told.append(str(part + 1) if isinstance(part, int) else str(part))
    return " ".join(told), name


def _line(text: str, name: str) -> str:
    """Line on which an id is given, as text; empty where it is not found."""
    pattern = re.compile(rf'\bid\s*=\s*"{re.escape(name)}"')
    lines = [str(i) for i, line in enumerate(text.splitlines(), 1) if name and pattern.search(line)]
    return lines[-1] if lines else ""


@dataclass(frozen=True)
class _Found:
    code: str
    id: str
    zh: str
    en: str
    cure_zh: str
    cure_en: str

    def told(self, path: Path) -> tuple[str, str, str, str, str, str]:
        return self.code, file_label(path), f"“{self.id}”：{self.zh}", f"{self.id!r}: {self.en}", self.cure_zh, self.cure_en


def _faults(book: Book) -> Iterator[_Found]:
    yield from _id_faults(book)
    for figure in book.figure:
        yield from _figure_faults(figure)
    for table in book.table:
        yield from _table_faults(table)
    yield from _project_faults(book)
    yield from _reference_faults(book)
    yield from _shape_faults(book)
    if not _is_date(book.plan.issued):
        told = (f"印发日期“{book.plan.issued}”不是日期", f"date of issue {book.plan.issued!r} is no date")
        yield _Found("bad_date", book.plan.id, *told, "写成 2023-05-08", "write it as 2023-05-08")


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _entries(book: Book) -> Iterator[Any]:
    yield from (*book.figure, *book.derived, *book.table, *book.projects, *(relation for _, relation in book.relations()))


def _id_faults(book: Book) -> Iterator[_Found]:
    seen: set[str] = set()
    for entry in _entries(book):
        if entry.id in seen:
            told = ("编号重复", "the id is used twice")
            yield _Found("duplicate_id", entry.id, *told, "每条记录用不同的编号", "give every entry an id of its own")
        seen.add(entry.id)


def _figure_faults(entry: FigureEntry) -> Iterator[_Found]:
    if not _readable(entry.value, entry.role):
        yield _unreadable(entry.id, entry.value)
    elif entry.quote and not _in_quote(entry.value, entry.quote):
        told = (f"引文中没有“{entry.value}”", f"{entry.value!r} is not in the quote")
        yield _Found("not_in_quote", entry.id, *told, "照原文抄录数值和引文", "copy number and quote from the text")
    if not entry.quote and not (entry.outside_zh and entry.outside_en):
        told = ("没有引文，也没有说明出处", "has neither a quote nor an outside source")
        cure = ("填 quote，或填 outside_zh 和 outside_en", "give quote, or outside_zh and outside_en")
        yield _Found("no_source", entry.id, *told, *cure)


def _readable(value: str, role: Role = "count") -> bool:
    try:
        read_printed(value, role)
    except ValueError:
        return False
    return True


def _unreadable(name: str, value: str) -> _Found:
    told = (f"“{value}”读不成一个数", f"{value!r} cannot be read as one number")
    return _Found("unreadable", name, *told, "照原文写，如 1.8万、≥55、约3.5万", "write it as printed: 1.8万, ≥55, 约3.5万")


def squeezed(text: str) -> str:
    """Text without white space and thousands commas, as quotes are compared.

    >>> squeezed("3,100 1,300")
    '31001300'
    """
    return re.sub(r"(?<=\d),(?=\d{3})", "", re.sub(r"\s+", "", text))


def _in_quote(value: str, quote: str) -> bool:
    """Whether a readable number stands in the quote, and not only as a part of a longer one."""
    bare = re.sub(r"[^\d.一两十百千万亿]", "", value).replace(".", r"\.")
    pattern = re.sub(r"(?<=\d)([千万亿])$", r"\\s*\1", bare)
    plain_quote = re.sub(r"(?<=\d),(?=\d{3})", "", quote)
    return re.search(rf"(?<![\d.]){pattern}(?![\d.]*\d)", plain_quote) is not None


def _table_faults(table: YearTable) -> Iterator[_Found]:
    rows = {row.id for row in table.row}
    for row in table.row:
        name = f"{table.id}.{row.id}"
        if len(row.by_year) != len(table.years):
            told = (
                f"有 {len(row.by_year)} 个年度值，应有 {len(table.years)} 个",
                f"has {len(row.by_year)} years of {len(table.years)}",
            )
            yield _Found("years", name, *told, "每年一个值", "give one value a year")
        cells = (*row.by_year, row.new, row.base, row.target)
        yield from (_unreadable(name, cell) for cell in cells if not _readable(cell))
        if re.findall(r"[\d.]+", row.quote.replace(",", ""))[-len(cells) :] != [cell.replace(",", "") for cell in cells]:
            told = ("各格数值与引文不一致", "the cells are not those of the quote")
            yield _Found("not_in_quote", name, *told, "照原文抄录整行", "copy the whole row from the text")
        if row.of and row.of not in rows:
            yield _Found(
                "unknown_row",
                name,
                f"没有行“{row.of}”",
                f"there is no row {row.of!r}",
                "改为表内的行",
                "name a row of this table",
            )


def _project_faults(book: Book) -> Iterator[_Found]:
    for listed in book.projects:
        for project in listed.row:
            name = f"{listed.id} {project.no}"
            for value in (project.area, project.land, project.beds, project.places, project.invest, project.grant):
                if value and not _readable(value):
                    yield _unreadable(name, value)
                elif value and not _in_quote(value, project.quote):
                    told = (f"引文中没有“{value}”", f"{value!r} is not in the quote")
                    yield _Found("not_in_quote", name, *told, "照原文抄录数值和引文", "copy number and quote from the text")
    lists = {listed.id for listed in book.projects}
    for delivery in book.delivery:
        if delivery.projects not in lists:
            told = (f"没有项目清单“{delivery.projects}”", f"there is no project list {delivery.projects!r}")
            yield _Found("unknown_list", delivery.id, *told, "改为 [[projects]] 的编号", "name the id of a [[projects]]")


def named(entry: Entry) -> tuple[str, ...]:
    """Ids of the figures that an entry names, in the order of its fields."""
    names: list[str] = []
    for field, info in type(entry).model_fields.items():
        if REF in info.metadata:
            value = getattr(entry, field)
            names.extend((value,) if isinstance(value, str) else value)
    return tuple(dict.fromkeys(name for name in names if name))


def _reference_faults(book: Book) -> Iterator[_Found]:
    known = {figure.id for figure in book.figure} | {derived.id for derived in book.derived}
    known |= {name for table in book.table for row in table.row for name, _ in _cells(table, row)}
    for derived in book.derived:
        quotient, product = derived.numerator and derived.share, derived.ratio and derived.population
        if bool(quotient) == bool(product):
            told = ("推算方式不明", "does not say how it follows")
            cure = ("填 numerator 和 share，或填 ratio 和 population", "give numerator and share, or ratio and population")
            yield _Found("underived", derived.id, *told, *cure)
    entries: list[Derived | Relation] = [*book.derived, *(relation for _, relation in book.relations())]
    for entry in entries:
        for name in named(entry):
            if name not in known:
                told = (f"没有数据“{name}”", f"there is no figure {name!r}")
                yield _Found(
                    "unknown_figure", entry.id, *told, "改为已有数据的编号，或补上该数据", "name a figure there is, or add it"
                )
    for listed in book.projects:
        yield from (
            _Found(
                "unknown_figure", listed.id, f"没有数据“{name}”", f"there is no figure {name!r}", "补上该数据", "add the figure"
            )
            for name in listed.sections.values()
            if name not in known
        )


def _shape_faults(book: Book) -> Iterator[_Found]:
    for columns in book.columns:
        if len(columns.left) != len(columns.right):
            yield _Found(
                "columns", columns.id, "两列的行数不同", "the columns differ in length", "逐行对应", "pair them row by row"
            )
    for each in book.each:
        if each.bounds and each.bounds not in PLAUSIBLE:
            told = (f"没有合理范围“{each.bounds}”", f"there are no bounds {each.bounds!r}")
            yield _Found("bounds", each.id, *told, f"可用：{'、'.join(PLAUSIBLE)}", f"one of: {', '.join(PLAUSIBLE)}")
    for delivery in book.delivery:
        if delivery.counts == "area" and not delivery.m2_per and len(delivery.m2_of) != 2:
            told = ("没有每床（托位）面积", "does not say how much floor a bed or place takes")
            yield _Found(
                "m2", delivery.id, *told, "填 m2_per，或在 m2_of 中填面积和托位数", "give m2_per, or area and places as m2_of"
            )


def _cells(table: YearTable, row: Row) -> list[tuple[str, str]]:
    """Id and printed number of every cell of a row."""
    name = f"{table.id}.{row.id}"
    years = [(f"{name}.{year}", value) for year, value in zip(table.years, row.by_year, strict=False)]
    return [*years, (f"{name}.new", row.new), (f"{name}.base", row.base), (f"{name}.target", row.target)]


def lay_out(book: Book, derive: Callable[[Any, dict[str, Figure]], Figure]) -> dict[str, Figure]:
    """Put every figure under its id: stated ones, cells of tables, and those that follow from others."""
    figures = {entry.id: _stated(entry) for entry in book.figure}
    for table in book.table:
        for row in table.row:
            figures |= {cell.id: cell for cell in _row_figures(table, row)}
    for derived in book.derived:
        figures[derived.id] = derive(derived, figures)
    return figures


def _stated(entry: FigureEntry) -> Figure:
    return Figure(
        entry.id, entry.title_zh, entry.title_en, entry.value, entry.unit, entry.year, entry.role,
        read_printed(entry.value, entry.role), entry.quote, entry.source, entry.what, entry.kind, entry.where,
        entry.outside_zh, entry.outside_en,
    )  # fmt: skip


def _row_figures(table: YearTable, row: Row) -> Iterable[Figure]:
    parts = {"new": ("新增合计", "added in all", table.years[-1]), "base": ("现有", "stock", table.base_year),
             "target": ("目标", "target", table.years[-1])}  # fmt: skip
    parts |= {str(year): (f"{year}年新增", f"added in {year}", year) for year in table.years}
    cells = _cells(table, row)
    by_cell = len(row.source) == len(cells)
    for i, (name, printed) in enumerate(cells):
        zh, en, year = parts[name.rsplit(".", 1)[1]]
        yield Figure(
            name, f"{row.title_zh}·{zh}", f"{row.title_en}, {en}", printed, row.unit, year, "count",
            read_printed(printed), row.quote, row.source[i : i + 1] if by_cell else row.source,
        )  # fmt: skip
