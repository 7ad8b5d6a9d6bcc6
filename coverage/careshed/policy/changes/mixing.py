"""Put a study together from two: some of its inputs as they were, some as they are now."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from careshed.intake.units.placing import finest_unit
from careshed.policy.judging.card import Both
from careshed.policy.model import Profile
from careshed.schema import Fault, InputError, Population, file_label
from careshed.settings.sections import PolicySection

if TYPE_CHECKING:
    from careshed.study import Study

Factor = Literal[
    "opened", "closed", "edited", "population", "streets", "units", "compounds", "settings", "entered", "plan", "date"
]  # fmt: skip

FACTORS: Final[dict[Factor, Both]] = {
    "opened": ("新运营设施", "facilities that opened"),
    "closed": ("停业设施", "facilities that closed"),
    "edited": ("设施登记信息修改", "changed register entries"),
    "population": ("人口数据更新", "new population"),
    "streets": ("道路数据更新", "new streets"),
    "units": ("单元数据更新", "new units"),
    "compounds": ("小区登记表更新", "new register of compounds"),
    "settings": ("研究设置修改", "changed settings of the study"),
    "entered": ("填报数据更新", "figures entered"),
    "plan": ("规划目标修改", "changed targets of the plan"),
    "date": ("数据年份推移", "the year of the data"),
}
"""What can change between two runs -> (Chinese, English), in the order in which sequential explanations change them."""


@dataclass(frozen=True)
class Pair:
    """Two runs of one study."""

    before: Study
    after: Study
    plan_before: Profile
    plan_after: Profile

    def differing(self) -> tuple[Factor, ...]:
        """List what differs between the two, in the order of `FACTORS`."""
        return tuple(factor for factor in FACTORS if self._differs(factor))

    def _differs(self, factor: Factor) -> bool:
        if factor in ("opened", "closed", "edited"):
            return any(kind == factor for kind in self.rows().values())
        if factor == "plan":
            return self.plan_before != self.plan_after
        if factor == "date":
            return self.before.data_date[:4] != self.after.data_date[:4]
        alike: dict[str, Callable[[Study, Study], bool]] = {
            "population": lambda a, b: _same_table(_without_unit(a.cells), _without_unit(b.cells)),
            "streets": _same_streets,
            "units": lambda a, b: _same_table(a.units, b.units),
            "compounds": lambda a, b: _same_compounds(a, b),
            "settings": lambda a, b: _settings(a) == _settings(b) and a.services == b.services,
            "entered": lambda a, b: _policy(a).entered == _policy(b).entered,
        }
        return not alike[factor](self.before, self.after)

    def rows(self) -> dict[str, Factor | Literal["same"]]:
        """Sort the facilities of both runs by what became of them."""
        was, now = self.before.facility_table, self.after.facility_table
        open_then, open_now = (set(table.index[table["status"] == "operating"].astype(str)) for table in (was, now))
        same = _unchanged_rows(was, now)
        found: dict[str, Factor | Literal["same"]] = {}
        for code in dict.fromkeys([*was.index.astype(str), *now.index.astype(str)]):
            if code in open_now and code not in open_then:
                found[code] = "opened"
            elif code in open_then and code not in open_now:
                found[code] = "closed"
            else:
                found[code] = "same" if code in same else "edited"
        return found

    def mixed(self, now: Collection[Factor]) -> tuple[Study, Profile]:
        """Give the study and the plan with the factors of `now` as they are now, and all others as they were."""

        def pick(factor: Factor) -> Study:
            return self.after if factor in now else self.before

        table = _facilities(self, now)
        units = pick("units").units
        people = pick("population").population
        if self._differs("units"):
            people = Population(people.cells.assign(unit=finest_unit(people.cells, units)), people.grid)
        config = self.before.config.model_copy(
            update={
                "study": pick("settings").config.study.model_copy(update={"data_date": pick("date").config.study.data_date}),
                "modes": pick("settings").config.modes,
                "service": pick("settings").config.service,
                "policy": _policy(pick("settings")).model_copy(update={"entered": _policy(pick("entered")).entered}),
                "compounds": pick("compounds").config.compounds,
            }
        )
        study = replace(
            self.before, config=config, streets=pick("streets").streets, population=people, units=units, facility_table=table,
            compounds=pick("compounds").compounds, services=pick("settings").services,
        )  # fmt: skip
        return study, self.plan_after if "plan" in now else self.plan_before


def pair_of(before: Study, after: Study, plan_before: Profile, plan_after: Profile) -> Pair:
    """Set two runs side by side, or refuse what cannot be mixed.

    Raises
    ------
    careshed.schema.InputError
        If the runs use different projected CRSs, so that their inputs do not fit together.
    """
    if before.crs != after.crs:
        told = (
            f"两次运行的坐标系不同：{before.crs}、{after.crs}",
            f"the two runs use different CRSs: {before.crs} and {after.crs}",
        )
        cure = ("请在两个研究文件中写同一 crs。", "State the same crs in both study files.")
        raise InputError([Fault("crs_differs", file_label(after.path), *told, *cure)])
    return Pair(before, after, plan_before, plan_after)


def _facilities(pair: Pair, now: Collection[Factor]) -> GeoDataFrame:
    """Put the registers together row by row."""
    kinds = pair.rows()
    was, then = pair.before.facility_table, pair.after.facility_table
    late = [kind in now for kind in kinds.values()]
    codes = list(kinds)
    new = then[[kind in now for kind in map(kinds.__getitem__, then.index.astype(str))]]
    old = was[[kind not in now for kind in map(kinds.__getitem__, was.index.astype(str))]]
    if not any(late) or new.empty:
        return old
    if old.empty:
        return new
    joined = GeoDataFrame(pd.concat([old, new[list(old.columns)]]), geometry="geometry", crs=was.crs)
    return joined.loc[[code for code in codes if code in joined.index]]


def _unchanged_rows(was: GeoDataFrame, now: GeoDataFrame) -> set[str]:
    """Find the facilities whose entries are the same in both, file and row number aside."""
    columns = [name for name in was.columns if name not in ("geometry", "file", "row") and name in now.columns]
    both = was.index.intersection(now.index)
    first, second = was.loc[both], now.loc[both]
    same = first.geometry.geom_equals(second.geometry, align=False).to_numpy()
    for name in columns:
        one, other = first[name], second[name]
        same = same & ((one == other) | (one.isna() & other.isna())).to_numpy()
    return set(both[same].astype(str))


def _same_table(was: GeoDataFrame, now: GeoDataFrame) -> bool:
    plain = [pd.DataFrame(table.drop(columns="geometry")) for table in (was, now)]
    if not plain[0].equals(plain[1]):
        return False
    shapes = [np.asarray(table.geometry.to_wkb()) for table in (was, now)]
    return bool(np.array_equal(shapes[0], shapes[1]))


def _without_unit(cells: GeoDataFrame) -> GeoDataFrame:
    return cells.drop(columns="unit")


def _same_streets(one: Study, other: Study) -> bool:
    names = [field.name for field in fields(one.streets) if field.name not in ("source", "water", "repairs")]
    return all(_same(getattr(one.streets, name), getattr(other.streets, name)) for name in names)


def _same(was: object, now: object) -> bool:
    """Compare tables, arrays and records of arrays by what they hold."""
    if was is None or now is None or type(was) is not type(now):
        return was is now
    if isinstance(was, pd.DataFrame) and isinstance(now, pd.DataFrame):
        return was.equals(now)
    if is_dataclass(was):
        return all(_same(getattr(was, field.name), getattr(now, field.name)) for field in fields(was))
    return bool(np.array_equal(was, now))  # type: ignore[arg-type]


def _same_compounds(one: Study, other: Study) -> bool:
    was, now = one.compounds, other.compounds
    if was is None or now is None:
        return was is now
    return was.drop(columns=["file", "row"]).equals(now.drop(columns=["file", "row"]))


def _policy(study: Study) -> PolicySection:
    return study.policy or PolicySection(profile="")


def _settings(study: Study) -> tuple[object, ...]:
    config = study.config
    own = _policy(study).model_copy(update={"entered": (), "profile": ""})
    return own, config.modes, config.service, config.study.snap_m
