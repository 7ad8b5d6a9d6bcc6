"""Write the front page of a run: a card a service with its one sentence, and a link to every file written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files as packaged
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import numpy as np
import shapely

from careshed.maps.base import _write_whole
from careshed.maps.facts import judged_count, key_sentence, lead_sentence, reached_counts, scope_of, units_without
from careshed.maps.layers import BLUES, NO_CLASS, located, rows, share_class
from careshed.maps.moving import as_travelled
from careshed.maps.panel import FIFTHS, split_bar
from careshed.maps.text import minutes_text, say
from careshed.schema import TIERS
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from careshed.run.results import RunResult, ServiceResult

KINDS: Final[tuple[tuple[str, str, str], ...]] = (
    (r"\.html$", "可达图", "Map"),
    (r"_places\.html$", "床位与托位图", "Map of places"),
    (r"_whatif\.html$", "推演：假如这样选", "What if: choose sites"),
    (r"_change\.html$", "前后对比", "Before and after"),
    (r"_sites\.xlsx$", "建议选址清单", "Proposed sites"),
    (r"_places\.xlsx$", "床位与托位清单", "Places by facility"),
    (r"_plan\.html$", "选址方案图", "Map of the plan"),
    (r"_plan\.xlsx$", "选址方案工作簿", "Workbook of the plan"),
    (r"_plan\.json$", "方案文件（可复核）", "Plan file (can be verified)"),
    (r"scorecard\.html$", "按规划逐项评分", "Scorecard of the plan"),
    (r"scorecard\.xlsx$", "评分工作簿", "Scorecard, workbook"),
    (r"hierarchy\.xlsx$", "分级服务网络", "Levels of service"),
    (r"\.docx$", "简报", "Brief"),
    (r"\.pdf$", "图集", "Atlas"),
    (r"\.gpkg$", "GIS 图层", "GIS layers"),
    (r"\.(png|svg)$", "图", "Figure"),
    (r"committee\.xlsx$", "成果工作簿", "Workbook for the committee"),
    (r"\.xlsx$", "工作簿", "Workbook"),
)
"""End of a file's name -> what it is; the last that fits counts, `COMMON` first."""

COMMON: Final = (".html", ".docx", ".pdf", ".gpkg", ".png", ".svg", ".xlsx")
"""Files that a reader opens; what else was written is listed at the foot."""

WHOLE: Final = "committee.xlsx"
"""The file that holds the whole run, named before the others of the study."""

PICTURE: Final = (220, 150)
"""Width and height of a card's little map, pixels."""


def write_index(path: str | Path, result: RunResult, files: Sequence[Path], lang: Lang | None = None) -> Path:
    """Write the page that a committee opens first: what each service comes to, and where every map and list is.

    Parameters
    ----------
    path
        The page; links are relative to its folder, so that the folder can be moved or zipped as a whole.
    files
        Files written by the run; those with the name of a service stand on its card, data files at the foot; files outside
        the page's folder are named, not linked.

    Returns
    -------
    pathlib.Path
        The file written. The same run gives the same bytes; it asks no other machine for anything.
    """
    from jinja2 import Environment

    page, study = Path(path), result.study
    lang = lang or study.lang
    shown = [file for file in files if file.suffix in COMMON and _href(file, page.parent) and file != page]
    others = [file for file in files if file not in shown and file != page]
    cards, taken = [], set()
    for one in sorted(result.services, key=lambda one: -len(one.service.id)):
        own = [file for file in shown if _belongs(file, one.service.id) and file not in taken]
        taken |= set(own)
        cards.append((one.service.id, _card(result, one, _links(own, page.parent, lang), lang)))
    order = [one.service.id for one in result.services]
    rest = sorted((file for file in shown if file not in taken), key=lambda file: file.name != WHOLE)
    values = {
        "lang": "zh-CN" if lang == "zh" else "en",
        "study": study.name,
        "date": say(lang, "data_date", study.data_date) if study.data_date else "",
        "approval": say(lang, "approval_no", study.config.map.approval_no) if study.config.map.approval_no else "",
        "made_up": say(lang, "made_up") if study.made_up else "",
        "words": {key: pick(lang, *said) for key, said in WORDS.items()},
        "cards": [card for _, card in sorted(cards, key=lambda card: order.index(card[0]))],
        "rest": _links(rest, page.parent, lang),
        "further": _further(files, lang),
        "others": [{"href": _href(file, page.parent), "name": file.name} for file in others],
        "legend": list(zip(BLUES, FIFTHS, strict=True)),
        "css": _asset("index.css"),
    }
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return _write_whole(page, environment.from_string(_asset("index.html")).render(**values))


WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("成果总览", "Results"),
    "services": ("各项服务", "Services"),
    "whole": ("全市成果", "The study as a whole"),
    "data": ("数据文件", "Data files"),
    "picture": ("各单元可达比例", "share reached by unit"),
    "who": ("{}，{} 分钟", "{}, {} min"),
    "legend": ("小图颜色：单元内可达比例", "Colours of the little maps: share reached in a unit"),
    "further": ("简报和图集另行生成：", "Brief and atlas are made by"),
    "none": ("本次运行未写出地图或清单。", "This run wrote no map or list."),
}
"""Key -> (Chinese, English) of the front page."""


FURTHER: Final[tuple[tuple[str, str], ...]] = (
    (".docx", "careshed brief STUDY.toml -o brief.docx"),
    (".pdf", "careshed atlas STUDY.toml -o atlas.pdf"),
)
"""End of a file that no run writes by itself -> the command that makes it."""


def _further(files: Sequence[Path], lang: Lang) -> list[str]:
    """Give the commands that make the papers which are not there yet, with the words before them first."""
    missing = [command for end, command in FURTHER if not any(file.suffix == end for file in files)]
    return [pick(lang, *WORDS["further"]), *missing] if missing else []


def _asset(name: str) -> str:
    return packaged("careshed.maps").joinpath("assets", name).read_text(encoding="utf-8")


def _belongs(file: Path, service: str) -> bool:
    return re.match(rf"{re.escape(service)}(_|\.)", file.name) is not None


def _href(file: Path, folder: Path) -> str:
    """Link to a file in the page's folder or below it, as an address, so that any name works; "" for a file elsewhere.

    The folder is what is handed on: a link out of it would lead nowhere on another machine.
    """
    return quote(file.relative_to(folder).as_posix()) if file.is_relative_to(folder) else ""


def _links(files: Iterable[Path], folder: Path, lang: Lang) -> list[dict[str, str]]:
    return [
        {"href": _href(file, folder), "label": _kind(file, lang), "name": file.name, "end": file.suffix[1:].upper()}
        for file in files
    ]


def _kind(file: Path, lang: Lang) -> str:
    """Say what a file is by the end of its name.

    >>> _kind(Path("childcare_sites.xlsx"), "en"), _kind(Path("childcare.html"), "zh")
    ('Proposed sites', '可达图')
    """
    fitting = [(len(end), zh, en) for end, zh, en in KINDS if re.search(end, file.name)]
    return pick(lang, *max(fitting)[1:]) if fitting else file.name


def _card(result: RunResult, one: ServiceResult, links: list[dict[str, str]], lang: Lang) -> dict[str, object]:
    study, service = result.study, one.service
    scope = scope_of(study, service=service.id, group=None, lang=lang, times=one.times, covered=one.covered)
    judged = judged_count(scope, reached_counts(scope, study.cells, one.times, one.covered))
    without = units_without(study.facilities(service.id), study.units)
    return {
        "name": service.name(lang),
        "lead": as_travelled(lead_sentence(scope, judged, without), scope.mode),
        "sentence": as_travelled(key_sentence(scope, judged), scope.mode),
        "who": pick(lang, *WORDS["who"]).format(group_name(scope.group, lang), minutes_text(scope.minutes or 0)),
        "bar": split_bar(judged, lang) if judged is not None else None,
        "picture": little_map(study.units, one, scope.group, scope.minutes),
        "links": links,
    }


def little_map(units: GeoDataFrame | None, one: ServiceResult, group: str, minutes: float | None) -> list[dict[str, str]]:
    """Draw streets and townships as SVG paths in the colours of their share reached; empty where there are no outlines."""
    if units is None:
        return []
    drawn = located(units[units["level"].map(TIERS) == 2])
    if drawn.empty:
        return []
    judged = one.covered[(one.covered["group"] == group) & (one.covered["minutes"] == minutes)]
    found = {str(key): row for key, row in rows(judged)}
    west, south, east, north = (float(edge) for edge in drawn.total_bounds)
    scale = min((PICTURE[0] - 4) / (east - west), (PICTURE[1] - 4) / (north - south))
    corner = np.array([(PICTURE[0] - (east - west) * scale) / 2, (PICTURE[1] - (north - south) * scale) / 2])
    shapes = shapely.simplify(np.asarray(drawn.geometry.array), 0.6 / scale)
    kinds = [share_class(found.get(str(key))) for key in drawn.index]
    return [
        {"d": _svg_path((shape, west, north, scale, corner)), "fill": "#d9d9d6" if kind == NO_CLASS else BLUES[kind]}
        for shape, kind in zip(shapes, kinds, strict=True)
    ]


def _svg_path(placed: tuple[shapely.Geometry, float, float, float, np.ndarray[tuple[int], np.dtype[np.float64]]]) -> str:
    shape, west, north, scale, corner = placed
    parts = []
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        points = (shapely.get_coordinates(ring) - (west, north)) * (scale, -scale) + corner
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[:-1].tolist()) + "Z")
    return "".join(parts)
