"""Say what the layers are: title, abstract, date, whether made up, coordinate system, and which files they rest on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from careshed.report.layers.fields import fields, kind_word
from careshed.report.layers.model import Layer
from careshed.report.layers.xml import tag, text
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pyproj

    from careshed.run.results import RunResult
    from careshed.study import Study


def title_of(study: Study, lang: Lang) -> str:
    """Name the whole of the layers."""
    return f"{study.name} · {pick(lang, '养老托育可达性图层', 'accessibility of elder care and childcare')}"


def abstract_of(result: RunResult, lang: Lang) -> str:
    """Say in a few sentences what the layers hold and how they came about."""
    study, comma = result.study, pick(lang, "、", ", ")
    names = comma.join(one.service.name(lang) for one in result.services)
    made_up = pick(lang, "虚构数据，不描述任何真实地点。", "Made-up data: no real place is described. ") if study.made_up else ""
    zh = (
        f"沿路网计算居民到设施的出行时间，统计覆盖率、缺口与建议选址。服务：{names}。字段见“字段说明”表，假设与来源见“元数据”表。"
    )
    en = (
        f"Travel times along the streets from residents to facilities, coverage, gaps and proposed sites. Services: {names}. "
        "Fields are explained in the table data_dictionary, assumptions and sources in metadata."
    )
    return made_up + pick(lang, zh, en)


def datum_words(study: Study, crs: pyproj.CRS, lang: Lang) -> str:
    """Say how coordinates came from the study's system into the file's."""
    same = pick(
        lang,
        "各数据读入时已换算到研究坐标系；WGS-84 与 CGCS2000 之间未作平移（两者定义一致到厘米；因板块运动，按当前历元实测的 "
        "WGS-84 坐标可有数分米之差，远小于登记坐标和街道数据的精度）。经纬度按“经度、纬度”顺序存储。",
        "All data were brought to the study's system on reading; between WGS-84 and CGCS2000 nothing was shifted (by definition "
        "they agree to centimetres; WGS-84 coordinates measured today may differ by some decimetres as the continent moves, far "
        "less than registers and streets are good for). Degrees are stored as longitude, latitude.",
    )
    return f"{study.crs} → {crs.name}: {same}"


def input_hashes(study: Study) -> list[tuple[str, str]]:
    """List every file that the study names, itself included, with its SHA-256, by name."""
    named = {study.path.name} | {text for text in _texts(study.config.model_dump()) if (study.folder / text).is_file()}
    return [(name, hashlib.sha256((study.folder / name).read_bytes()).hexdigest()) for name in sorted(named)]


def _texts(value: object) -> Iterable[str]:
    """List every text in nested sections that could name a file."""
    if isinstance(value, str):
        # some systems refuse even to ask whether a file of so long a name is there
        return [value] if value and len(value.encode()) < 250 and "\0" not in value else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [found for part in parts for found in _texts(part)]


def metadata_table(result: RunResult, crs: pyproj.CRS, lang: Lang) -> Layer:
    """List what a reader must know about the file, one thing a row."""
    study = result.study
    rows = [
        (pick(lang, "标题", "title"), title_of(study, lang)),
        (pick(lang, "摘要", "abstract"), abstract_of(result, lang)),
        (pick(lang, "数据日期", "data date"), study.data_date or pick(lang, "未注明", "not stated")),
        (pick(lang, "虚构数据", "made-up data"), _yes(study.made_up, lang)),
        (pick(lang, "坐标系", "coordinate system"), f"{crs.to_string()} · {crs.name}"),
        (pick(lang, "研究坐标系", "study's system"), study.crs),
        (pick(lang, "坐标换算", "datum"), datum_words(study, crs, lang)),
        *_assumptions(result, lang),
        (pick(lang, "软件", "software"), f"careshed {_version()}"),
        *((f"{pick(lang, '输入文件', 'input file')} {name}", f"SHA-256 {digest}") for name, digest in input_hashes(study)),
    ]
    table = pd.DataFrame(rows, columns=["item", "told"])
    title = pick(lang, "元数据", "Metadata")
    return Layer(pick(lang, "元数据", "metadata"), title, fields("item", "told"), table)


def _yes(value: bool, lang: Lang) -> str:
    return pick(lang, "是", "yes") if value else pick(lang, "否", "no")


def _version() -> str:
    from importlib.metadata import version

    return version("careshed")


def _assumptions(result: RunResult, lang: Lang) -> list[tuple[str, str]]:
    """Say by which rules each service is judged."""
    rows, comma = [], pick(lang, "、", ", ")
    for one in result.services:
        service, mode = one.service, result.study.mode(one.service.id)
        bands = comma.join(f"{limit:g}" for limit in service.minutes)
        who, types = group_name(service.group, lang), comma.join(service.types)
        told = pick(
            lang,
            f"人群：{who}；时限 {service.within_minutes:g} 分钟（含）；等时圈 {bands} 分钟；出行方式：{mode.zh}；"
            f"计入类型：{types}；离街道超过 {result.study.snap_m:g} 米的地点视为未接入路网",
            f"group: {who}; limit {service.within_minutes:g} minutes (≤); bands {bands} minutes; travel: {mode.en}; types that "
            f"count: {types}; a place farther than {result.study.snap_m:g} m from any street is unattached",
        )
        rows.append((service.name(lang), told))
    return rows


def dictionary_table(layers: Sequence[Layer], lang: Lang) -> Layer:
    """Explain every field of every layer."""
    own = fields("layer", "layer_title", "field", "field_kind", "field_unit", "meaning")
    title = pick(lang, "字段说明", "Data dictionary")
    name = pick(lang, "字段说明", "data_dictionary")
    blank = Layer(name, title, own, pd.DataFrame(columns=[field.key for field in own]))
    rows = [
        (
            layer.name,
            layer.title,
            field.name(lang),
            kind_word(field.kind, lang),
            pick(lang, *field.unit),
            pick(lang, *field.meaning),
        )
        for layer in (*layers, blank)
        for field in layer.fields
    ]
    return Layer(name, title, own, pd.DataFrame(rows, columns=[field.key for field in own]))


def iso_xml(result: RunResult, crs: pyproj.CRS, bounds: tuple[float, float, float, float], lang: Lang) -> str:
    """Write the metadata by ISO 19115 in the XML of ISO 19139, without a clock: its date is the data's."""
    study = result.study
    date = tag("gco:Date", {}, text(study.data_date)) if study.data_date else ""
    missing = {} if study.data_date else {"gco:nilReason": "unknown"}
    dated = tag("gmd:CI_Date", {}, tag("gmd:date", missing, date) + tag("gmd:dateType", {}, _code("CI_DateTypeCode", "creation")))
    cited = tag("gmd:CI_Citation", {}, tag("gmd:title", {}, _string(title_of(study, lang))) + tag("gmd:date", {}, dated))
    limited = pick(lang, "虚构数据，仅供演示", "Made-up data, for demonstration only") if study.made_up else ""
    use = tag("gmd:MD_Constraints", {}, tag("gmd:useLimitation", {}, _string(limited))) if limited else ""
    about = "".join(
        [
            tag("gmd:citation", {}, cited),
            tag("gmd:abstract", {}, _string(abstract_of(result, lang))),
            tag("gmd:resourceConstraints", {}, use) if use else "",
            tag("gmd:language", {}, _string(pick(lang, "zho", "eng"))),
            tag("gmd:topicCategory", {}, tag("gmd:MD_TopicCategoryCode", {}, "society")),
            tag("gmd:extent", {}, tag("gmd:EX_Extent", {}, tag("gmd:geographicElement", {}, _box(bounds)))),
        ]
    )
    body = "".join(
        [
            tag("gmd:language", {}, _string(pick(lang, "zho", "eng"))),
            tag("gmd:characterSet", {}, _code("MD_CharacterSetCode", "utf8")),
            tag("gmd:hierarchyLevel", {}, _code("MD_ScopeCode", "dataset")),
            tag("gmd:contact", {"gco:nilReason": "missing"}),
            tag("gmd:dateStamp", missing, date),
            tag("gmd:referenceSystemInfo", {}, _system(crs)),
            tag("gmd:identificationInfo", {}, tag("gmd:MD_DataIdentification", {}, about)),
            tag("gmd:dataQualityInfo", {}, _lineage(study, crs, lang)),
        ]
    )
    spaces = {"xmlns:gmd": "http://www.isotc211.org/2005/gmd", "xmlns:gco": "http://www.isotc211.org/2005/gco"}
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tag("gmd:MD_Metadata", spaces, body)}\n'


def _string(content: str) -> str:
    return tag("gco:CharacterString", {}, text(content))


def _code(kind: str, value: str) -> str:
    head = {"codeList": f"http://www.isotc211.org/2005/resources/Codelist/gmxCodelists.xml#{kind}", "codeListValue": value}
    return tag(f"gmd:{kind}", head, value)


def _box(bounds: tuple[float, float, float, float]) -> str:
    west, south, east, north = bounds
    sides = {"westBoundLongitude": west, "eastBoundLongitude": east, "southBoundLatitude": south, "northBoundLatitude": north}
    told = "".join(tag(f"gmd:{side}", {}, tag("gco:Decimal", {}, f"{value:.6f}")) for side, value in sides.items())
    return tag("gmd:EX_GeographicBoundingBox", {}, told)


def _system(crs: pyproj.CRS) -> str:
    named = tag("gmd:RS_Identifier", {}, tag("gmd:code", {}, _string(crs.to_string())))
    return tag("gmd:MD_ReferenceSystem", {}, tag("gmd:referenceSystemIdentifier", {}, named))


def _lineage(study: Study, crs: pyproj.CRS, lang: Lang) -> str:
    files = "; ".join(f"{name} (SHA-256 {digest})" for name, digest in input_hashes(study))
    told = f"careshed {_version()}. {datum_words(study, crs, lang)} {pick(lang, '输入文件', 'Input files')}: {files}"
    scope = tag("gmd:scope", {}, tag("gmd:DQ_Scope", {}, tag("gmd:level", {}, _code("MD_ScopeCode", "dataset"))))
    line = tag("gmd:lineage", {}, tag("gmd:LI_Lineage", {}, tag("gmd:statement", {}, _string(told))))
    return tag("gmd:DQ_DataQuality", {}, scope + line)
