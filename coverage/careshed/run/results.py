"""Hold what a run found and wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from careshed.demand import Scenario
    from careshed.isochrones import Certificate
    from careshed.policy.judging import Scorecard
    from careshed.reach import TravelTimes
    from careshed.schema import Fault
    from careshed.siting import SitePlan
    from careshed.siting.studying import StudyPlan
    from careshed.study import Service, Study
    from careshed.supply.hierarchy import Hierarchy
    from careshed.supply.service import PlacesFound


@dataclass(frozen=True)
class Folders:
    """Where a run writes."""

    processed: Path
    """Tables that a run computes: travel times, coverage, gaps, faults, the manifest."""
    maps: Path
    """What a run shows: maps and site lists."""

    @classmethod
    def of(cls, study_file: Path) -> Folders:
        """Choose the folders of a study: beside ``data/raw`` if it lies there, else beside the study file.

        A study whose file is not called ``study.toml`` has folders of its name, so that studies in one folder keep apart.

        >>> Folders.of(Path("/work/data/raw/demo/study.toml")).processed.as_posix()
        '/work/data/processed/demo'
        >>> Folders.of(Path("/work/mine/study.toml")).maps.as_posix()
        '/work/mine/maps'
        >>> Folders.of(Path("/work/mine/coarse.toml")).maps.as_posix()
        '/work/mine/maps/coarse'
        """
        own = Path() if study_file.stem == "study" else Path(study_file.stem)
        home = study_file.parent
        if home.parent.name == "raw" and home.parent.parent.name == "data":
            root = home.parent.parent
            return cls(root / "processed" / home.name / own, root.parent / "maps" / home.name / own)
        return cls(home / "processed" / own, home / "maps" / own)

    def at(self, scenario: Scenario | None) -> Folders:
        """Give the folders of a later year, so that today's outputs stay as they are.

        >>> from careshed.demand import Scenario
        >>> Folders(Path("out"), Path("maps")).at(Scenario("中 方案", "medium", "", 2030, 2025)).maps.as_posix()
        'maps/2030_medium'
        """
        if scenario is None:
            return self
        name = f"{scenario.year}_" + re.sub(r"[^\w-]+", "_", scenario.en)
        return Folders(self.processed / name, self.maps / name)


@dataclass(frozen=True)
class ServiceResult:
    """What a run found for one service."""

    service: Service
    times: TravelTimes
    """Existing facilities to cells."""
    options: TravelTimes
    """Candidate sites to cells."""
    isochrones: GeoDataFrame
    """Merged polygons, one a limit, with ``inside_beyond`` and ``outside_reachable`` of their certificates."""
    streets: GeoDataFrame
    """Streets from which a facility is reached, one row a limit."""
    certificates: list[Certificate]
    covered: pd.DataFrame
    """Coverage by unit, for every group shown and every limit."""
    has_one: pd.DataFrame
    """Which units have a facility of their own."""
    gaps: GeoDataFrame
    plan: SitePlan
    places: PlacesFound | None
    """Who finds a place; None where the places of no facility are known."""
    effect: pd.DataFrame | None
    """What refining people does to coverage, as `careshed.demand.refinement_effect`; None where they are not refined."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class RunResult:
    """What a run found and wrote."""

    study: Study
    services: tuple[ServiceResult, ...]
    hierarchy: Hierarchy | None
    """Who depends on whom among facilities, where the study asks for it."""
    card: Scorecard | None
    """The plan judged on the study's data, where the study names one."""
    faults: tuple[Fault, ...]
    files: tuple[Path, ...]
    """Everything written, maps first."""
    plans: tuple[StudyPlan, ...] = ()
    """The plans that the study asks for, solved."""

    def _repr_html_(self) -> str:
        from careshed.run.summary import run_card

        return run_card(self)
