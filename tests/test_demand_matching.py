"""Units of tables of people: codes as the list of units has them, names, and what is not known."""

import geopandas as gpd
import pandas as pd
import pytest

from careshed.demand.matching import match_units
from careshed.schema import InputError

UNITS = gpd.GeoDataFrame(
    {"name": ["鼓楼街道", "河东镇", "一村", "一村"], "parent": ["990101", "990101", "990101001", "990101100"]},
    index=["990101001", "990101100", "990101001201", "990101100201"],
    geometry=[None] * 4,
)


def table(*codes: str) -> pd.DataFrame:
    return pd.DataFrame({"total": [10.0 * (at + 1) for at in range(len(codes))]}, index=pd.Index(codes, name="unit_id"))


@pytest.mark.parametrize("code", ["990101001", "990101001000", " 990101 001 ", "'990101001", "鼓楼街道", " 鼓楼 街道"])
def test_a_unit_is_known_by_code_padded_code_or_name(code: str) -> None:
    assert match_units(table(code), UNITS).table.index.tolist() == ["990101001"]


def test_units_above_the_list_and_the_whole_area_are_known() -> None:
    given = table("990101000000", "ALL", "990101100201")
    found = match_units(given, UNITS)
    assert found.table.index.tolist() == ["990101", "ALL", "990101100201"]
    assert found.table["total"].tolist() == [10.0, 20.0, 30.0]
    assert found.faults == ()
    assert given.index[0] == "990101000000"


def test_names_taken_for_codes_are_told() -> None:
    found = match_units(table("鼓楼街道", "河东镇", "990101"), UNITS, file="census.csv")
    assert [(fault.file, fault.zh) for fault in found.faults] == [("census.csv", "2 行写的是单元名称，已对应到代码")]


def test_unknown_units_are_one_fault_with_the_nearest_known() -> None:
    with pytest.raises(InputError) as caught:
        match_units(table("990101002000", "鼓楼街", "一村", "x"), UNITS, file="census.csv")
    (fault,) = caught.value.faults
    assert fault.zh == (
        "4 行的代码或名称不在单元表中：990101002000（最接近 990101001 鼓楼街道）、鼓楼街（最接近 990101001 鼓楼街道）、"
        "一村（有 2 个单元叫此名）、x"
    )
    assert fault.en.endswith("一村 (2 units bear this name), x")
    assert fault.cure_zh.startswith("请写单元表中的代码（6、9 或 12 位，末尾补的 000 可有可无）")
    assert fault.people == 100.0


def test_only_the_first_of_many_unknown_units_are_listed() -> None:
    with pytest.raises(InputError, match=r"15 row\(s\) are of units .* \(\+3\)"):
        match_units(table(*(f"u{at}" for at in range(15))), UNITS)


def test_two_rows_of_one_unit_are_refused() -> None:
    with pytest.raises(InputError, match="2 rows are of the same unit 990101001 鼓楼街道: 990101001, 990101001000"):
        match_units(table("990101001", "990101001000"), UNITS)
