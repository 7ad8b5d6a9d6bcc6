"""Bad and odd files, each named for its defect, with the outcome that is defined for it."""

from __future__ import annotations

import base64
import datetime
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import openpyxl
import shapely
from shapely.geometry import LineString, Point

UTM: Final = "EPSG:32651"
HEADER: Final = "编号,名称,类型,经度,纬度,床位数"
ROWS: Final = (
    "A1,青松站,养老服务站,121.5,31.2,30",
    "A2,翠竹站,养老服务站,121.51,31.21,40",
    "A3,红梅站,养老服务站,121.52,31.22,50",
)
GOOD: Final = "\n".join([HEADER, *ROWS]) + "\n"

Made = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """One file with a defect, and what must become of it."""

    name: str
    make: Made
    rows: int = 3
    """Records in the file, as a planner would count them."""
    says: tuple[str, ...] = ()
    """Codes of faults that must be told where the file is read."""
    error: str = ""
    """Code of the error that must stop the file; "" where it is read."""
    values: dict[str, list[object]] = field(default_factory=dict)
    """Column -> the values that must come out."""
    how: dict[str, object] = field(default_factory=dict)
    """Options of `read_facilities`, beside WGS-84 degrees."""


def text(content: str | bytes, *, name: str = "登记.csv", encoding: str = "utf-8") -> Made:
    """Make a text file."""

    def make(folder: Path) -> Path:
        file = folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return file

    return make


def rows(*lines: str, header: str = HEADER) -> Made:
    """Make a CSV of a header and rows."""
    return text("\n".join([header, *lines]) + "\n")


def beds(*values: str, header: str = "床位数") -> Made:
    """Make a register that differs in one column alone."""
    lines = [f'A{at},站{at},养老服务站,121.5{at},31.2,"{value}"' for at, value in enumerate(values)]
    return rows(*lines, header=f"编号,名称,类型,经度,纬度,{header}")


def placed(*pairs: tuple[object, object], header: str = "经度,纬度") -> Made:
    """Make a register that differs in its coordinates alone."""
    lines = [f'A{at},站{at},养老服务站,"{x}","{y}"' for at, (x, y) in enumerate(pairs)]
    return rows(*lines, header=f"编号,名称,类型,{header}")


def book(*cells: list[object], merged: tuple[str, ...] = (), name: str = "登记.xlsx", more: str = "", first: str = "") -> Made:
    """Make a workbook; `more` is a second sheet's name, `first` that of an empty sheet before."""

    def make(folder: Path) -> Path:
        made = openpyxl.Workbook()
        sheet = made.active
        if first:
            made.active.title = first
            sheet = made.create_sheet("登记表")
        for row in cells:
            sheet.append(row)
        for where in merged:
            sheet.merge_cells(where)
        if more:
            made.create_sheet(more)
        made.save(folder / name)
        return folder / name

    return make


GRID: Final[list[list[object]]] = [line.split(",") for line in GOOD.strip().split("\n")]


def frame(**changes: object) -> gpd.GeoDataFrame:
    """Give the three facilities as a layer."""
    table = {"id": ["A1", "A2", "A3"], "name": ["青松站", "翠竹站", "红梅站"], "type": "养老服务站", "beds": [30.0, 40.0, 50.0]}
    points = [Point(121.5, 31.2), Point(121.51, 31.21), Point(121.52, 31.22)]
    return gpd.GeoDataFrame({**table, **changes}, geometry=points, crs="EPSG:4326")


def layer(name: str, *, layers: tuple[str, ...] = ("登记",), cut: int = 0, geometry: list[object] | None = None) -> Made:
    """Make a layer file; `cut` bytes are missing at its end."""

    def make(folder: Path) -> Path:
        file = folder / name
        table = frame() if geometry is None else frame().set_geometry(geometry, crs="EPSG:4326")
        for own in layers:
            if file.suffix == ".parquet":
                table.to_parquet(file)
            elif file.suffix == ".gpkg":
                table.to_file(file, layer=own)
            else:
                table.to_file(file)
        if cut:
            file.write_bytes(file.read_bytes()[:-cut])
        return file

    return make


def shapefile(
    *, encoding: str = "UTF-8", cpg: str | None = "UTF-8", without: str = "", patch: Callable[[Path], None] | None = None
) -> Made:
    """Make a Shapefile with parts missing or wrong."""

    def make(folder: Path) -> Path:
        file = folder / "dengji.shp"
        frame().to_file(file, encoding=encoding)
        stated = file.with_suffix(".cpg")
        stated.unlink(missing_ok=True)
        if cpg is not None:
            stated.write_text(cpg, encoding="ascii")
        if without:
            file.with_suffix(without).unlink()
        if patch is not None:
            patch(file)
        return file

    return make


def _drop_row(file: Path) -> None:
    """Let the .dbf say that it has two rows for three shapes."""
    raw = bytearray(file.with_suffix(".dbf").read_bytes())
    raw[4:8] = (2).to_bytes(4, "little")
    file.with_suffix(".dbf").write_bytes(bytes(raw))


def _cut_name(file: Path) -> None:
    """Cut a name in the middle of a character, as the ten or 254 bytes of a field do."""
    raw = file.with_suffix(".dbf").read_bytes()
    whole = "红梅站".encode()
    file.with_suffix(".dbf").write_bytes(raw.replace(whole, whole[:-1] + b" "))


def _cut_shapes(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def geojson(features: list[object], *, name: str = "登记.geojson", encoding: str = "utf-8", cut: int = 0) -> Made:
    """Make a GeoJSON of features as written."""

    def make(folder: Path) -> Path:
        whole = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode(encoding)
        (folder / name).write_bytes(whole[: len(whole) - cut])
        return folder / name

    return make


def feature(own: str, geometry: dict[str, object] | None, name: str = "青松站") -> dict[str, object]:
    """Give one feature."""
    return {"type": "Feature", "properties": {"id": own, "name": name, "type": "养老服务站"}, "geometry": geometry}


def at(x: float, y: float) -> dict[str, object]:
    """Give the geometry of a point."""
    return {"type": "Point", "coordinates": [x, y]}


OSM: Final = """<osm version="0.6">
<node id="1" lat="31.2" lon="121.5"><tag k="amenity" v="kindergarten"/><tag k="name" v="一幼"/></node>
<node id="2" lat="31.2" lon="121.501"/><node id="3" lat="31.2" lon="121.502"/><node id="4" lat="31.201" lon="121.502"/>
<way id="8"><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="2"/><tag k="amenity" v="kindergarten"/></way>
<way id="9"><nd ref="2"/><nd ref="3"/><tag k="amenity" v="kindergarten"/></way>
<node id="5" lat="31.2" lon="121.5"><tag k="amenity" v="cafe"/></node>
</osm>"""

XLS: Final = zlib.decompress(
    base64.b85decode(
        "c-rk)T}V_x6#nM!-5)nsS5rX)S%l0?L9K^+u+5-+(#!%QLeqAsFn?Gqat$?2h$IL?qUc31AqX>qekh^np&kOG9>OA8>#>&t`vY}5=j`3}Cj*5N"
        "jQd^YoH=J^&Y8J0XJ+nwF`5+Wzm+kLdDsdIro(Zt&C)4KaZ$kyDi4P_8|4m4VG}C~aSobDn-vdS&+R;iJm2HcFswf&3Vfh+0L>_GYV>=S5!<B?"
        "wTk;tOjO}2X%dhwy-F5(Na$*zH>Ku7q1!}rUT87Z4XOPY^_J&uHdgUIElbK0z;^FSn>V5<L@J)~D(<+TB6Y1O2^_6Gw!#WB^>_?`CbZPw=nt@*"
        "h-+{Ht%UrBhJ2qdgcO?W0elU6fQe{SKk}IR<<%>Y{>NOs{SSHvP2zn0MNJ1f5k4qE(nE{7R_79nYCAF9d*tjSP9jkjJ9xRLb$s7L%(eG(E3vjy"
        "y;a0U+Xt(O-5_RxI#*q`tJ$wZ_0{DZ|K^|QqsS;Jq=L#z?T5#L3TiCKsv=T_I(`Pnf>d{~eG>}csj)&8QKk@E&{FN>14A|#_nZyJC4m=D)JJ{e"
        "e3FEpn?^W!{maX;x(aWNXgcLki5xv^d87#AG`FC}2~uJa%BFLr#Rj2WVs(w=GlZs4Y!J_`NHsD$yQR(<Da|H78wIbt>t^M1DBtsG_r1)XkKXl^"
        "A1WOWrVPFI_9KgqLLar~ryF@HPhGjpxbKZ}Wo%RLgr@(tWjQpr(f6=%z9wRdgOrdYG$QfaQ87s~-c>}hkYtHTI!Ss=vXW$tNj8#fhF7(KS0!HU"
        "Mtvn-9WjZ$^3gwnOp@5^+Yzq+q=0Eqw&bqc8hK#*+5+}9vF|i2M&^7~Oq#LJ?~Lug7yC~OcvO)(Jf8Si3m%V)FDhCx?yzy%_GjRP2@@tvm@r|&"
        "goy>A<VqR2M(c8Ej9k&}#($kDO4H_VlK&Q!XriZuJ}P&hk$3>DOIkl^u&Ssnwa7Nn|AmYy@*Y4v>ZBj_OJ2Y9xu9l`XVDGae=mfV>VJAE{rt!N"
        "e*vr||6c"
    )
)
"""A workbook of Excel 97 with a date cell and "约40张", written by xlwt 1.3.0."""

_DEGREES_METRES = [(3452300.0, 40512345.0), (3452400.0, 40512445.0)]
"""Chinese survey axes: X points north, Y east with the zone before it."""


def metres(*, prefix: float = 0.0, meridian: int = 120) -> Made:
    """Make a register in Gauss-Krueger metres near 121.5 E, 31.2 N, made by an independent formula of pyproj's string."""
    import pyproj

    convert = pyproj.Transformer.from_crs("EPSG:4490", f"+proj=tmerc +lon_0={meridian} +x_0=500000 +ellps=GRS80", always_xy=True)
    pairs = [convert.transform(lon, 31.2) for lon in (121.5, 121.51, 121.52)]
    return placed(*((f"{x + prefix * 1e6:.2f}", f"{y:.2f}") for x, y in pairs), header="东坐标,北坐标")


PHONES: Final = "编号,名称,类型,经度,纬度,联系人,联系电话,备用\n" + "".join(
    f"A{at},站{at},养老服务站,121.5{at},31.2,张三,0349-2022333,1380013800{at}\n" for at in range(3)
)

CASES: Final[tuple[Case, ...]] = (
    # text: encodings
    Case("utf8", text(GOOD), values={"name": ["青松站", "翠竹站", "红梅站"], "places": [30.0, 40.0, 50.0]}),
    Case("utf8_with_bom", text(GOOD, encoding="utf-8-sig"), values={"name": ["青松站", "翠竹站", "红梅站"]}),
    Case("gbk", text(GOOD, encoding="gbk"), says=("encoding",), values={"name": ["青松站", "翠竹站", "红梅站"]}),
    Case("gb18030_rare_character", text(GOOD.replace("红梅", "䶮㙍"), encoding="gb18030"), says=("encoding",)),
    Case("utf16_with_mark", text(GOOD, encoding="utf-16"), says=("encoding",), values={"places": [30.0, 40.0, 50.0]}),
    Case("utf16_without_mark", text(GOOD, encoding="utf-16-le"), says=("encoding",), values={"places": [30.0, 40.0, 50.0]}),
    Case("utf16_big_endian_without_mark", text(GOOD, encoding="utf-16-be"), says=("encoding",)),
    Case(
        "utf8_with_a_broken_character",
        text(GOOD.encode().replace("红梅".encode(), "红".encode() + b"\xe6\xa2")),
        says=("broken_characters",),
        values={"name": ["青松站", "翠竹站", "红�站"]},
    ),
    Case("big5", text(GOOD.replace("站", "站護養樂").encode("big5", "replace")), error="missing_column"),
    Case("text_saved_in_a_wrong_encoding", text(GOOD.replace("红梅", "锟斤拷")), says=("garbled",)),
    Case("bytes_that_are_no_text", text(b"\xff\xff\x80\n\x81"), error="bad_encoding"),
    Case("nul_bytes", text(GOOD.replace("红梅", "红\0梅")), values={"name": ["青松站", "翠竹站", "红梅站"]}),
    # text: form
    Case("zero_bytes", text(b""), error="empty_file"),
    Case("blank_lines_only", text("\n\n"), error="empty_table"),
    Case("header_without_rows", text(HEADER + "\n"), error="empty_table"),
    Case("rows_without_header", text("\n".join(ROWS)), error="no_header"),
    Case("tabs_in_a_csv", text(GOOD.replace(",", "\t")), values={"places": [30.0, 40.0, 50.0]}),
    Case("semicolons_below_a_title", text("登记表\n" + GOOD.replace(",", ";")), says=("header_found",)),
    Case("full_width_commas", text(GOOD.replace(",", "，")), values={"places": [30.0, 40.0, 50.0]}),
    Case("bars", text(GOOD.replace(",", "|"), name="登记.txt"), values={"places": [30.0, 40.0, 50.0]}),
    Case("carriage_returns_alone", text(GOOD.replace("\n", "\r")), values={"places": [30.0, 40.0, 50.0]}),
    Case("an_unclosed_quote", text(GOOD.replace("A1,", 'A1,"') + "x" * 200_000), error="damaged_file"),
    Case(
        "rows_longer_than_the_header", text(GOOD.replace("31.2,30", "31.2,30,多余,多余")), values={"places": [30.0, 40.0, 50.0]}
    ),
    Case("rows_shorter_than_the_header", text(GOOD.replace(",30\n", "\n")), values={"places": [np.nan, 40.0, 50.0]}),
    Case("the_same_header_twice", text(GOOD.replace("床位数", "床位数,床位数", 1)), values={"places": [30.0, 40.0, 50.0]}),
    Case("a_pdf", text(GOOD, name="登记.pdf"), error="unknown_format"),
    Case("no_such_file", lambda folder: folder / "没有.csv", error="no_such_file"),
    # headers and rows that are none
    Case("titles_above_the_header", text("青湾市养老设施登记表,,\n填报单位：民政局,,\n\n" + GOOD), says=("header_found",)),
    Case(
        "merged_header_in_two_rows",
        book(
            ["登记表", None, None, None, None, None, None],
            ["编号", "名称", "类型", "位置", None, "床位数（张）", None],
            [None, None, None, "经度", "纬度", "总数", "其中护理型"],
            ["A1", "青松站", "站", 121.5, 31.2, 30, 10],
            ["A2", "翠竹站", "站", 121.51, 31.21, 40, 20],
            merged=("A1:G1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:G2"),
        ),
        rows=2,
        says=("header_found",),
        values={"places": [30.0, 40.0], "nursing_places": [10.0, 20.0]},
    ),
    Case(
        "two_row_header_in_a_csv",
        text("编号,名称,类型,位置,,床位\n,,,经度,纬度,总数\n" + "\n".join(ROWS)),
        says=("header_found",),
        values={"places": [30.0, 40.0, 50.0]},
    ),
    Case(
        "units_below_the_header",
        text("编号,名称,类型,经度,纬度,占地面积\n,,,°,°,亩\n" + "\n".join(ROWS)),
        says=("header_found", "unit_converted"),
        values={"land_m2": [20000.0, 80000.0 / 3.0, 100000.0 / 3.0]},
    ),
    Case(
        "english_header_below_the_chinese",
        text(GOOD.replace("\n", "\nid,name,type,lon,lat,beds\n", 1)),
        rows=4,
        error="not_a_number",
    ),
    Case("header_repeated_on_every_page", text(GOOD + GOOD.replace("A", "B")), rows=7, says=("header_repeated",)),
    Case("row_of_sums", text(GOOD + "合计,,,,,120\n"), rows=4, says=("sum_row",), values={"places": [30.0, 40.0, 50.0]}),
    Case("note_below_the_table", text(GOOD + "注：数据截至2023年底,,,,,\n"), rows=4, says=("note_row",)),
    Case(
        "headings_of_groups",
        text(GOOD.replace("A1", "一、朔城区,,,,,\nA1").replace("A3", "（二）平鲁区\nA3")),
        rows=5,
        says=("group_row",),
    ),
    Case(
        "merged_cells_down_the_rows",
        book(*[[*row, extra] for row, extra in zip(GRID, ["状态", "在建", None, "运营"], strict=True)], merged=("G2:G3",)),
        says=("merged_cells",),
        values={"status": ["building", "building", "operating"]},
    ),
    Case(
        "merged_beds_count_once",
        book(*[[*row[:5], bed] for row, bed in zip(GRID, ["床位数", 30, None, 50], strict=True)], merged=("F2:F3",)),
        says=("merged_cells",),
        values={"places": [30.0, np.nan, 50.0]},
    ),
    # figures
    Case("about_thirty_beds", beds("约30张", "30余", "近30"), says=("rough_number",), values={"places": [30.0] * 3}),
    Case("beds_as_a_range", beds("30-40", "30~40张", "30至40"), says=("range_as_low",), values={"places": [30.0] * 3}),
    Case("marks_for_unknown", beds("—", "无", "暂无"), says=("unknown_value",), values={"places": [np.nan] * 3}),
    Case("full_width_digits", beds("３０", "1,200", " 5 "), values={"places": [30.0, 1200.0, 5.0]}),
    Case(
        "beds_in_chinese", beds("三十", "三十五张", "一百二十"), says=("number_in_words",), values={"places": [30.0, 35.0, 120.0]}
    ),
    Case(
        "unit_behind_the_figure", beds("30张", "40 床", "50个"), says=("number_with_unit",), values={"places": [30.0, 40.0, 50.0]}
    ),
    Case("beds_in_words", beds("很多", "40", "50"), error="not_a_number"),
    Case("excel_error_in_a_cell", beds("#REF!", "40", "50"), says=("unknown_value",), values={"places": [np.nan, 40.0, 50.0]}),
    Case(
        "range_that_excel_made_a_date",
        book(*[[*row[:5], bed] for row, bed in zip(GRID, ["床位数", datetime.date(2025, 3, 4), 40, 50], strict=True)]),
        error="not_a_number",
    ),
    Case(
        "true_in_the_beds",
        book(*[[*row[:5], bed] for row, bed in zip(GRID, ["床位数", True, 40, 50], strict=True)]),
        error="not_a_number",
    ),
    Case("negative_beds", beds("-3", "40", "50"), error="negative"),
    Case(
        "land_in_mu",
        beds("3", "6", "9", header="占地面积（亩）"),
        says=("unit_converted",),
        values={"land_m2": [2000.0, 4000.0, 6000.0]},
    ),
    Case(
        "another_unit_in_one_cell",
        beds("3", "500㎡", "1公顷", header="占地面积（亩）"),
        says=("unit_converted", "number_with_unit"),
        values={"land_m2": [2000.0, 500.0, 10000.0]},
    ),
    Case("unit_without_brackets", beds("3", "6", "9", header="建筑面积/㎡"), values={"area_m2": [3.0, 6.0, 9.0]}),
    Case(
        "a_unit_nobody_knows",
        beds("3", "6", "9", header="建筑面积（坪）"),
        says=("unknown_measure",),
        values={"area_m2": [3.0, 6.0, 9.0]},
    ),
    # dates
    Case("chinese_dates", beds("2021年3月", "2021.3", "2021/3/1", header="投用时间"), values={"opened": [2021.0] * 3}),
    Case(
        "date_serials",
        beds("44256", "43831.0", "36526", header="投用时间"),
        says=("date_as_number",),
        values={"opened": [2021.0, 2020.0, 2000.0]},
    ),
    Case(
        "years_in_chinese",
        beds("二〇二一年", "二零一九年三月", "2020", header="投用时间"),
        says=("rough_year",),
        values={"opened": [2021.0, 2019.0, 2020.0]},
    ),
    Case(
        "dates_with_words",
        beds("预计2025年底", "21年3月", "98年", header="投用时间"),
        says=("rough_year",),
        values={"opened": [2025.0, 2021.0, 1998.0]},
    ),
    Case("last_year", beds("去年", "2020", "2021", header="投用时间"), error="not_a_year"),
    Case("year_1019", beds("1019", "2020", "2021", header="投用时间"), error="year_out_of_range"),
    # words
    Case("status_misspelt", beds("营运", "运营", "在建", header="状态"), error="unknown_word"),
    Case(
        "status_blank",
        beds("", "运营", "在建", header="状态"),
        says=("status_assumed",),
        values={"status": ["operating", "operating", "building"]},
    ),
    Case(
        "status_closed",
        beds("停业", "运营", "在建", header="状态"),
        says=("closed",),
        values={"status": ["operating", "building"]},
    ),
    Case("type_blank", rows(ROWS[0], ROWS[1].replace("养老服务站", ""), ROWS[2]), error="blank_type"),
    Case("no_type_column", rows("A1,青松站,121.5,31.2", header="编号,名称,经度,纬度"), rows=1, error="missing_column"),
    # codes
    Case("ids_absent", rows(*(line[3:] for line in ROWS), header=HEADER[3:]), says=("ids_made",)),
    Case("id_twice", rows(ROWS[0], ROWS[0], ROWS[2]), error="duplicate_id"),
    Case("id_blank", rows(ROWS[0], ROWS[1][2:], ROWS[2]), error="blank_id"),
    Case("code_in_scientific_form", rows(*(line.replace("A", "1.40602E+1") for line in ROWS)), error="code_scientific"),
    Case(
        "code_of_18_digits_as_number",
        book(GRID[0], [140602001001000123, *GRID[1][1:]], GRID[2]),
        rows=2,
        error="code_lost_digits",
    ),
    Case(
        "codes_as_numbers", book(GRID[0], *[[float(n), *row[1:]] for n, row in enumerate(GRID[1:], 11)]), says=("code_as_number",)
    ),
    # persons
    Case("contact_columns", text(PHONES), says=("contact_column",)),
    Case("id_numbers", text(PHONES.replace("0349-2022333", "11010519491231002X")), error="table_of_persons"),
    Case(
        "one_id_number_among_remarks",
        beds("好", "11010519491231002X", *["好"] * 6, header="备注"),
        rows=8,
        says=("contact_column",),
    ),
    Case("a_contact_column_mapped", text(PHONES), error="contact_mapped", how={"columns": {"operator": "联系人"}}),
    # coordinates
    Case("no_coordinates_at_all", rows("A1,青松站,站", header="编号,名称,类型"), rows=1, error="missing_column"),
    Case(
        "both_coordinates_in_one_column",
        placed(("121.5,31.2", ""), ("121.51，31.21", ""), header="经纬度,备注"),
        rows=2,
        values={"lon": [121.5, 121.51]},
    ),
    Case(
        "degrees_minutes_seconds",
        placed(("121°30′36″", "31°12′"), ("东经121度30分", "北纬31度12分36秒")),
        rows=2,
        says=("sexagesimal",),
        values={"lon": [121.51, 121.5], "lat": [31.2, 31.21]},
    ),
    Case(
        "degrees_with_dots",
        placed(("121.30.36", "31.12.0"), ("121:30:00", "31:12:36")),
        rows=2,
        says=("sexagesimal",),
        values={"lon": [121.51, 121.5]},
    ),
    Case("seventy_five_minutes", placed(("121°75′", "31°12′")), rows=1, error="not_a_number"),
    Case("longitude_and_latitude_swapped", placed((31.2, 121.5), (31.21, 121.51)), rows=2, error="swapped_coordinates"),
    Case(
        "swapped_in_the_far_west", placed((43.8, 87.6), (43.81, 87.61)), rows=2, error="swapped_coordinates", how={"area": None}
    ),
    Case(
        "swapped_and_exchanged_on_request",
        placed((31.2, 121.5)),
        rows=1,
        says=("coordinates_exchanged",),
        values={"lon": [121.5]},
        how={"swapped": True},
    ),
    Case("zero_zero", placed((0, 0), (121.5, 31.2)), rows=2, error="zero_coordinates"),
    Case("blank_coordinates", placed(("", ""), (121.5, 31.2)), rows=2, error="missing_coordinates"),
    Case("longitude_321", placed((321.5, 31.2), (121.5, 31.2)), rows=2, error="out_of_range"),
    Case("another_city", placed((116.4, 39.9), (121.5, 31.2)), rows=2, error="outside_area"),
    Case("degrees_called_metres", placed((121.5, 31.2)), rows=1, error="degrees_as_metres", how={"crs": UTM}),
    Case("metres_called_degrees", metres(), error="metres_as_degrees"),
    Case("metres_without_a_system", metres(prefix=40), error="missing_crs", how={"crs": None}),
    Case(
        "zone_before_the_easting",
        metres(prefix=40),
        says=("zone_prefix",),
        values={"lon": [121.5, 121.51, 121.52]},
        how={"crs": "EPSG:4549"},
    ),
    Case(
        "zone_missing_before_the_easting",
        metres(),
        says=("zone_prefix",),
        values={"lon": [121.5, 121.51, 121.52]},
        how={"crs": "EPSG:4528"},
    ),
    Case("zone_as_the_system_has_it", metres(prefix=40), values={"lon": [121.5, 121.51, 121.52]}, how={"crs": "EPSG:4528"}),
    Case("easting_of_another_zone", metres(prefix=39, meridian=117), error="zone_mismatch", how={"crs": "EPSG:4528"}),
    Case(
        "survey_axes_x_north",
        placed(*_DEGREES_METRES, header="X坐标,Y坐标"),
        rows=2,
        error="swapped_coordinates",
        how={"crs": "EPSG:4528"},
    ),
    Case("xian_80", metres(prefix=40), says=("old_frame",), how={"crs": "EPSG:2364"}),
    Case("beijing_54", metres(prefix=40), says=("old_frame",), how={"crs": "EPSG:2416"}),
    Case("header_says_baidu", placed((121.5, 31.2), header="百度经度,百度纬度"), rows=1, says=("datum_in_header",)),
    Case("datum_nobody_knows", text(GOOD), error="bad_datum", how={"datum": "Xian80"}),
    Case("system_nobody_knows", text(GOOD), error="bad_crs", how={"crs": "EPSG:999999"}),
    # workbooks
    Case(
        "excel_97",
        text(XLS, name="登记.xls"),
        rows=2,
        says=("rough_number",),
        values={"places": [30.0, 40.0], "opened": [2021.0, 2019.0]},
    ),
    Case("workbook_cut_off", lambda folder: _cut(book(*GRID)(folder), 900), error="damaged_file"),
    Case("text_called_a_workbook", text(GOOD, name="登记.xlsx"), error="not_a_workbook"),
    Case(
        "web_page_called_a_workbook",
        text("<html><table><tr><td>编号</td></tr></table></html>", name="登记.xls"),
        error="not_a_workbook",
    ),
    Case("no_such_sheet", book(*GRID), error="no_such_sheet", how={"sheet": "登记"}),
    Case("two_sheets", book(*GRID, more="说明"), says=("first_sheet",)),
    Case("first_sheet_empty", book(*GRID, first="封面"), error="empty_table"),
    # layers
    Case(
        "shapefile_in_gbk_without_cpg",
        shapefile(encoding="GB18030", cpg=None),
        says=("encoding",),
        values={"name": ["青松站", "翠竹站", "红梅站"]},
    ),
    Case(
        "shapefile_with_a_wrong_cpg",
        shapefile(encoding="GB18030"),
        says=("wrong_cpg",),
        values={"name": ["青松站", "翠竹站", "红梅站"]},
    ),
    Case(
        "shapefile_with_a_cpg_of_936", shapefile(encoding="GB18030", cpg="936"), values={"name": ["青松站", "翠竹站", "红梅站"]}
    ),
    Case("shapefile_with_a_cpg_of_nonsense", shapefile(cpg="nonsense"), values={"name": ["青松站", "翠竹站", "红梅站"]}),
    Case("shapefile_name_cut_in_a_character", shapefile(cpg=None, patch=_cut_name), says=("broken_characters",)),
    Case("shapefile_without_dbf", shapefile(without=".dbf"), error="missing_part"),
    Case("shapefile_without_shx", shapefile(without=".shx"), error="missing_part"),
    Case("shapefile_without_prj", shapefile(without=".prj"), error="missing_crs"),
    Case("shapefile_cut_off", shapefile(patch=_cut_shapes), error="damaged_file"),
    Case("shapefile_with_fewer_attributes", shapefile(patch=_drop_row), error="damaged_file"),
    Case(
        "geojson_in_gbk",
        geojson([feature("A1", at(121.5, 31.2))], encoding="gbk"),
        rows=1,
        says=("encoding",),
        values={"name": ["青松站"]},
    ),
    Case("geojson_cut_off", geojson([feature("A1", at(121.5, 31.2))], cut=30), rows=1, error="damaged_file"),
    Case("geojson_without_features", geojson([]), rows=0, error="empty_table"),
    Case(
        "geojson_without_geometry",
        geojson([feature("A1", None), feature("A2", at(121.5, 31.2))]),
        rows=2,
        error="missing_coordinates",
    ),
    Case(
        "geojson_of_lines",
        layer("登记.geojson", geometry=[LineString([(121.5, 31.2), (121.51, 31.2)])] * 3),
        error="wrong_geometry",
    ),
    Case("geojson_in_metres", geojson([feature("A1", at(357000.0, 3452000.0))]), rows=1, error="metres_as_degrees"),
    Case("geojson_latitude_first", geojson([feature("A1", at(31.2, 121.5))]), rows=1, error="swapped_coordinates"),
    Case(
        "areas_for_points", layer("登记.gpkg", geometry=[shapely.box(121.5, 31.2, 121.502, 31.202)] * 3), says=("area_as_point",)
    ),
    Case("geopackage_of_two_layers", layer("登记.gpkg", layers=("甲", "乙")), error="several_layers"),
    Case("geopackage_without_that_layer", layer("登记.gpkg"), error="no_such_layer", how={"layer": "甲"}),
    Case("geopackage_cut_off", layer("登记.gpkg", cut=60_000), error="damaged_file"),
    Case("geoparquet", layer("登记.parquet"), values={"places": [30.0, 40.0, 50.0]}),
    Case("geoparquet_cut_off", layer("登记.parquet", cut=100), error="damaged_file"),
    Case("layer_in_another_system", layer("登记.gpkg"), error="crs_mismatch", how={"crs": "EPSG:4490"}),
    # OSM
    Case(
        "osm_with_an_open_way",
        text(OSM, name="town.osm"),
        says=("no_area",),
        values={"name": ["一幼", "way/8"]},
        how={"tags": {"amenity": "kindergarten"}},
    ),
    Case("osm_without_the_tag", text(OSM, name="town.osm"), error="empty_table", how={"tags": {"amenity": "school"}}),
    Case("osm_cut_off", text(OSM[:300], name="town.osm"), error="damaged_file", how={"tags": {"amenity": "kindergarten"}}),
    Case("tags_asked_of_a_csv", text(GOOD), error="unknown_format", how={"tags": {"amenity": "kindergarten"}}),
)


def _cut(file: Path, keep: int) -> Path:
    file.write_bytes(file.read_bytes()[:keep])
    return file
