"""Plans in a study file: sections to rules, counts by unit, words, and every fault with its cure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from plan_town import CANDIDATES, STUDY, write_town

from careshed.schema import InputError
from careshed.settings.config import load_config
from careshed.siting.planning import (
    Amount,
    Budget,
    Closable,
    EachSite,
    Forbidden,
    ForcedIn,
    InclusiveShare,
    MaxServed,
    PCentre,
    PMedian,
    ReachInUnits,
    ServedMedian,
    SetCover,
    Sites,
    Spacing,
    Subsidy,
    Upgradable,
    WorstUnit,
)
from careshed.siting.studying import (
    StudyPlan,
    UnknownPlan,
    asked_plans,
    key_sentence,
    plan_problem,
    plan_sentences,
    plan_study,
    proof_sentence,
)
from careshed.siting.studying.listing import listed
from careshed.siting.studying.rule_words import rule_lines
from careshed.study import open_study

PLAIN = 'id = "p"\nservice = "day_care"\n'
ONE_EACH = '[[plan.per_unit]]\nlevel = "street"\nat_least = 1\n[[plan.per_unit]]\nlevel = "township"\nat_least = 1\n'


def solved(folder: Path, plan: str, **town: object) -> StudyPlan:
    """Solve one plan of the town."""
    (found,) = plan_study(open_study(write_town(folder, PLAIN + plan, **town)))
    return found


def problem(folder: Path, plan: str):
    study = open_study(write_town(folder, PLAIN + plan))
    return plan_problem(study, study.config.plan[0])


def faults(folder: Path, plan: str, lang: str = "en", **town: object) -> str:
    """Text of the faults that stop a plan."""
    with pytest.raises(InputError) as error:
        solved(folder, plan, **town)
    return error.value.text(lang)


def test_the_best_single_site_is_chosen_and_counted(tmp_path: Path):
    # Y reaches 80 + 40 + 50 that E does not: 160 + 170 = 330 of 360.
    found = solved(tmp_path, "at_most = 1")
    assert (found.plan.new, found.plan.value, found.plan.bound, found.plan.status) == (("Y",), 330.0, 330.0, "optimal")
    assert key_sentence(found, "zh") == (
        "新增 1 处，净投入 40 万元，11 分钟内可达的60岁及以上老人由 44.4% 升至 91.7%（360 人中 330 人）。"
    )
    assert key_sentence(found, "en").startswith("1 new site for 400,000 yuan net raises the people aged 60+ within 11 minutes")


def test_people_and_sites_are_counted_by_unit(tmp_path: Path):
    # A: both cells by E. B: 80 + 40 by Y. T: 50 of 80 by Y. The county has everything.
    table = solved(tmp_path, "at_most = 1").by_unit.set_index("unit")
    assert table.loc["A", ["people", "before", "after", "sites_after"]].tolist() == [160, 160, 160, 1]
    assert table.loc["B", ["people", "before", "after", "sites_before", "new"]].tolist() == [120, 0, 120, 0, 1]
    assert table.loc["T", ["people", "before", "after", "new"]].tolist() == [80, 0, 50, 0]
    assert table.loc["ALL", ["people", "before", "after", "sites_after"]].tolist() == [360, 160, 330, 2]
    assert table.loc["C", "after"] == 330


def test_a_facility_without_a_unit_of_its_own_lies_where_it_stands(tmp_path: Path):
    # The register names no unit; E stands in A, so A needs no site, B and T do: Y + W or Y + Z; Y + W reaches all 360.
    found = solved(tmp_path, ONE_EACH)
    assert (found.plan.new, found.plan.relaxation) == (("W", "Y"), None)


def test_a_share_of_units_gets_its_first_site_and_nothing_else_is_built(tmp_path: Path):
    # Half of one rural township is one; only Z and W lie there. Z adds 90, W adds 30.
    found = solved(tmp_path, '[[plan.per_unit]]\nlevel = "township"\nsetting = "rural"\nat_least = 1\nshare = 0.5')
    assert found.plan.new == ("Z",)
    rules = found.problem.rules
    assert Forbidden(("X", "Y")) in rules
    assert Sites(1, 1, "new", "") in rules
    assert "须有一处" in " ".join(zh for zh, _ in found.problem.assumptions)


def test_a_share_that_is_met_already_asks_for_no_site(tmp_path: Path):
    # One of two streets is half of them, and E stands in A.
    found = solved(tmp_path, '[[plan.per_unit]]\nlevel = "street"\nat_least = 1\nshare = 0.5')
    assert found.plan.new == ()
    assert "按这些规则不新建设施" in key_sentence(found, "zh")
    assert "Under these rules no new site is built" in key_sentence(found, "en")


def test_the_subsidies_of_a_plan_of_the_city_are_paid(tmp_path: Path):
    # Chifeng pays for beds of homes and regional centres, of which a day-care station is none; a study may list its own.
    none = problem(tmp_path / "a", 'subsidies = "profile"\nprofile = "chifeng-2022"')
    assert not [rule for rule in none.rules if isinstance(rule, Budget)]
    assert any("未规定建设补贴" in zh for zh, _ in none.assumptions)
    text = (
        'at_most = 1\nbuild = {"社区用房" = "extension"}\n[[plan.subsidy]]\nyuan = 1500\nbuild = "extension"\nsetting = "urban"'
    )
    # Y: 10 places in the town at 1,500 yuan.
    own = solved(tmp_path / "b", text)
    assert (own.plan.subsidy_yuan, own.plan.net_yuan) == (15_000, 385_000)
    assert "造价 40 万元，建设补贴 1.5 万元，净投入 38.5 万元。" in plan_sentences(own, "zh")


def test_the_policy_names_the_plan_whose_subsidies_are_paid(tmp_path: Path):
    policy = '[policy]\nprofile = "chifeng-2022"\n[policy.types]\n"社区养老服务站" = "区域养老服务中心"\n'
    path = write_town(tmp_path, PLAIN + 'subsidies = "profile"\nat_most = 1', study=STUDY + policy)
    found = plan_study(open_study(path))[0]
    budget = next(rule for rule in found.problem.rules if isinstance(rule, Budget))
    # the station counts as a regional centre: 3,000 yuan a new bed, 10 places at Y
    assert Subsidy(3000.0, "new", "all", "day_care") in budget.subsidies
    assert found.plan.subsidy_yuan == 30_000


def test_every_rule_of_the_section_is_read(tmp_path: Path):
    text = """at_least = 1
forced = ["X"]
forbidden = ["W"]
spacing_m = 300
min_area_m2 = 100
max_places = 50
inclusive_share = 0.2
budget_yuan = 9000000
[[plan.amount]]
measure = "places"
at_least = 5
[[plan.reach]]
level = "street"
share = 0.1
[[plan.closable]]
ids = ["E"]
cost_yuan = 1000
[[plan.upgradable]]
id = "E"
places = 5
cost_yuan = 2000
"""
    found = solved(tmp_path, text)
    kinds = [type(rule) for rule in found.problem.rules]
    assert kinds == [
        Sites,
        Amount,
        ReachInUnits,
        Budget,
        ForcedIn,
        Forbidden,
        Spacing,
        EachSite,
        InclusiveShare,
        Closable,
        Upgradable,
    ]
    for lang in ("zh", "en"):
        lines = rule_lines(found, lang)
        assert len(lines) == len(kinds)
        assert all(met for *_, met in lines)
    assert "X" in found.plan.new
    assert "W" not in found.plan.new


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('objective = "set_cover"\nshare = 0.5', SetCover),
        ('objective = "p_median"\nat_most = 1', PMedian),
        ('objective = "p_centre"\nat_most = 1\nbeyond = 60.0', PCentre),
        ('objective = "max_served"\nat_most = 1', MaxServed),
        ('objective = "served_median"\nat_most = 1\nbeyond = 60.0', ServedMedian),
        ('objective = "worst_unit"\nlevel = "street"\nat_most = 1', WorstUnit),
    ],
)
def test_every_objective_is_read_solved_and_told(tmp_path: Path, text: str, kind: type):
    found = solved(tmp_path, text)
    assert isinstance(found.plan.objective, kind)
    assert found.plan.status == "optimal"
    for lang, word in (("zh", "已证明最优"), ("en", "Proven optimal")):
        assert proof_sentence(found, lang).startswith(word)
        assert all(plan_sentences(found, lang))


def test_a_plan_over_years_tells_years_and_nesting(tmp_path: Path):
    # First Y (170), then W (30): 330 and 360 people, 690 person-years over the two years.
    text = "[[plan.phase]]\nyear = 2026\nsites = 1\n[[plan.phase]]\nyear = 2027\nsites = 1\n"
    found = solved(tmp_path, text)
    assert found.phased is not None
    assert found.phased.opened == {2026: ("Y",), 2027: ("W",)}
    assert (found.plan.new, found.plan.value, found.plan.status) == (("W", "Y"), 360.0, "optimal")
    assert [(one.rank, one.id, one.year) for one in listed(found)][:2] == [(1, "Y", 2026), (2, "W", 2027)]
    assert "690 人·年" in proof_sentence(found, "zh")
    assert "任何一年都不比" in " ".join(plan_sentences(found, "zh"))


def test_a_plan_over_years_with_the_fewest_sites(tmp_path: Path):
    text = (
        'objective = "set_cover"\nshare = 0.9\n[[plan.phase]]\nyear = 2026\nsites = 1\n[[plan.phase]]\nyear = 2027\nsites = 1\n'
    )
    found = solved(tmp_path, text)
    assert (found.plan.new, found.plan.value, found.plan.unit) == (("Y",), 1.0, "sites")


def test_scenarios_and_the_frontier_go_with_a_plan(tmp_path: Path):
    text = 'at_most = 2\nfrontier = "sites"\nfrontier_steps = 2\n[plan.scenarios]\nrelative_se = 0.0\ndraws = 0'
    found = solved(tmp_path, text)
    assert found.extras.stressed is not None
    assert found.extras.robust is not None
    assert found.extras.curve is not None
    # nothing, Y, Y and W
    assert [point.value for point in found.extras.curve.points] == [160.0, 330.0, 360.0]
    assert found.extras.findings == ()
    assert any("情景" in line for line in plan_sentences(found, "zh"))


def test_what_cannot_be_told_is_a_finding(tmp_path: Path):
    text = 'budget_yuan = 1000\nfrontier = "money"\n[plan.scenarios]\n' + ONE_EACH
    codes = [fault.code for fault in solved(tmp_path / "a", text).findings]
    assert "no_scenarios" in codes
    median = 'objective = "p_median"\nat_most = 1\nfrontier = "sites"\n[plan.scenarios]\nrelative_se = 0.0\ndraws = 0'
    found = solved(tmp_path / "b", median)
    assert {"no_frontier", "no_robust"} <= {fault.code for fault in found.findings}
    assert found.extras.reasons is None


def test_too_little_money_is_explained_with_the_least_that_suffices(tmp_path: Path):
    # B and T need a site each: Y (400,000) and W (300,000), the cheapest of each.
    found = solved(tmp_path, "budget_yuan = 500000\n" + ONE_EACH)
    told = plan_sentences(found, "zh")
    assert told[1] == "规则不能全部满足：西街道至少 1 处；山乡至少 1 处至少需要 70 万元，预算为 50 万元。"
    assert told[2] == "其余要求全部满足，至少需要 70 万元。"
    assert "预算增加 20 万元" in told[3]
    assert [met for *_, met in rule_lines(found, "en")].count(False) == 1


def test_existing_facilities_count_by_class_and_function(tmp_path: Path):
    # E is public and offers day care, but no round-the-clock care.
    assert solved(tmp_path / "a", 'at_most = 1\nclasses = ["public"]\nfunctions = ["日托"]').plan.reached[0].before == 160
    assert solved(tmp_path / "b", 'at_most = 1\nclasses = ["private"]').plan.reached[0].before == 0
    assert solved(tmp_path / "c", 'at_most = 1\nfunctions = ["全托"]').plan.reached[0].before == 0


def test_several_services_share_a_roof_and_state_their_own_people(tmp_path: Path):
    other = '[[service]]\nid = "meals"\nname_zh = "助餐"\ntypes = ["助餐点"]\ngroup = "p60"\nmode = "older"\n'
    other += "within_minutes = 11\nminutes = [11]\n"
    text = 'id = "p"\nservices = ["day_care", "meals"]\nat_most = 1\n[[plan.hosting]]\nservice = "meals"\ncost_yuan = 1000\n'
    text += '[[plan.demand]]\ngroup = "p60"\nservice = "meals"\nweight = 2\n'
    rows = [(*row[:3], *row[3:]) for row in CANDIDATES]
    study = STUDY.replace("[[service]]", other + "[[service]]", 1)
    path = write_town(tmp_path, text, study=study, candidates=rows)
    table = (tmp_path / "candidates.csv").read_text(encoding="utf-8").replace(",day_care,", ",day_care;meals,")
    (tmp_path / "candidates.csv").write_text(table, encoding="utf-8")
    (found,) = plan_study(open_study(path))
    # Y hosts both: 170 new for day care, twice (40 + 80 + 50) for meals, which stand nowhere; 160 by E.
    assert (found.plan.new, found.plan.value) == (("Y",), 160 + 170 + 2 * 170)
    assert found.plan.sites.loc["Y", "services"] == "day_care;meals"
    assert found.plan.cost_yuan == 401_000


def test_bands_backup_weights_and_metres_are_read(tmp_path: Path):
    own = problem(
        tmp_path / "a", "metres = 660\nbands = [[300, 1], [660, 0.5]]\nsites_needed = 2\n[plan.weights]\np60 = 1\ntotal = 3"
    )
    first, second = own.objective.demands
    assert (first.group, first.metres, first.minutes, first.sites_needed) == ("p60", 660.0, None, 2)
    assert (second.group, second.weight) == ("total", 3.0)
    assert first.decay is not None
    assert own.options["day_care"].metric == "length"


def test_a_bound_that_is_not_reached_is_told_with_its_gap(tmp_path: Path):
    found = solved(tmp_path, "at_most = 1")
    (stage,) = found.plan.stages
    weak = replace(found, plan=replace(found.plan, stages=(replace(stage, bound=363.0, proven=False),), reproducible=False))
    # (363 - 330) / 330 = 10 %
    assert proof_sentence(weak, "zh").startswith("人数 330 人；任何方案都不会优于 363 人，差距至多 10.00%")
    assert "Reached: 330 people; none can beat 363 people, at most 10.00% off" in proof_sentence(weak, "en")
    assert "another run may do better" in proof_sentence(weak, "en")


def test_years_that_are_not_proven_or_lose_people_are_told(tmp_path: Path):
    text = "[[plan.phase]]\nyear = 2026\nsites = 1\n[[plan.phase]]\nyear = 2027\nsites = 1\n"
    found = solved(tmp_path, text)
    assert found.phased is not None
    stage, cost = found.phased.stages[0], found.phased.nesting_cost[0]
    weak = replace(
        found.phased, stages=(replace(stage, bound=759.0, proven=False),), nesting_cost=(replace(cost, free=cost.nested + 7),)
    )
    told = plan_sentences(replace(found, phased=weak), "en")
    # 690 person-years against 759: a tenth
    assert "690 person-years over all years; no schedule can be better than 759, a gap of at most 10.00%." in told
    assert "What is built stays; this costs most in 2026: 7 fewer people than planned alone." in told


def test_a_plan_that_closes_without_replacing_lowers_the_share(tmp_path: Path):
    # No more than 5 places in all: E must close and nobody is reached.
    text = 'at_most = 0\n[[plan.closable]]\nids = ["E"]\n[[plan.amount]]\nmeasure = "places"\nat_most = 5\n'
    found = solved(tmp_path, text)
    assert found.plan.closed == ("E",)
    assert "由 44.4% 降至 0.0%" in key_sentence(found, "zh")
    assert key_sentence(found, "en").startswith("1 closure lowers the people aged 60+")


def test_a_plan_that_does_not_exist_is_told(tmp_path: Path):
    study = open_study(write_town(tmp_path, PLAIN))
    with pytest.raises(UnknownPlan, match="there is no plan 'q' in the study; it has: p"):
        asked_plans(study, "q")
    with pytest.raises(UnknownPlan, match=r"it has no \[\[plan\]\]"):
        asked_plans(open_study(write_town(tmp_path / "none")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('services = ["day_care"]', "[[plan]] 1: service: needs either service or services, and not both"),
        ('mode = "carr"', "[[plan]] 1: mode: unknown mode (found 'carr')"),
        ("minutes = 5\nmetres = 300", "[[plan]] 1: minutes: minutes and metres exclude each other"),
        ("at_least = 3\nat_most = 1", "[[plan]] 1: at_least: at least 3, but at most 1"),
        ("minutes = inf", "[[plan]] 1: minutes: must be at most 1,440 (found 'inf')"),
        ('[[plan.demand]]\ngroup = "p60"\nmetres = 1e9', "[[plan]] 1: demand: metres: must be at most 1,000,000"),
        ("bands = [[nan, 1.0]]", "[[plan]] 1: bands: a band is a limit above 0"),
        ("bands = [[5, -1]]", "what a person within it counts, 0 or more (found '5.0, -1.0')"),
        ('objective = "worst_unit"', "[[plan]] 1: level: worst_unit needs a level of unit"),
        ('objective = "worst_unit"\nlevel = "steet"', "[[plan]] 1: level: unknown level of unit (found 'steet')"),
        ("weights = {p99 = 1}", "[[plan]] 1: weights: the population has no such group (found 'p99')"),
        ('classes = ["publik"]', "[[plan]] 1: classes: unknown class of operator (found 'publik')"),
        ('functions = ["唱歌"]', "[[plan]] 1: functions: unknown function (found '唱歌')"),
        ('[[plan.per_unit]]\nlevel = "street"\nunits = ["Q"]', "[[plan]] 1: per_unit: units: there is no such unit (found 'Q')"),
        ('[[plan.hosting]]\nservice = "meals"', "[[plan]] 1: hosting: unknown service (found 'meals')"),
        ('subsidies = "profile"', 'subsidies = "profile", but no plan of the city is named'),
        ('subsidies = "profile"\n[[plan.subsidy]]\nyuan = 1', 'subsidy and subsidies = "profile" exclude each other'),
        ('weights = {p60 = 1}\n[[plan.demand]]\ngroup = "p60"', "weights and demand exclude each other"),
        (
            "[[plan.phase]]\nyear = 2027\n[[plan.phase]]\nyear = 2026",
            "years must go up and none stand twice (found '2027, 2026')",
        ),
        ("budget_yuan = 1\n[[plan.phase]]\nyear = 2026\nyuan = 5", "the phases state yuan, so budget_yuan must go"),
        ('forced = ["Q"]', "[[plan]] p: there is no such candidate (found 'Q')"),
        ('forced = ["X"]\nforbidden = ["X"]', "[[plan]] p: candidate both forced in and forbidden (found 'X')"),
        (
            'beyond = "never"\nobjective = "p_median"',
            "[[plan]] p: beyond must be a number, 'forbid' or 'leave_out' (found 'never')",
        ),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_key(tmp_path: Path, text: str, said: str):
    assert said in faults(tmp_path, text)


def test_two_shares_a_missing_setting_and_a_plan_named_twice_are_told(tmp_path: Path):
    share = '[[plan.per_unit]]\nlevel = "street"\nat_least = 1\nshare = 0.5\n'
    assert "only one per_unit may have a share" in faults(tmp_path / "a", share + share)
    twice = write_town(tmp_path / "b", PLAIN, PLAIN)
    with pytest.raises(InputError, match=r"\[\[plan\]\] id: 'p' occurs 2 times"):
        plan_study(open_study(twice))
    study = open_study(write_town(tmp_path / "c", PLAIN + '[[plan.per_unit]]\nlevel = "street"\nsetting = "rural"\nat_least = 1'))
    study.units["setting"] = ""
    with pytest.raises(InputError, match="no unit has the setting rural"):
        plan_problem(study, study.config.plan[0])


def test_weights_need_a_service_where_there_are_several(tmp_path: Path):
    text = 'id = "q"\nservices = ["day_care", "meals"]\nweights = {p60 = 1}'
    study = open_study(write_town(tmp_path, text))
    with pytest.raises(InputError) as error:
        plan_study(study)
    assert "must name the service where there are several" in error.value.text("en")
    assert "unknown service (found 'meals')" in error.value.text("en")


def test_the_form_of_the_section_is_checked_when_the_study_is_read(tmp_path: Path):
    path = write_town(tmp_path, PLAIN + 'at_most = -1\nobjective = "most"\nsubsidy = "x"\nsitess = 3\n[[plan.phase]]\nsites = 1')
    with pytest.raises(InputError) as error:
        load_config(path)
    told = error.value.text("en")
    assert "[[plan]] 1: at_most: must be at least 0" in told
    assert "[[plan]] 1: objective: must be one of 'max_cover'" in told
    assert "[[plan]] 1: sitess: unknown key" in told
    assert "[[plan]] 1: phase.0.year: is missing" in told


def test_capacity_below_zero_no_people_and_no_candidates_are_told(tmp_path: Path):
    minus = [(*CANDIDATES[0][:4], -5, *CANDIDATES[0][5:]), *CANDIDATES[1:]]
    with pytest.raises(InputError, match=r"row 2, column .容量.: must not be negative"):
        solved(tmp_path / "a", "at_most = 1", candidates=minus)
    study = open_study(write_town(tmp_path / "b", PLAIN))
    study.cells["p60"] = 0.0
    with pytest.raises(InputError) as error:
        plan_study(study)
    assert "[[plan]] p: no people of this group live on the cells" in error.value.text("en")
    bare = STUDY.replace(STUDY[STUDY.index("[[candidates]]") : STUDY.index("[[service]]")], "")
    assert "没有可用的“day_care”候选点" in faults(tmp_path / "c", "at_most = 1", "zh", study=bare)


def test_all_covered_already_is_an_answer_and_not_an_error(tmp_path: Path):
    # Within 60 minutes E reaches everyone.
    found = solved(tmp_path, "minutes = 60\nat_most = 2")
    assert found.plan.new == ()
    assert {"all_covered", "no_sites_needed"} <= {fault.code for fault in found.findings}
    assert key_sentence(found, "zh") == "无需新增设施：360 名60岁及以上老人中已有 100.0%（360 人）在 60 分钟内可达。"


def test_what_is_closed_and_extended_is_listed_and_told(tmp_path: Path):
    # Closing saves nothing, but the money for extension and closing is counted; everything forced by floors.
    text = """objective = "max_served"
at_most = 0
[[plan.demand]]
group = "p60"
[[plan.upgradable]]
id = "E"
places = 30
cost_yuan = 2000
"""
    found = solved(tmp_path, text)
    # 10 places grow to 40, and 160 people are in reach.
    assert found.plan.value == 40
    assert [(one.id, one.fate) for one in listed(found)] == [("E", "extended")]
    assert key_sentence(found, "zh").startswith("扩建 1 处，净投入 2,000 元；")


def service_with(folder: Path, text: str, **town: object):
    from careshed.cli.shared import plan_of, times_of

    study = open_study(write_town(folder, study=STUDY + text, **town))
    service = study.services[0]
    return plan_of(study, service, times_of(study, service, None, None), 4)


def test_a_service_may_have_a_budget(tmp_path: Path):
    # 700,000 yuan pay for Y and W (200 new people); X and Y or more are too dear; without a budget X and Z add nobody.
    plan = service_with(tmp_path / "a", "budget_yuan = 700000\n")
    assert sorted(plan.sites.index) == ["W", "Y"]
    # With 350,000 only W can be paid; B and T both need a site.
    short = service_with(tmp_path / "b", 'budget_yuan = 350000\nat_least_one_per = ["street", "township"]\n')
    assert list(short.sites.index) == ["W"]
    assert "budget_below_units" in [fault.code for fault in short.findings]


def test_a_budget_of_a_service_needs_known_costs(tmp_path: Path):
    rows = [(*CANDIDATES[0][:6], None), *CANDIDATES[1:]]
    with pytest.raises(ValueError, match=r"1 candidate\(s\) without a usable cost_yuan: X"):
        service_with(tmp_path, "budget_yuan = 700000\n", candidates=rows)
