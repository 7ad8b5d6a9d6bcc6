"""Plans as data: shipped profiles, a planner's own, and every fault of a bad one told at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from careshed.policy import Profile, explain, init_profile, load_profile, profile_template, profiles
from careshed.policy.audit import audit_profile
from careshed.policy.checks import MEASURES_OF
from careshed.policy.lines import key_lines, line_of
from careshed.policy.loading import EXPLAINED, shipped, target_text
from careshed.policy.model import KINDS, STATUSES, UNITS, Also, Cost, Head, PlanWords, Rule, Subsidy
from careshed.policy.types import catalogue, functions
from careshed.schema import InputError

HEAD = """[profile]
id = "mine"
name_zh = "甲"
name_en = "A"
level = "county"
"""

RULE = """
[[rule]]
id = "one"
title_zh = "托位"
title_en = "Places"
kind = "capacity_ratio"
measure = "places_per_1000"
types = ["托育机构"]
group = "total"
levels = ["city"]
value = 4.5
status = "hard"
clause = "一"
"""
"""A sound rule; its `id` stands in line 8 of HEAD + RULE."""


def loaded(folder: Path, text: str) -> Profile:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return load_profile(file)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as told:
        loaded(folder, text)
    assert all(fault.zh and fault.row and fault.cure_zh and fault.cure_en for fault in told.value.faults)
    return [fault.text("en") for fault in told.value.faults]


def changed(*pairs: tuple[str, str]) -> str:
    text = HEAD + RULE
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_profile_loads_and_carries_its_own_id(name: str) -> None:
    profile = load_profile(name)
    assert profile.id == name
    assert profile.name("zh") != profile.name("en") != ""
    assert len({rule.id for rule in profile.rules}) == len(profile.rules) > 0


def test_the_list_of_profiles_names_every_plan_in_both_languages() -> None:
    table = profiles()
    assert table.index.tolist() == shipped()
    assert {"shuozhou-2023", "chifeng-2022", "living-circle-2018"} <= set(table.index)
    assert table.loc["shuozhou-2023", ["doc_no", "issued", "plan_end"]].tolist() == ["朔政办发〔2023〕16号", "2023-05-08", 2025]
    assert profiles("en").loc["shuozhou-2023", "name"].startswith("Shuozhou")
    assert table.loc["living-circle-2018", "check"] != ""


def test_the_template_is_a_sound_profile_and_is_never_written_over(tmp_path: Path) -> None:
    file = init_profile(tmp_path / "plans" / "mine.toml")
    assert file.read_text(encoding="utf-8") == profile_template()
    profile = load_profile(file)
    assert [rule.id for rule in profile.rules] == ["childcare_per_1000", "care_in_15_minutes"]
    assert profile.find("care_in_15_minutes").value == "unset"
    with pytest.raises(InputError, match=r"exists already and is not overwritten\. Choose another name\."):
        init_profile(file)


def test_the_template_names_every_key_word_type_and_function() -> None:
    text = profile_template()
    told = set(re.findall(r"\w+", text))
    keys = {key for section in (Rule, Also, Subsidy, Cost, Head, PlanWords) for key in section.model_fields}
    assert keys <= told
    for words in (KINDS, STATUSES, UNITS, catalogue(), functions()):
        assert set(words) <= told
    # The table gives every measure with its unit and a kind that may have it.
    for measure, (unit, _) in UNITS.items():
        row = next(line for line in text.splitlines() if re.match(rf"#   {measure} ", line))
        assert (unit or "—") in row
        last = [word.strip(" …") for word in re.split(r" {2,}", row.strip())[-1].split(",")]
        assert all(measure in MEASURES_OF[kind] for kind in last if kind)  # type: ignore[index]


def test_explain_tells_every_rule_with_its_target_and_words(tmp_path: Path) -> None:
    profile = loaded(tmp_path, HEAD + RULE)
    table = explain(profile, "en")
    assert list(table.columns) == list(EXPLAINED)
    assert table.loc[0, ["id", "title", "kind", "target", "status"]].tolist() == [
        "one", "Places", "places per 1,000", "≥ 4.5 per 1,000", "firm",
    ]  # fmt: skip
    assert explain(profile).loc[0, ["title", "kind", "target"]].tolist() == ["托位", "千人指标", "≥ 4.5 个/千人"]


def a_rule(**changes: object) -> Rule:
    base = {"id": "a", "title_zh": "甲", "title_en": "A", "kind": "share", "measure": "units_percent", "status": "hard"}
    return Rule.model_validate(base | changes)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (a_rule(value=80.0), "≥ 80 %"),
        (a_rule(measure="none"), ""),
        (a_rule(by_year={"2023": 40.0, "2025": 60.0}), "2023: ≥ 40 %; 2025: ≥ 60 %"),
        (a_rule(value="unset", measure="people_percent", minutes=15.0), "≥ to be set by the user % (within 15 min)"),
        (a_rule(value="unset", measure="people_percent", metres=500.0), "≥ to be set by the user % (within 500 m)"),
        (a_rule(value=70.0, also=[Also(value=100.0, source=("x",))]), "≥ 70 % (elsewhere 100)"),
    ],
)
def test_a_target_is_told_with_years_limit_and_second_value(rule: Rule, told: str) -> None:
    assert target_text(rule, "en") == told


def test_a_rule_that_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="two"):
        loaded(tmp_path, HEAD + RULE).find("two")


def test_an_unknown_profile_names_the_nearest_and_all_shipped() -> None:
    with pytest.raises(InputError, match=r"there is no profile 'shuozou-2023'\. Did you mean shuozhou-2023") as told:
        load_profile("shuozou-2023")
    assert "没有名为“shuozou-2023”的规划" in told.value.text("zh")


def test_a_missing_file_and_broken_toml_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml"):
        load_profile(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[profile\n", encoding="utf-8")
    with pytest.raises(InputError, match="is not valid TOML"):
        load_profile(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00x = \xff\x81")
    with pytest.raises(InputError, match=r"bytes\.toml"):
        load_profile(tmp_path / "bytes.toml")


BAD = [
    (("托育机构", "托育机购"), 13, "types: the catalogue has no such facility type (found '托育机购'). Did you mean"),
    (('types = ["托育机构"]', "types = []"), 13, "types: names no facility types."),
    (('kind = "capacity_ratio"', 'kind = "capacity"'), 11, "kind: is not a known word (found 'capacity'). Did you mean"),
    (('kind = "capacity_ratio"', 'kind = "presence"'), 12, "measure: does not go with kind = presence (found 'places_per_1000')"),
    (('"places_per_1000"', '"places_per_100"'), 12, "measure: is not a known word (found 'places_per_100')"),
    (('levels = ["city"]', 'levels = ["twonship"]'), 15, "levels: is not a known word (found 'twonship'). Did you mean township?"),  # noqa: E501
    (('group = "total"', 'group = "p61"'), 14, "group: is not a known word (found 'p61'). Did you mean p65?"),
    (('group = "total"', 'group = ""'), 14, "group: names no population group."),
    (("value = 4.5", 'value = 4.5\nop = "=>"'), 17, "op: is not a known word (found '=>'). Write op = \">=\"."),
    (("value = 4.5", 'value = 4.5\nop = "≤"'), 17, "op: is not a known word (found '≤'). Write op = \"<=\"."),
    (("value = 4.5", 'value = 4.5\nof_types = ["幼儿园托班"]'), 17, "of_types: the denominator of_types does not hold all of types. Add to of_types: 托育机构."),  # noqa: E501
    (('types = ["托育机构"]', 'types = ["托育机构", "托育机构"]'), 13, "types: is listed twice (found '托育机构')."),
    (('id = "one"', 'id = "one two"'), 8, "id: the id has spaces or odd signs, or is empty (found 'one two'). Use letters"),
    (('title_zh = "托位"', 'title_zh = " "'), 9, "title_zh: is empty. Write a name."),
    (("value = 4.5", "by_year = {2024 = 4.5}"), 16, "by_year: kind = capacity_ratio does not use by_year. Write kind"),
    (('clause = "一"', 'clause = "一"\n[[rule.also]]\nvalue = 4.5\nclause = "二"'), 20, "also.value: the other value equals value"),  # noqa: E501
    (("value = 4.5", 'value = 4.5\nalso = [{value = 5}]'), 17, "also.source: has no source. Name its source or clause."),
    (('level = "county"', 'level = "county"\nissued = "2025年"'), -6, "[profile] issued: is not a date (found '2025年'). Write"),
    (('level = "county"', 'level = "county"\nissued = 2025-03-01\nplan_end = 2024'), -7, "[profile] plan_end: the plan ends before it was issued (2025) (found '2024')."),  # noqa: E501
    (('level = "county"', 'level = "county"\nplan_end = 25'), -6, "[profile] plan_end: is not a year (found '25')."),
    (('id = "mine"', 'id = "my plan"'), -2, "[profile] id: the id has spaces or odd signs"),
    (('name_zh = "甲"', 'name_zh = ""'), -3, "[profile] name_zh: is empty."),
    (("value = 4.5", 'value = 4.5\nop = "<="'), 17, "op: cannot be an upper limit: of this measure more is better"),
    (("value = 4.5", 'value = "many"'), 16, "value: must be a number (or \"unset\") (found 'many')."),
    (("value = 4.5", "value = -1"), 16, "value: must not be negative (found '-1')."),
    (("value = 4.5", "value = nan"), 16, "value: must be a finite number"),
    (("value = 4.5\n", ""), 7, "value: the target is missing."),
    (("value = 4.5", 'value = "unset"'), 16, "value: \"unset\" without saying what to set."),
    (("value = 4.5", "value = 4.5\nminutes = 15"), 17, "minutes: the measure uses no limit of time or distance."),
    (("value = 4.5", "value = 4.5\nminutes = 0"), 17, "minutes: must be greater than 0 (found '0')."),
    (("value = 4.5", 'value = 4.5\nmode = "bus"'), 17, "mode: unknown travel mode (found 'bus')."),
    (("value = 4.5", 'value = 4.5\nnear = ["村卫生室"]'), 17, "near: the measure does not use near."),
    (("value = 4.5", 'value = 4.5\nfunctions = ["日拖"]'), 17, "functions: there is no such function (found '日拖')"),
    (("value = 4.5", 'value = 4.5\nyear = "2025"'), 17, "year: must be a whole number (found '2025')."),
    (("value = 4.5", "value = 4.5\nyear = 25"), 17, "year: is not a year (found '25')."),
    (("value = 4.5", 'value = 4.5\nby_year = {"soon" = 3}'), 17, "soon: must be a whole number (found 'soon')."),
    (("value = 4.5", "value = 4.5\nby_year = 3"), 17, "by_year: must be {year = number} (found '3')."),
    (("value = 4.5", 'value = 4.5\ntypes_of = ["a"]'), 17, "types_of: unknown key. Did you mean types? Known: id,"),
    (('types = ["托育机构"]', 'types = "托育机构"'), 13, "types: must be a list, such as"),
    (('status = "hard"\n', ""), 7, "status: is missing."),
    (('clause = "一"\n', ""), 7, "clause: has no source. Name the clause it comes from."),
    (('level = "county"', 'level = "town"'), -5, "[profile] level: is not a known word (found 'town')."),
    (('level = "county"\n', ""), -1, "[profile] level: is missing."),
    (('level = "county"', 'level = "county"\nissued = 3'), -6, "[profile] issued: must be text in quotes (found '3')."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line", "told"), BAD)
def test_one_slip_gives_one_fault_with_line_and_cure(tmp_path: Path, change: tuple[str, str], line: int, told: str) -> None:
    told = f"row {line}: [[rule]] 1: {told}" if line > 0 else f"row {-line}: {told}"
    found = faults(tmp_path, changed(change))
    assert len(found) == 1
    assert found[0].startswith(told)


SHARE = (("capacity_ratio", "share"), ('"places_per_1000"', '"places_percent"'))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            "value = 0.8",
            "row 16: [[rule]] 1: value: the measure is a percentage, and this looks like a share (found '0.8'). Write 80",
        ),
        ("value = 120", "row 16: [[rule]] 1: value: is more than 100 per cent (found '120'). Write a number from 0 to 100."),
        ('op = ">"\nvalue = 100', "row 16: [[rule]] 1: op: > 100 can never hold (found '>'). Use >= or <=."),
        ('op = "<"\nvalue = 0', "row 16: [[rule]] 1: op: < 0 can never hold (found '<'). Use >= or <=."),
    ],
)
def test_a_share_must_be_a_percentage_that_can_hold(tmp_path: Path, value: str, told: str) -> None:
    assert [text[: len(told)] for text in faults(tmp_path, changed(*SHARE, ("value = 4.5", value)))] == [told]


SCHEDULE = (("capacity_ratio", "schedule"),)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("by_year = {2024 = 5, 2025 = 4}", "row 16: [[rule]] 1: by_year: the cumulative targets fall from one year to the next."),
        ("by_year = {2024 = 4}\nvalue = 5", "row 16: [[rule]] 1: by_year: the years make 4, which is not value (found '5')."),
    ],
)
def test_years_must_not_fall_nor_contradict_the_value(tmp_path: Path, value: str, told: str) -> None:
    assert [text[: len(told)] for text in faults(tmp_path, changed(*SCHEDULE, ("value = 4.5", value)))] == [told]


def test_what_each_year_adds_may_fall_and_a_total_told_twice_is_sound(tmp_path: Path) -> None:
    added = (*SCHEDULE, ('"places_per_1000"', '"places_added"'))
    # 3 + 2 make 5; the plan says 6.
    years = ("value = 4.5", "value = 6\nby_year = {2024 = 3, 2025 = 2}\nalso = [{value = 5, clause = '二'}]")
    assert loaded(tmp_path, changed(*added, years)).rules[0].also[0].value == 5


def test_a_value_that_nothing_would_judge_is_refused(tmp_path: Path) -> None:
    none = (("capacity_ratio", "procedure"), ('"places_per_1000"', '"none"'))
    told = faults(tmp_path, changed(*none))
    assert [text.split(". ")[0] for text in told] == [
        "row 16: [[rule]] 1: value: measure = \"none\" is not scored, so the value would never be used (found '4.5')"
    ]
    area = (
        ("capacity_ratio", "area_ratio"),
        ('"places_per_1000"', '"floor_m2_each"'),
        ("value = 4.5", 'value = 9\ncompounds = "new"'),
    )
    assert faults(tmp_path, changed(*area))[0].startswith(
        "row 17: [[rule]] 1: compounds: the measure floor_m2_each is not about compounds (found 'new'). Leave compounds out"
    )


def test_single_brackets_and_folders_are_told_with_their_cure(tmp_path: Path) -> None:
    assert faults(tmp_path, HEAD + RULE.replace("[[rule]]", "[rule]")) == [
        "row 7: rule: [rule] needs double brackets. Write [[rule]], one section for each."
    ]
    (tmp_path / "plans.toml").mkdir()
    for folder in (tmp_path, tmp_path / "plans.toml"):
        with pytest.raises(InputError, match=r"is a folder, not a profile.* Give the path of the \.toml file inside it"):
            load_profile(folder)
    (tmp_path / "two.toml").write_text(HEAD + 2 * RULE.replace("[[rule]]", "[rule]"), encoding="utf-8")
    with pytest.raises(InputError, match=r"every rule starts with \[\[rule\]\], in double brackets"):
        load_profile(tmp_path / "two.toml")


def test_unknown_types_of_subsidies_are_told_together_with_faults_of_form(tmp_path: Path) -> None:
    subsidy = '[[subsidy]]\nid = "a b"\ntitle_zh = "甲"\ntitle_en = ""\nper = "head"\nyuan = 5\nbuild = "new"\ntypes = ["托幼"]\n'
    told = faults(tmp_path, HEAD + RULE + subsidy + 'classes = ["public", "public"]\n')
    assert [text.split(": ")[2] for text in told] == ["id", "title_en", "per", "types", "classes"]


def test_reach_needs_one_limit_and_nearness_needs_metres_and_types(tmp_path: Path) -> None:
    reach = (("capacity_ratio", "proximity"), ('"places_per_1000"', '"people_percent"'), ("value = 4.5", "value = 80"))
    assert faults(tmp_path, changed(*reach))[0].startswith("row 7: [[rule]] 1: minutes: needs either minutes or metres.")
    near = (("capacity_ratio", "proximity"), ('"places_per_1000"', '"near_percent"'), ("value = 4.5", "value = 80\nminutes = 3"))
    told = faults(tmp_path, changed(*near))
    assert [text.split(". ")[0] for text in told] == [
        "row 7: [[rule]] 1: near: does not say near to what",
        "row 7: [[rule]] 1: metres: nearness needs metres (found 'minutes')",
    ]


def test_units_need_levels_and_a_schedule_needs_years(tmp_path: Path) -> None:
    units = (("capacity_ratio", "unit_share"), ('"places_per_1000"', '"units_percent"'), ("value = 4.5", "value = 80"))
    assert faults(tmp_path, changed(*units))[0].startswith("row 15: [[rule]] 1: levels: does not say which units.")
    assert faults(tmp_path, changed(("capacity_ratio", "schedule")))[0].startswith(
        "row 7: [[rule]] 1: by_year: a schedule without by_year. For example by_year = {2023 = 80, 2025 = 100}."
    )


def test_a_plan_with_a_text_needs_source_and_quote(tmp_path: Path) -> None:
    told = faults(tmp_path, changed(('level = "county"', 'level = "county"\ntext = "shuozhou"')))
    assert [text.split(". ")[0] for text in told] == [
        "row 8: [[rule]] 1: source: has no source",
        "row 8: [[rule]] 1: quote: has no quote",
    ]


def test_an_id_used_twice_names_the_first_line(tmp_path: Path) -> None:
    assert faults(tmp_path, HEAD + RULE + RULE) == [
        "row 21: [[rule]] 2: id: [[rule]] id 'one' is used already in line 8. Give each entry an id of its own."
    ]


def test_a_profile_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\[rule\] rule: is missing|rule: is missing"):
        loaded(tmp_path, HEAD)
    with pytest.raises(InputError, match=r"needs at least one \[\[rule\]\]"):
        loaded(tmp_path, "rule = []\n" + HEAD)
    with pytest.raises(InputError, match="must be a section"):
        loaded(tmp_path, "rule = [3]\n" + HEAD)


def test_subsidies_and_costs_are_checked_too(tmp_path: Path) -> None:
    subsidy = """
[[subsidy]]
id = "new"
title_zh = "新建"
title_en = "New"
per = "place"
yuan = 2500
build = "new"
types = ["托育机构"]
[[cost]]
id = "m2"
title_zh = "造价"
title_en = "Cost"
per = "m2"
yuan = 3500
basis = "median of 7 projects"
types = ["托育机构"]
"""
    profile = loaded(tmp_path, HEAD + RULE + subsidy)
    assert (profile.subsidy[0].title("en"), profile.cost[0].title("zh")) == ("New", "造价")
    told = faults(tmp_path, HEAD + RULE + subsidy.replace('types = ["托育机构"]', 'types = ["托幼"]'))
    assert [text.split(":")[0] for text in told] == ["row 27", "row 35"]
    assert "the catalogue has no such facility type (found '托幼')" in told[0]


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    bad = changed(
        ("托育机构", "书店"),
        ("value = 4.5", "value = -3"),
        ('status = "hard"', 'status = "firm"'),
        ('level = "county"', "level = 3"),
    )
    second = (
        RULE.replace("value = 4.5", 'value = 0.5\nop = ">"')
        .replace("places_per_1000", "places_percent")
        .replace("capacity_ratio", "share")
    )
    told = faults(tmp_path, bad + second)
    assert [text.split(": ")[0] for text in told] == ["row 5", "row 13", "row 16", "row 17", "row 21", "row 29"]


def test_key_lines_finds_keys_after_text_of_several_lines() -> None:
    text = '[a]\nb = """\nc = 1\n"""\nd = 2\n[[e]]\nf = \'\'\'x\'\'\'\n[[e.g]]\nh = 1\n[[e]]\n[[e.g]]\n"i j" = 1\n'
    lines = key_lines(text)
    assert lines[("a", "d")] == 5
    assert ("a", "c") not in lines
    assert lines[("e", 0, "g", 0, "h")] == 9
    assert lines[("e", 1, "g", 0, "i j")] == 12
    assert line_of(("e", 1, "g", 0, "missing", "more"), lines) == 11
    assert line_of(("nowhere",), lines) is None


def test_an_audit_says_which_file_a_plan_of_ones_own_and_a_standard_need(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(HEAD + RULE, encoding="utf-8")
    with pytest.raises(InputError, match=r"is a profile \(rules\), not a figures file\. an audit needs a figures file") as own:
        audit_profile(mine)
    assert "审查需要数据文件" in own.value.text("zh")
    with pytest.raises(
        InputError, match=r"it is a standard: rules only.*plans at hand: botou-2022.*for a plan of your own"
    ) as told:
        audit_profile("living-circle-2018")
    assert "这是标准" in told.value.text("zh")
