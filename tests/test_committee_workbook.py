"""The committee's workbook: everything a run found in one file, numbers equal to the run's, text that stays text."""

import math
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook
from plan_town import write_town

from careshed.report.brief import find_office
from careshed.report.brief.telling import site_rows
from careshed.report.committee import write_workbook
from careshed.report.committee.page import page_name
from careshed.report.committee.plans import _total as plan_total
from careshed.report.committee.plans import plan_gains
from careshed.report.committee.reaching import gains_by_group, with_sites
from careshed.report.committee.services import _total, tables_with_sites, unit_page
from careshed.report.committee.summary import service_sentences
from careshed.report.premises import counted_together, premises_words, shared_premises, together_line, told_plan
from careshed.run import RunResult, analyse_study
from careshed.siting.studying import StudyPlan, plan_study

HOSTILE = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://x","y")'
UTF8 = "csv:Text - txt - csv (StarCalc):44,34,76"


@pytest.fixture(scope="module")
def solved(demo: RunResult) -> StudyPlan:
    """A plan of the demo study with years, money, reasons and alternatives."""
    from careshed.settings.siting import PlanSection

    asked = {
        "id": "two_years", "name_zh": "两年方案", "name_en": "Two years", "service": "childcare",
        "phase": [{"year": 2026, "sites": 2, "yuan": 600000}, {"year": 2027, "sites": 1, "yuan": 600000}],
    }  # fmt: skip
    config = demo.study.config.model_copy(update={"plan": (PlanSection.model_validate(asked),)})
    (found,) = plan_study(replace(demo.study, config=config), "two_years")
    return found


@pytest.fixture(scope="module")
def full(demo: RunResult, solved: StudyPlan) -> RunResult:
    """The demo with a plan, and names that try to be markup, a formula and the marks of a footer."""
    one = demo.services[0]
    service = one.service.model_copy(update={"name_zh": "托育/服务[1]", "name_en": "Care/of: [1]"})
    sites = one.plan.sites.assign(name=[FORMULA, HOSTILE, *one.plan.sites["name"].iloc[2:]])
    first = replace(one, service=service, plan=replace(one.plan, sites=sites))
    named = demo.study.config.study.model_copy(update={"name": f"7 & {HOSTILE}"})
    services = tuple(service if own.id == service.id else own for own in demo.study.services)
    study = replace(demo.study, config=demo.study.config.model_copy(update={"study": named}), services=services)
    return replace(demo, study=study, services=(first, demo.services[1]), plans=(solved,))


@pytest.fixture(scope="module")
def path(full: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workbook(tmp_path_factory.mktemp("book") / "committee.xlsx", full, "zh")


@pytest.fixture(scope="module")
def book(path: Path) -> Workbook:
    return openpyxl.load_workbook(path)


def table(path: Path, name: str, first: str) -> pd.DataFrame:
    """Read a page as another program does: the header is the row that begins with the name of its first column."""
    raw = pd.read_excel(path, sheet_name=name, engine="calamine", header=None)
    head = int(np.flatnonzero(raw[0] == first)[0])
    rows = raw.iloc[head + 1 :]
    rows.columns = pd.Index([str(one) for one in raw.iloc[head]])
    return rows


def test_sites_add_the_people_of_every_group_that_nobody_before_them_reaches(demo: RunResult) -> None:
    # An independent way: walk the sites one by one over plain sets of cells.
    one = demo.services[1]
    groups = ["p60", "p80", "total"]
    sites = [str(name) for name in one.plan.sites.index]
    found = gains_by_group(sites, one.options, one.times, demo.study.cells, groups=groups, minutes=15)
    near: dict[str, set[int]] = {}
    for times in (one.times, one.options):
        for row, name in enumerate(times.facilities.index):
            part = slice(times.indptr[row], times.indptr[row + 1])
            near[str(name)] = {
                int(cell) for cell, cost in zip(times.indices[part], times.cost[part], strict=True) if cost <= 900_000
            }
    reached = set().union(*(near[str(name)] for name in one.times.facilities.index))
    for site in sites:
        new = near[site] - reached
        reached |= new
        for group in groups:
            people = demo.study.cells[group].to_numpy()
            assert found.at[site, group] == pytest.approx(math.fsum(people[cell] for cell in new))
    assert np.allclose(found["p60"].to_numpy(), one.plan.sites["people_new"].to_numpy(dtype=float))


def test_coverage_with_the_sites_is_the_plans_and_the_sum_of_its_units(demo: RunResult) -> None:
    one, study = demo.services[0], demo.study
    sites = [str(name) for name in one.plan.sites.index]
    found = with_sites(one.covered, sites, one.options, one.times, study.cells, study.units)
    judged = found[(found["minutes"] == 15) & (found["group"] == "p0_3")]
    assert judged.loc["ALL", "covered_after"] == pytest.approx(one.plan.people_covered_after)
    counties = judged[judged["level"] == "county"]["covered_after"].sum()
    outside = judged["covered_after"].get("OUTSIDE", 0.0)
    assert counties + outside == pytest.approx(one.plan.people_covered_after)
    assert "covered_after" not in one.covered.columns
    far = one.covered.assign(minutes=60.0)
    assert with_sites(far, sites, one.options, one.times, study.cells, study.units)["covered_after"].isna().all()


def test_the_pages_hold_the_numbers_of_the_run(full: RunResult, path: Path) -> None:
    one = full.services[0]
    sites = table(path, "托育 服务 1 ·选址", "次序").iloc[: len(one.plan.sites)]
    assert sites["编号"].tolist() == list(one.plan.sites.index)
    assert np.allclose(sites["新增可达：3岁以下婴幼儿"].astype(float), one.plan.sites["people_new"].astype(float))
    assert np.allclose(sites["累计可达（含现有设施）"].astype(float), one.plan.sites["people_cumulative"].astype(float))
    assert np.allclose(sites["上限"].astype(float), one.plan.bound)
    assert np.allclose(sites["造价（元）"].astype(float), one.plan.sites["cost_yuan"].astype(float))
    covered = table(path, "覆盖情况", "服务")
    assert len(covered) == sum(len(each.covered) for each in full.services)
    own = covered[covered["服务"] == "托育/服务[1]"]  # what is printed comes first, so that rows stand in another order
    assert np.allclose(own["现状可达"].astype(float).sort_values(), one.covered["covered"].sort_values())
    assert np.allclose(own["现状可达率"].astype(float).sort_values(), one.covered["share"].sort_values(), equal_nan=True)
    gaps = table(path, "服务缺口", "服务")
    told = gaps.sort_values(["服务", "次序"])["不可达人数"].astype(float)
    by_name = sorted(full.services, key=lambda each: each.service.name("zh"))
    assert np.allclose(told, pd.concat([each.gaps["people"] for each in by_name]))
    faults = table(path, "问题与提示", "处理")
    assert len(faults) == len(full.faults)
    assert faults["问题"].tolist() == [fault.zh for fault in full.faults]


def test_units_are_compared_the_least_served_first(full: RunResult, path: Path) -> None:
    one = full.services[1]
    rows = table(path, "社区养老服务·单元", "名称").iloc[:17]
    assert rows["名称"].iloc[0] == "全部"
    assert float(rows["方案可达"].iloc[0]) == pytest.approx(one.plan.people_covered_after)
    streets = rows["现状可达率"].iloc[3:].astype(float)
    assert streets.is_monotonic_increasing
    assert rows["新增点位"].iloc[0] == len(one.plan.sites)


def test_a_plan_has_its_people_money_years_and_alternatives(full: RunResult, solved: StudyPlan, path: Path) -> None:
    plan = solved.plan
    sites = table(path, "方案 1", "次序").iloc[: len(plan.new)]
    assert set(sites["编号"]) == set(plan.new)
    reached = plan.reached[0]
    assert float(sites["累计可达"].iloc[-1]) == pytest.approx(reached.after)
    assert sites["新增可达：3岁以下婴幼儿"].astype(float).sum() == pytest.approx(reached.after - reached.before)
    assert sites["净投入（元）"].astype(float).sum() == pytest.approx(plan.net_yuan)
    assert sites["年份"].astype(int).tolist() == [2026, 2026, 2027]
    years = table(path, "各方案·分期", "方案")
    assert years["净投入（元）"].astype(float).iloc[:-1].sum() == pytest.approx(plan.net_yuan)
    assert set(plan_gains(solved).columns) == {f"childcare|{group}" for group in full.study.groups}


def test_a_plan_page_sums_its_sites_and_leaves_the_sum_out_of_filter_and_chart(
    solved: StudyPlan, path: Path, book: Workbook
) -> None:
    plan, rows = solved.plan, table(path, "方案 1", "次序")
    total = rows.iloc[int(np.flatnonzero(rows["名称"] == "合计")[0])]
    reached = plan.reached[0]
    assert float(total["新增可达：3岁以下婴幼儿"]) == pytest.approx(reached.after - reached.before)
    assert [float(total[key]) for key in ("造价（元）", "补贴（元）", "净投入（元）")] == pytest.approx(
        [plan.cost_yuan, plan.subsidy_yuan, plan.net_yuan]
    )
    page = book["方案 1"]
    at = next(cell.row for cell in page["B"] if cell.value == "合计")
    assert int(page.auto_filter.ref.split(":")[1].strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == at - 1
    assert "有多稳妥" not in rows.columns  # no scenarios were tried: a column without a word is none
    assert page.print_area.split("$")[3] == next(cell.column_letter for row in page.iter_rows() for cell in row
                                                 if cell.value == "理由")  # fmt: skip
    closing = replace(plan, closing_yuan=1.0)
    assert plan_total(["name", "net_yuan"], [("a", 2.0), ("b", None)], closing, "en") == ("Total without closures", 2.0)


def test_letters_in_print_are_seven_points_or_more(book: Workbook) -> None:
    """Where a page is pressed onto the width of its paper, 10.5 point letters shrink with it."""
    for name in ("摘要", "社区养老服务·单元", "社区养老服务·选址", "方案 1"):
        page = book[name]
        last = page.print_area.split("$")[3] if page.print_area else None
        letters = list(page.column_dimensions)
        shown = letters[: letters.index(last) + 1] if last else letters
        wide = sum(page.column_dimensions[letter].width for letter in shown) * 5.6  # points a character
        paper = {(9, "portrait"): 523, (9, "landscape"): 770, (8, "landscape"): 1118}[
            (page.page_setup.paperSize, page.page_setup.orientation)
        ]
        assert 10.5 * min(1.0, paper / wide) >= 7.0, name


def test_every_page_is_listed_and_linked_both_ways(book: Workbook) -> None:
    first = book.worksheets[0]
    assert first.title == "摘要"
    links = {cell.value: cell.hyperlink.location for row in first.iter_rows(max_col=1) for cell in row if cell.hyperlink}
    assert list(links) == book.sheetnames[1:]
    assert links == {name: f"'{name}'!A1" for name in book.sheetnames[1:]}
    for page in book.worksheets[1:]:
        back = [cell for row in page.iter_rows(max_col=1, max_row=30) for cell in row if cell.hyperlink]
        assert [cell.hyperlink.location for cell in back] == ["'摘要'!A1"]


def test_pages_are_ready_to_filter_and_to_print(book: Workbook) -> None:
    for page in book.worksheets[1:]:
        assert page.auto_filter.ref
        assert page.freeze_panes is not None
        assert page.print_title_rows
    for page in book.worksheets:
        assert page.page_setup.fitToWidth == 1
        assert page.oddFooter.right.text == "第 &P 页 共 &N 页"
        # & would be a sign of the footer's own; a digit would be taken for the size of its letters
        assert page.oddFooter.left.text == f" 7 && {HOSTILE}"
    sites = book["托育 服务 1 ·选址"]
    assert len(sites._charts) == 1
    assert len(book["社区养老服务·单元"]._charts) == 1
    assert sites.conditional_formatting


def test_only_what_a_committee_reads_is_printed(full: RunResult, book: Workbook) -> None:
    sites = book["托育 服务 1 ·选址"]
    head = next(row for row in sites.iter_rows() if row[0].value == "次序")
    printed = sites.print_area.replace("$", "").split(":")[1]
    # The reason is the last printed column of at most ten; codes, other groups and coordinates stand to its right.
    last = next(cell for cell in head if cell.value == "理由")
    assert printed.startswith(last.column_letter)
    assert last.column <= 10
    assert sites.page_setup.paperSize == 9
    # Two services, each with the whole, two counties and fourteen streets and townships (people in no unit besides).
    covered = book["覆盖情况"]
    top = next(row[0].row for row in covered.iter_rows() if row[0].value == "服务")
    end = int("".join(sign for sign in covered.print_area.split(":")[1] if sign.isdigit()))
    assert 2 * 17 <= end - top <= 2 * 18
    assert covered.cell(end, 1).value == full.services[1].service.name("zh")
    assert {covered.cell(row, 3).value for row in range(top + 1, end + 1)} == {15}


def test_a_site_list_ends_with_its_sum_which_the_filter_leaves_out(full: RunResult, path: Path, book: Workbook) -> None:
    one = full.services[0]
    total = table(path, "托育 服务 1 ·选址", "次序").iloc[len(one.plan.sites)]
    assert total["名称"] == "合计"
    assert total["造价（元）"] == pytest.approx(one.plan.sites["cost_yuan"].sum())
    assert total["新增可达：3岁以下婴幼儿"] == pytest.approx(one.plan.sites["people_new"].sum())
    page = book["托育 服务 1 ·选址"]
    filtered = int("".join(sign for sign in page.auto_filter.ref.split(":")[1] if sign.isdigit()))
    assert page.cell(filtered + 1, 2).value == "合计"


def test_a_sum_is_left_empty_where_one_site_is_unknown() -> None:
    assert _total(["name", "cost_yuan", "rank"], [("a", 1.0, 1), ("b", None, 2)], "en") == ("Total", None, None)
    assert _total(["name", "cost_yuan", "rank"], [("a", 1.0, 1), ("b", 2.0, 2)], "zh") == ("合计", 3.0, None)


def test_premises_that_two_services_propose_say_so(demo: RunResult) -> None:
    first, second, third = demo.services
    both = set(second.plan.sites.index) & set(third.plan.sites.index)
    assert both  # two services for the elderly choose among the same premises
    assert set(shared_premises(demo.services)) == both
    assert set(premises_words(demo.services, third, "zh").values()) == {
        f"与{second.service.name('zh')}合用同一用房，造价勿重复计"
    }
    assert premises_words(demo.services, first, "zh") == {}
    assert told_plan(demo.services, first) is first.plan
    told = told_plan(demo.services, second).sites["reason_en"]
    assert {site for site, text in told.items() if "count the cost once" in text} == both
    assert "count the cost once" not in " ".join(second.plan.sites["reason_en"])
    assert sum(row[1].endswith(" *") for row in site_rows(second, "zh", demo.services)) == len(both)


def test_what_all_sites_cost_together_counts_shared_premises_once(demo: RunResult) -> None:
    second, third = demo.services[1:]
    shared = set(second.plan.sites.index) & set(third.plan.sites.index)
    found = counted_together((second, third))
    assert (found.sites, found.premises) == (14, 14 - len(shared))  # eight sites and six
    paid_twice = second.plan.sites.loc[sorted(shared), "cost_yuan"].sum()
    assert found.summed_yuan is not None
    assert found.once_yuan == pytest.approx(found.summed_yuan - paid_twice)
    assert "11 处用房，合用用房只计一次" in together_line((second, third), "zh")
    assert together_line((second,), "zh") == ""
    alone = counted_together(demo.services[:1])
    assert alone.once_yuan == alone.summed_yuan == pytest.approx(demo.services[0].plan.sites["cost_yuan"].sum())
    assert together_line(demo.services[:2], "en").startswith("All services together: 16 sites for ")
    free = replace(second.plan, sites=second.plan.sites.assign(cost_yuan=float("nan")))
    assert together_line((demo.services[0], replace(second, plan=free)), "en") == ""  # a cost is not known


def test_names_that_try_to_be_formulas_or_markup_stay_text(book: Workbook, path: Path) -> None:
    assert not [cell for page in book.worksheets for row in page.iter_rows() for cell in row if cell.data_type == "f"]
    sites = table(path, "托育 服务 1 ·选址", "次序")
    assert sites["名称"].iloc[:2].tolist() == [FORMULA, HOSTILE]
    cell = next(cell for row in book["托育 服务 1 ·选址"].iter_rows() for cell in row if cell.value == FORMULA)
    assert cell.quotePrefix


def test_the_first_page_says_what_the_maps_say(full: RunResult, book: Workbook) -> None:
    from careshed.maps.facts import judged_count, key_sentence, reached_counts, scope_of

    text = "\n".join(str(cell.value) for row in book["摘要"].iter_rows() for cell in row if cell.value is not None)
    for one in full.services:
        scope = scope_of(full.study, service=one.service.id, group=None, lang="zh", times=one.times, covered=one.covered)
        assert key_sentence(scope, judged_count(scope, reached_counts(scope, full.study.cells, one.times, one.covered))) in text
    assert "虚构数据，仅供演示" in text


@pytest.fixture(scope="module")
def bare(demo: RunResult) -> RunResult:
    """One service without sites, gaps and places; no plan judged, none asked for, no fault."""
    one = demo.services[2]
    plan = replace(one.plan, sites=one.plan.sites.iloc[:0], n_asked=0)
    return replace(demo, services=(replace(one, plan=plan, gaps=one.gaps.iloc[:0], places=None),), card=None, plans=(), faults=())


@pytest.fixture(scope="module")
def small(bare: RunResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workbook(tmp_path_factory.mktemp("book") / "small.xlsx", bare, "en")


def test_the_same_run_gives_the_same_bytes_and_a_bare_run_has_fewer_pages(bare: RunResult, small: Path, tmp_path: Path) -> None:
    assert write_workbook(tmp_path / "b.xlsx", bare, "en").read_bytes() == small.read_bytes()
    names = openpyxl.load_workbook(small, read_only=True).sheetnames
    assert names == ["Summary", "Regional elder-care ce units", "Coverage", "Gaps", "Assumptions", "Findings"]
    with zipfile.ZipFile(small) as parts:
        assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_names_of_pages_are_short_allowed_and_different() -> None:
    assert page_name("", ()) == "-"
    assert page_name("A'b", ("a B",)) == "A b (2)"  # case does not tell pages apart
    assert page_name("Gaps", ("Gaps", "Gaps (2)")) == "Gaps (3)"


def test_a_workbook_is_an_xlsx(demo: RunResult, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot write '\.ods'; choose \.xlsx"):
        write_workbook(tmp_path / "committee.ods", demo)


@pytest.mark.skipif(find_office() is None, reason="needs LibreOffice")
def test_libreoffice_opens_it_and_reads_the_same_numbers(bare: RunResult, small: Path, tmp_path: Path) -> None:
    profile = (tmp_path / "profile").as_uri()
    command = [
        find_office() or "",
        "--headless",
        f"-env:UserInstallation={profile}",
        "--convert-to",
        UTF8,
        "--outdir",
        str(tmp_path),
    ]
    subprocess.run([*command, str(small)], capture_output=True, timeout=120, check=True)
    text = (tmp_path / "small.csv").read_text(encoding="utf-8")
    one = bare.services[0]
    assert f"{one.plan.people_total:,.0f}" in text
    assert f"{one.plan.people_covered_before:,.0f}" in text
    assert "Err:" not in text
    assert "#REF" not in text


def test_people_outside_all_units_have_a_row_so_that_units_add_up(demo: RunResult) -> None:
    one, (table_, *_) = demo.services[0], tables_with_sites(demo)
    figures = {"people": 7.0, "covered": 3.0, "covered_after": 4.0, "unjudged": 1.0}
    within = (table_["minutes"] == one.service.within_minutes) & (table_["group"] == one.service.group)
    row = table_[within].loc[["ALL"]].assign(**figures, name="", level="").rename(index={"ALL": "OUTSIDE"})
    sheet = unit_page(demo, one, pd.concat([table_, row]), "zh").sheet
    assert sheet.rows[0][0] == "全部"
    assert sheet.rows[-1][:6] == ("单元以外", "", 7.0, 3.0, 4.0, 1.0)
    assert unit_page(demo, one, table_, "zh").sheet.rows[-1][0] != "单元以外"


def test_no_bound_is_praised_where_nothing_could_be_weighed(demo: RunResult) -> None:
    one = demo.services[0]
    options = replace(one.options, facilities=one.options.facilities.iloc[:0])
    nothing = replace(one.plan, sites=one.plan.sites.iloc[:0])
    told = service_sentences(demo, replace(one, options=options, plan=nothing), "en")
    assert told[1:] == ("There are no candidates to weigh, so no sites are proposed.",)
    told = service_sentences(demo, replace(one, plan=nothing), "zh")
    assert told[1:] == ("按这些规则，没有候选点能增加可达的人，未提出新增点位。",)
    nobody = replace(one, covered=one.covered.assign(people=0.0, covered=0.0, unjudged=0.0))
    assert service_sentences(demo, nobody, "en") == ("The data hold no children under 3: nobody to judge, no sites to propose.",)


def test_a_plan_that_breaks_its_budget_says_so_on_the_first_page(tmp_path: Path) -> None:
    # One site in every street and township costs at least 400,000 (Y in B) and 300,000 (W in T); there is money for neither.
    plan = 'id = "poor"\nservice = "day_care"\nbudget_yuan = 100\n[[plan.per_unit]]\nlevel = "township"\nat_least = 1\n'
    result = analyse_study(write_town(tmp_path, plan), progress=False)
    path = write_workbook(tmp_path / "c.xlsx", result, "en")
    first = openpyxl.load_workbook(path).worksheets[0]
    told = " ".join(str(cell.value) for row in first.iter_rows() for cell in row if cell.value)
    assert "The rules cannot all be met" in told
