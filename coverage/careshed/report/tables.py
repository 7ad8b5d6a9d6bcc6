"""Write tables as CSV that Excel reads and as GeoJSON; the coverage table and the fault table."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from careshed.report.workbook import DANGEROUS, Column, Kind, Sheet, Value, write_workbook
from careshed.schema import Fault, fault_table
from careshed.words import Lang, group_name, level_name, pick

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame


def write_coverage(
    path: str | Path, table: pd.DataFrame, *, study_name: str = "", lang: Lang = "zh", made_up: bool = False, data_date: str = ""
) -> Path:
    """Write who is covered in each unit as a workbook or CSV, the suffix decides.

    Parameters
    ----------
    table
        From `coverage`: index unit code with ``"ALL"`` first; ``name``, ``level``, ``people``, ``covered``, ``share``,
        ``unjudged`` (people on cells that join no street), ``share_low`` (none of them reach) and ``share_high`` (all do);
        one ``group`` and one ``minutes`` (or ``metres``).

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    sheet = _coverage_sheet(table, study_name, lang, made_up, data_date)
    return choose_format(path, {".xlsx": lambda to: write_workbook(to, [sheet]), ".csv": lambda to: write_csv(to, sheet)})


def write_faults(path: str | Path, faults: Iterable[Fault], *, lang: Lang = "zh") -> Path:
    """Write everything dropped, repaired or noted in the input as a workbook or CSV, the suffix decides.

    Raises
    ------
    ValueError
        If the suffix is neither ``.xlsx`` nor ``.csv``.
    """
    sheet = faults_sheet(tuple(faults), lang)
    return choose_format(path, {".xlsx": lambda to: write_workbook(to, [sheet]), ".csv": lambda to: write_csv(to, sheet)})


def faults_sheet(faults: Sequence[Fault], lang: Lang, warning: str = "") -> Sheet:
    """Lay faults and findings out, one a row, in the order found."""
    columns = (
        Column("severity", "处理", "Outcome", "text", 9),
        Column("file", "文件", "File", "text", 24),
        Column("sheet", "工作表", "Sheet", "text", 12),
        Column("row", "行", "Row", "text", 12),
        Column("column", "列", "Column", "text", 14),
        Column("found", "现值", "Found", "text", 18),
        Column("problem", "问题", "Problem", "text", 56),
        Column("cure", "处理建议", "What to do", "text", 40),
        Column("people", "涉及人数", "People affected", "people", 11),
    )
    table = fault_table(faults, lang=lang)
    rows = tuple(tuple(_blank_zero(row[c.key]) for c in columns) for row in table.to_dict("records"))
    title = pick(lang, "数据问题与提示", "Faults and findings")
    told = pick(lang, f"共 {len(rows)} 条", f"{len(rows)} in all")
    return Sheet(pick(lang, "问题与提示", "Findings"), title, (told,), columns, rows, lang, warning)


def _blank_zero(value: Value) -> Value:
    return None if isinstance(value, (int, float)) and value == 0 else value


def _coverage_sheet(table: pd.DataFrame, study_name: str, lang: Lang, made_up: bool, data_date: str) -> Sheet:
    who = group_name(str(table["group"].iloc[0]), lang) if len(table) else ""
    limit = _limit_of(table, lang)
    columns = (
        Column("unit_id", "代码", "Code", "text", 15),
        Column("name", "名称", "Name", "text", 22),
        Column("level", "级别", "Level", "text", 12),
        Column("people", f"人数（{who}）", f"People ({who})", "people", 14),
        Column("covered", f"{limit}内可到达的人数", f"People within {limit}", "people", 14),
        Column("share", "覆盖率（占本单元人数）", "Share of the unit's people", "share", 13),
        Column("unjudged", "无法判断的人数", "People who cannot be judged", "people", 13),
        Column("share_low", "覆盖率下限（其均未覆盖）", "Share if none of them reach", "share", 14),
        Column("share_high", "覆盖率上限（其均已覆盖）", "Share if all of them reach", "share", 14),
        *_edge_column(table),
    )
    rows = tuple(_coverage_row(str(code), row, lang) for code, row in zip(table.index, table.to_dict("records"), strict=True))
    title = pick(lang, f"覆盖情况：{who}，{limit}内", f"Coverage: {who} within {limit}")
    notes = (
        pick(
            lang,
            "“可到达”指沿路网在限值以内到达任一设施（含恰好等于限值）；无法判断者是所在格网接不上路网的居民，仍计入分母。",
            "Within means reaching any facility along the streets in at most the limit. People who cannot be judged live on "
            "cells that join no street; they stay in the denominator.",
        ),
        *dated(data_date, lang),
    )
    strong = frozenset(i for i, code in enumerate(table.index) if code == "ALL")
    name = pick(lang, "覆盖情况", "Coverage")
    return Sheet(name, headed(study_name, title), notes, columns, rows, lang, made_up_line(made_up, lang), strong)


def _edge_column(table: pd.DataFrame) -> tuple[Column, ...]:
    """The column of people whom data from beyond the edge could cover, where that was worked out."""
    told = ("界外数据可能使其覆盖的人数", "Could be covered with data from beyond the edge")
    return (Column("could_change", *told, "people", 15),) if "could_change" in table.columns else ()


def _coverage_row(code: str, row: Mapping[Hashable, object], lang: Lang) -> tuple[Value, ...]:
    numbers = tuple(number(row[key]) for key in ("people", "covered", "share", "unjudged", "share_low", "share_high"))
    numbers += (number(row["could_change"]),) if "could_change" in row else ()
    if code == "ALL":
        return "", pick(lang, "全部", "All"), "", *numbers
    return code, str(row["name"]), level_name(str(row["level"]), lang), *numbers


def _limit_of(table: pd.DataFrame, lang: Lang) -> str:
    key = "minutes" if "minutes" in table.columns else "metres"
    if not len(table) or key not in table.columns:
        return pick(lang, "限值", "the limit")
    value = float(table[key].iloc[0])
    return limit_words(value if key == "minutes" else None, value if key == "metres" else None, lang)


def limit_words(minutes: float | None, metres: float | None, lang: Lang) -> str:
    """Say a limit in words.

    >>> limit_words(15, None, "zh"), limit_words(None, 300, "en")
    ('15 分钟', '300 m')
    """
    if minutes is not None:
        return pick(lang, f"{minutes:g} 分钟", f"{minutes:g} minutes")
    return pick(lang, f"{metres:g} 米", f"{metres:g} m")


def headed(study_name: str, title: str) -> str:
    """Put the study's name before a title."""
    return f"{study_name} · {title}" if study_name else title


def dated(data_date: str, lang: Lang) -> tuple[str, ...]:
    """Say how old the data are, where that is known."""
    return (pick(lang, f"数据日期：{data_date}", f"Data as of {data_date}"),) if data_date else ()


def made_up_line(made_up: bool, lang: Lang) -> str:
    """Say that data are made up, in words nobody overlooks."""
    return pick(lang, "虚构数据，仅供演示", "Made-up data, for demonstration only") if made_up else ""


def number(value: object) -> float | None:
    """Take a number from a table; what is missing or endless stays empty."""
    told = float(str(value)) if value is not None else math.nan
    return told if math.isfinite(told) else None


def choose_format(path: str | Path, writers: Mapping[str, Callable[[Path], Path]]) -> Path:
    """Write in the format that the file's suffix names."""
    to = Path(path)
    suffix = to.suffix.lower()
    if suffix not in writers:
        raise ValueError(f"{to.name}: cannot write {suffix or 'a file without suffix'!r}; choose {' or '.join(writers)}")
    to.parent.mkdir(parents=True, exist_ok=True)
    return writers[suffix](to)


def write_csv(path: Path, sheet: Sheet) -> Path:
    """Write a table as CSV that Excel opens in Chinese (UTF-8 with BOM); text that looks like a formula gets an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    extra = [pick(sheet.lang, "备注", "Note")] if sheet.warning else []
    writer.writerow([*(pick(sheet.lang, c.zh, c.en) for c in sheet.columns), *extra])
    for row in sheet.rows:
        told = [_csv_text(value, column.kind) for value, column in zip(row, sheet.columns, strict=True)]
        writer.writerow([*told, *([sheet.warning] if sheet.warning else [])])
    return write_whole(path, text.getvalue().encode("utf-8-sig"))


def _csv_text(value: Value, kind: Kind) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(DANGEROUS) else value
    if kind == "share":
        return f"{value:.1%}"
    told = f"{value:.6f}" if kind in ("degrees", "measure") else f"{value:.1f}"
    return told.rstrip("0").rstrip(".")


def write_layer(
    path: str | Path, table: GeoDataFrame, *, study_name: str = "", made_up: bool = False, data_date: str = "", lang: Lang = "zh"
) -> Path:
    """Write isochrones, reached streets or any other layer as GeoJSON, every column carried.

    Raises
    ------
    ValueError
        If the suffix is not ``.geojson``.
    """
    about: dict[str, Value | bool] = {"study": study_name, "made_up": made_up, "data_date": data_date, "lang": lang}
    properties = [str(column) for column in table.columns if column != table.geometry.name]
    return choose_format(path, {".geojson": lambda to: write_geojson(to, table, properties, about)})


def write_geojson(path: Path, table: GeoDataFrame, properties: Sequence[str], about: Mapping[str, Value | bool]) -> Path:
    """Write places as GeoJSON (RFC 7946): degrees of WGS-84 with six decimals, about a tenth of a metre.

    Parameters
    ----------
    properties
        Columns to carry; the index becomes ``id``.
    about
        Members beside the features that say what the file is.
    """
    import numpy as np
    import shapely

    degrees = table.geometry.to_crs(4326)
    places = shapely.transform(degrees.to_numpy(), lambda xy: np.round(xy, 6))
    features = [
        {
            "type": "Feature",
            "id": str(name),
            "properties": {"id": str(name), **{key: _json_value(row[key]) for key in properties}},
            "geometry": None if place is None else shapely.geometry.mapping(place),
        }
        for name, row, place in zip(table.index, table.to_dict("records"), places, strict=True)
    ]
    head = _json_line({"type": "FeatureCollection", **about})
    lines = ",\n".join(map(_json_line, features))  # a feature a line; json's own indenting takes ten times as long
    return write_whole(path, f'{head[:-1]}, "features": [\n{lines}\n]}}\n'.encode())


def _json_line(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _json_value(value: object) -> Value:
    import numpy as np

    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    told = number(value)
    return None if told is None else round(told, 6)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all.

    Raises
    ------
    PermissionError
        Where another program holds the file open.
    """
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    try:
        os.replace(aside, path)  # one step on Windows too, where Path.rename refuses
    except PermissionError as error:
        aside.unlink()
        zh = f"无法写入 {path.name}：请先关闭正在使用它的程序（如 Excel）"
        raise PermissionError(f"{zh}. {path.name} is open in another program: close it, then run again") from error
    return path
