"""Facility types, functions and operators: what a register's words stand for."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from careshed.policy.types import (
    canonical_function,
    canonical_type,
    catalogue,
    functions,
    nearest_types,
    operator_classes,
    operator_kinds,
    plain,
    split_functions,
    unknown_types,
)

POLICY = Path(os.environ.get("CARESHED_POLICY") or Path(__file__).resolve().parents[2] / "shared" / "policy")
NAMES = POLICY / "profiles.md"

APART = {
    # The table joins these to its first column; rules of Botou and Wuzhong need them apart.
    "家庭托育点": "家庭托育点",
    "老年大学分校、学习点": None,  # two things in one cell
    "老年学校": "老年学校",
    "老年大学学习点": "老年大学学习点",
    "老年大学分校（老年学校）": "老年学校",
    "社会福利院（中心）、养护院、公建民营养老机构": None,  # three things in one cell
}
REGISTERS = {
    *("托育机构", "幼儿园托班", "托育点", "幼儿园"),
    *("社区养老服务站", "日间照料中心", "农村幸福院", "区域养老服务中心", "养老机构", "敬老院"),
}


def table_rows() -> list[tuple[str, str]]:
    """Canonical name and document's name, from the table of names in the profiles note."""
    section = NAMES.read_text(encoding="utf-8").split("### Facility names met")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, flags=re.MULTILINE)
    found = []
    for canonical, names in rows[1:]:
        first = canonical.split("/")[0].strip()
        found += [(first, name) for name in re.findall(r"([^()]+(?:\([^()a-z]*\))?[^()]*) \([a-z]+\)(?:, )?", names)]
    return found


@pytest.mark.skipif(not NAMES.exists(), reason="the note of names is not under ../shared/policy")
def test_every_name_of_the_five_plans_stands_for_the_type_the_note_says():
    rows = table_rows()
    assert len(rows) > 60
    wrong = {name: canonical_type(name) for first, name in rows if canonical_type(name) != APART.get(name, first)}
    assert wrong == {}


def test_the_words_of_the_registers_are_types_themselves():
    assert {word: canonical_type(word) for word in REGISTERS} == {word: word for word in REGISTERS}


def test_the_types_in_the_demo_town_are_all_known(made_demo):
    import pandas as pd

    folder = made_demo.parent
    written = {
        word
        for name in ("childcare.csv", "kindergartens.csv")
        for word in pd.read_csv(folder / name, encoding="utf-8-sig")["类型"]
    }
    written |= set(pd.read_excel(folder / "elder_care.xlsx", header=None, engine="calamine").iloc[:, 2].dropna()) - {"类型"}
    assert "日间照料中心" in written
    assert unknown_types(sorted(written)) == {}


def test_no_name_stands_for_two_types():
    names = [plain(name) for kind in catalogue().values() for name in (kind.name, *kind.synonyms)]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_no_word_stands_for_two_functions():
    names = [plain(name) for entry in functions().values() for name in (entry.name, *entry.synonyms)]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_brackets_and_spaces_make_no_difference():
    assert {
        canonical_type(word)
        for word in ("社区养老服务站（点）", "社区养老服务站(点)", " 社区养老服务站 〔点〕", "社区养老服务站<点>")
    } == {"社区养老服务站"}


def test_what_stands_in_brackets_is_left_out_only_if_the_whole_is_unknown():
    assert canonical_type("托育机构（民办）") == "托育机构"
    assert canonical_type("特困人员供养服务设施（敬老院）") == "敬老院"


def test_a_word_that_is_only_a_bracket_is_unknown():
    assert canonical_type("（托育）") is None
    assert canonical_type("") is None


def test_nothing_is_guessed_from_part_of_a_name():
    assert canonical_type("阳光托育机构") is None
    assert canonical_type("养老") is None


def test_the_studys_own_words_come_before_the_catalogue():
    own = {"敬老院": "养老机构", "邻里（养老）屋": "社区养老服务站"}
    assert canonical_type("敬老院", own) == "养老机构"
    assert canonical_type("邻里(养老)屋", own) == "社区养老服务站"


def test_unknown_words_are_listed_once_with_what_they_may_mean():
    found = unknown_types(["老年日间照料", "托育机构", "老年日间照料", "书店"])
    assert list(found) == ["老年日间照料", "书店"]
    assert found["老年日间照料"][0] == "日间照料中心"


def test_a_word_like_no_name_has_no_nearest_type():
    assert nearest_types("加油") == ()


def test_the_nearest_types_are_at_most_as_many_as_asked_for():
    assert len(nearest_types("养老服务", n=2)) == 2


def test_types_say_whose_care_they_are_and_what_their_places_mean():
    kinds = catalogue()
    assert (kinds["托育机构"].area, kinds["托育机构"].counts) == ("childcare", "places")
    assert (kinds["日间照料中心"].area, kinds["日间照料中心"].counts) == ("elder", "beds")
    assert (kinds["老年大学"].area, kinds["老年大学"].counts) == ("other", "")
    assert all(kind.name_en and kind.name_en.isascii() for kind in kinds.values())


def test_a_name_implies_only_functions_that_exist():
    implied = {function for kind in catalogue().values() for function in kind.functions}
    assert implied == {"日托", "助餐", "全托", "家庭照护床位", "上门服务"}
    assert implied <= set(functions())


def test_a_name_of_an_area_centre_does_not_prove_its_functions():
    assert catalogue()["区域养老服务中心"].functions == ()


def test_functions_are_read_under_the_plans_own_words():
    # 朔州: 全日托养、日间照料、上门服务、供需对接、资源统筹; 吴忠: 运营家庭照护床位.
    known, unknown = split_functions("全日托养、日间照料、上门服务、供需对接、资源统筹;运营家庭照护床位")
    assert known == ("全托", "日托", "上门服务", "供需对接", "资源统筹", "家庭照护床位")
    assert unknown == ()


def test_functions_named_twice_count_once_and_unknown_ones_are_told():
    assert split_functions("日托；日间照料, 理发、理发") == (("日托",), ("理发",))


def test_no_functions_are_read_from_an_empty_cell():
    assert split_functions("") == ((), ())


def test_a_function_that_is_unknown_is_not_guessed():
    assert canonical_function("日间") is None


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("公办", ("public",)),
        ("公建民营", ("public_private",)),
        ("公办民营", ("public_private",)),
        ("民办", ("private", "market")),
        ("民办普惠", ("private", "inclusive")),
        ("民办（普惠性）", ("private", "inclusive")),
        ("民办非普惠", ("private", "market")),
        ("市场化", ("private", "market")),
        ("普惠", ("inclusive",)),
        ("普惠性托育机构", ("inclusive",)),
        ("公办普惠", ("public", "inclusive")),
        ("社会办", ("private", "market")),
        ("", ()),
        ("其他", ()),
    ],
)
def test_an_operator_has_the_classes_its_text_says(text, classes):
    assert operator_classes(text) == classes


def test_every_class_of_operator_has_a_name_in_both_languages():
    assert all(kind.name_zh and kind.name_en.isascii() for kind in operator_kinds().values())


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError, match="item assignment"):
        catalogue()["书店"] = catalogue()["养老机构"]
