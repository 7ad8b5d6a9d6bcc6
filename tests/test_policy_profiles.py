"""The shipped profiles against the plans: every quote, number, scope and row; nothing left over, nothing twice."""

from __future__ import annotations

import csv
import os
import re
import statistics
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from careshed.policy import load_profile
from careshed.policy.model import KINDS
from careshed.policy.types import catalogue, functions, operator_kinds

ROOT = Path(__file__).resolve().parents[1]
POLICY = Path(os.environ.get("CARESHED_POLICY") or ROOT.parent / "shared" / "policy")
FILES = ROOT / "coverage" / "careshed" / "policy" / "profiles"
NOT_RULES = ROOT / "docs" / "policy_rows.csv"

PLANS = {
    "shuozhou-2023": "shuozhou",
    "shanxi-2022": "shanxi",
    "botou-2022": "botou",
    "chifeng-2022": "chifeng",
    "wuzhong-2022": "wuzhong",
}
ALL = [*PLANS, "living-circle-2018"]
REASONS = {"baseline", "forecast", "derived", "project", "region", "zero"}

needs_sources = pytest.mark.skipif(not POLICY.exists(), reason="the plans are not under ../shared/policy")

OTHER_NUMBER = {
    # row: why the rule that cites it states another number
    "chifeng-028": "3 per 100 older people = 30 beds per 1,000",
    "chifeng-046": "number of functions, listed in the rule's functions",
    "chifeng-056": "twelve sub-centres, one in each of the twelve counties",
    "chifeng-060": "one per township, told as 100 % of townships by 2023",
    "chifeng-129": "number of functions, listed in the rule's functions",
    "chifeng-170": "one in every public place; the share is unset",
    "shanxi-022": "the year 2022, told as 100 % in 2022",
    "shuozhou-133": "three of the four steps that the other clause lists",
    "shuozhou-138": "number of functions, listed in the rule's functions",
    "shuozhou-229": "no new public beds: the stock stays at 1,315",
    "wuzhong-043": "1 carer for 3 residents, told as at most 3 residents a carer",
    "wuzhong-044": "1 carer for 10 residents, told as at most 10 residents a carer",
}
OTHER_YEAR = {
    "shuozhou-043": "the background reports it for 2020, annex table 8 sets it again",
    "wuzhong-047": "every year, from the year of issue",
}
OTHER_SCOPE = {
    "chifeng-044": "every street, 所有街道, whatever its setting",
    "chifeng-045": "苏木乡镇 are townships by level",
    "chifeng-046": "as 045",
    "chifeng-129": "the functions of the centres of 131",
    "chifeng-121": "one circle with 036, which is not limited to the city",
    "chifeng-125": "every street, 每个街道, whatever its setting",
    "shuozhou-161": "one in every county; counties have no setting",
    "wuzhong-007": "every street, 每个街道, whatever its setting",
}
RENAMED = {
    # rule of a draft -> where it went
    ("botou-2022", "tuo_inclusive_2023"): "tuo_inclusive_share",
    ("botou-2022", "tuo_inclusive_2025"): "tuo_inclusive_share",
    ("shanxi-2022", "scaled_to_population"): "scaled_to_population_elder",
}
DRAFT_NUMBER = {
    ("wuzhong-2022", "staff_disabled"): 3,  # 1 / 0.3333
    ("wuzhong-2022", "staff_self_caring"): 10,  # 1 / 0.1
    ("chifeng-2022", "institution_demand_rate"): 30,  # per 1,000, not per 100
    ("chifeng-2022", "tuo_guidance_levels"): 100,
}

SAME_CLAUSE = {"chifeng-072": ("chifeng-073",)}  # one sentence on new and existing compounds, two rows


@cache
def raw(profile: str) -> dict:
    """A profile as its file has it, read without careshed."""
    return tomllib.loads((FILES / f"{profile}.toml").read_text(encoding="utf-8"))


@cache
def rows() -> dict[str, dict[str, str]]:
    with (POLICY / "indicators.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@cache
def source_text(stem: str) -> str:
    return (POLICY / "sources" / f"{stem}.txt").read_text(encoding="utf-8")


@cache
def not_rules() -> list[tuple[str, str]]:
    with NOT_RULES.open(encoding="utf-8", newline="") as file:
        return [(row["id"], row["reason"]) for row in csv.DictReader(file)]


def entries(profile: str) -> Iterator[tuple[str, dict]]:
    """Every section and entry of a profile that cites the plan, second values included."""
    for section in ("rule", "subsidy", "cost"):
        for entry in raw(profile).get(section, []):
            yield section, entry
            yield from ((f"{section}.also", also) for also in entry.get("also", []))


def cited(profile: str, sections: tuple[str, ...]) -> set[str]:
    return {row for section, entry in entries(profile) if section in sections for row in entry["source"]}


def numbers(rule: dict) -> set[float]:
    """Every number a rule states, its second values too."""
    found = [
        rule.get("value"),
        rule.get("minutes"),
        *rule.get("by_year", {}).values(),
        *(one["value"] for one in rule.get("also", [])),
    ]
    return {float(number) for number in found if isinstance(number, int | float)}


def every_row(entry: dict) -> set[str]:
    return {*entry["source"], *(row for also in entry.get("also", []) for row in also["source"])}


def account(profile: str) -> dict[str, int]:
    """Count the rows of a plan that are marked Y or P and state a number: in rules, in money, or not a rule and why."""
    stem = PLANS[profile]
    wanted = {name for name, row in rows().items() if row["doc"] == stem and row["spatial"] in ("Y", "P") and row["value"]}
    in_rules = cited(profile, ("rule", "rule.also")) & wanted
    in_money = (cited(profile, ("subsidy", "cost")) & wanted) - in_rules
    why = {reason: {name for name, code in not_rules() if code == reason} & wanted for reason in sorted(REASONS)}
    reasons = {reason: len(found) for reason, found in why.items()}
    return {"rows": len(wanted), "rules": len(in_rules), "money": len(in_money), **reasons}


@pytest.mark.parametrize("profile", ALL)
def test_a_shipped_profile_loads_without_a_fault(profile):
    loaded = load_profile(profile)
    assert loaded.id == profile == raw(profile)["profile"]["id"]
    assert len(loaded.rules) == len(raw(profile)["rule"])


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_quote_is_in_the_plan_to_the_letter(profile):
    text = source_text(PLANS[profile])
    quoted = [entry for section, entry in entries(profile) if section != "cost"]
    assert [entry for entry in quoted if not entry["quote"] or entry["quote"] not in text] == []


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_source_is_a_row_of_the_plans_own_indicators(profile):
    named = {row for _, entry in entries(profile) for row in entry["source"]}
    assert {row for row in named if rows().get(row, {}).get("doc") != PLANS[profile]} == set()


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_the_clause_is_that_of_the_first_row_a_rule_cites(profile):
    wrong = {rule["id"] for rule in raw(profile)["rule"] if rule["clause"] != rows()[rule["source"][0]]["clause"]}
    assert wrong == set()


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_cited_number_is_stated_by_a_rule_that_cites_it(profile):
    stated: dict[str, set[float]] = {}
    for rule in raw(profile)["rule"]:
        for name in (*rule["source"], *(row for also in rule.get("also", []) for row in also["source"])):
            stated.setdefault(name, set()).update(numbers(rule))
    wrong = {
        name: (rows()[name]["value"], found)
        for name, found in stated.items()
        if rows()[name]["value"] and float(rows()[name]["value"]) not in found and name not in OTHER_NUMBER
    }
    assert wrong == {}


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_rule_falls_due_in_the_year_its_rows_say(profile):
    wrong = []
    for rule in raw(profile)["rule"]:
        years = {rule.get("year"), *(int(year) for year in rule.get("by_year", {}))}
        for name in rule["source"]:
            row = rows()[name]
            if (
                row["value"]
                and row["year"].isdigit()
                and "year" in rule
                and name not in OTHER_YEAR
                and int(row["year"]) not in years
            ):
                wrong.append((rule["id"], name, row["year"], years))
    assert wrong == []


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_rule_has_the_scope_its_rows_say(profile):
    scopes = {
        "all": ("all", ""),
        "urban": ("urban", ""),
        "rural": ("rural", ""),
        "new residential": ("all", "new"),
        "old residential": ("all", "old"),
    }
    wrong = []
    for rule in raw(profile)["rule"]:
        has = (rule.get("setting", "all"), rule.get("compounds", ""))
        wrong += [
            (rule["id"], name, has) for name in rule["source"] if name not in OTHER_SCOPE and has != scopes[rows()[name]["scope"]]
        ]
    assert wrong == []


@needs_sources
def test_exceptions_are_only_those_still_needed():
    named = {row for profile in PLANS for row in cited(profile, ("rule", "rule.also"))}
    assert {*OTHER_NUMBER, *OTHER_YEAR, *OTHER_SCOPE} <= named


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_an_upper_limit_is_one_in_the_plan_too(profile):
    turned = {"wuzhong-043", "wuzhong-044"}  # carers per resident, told as residents per carer
    for rule in raw(profile)["rule"]:
        says = {rows()[name]["operator"] for name in rule["source"] if rows()[name]["value"]} - {""}
        if rule["measure"] not in ("people_percent", "none") and not turned & set(rule["source"]):
            assert (rule["op"] == "<=") == ("<=" in says and rule["id"] != "training_homes_2022"), rule["id"]


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_rule_of_the_draft_is_there_with_its_number(profile):
    draft = tomllib.loads((POLICY / "profiles" / f"{profile}.toml").read_text(encoding="utf-8"))
    has = {entry["id"]: entry for section, entry in entries(profile) if section in ("rule", "subsidy")}
    missing, differing, elsewhere = [], [], []
    for rule in draft["rule"]:
        entry = has.get(RENAMED.get((profile, rule["id"]), rule["id"]))
        wanted = DRAFT_NUMBER.get((profile, rule["id"]), rule["value"])
        if entry is None:
            missing.append(rule["id"])
            continue
        if not {*rule["source"], *(row for name in rule["source"] for row in SAME_CLAUSE.get(name, ()))} & every_row(entry):
            elsewhere.append((rule["id"], rule["source"], entry["source"]))
        if rule["kind"] == "procedure" or wanted == "unset" or "yuan" in entry:
            continue
        if float(wanted) not in numbers(entry):
            differing.append((rule["id"], wanted, numbers(entry)))
    assert (missing, differing, elsewhere) == ([], [], [])


@needs_sources
@pytest.mark.parametrize(
    ("profile", "counts"),
    [
        # rows marked Y or P with a number; of these in rules, only in subsidies and costs, and not rules, by reason
        ("shuozhou-2023", {"rows": 186, "rules": 109, "money": 0, "baseline": 63, "project": 13, "zero": 1}),
        ("shanxi-2022", {"rows": 10, "rules": 9, "money": 1}),
        ("botou-2022", {"rows": 30, "rules": 19, "money": 0, "baseline": 9, "forecast": 2}),
        ("chifeng-2022", {"rows": 168, "rules": 84, "money": 51, "baseline": 27, "derived": 2, "forecast": 1, "project": 3}),
        ("wuzhong-2022", {"rows": 34, "rules": 20, "money": 0, "baseline": 7, "region": 7}),
    ],
)
def test_every_row_with_a_number_is_a_rule_or_has_a_reason(profile, counts):
    found = account(profile)
    print(profile, found)
    assert {key: number for key, number in found.items() if number or key in ("rules", "money")} == counts
    assert found["rows"] == sum(number for key, number in found.items() if key != "rows")


@needs_sources
def test_the_rows_that_are_no_rules_are_listed_once_and_cited_by_none():
    listed = [name for name, _ in not_rules()]
    assert len(listed) == len(set(listed))
    assert {reason for _, reason in not_rules()} == REASONS
    assert {name for name in listed if name not in rows()} == set()
    assert set(listed) & {row for profile in PLANS for row in cited(profile, ("rule", "rule.also", "subsidy", "cost"))} == set()


@needs_sources
def test_a_row_left_out_as_the_state_of_things_is_no_target():
    kinds = {name: rows()[name]["kind"] for name, reason in not_rules() if reason == "baseline"}
    assert set(kinds.values()) == {"baseline"}


@pytest.mark.parametrize("profile", ALL)
def test_types_functions_and_classes_are_those_of_the_catalogue(profile):
    known = {
        "types": catalogue(),
        "of_types": catalogue(),
        "near": catalogue(),
        "functions": functions(),
        "classes": operator_kinds(),
    }
    named = [(entry, key, word) for _, entry in entries(profile) for key in known for word in entry.get(key, [])]
    assert named
    assert [(entry["id"], key, word) for entry, key, word in named if word not in known[key]] == []


@pytest.mark.parametrize("profile", ALL)
def test_ids_are_unique(profile):
    for section in ("rule", "subsidy", "cost"):
        ids = [entry["id"] for entry in raw(profile).get(section, [])]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("profile", ALL)
def test_titles_are_short_and_in_both_languages(profile):
    for _, entry in entries(profile):
        if "title_zh" in entry:
            assert 4 <= len(entry["title_zh"]) <= 26, entry["id"]
            assert 10 <= len(entry["title_en"]) <= 90, entry["id"]
            assert not re.search(r"[\u4e00-\u9fff]", entry["title_en"]), entry["id"]
            assert re.search(r"[\u4e00-\u9fff]", entry["title_zh"]), entry["id"]


@pytest.mark.parametrize("profile", ALL)
def test_a_note_or_question_is_there_in_both_languages_or_in_none(profile):
    for _, entry in entries(profile):
        for key in ("note", "asks"):
            assert bool(entry.get(f"{key}_zh")) == bool(entry.get(f"{key}_en")), entry.get("id")


@pytest.mark.parametrize("profile", ALL)
def test_an_unset_figure_says_what_to_set_and_a_set_one_does_not(profile):
    for rule in raw(profile)["rule"]:
        assert (rule.get("value") == "unset") == ("asks_zh" in rule), rule["id"]


@needs_sources
@pytest.mark.parametrize("profile", PLANS)
def test_every_contradiction_a_note_names_is_a_known_one_of_the_same_plan(profile):
    known = set(
        re.findall(r"^\| ([SXBCW]\d+) \|", (POLICY / "contradictions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    named = {code for rule in raw(profile)["rule"] for code in re.findall(r"\b([SXBCW]\d+)\b", rule.get("note_en", ""))}
    named |= {also["code"] for rule in raw(profile)["rule"] for also in rule.get("also", []) if also.get("code")}
    letter = {"shuozhou": "S", "shanxi": "X", "botou": "B", "chifeng": "C", "wuzhong": "W"}[PLANS[profile]]
    assert named
    assert {code for code in named if code not in known or code[0] != letter} == set()


def test_a_value_the_plan_contradicts_is_judged_by_both():
    both = {
        (rule["id"], also.get("code", ""), rule["value"], also["value"])
        for rule in raw("shuozhou-2023")["rule"]
        for also in rule.get("also", [])
    }
    assert both == {
        ("tuo_total", "S1", 7257, 7155),
        ("tuo_inclusive_added", "S2", 1789, 1726),
        ("tuo_market_added", "S2", 5366, 5429),
        ("tuo_new_compound", "S5", 10, 5),
        ("elder_cover_rate", "S6", 70, 100),
    }


@pytest.mark.parametrize("profile", PLANS)
def test_years_add_up_to_the_total_or_the_sum_is_the_second_value(profile):
    for rule in raw(profile)["rule"]:
        if rule["measure"] == "places_added" and "by_year" in rule and "value" in rule:
            total = sum(rule["by_year"].values())
            assert total == rule["value"] or [total] == [also["value"] for also in rule["also"]], rule["id"]


@needs_sources
def test_subsidies_are_the_rates_of_the_text():
    for profile, factor in (("chifeng-2022", 1), ("shanxi-2022", 10_000)):  # Shanxi's row is in 万元
        subsidies = raw(profile)["subsidy"]
        assert [entry["yuan"] for entry in subsidies] == [
            float(rows()[entry["source"][0]]["value"]) * factor for entry in subsidies
        ]


@needs_sources
def test_costs_are_the_medians_of_the_projects_they_cite():
    with (POLICY / "projects.csv").open(encoding="utf-8", newline="") as file:
        projects = [row for row in csv.DictReader(file) if row["doc"] == "chifeng"]
    per_m2 = {f"chifeng-{174 + at:03d}": float(project["cost_per_m2_yuan"]) for at, project in enumerate(projects)}
    costs = {entry["id"]: entry for entry in raw("chifeng-2022")["cost"]}
    for entry in costs.values():
        if entry["per"] == "m2":
            # The projects stand in the list in the order of the rows 174 to 215.
            assert statistics.median(per_m2[row] for row in entry["source"]) == pytest.approx(entry["yuan"], abs=0.05)
    # 3.4 million yuan for 150 places.
    assert costs["childcare_place"]["yuan"] == pytest.approx(3_400_000 / 150, abs=0.05)


def test_the_targets_the_project_is_named_for_are_what_the_plans_say():
    def told(profile: str, rule_id: str) -> tuple:
        rule = next(rule for rule in raw(profile)["rule"] if rule["id"] == rule_id)
        return rule["types"], rule["levels"], rule.get("setting", "all"), rule.get("classes", []), rule["value"]

    inclusive = ["public", "public_private", "inclusive"]
    assert told("shuozhou-2023", "tuo_one_per_street") == (["托育机构"], ["street"], "urban", [], 1)
    assert told("chifeng-2022", "tuo_one_per_township") == (["托育机构"], ["street", "township"], "all", inclusive, 1)
    assert told("chifeng-2022", "elder_town_centre_share") == (["区域养老服务中心"], ["township"], "rural", [], 50)
    assert told("wuzhong-2022", "elder_town_centre_share") == (["区域养老服务中心"], ["street", "township"], "all", [], 60)
    assert told("shuozhou-2023", "elder_town_centre") == (["区域养老服务中心"], ["street", "township"], "all", [], 1)
    # Wuzhong's one per street is elder care, not childcare, and is what has the four functions.
    wuzhong = next(rule for rule in raw("wuzhong-2022")["rule"] if rule["id"] == "elder_one_per_street")
    assert wuzhong["functions"] == ["全托", "日托", "上门服务", "家庭照护床位"]
    assert all(catalogue()[kind].area == "elder" for kind in wuzhong["types"])


def test_only_wuzhong_labels_targets_binding():
    binding = {(profile, rule["id"]) for profile in ALL for rule in raw(profile)["rule"] if rule["status"] == "binding"}
    assert binding == {("wuzhong-2022", name) for name in ("elder_new_compound_rate", "beds_nursing_share", "univ_county_share")}


def test_a_county_level_city_is_a_county_by_its_field():
    assert raw("botou-2022")["profile"]["level"] == "county"
    assert raw("shuozhou-2023")["profile"]["level"] == "prefecture"


def test_distances_that_no_plan_names_are_owned_up_to():
    for profile in PLANS:
        for rule in raw(profile)["rule"]:
            if "metres" in rule or (profile == "shanxi-2022" and "minutes" in rule):
                assert "careshed's assumption" in rule["note_en"]
                assert "本工具的假定" in rule["note_zh"]


def test_the_standard_says_what_must_be_checked_and_names_no_share():
    standard = raw("living-circle-2018")
    assert "GB 50180-2018" in standard["profile"]["check_zh"]
    assert "compare every rule with the published" in standard["profile"]["check_en"]
    assert sorted({rule["metres"] for rule in standard["rule"]}) == [300, 500, 800, 1000]
    assert {rule["value"] for rule in standard["rule"]} == {"unset"}
    assert {rule["status"] for rule in standard["rule"]} == {"reference"}


def test_every_kind_of_rule_is_in_the_five_plans():
    kinds = {rule["kind"] for profile in PLANS for rule in raw(profile)["rule"]}
    assert kinds == set(KINDS)
