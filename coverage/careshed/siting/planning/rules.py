"""Write a planner's rules as data: what must stand, what may, how many where, and for how much money."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from careshed.siting.planning.kinds import Demand, Of

if TYPE_CHECKING:
    import pandas as pd

    from careshed.policy.model import Profile

Which = Literal["all", "new"]
"""Sites that a rule counts: all that stand when the plan is carried out, or only those it adds."""

Measure = Literal["sites", "places", "area_m2"]


@dataclass(frozen=True)
class Sites:
    """How many sites the plan may or must have."""

    at_least: int = 0
    at_most: int | None = None
    which: Which = "new"
    service: str = ""
    """Count only the sites that host this service."""


@dataclass(frozen=True)
class PerUnit:
    """At least and at most so many sites in every unit of a level; a site lies in its unit and in all above it."""

    level: str
    at_least: int = 0
    at_most: int | None = None
    which: Which = "all"
    units: tuple[str, ...] = ()
    """Codes of the only units meant; () means every unit of the level."""
    service: str = ""


@dataclass(frozen=True)
class Amount:
    """At least and at most so many places or square metres in all, or in every unit of a level."""

    measure: Measure
    at_least: float = 0.0
    at_most: float | None = None
    level: str = ""
    """Unit level, "" for the study as a whole."""
    which: Which = "all"


@dataclass(frozen=True)
class EachSite:
    """Limits that every new site must keep; a site of unknown area or places cannot show that it does, and is left out."""

    area_m2_at_least: float | None = None
    places_at_least: float | None = None
    places_at_most: float | None = None


@dataclass(frozen=True)
class ForcedIn:
    """Candidates that must be built."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Forbidden:
    """Candidates that must not be built."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Closable:
    """Existing sites that the plan may close; all others are kept."""

    ids: tuple[str, ...]
    cost_yuan: float = 0.0
    """What closing one costs, yuan."""


@dataclass(frozen=True)
class Upgradable:
    """A site that may be extended: its places grow, at a cost."""

    id: str
    places: float
    """Places added."""
    cost_yuan: float
    """Cost of the extension, yuan, before any subsidy."""
    build: str = "extension"
    """Kind of building that the subsidy goes by."""
    service: str = ""
    """Service whose places grow, where a plan sites several."""


@dataclass(frozen=True)
class Subsidy:
    """What the plan pays for a place or bed, once."""

    yuan: float
    """Yuan per place or bed."""
    build: str = "new"
    """``new``, ``extension``, ``purchased`` or ``rented``, as in the candidates' column ``build`` ("new" where there is none)."""
    setting: Literal["all", "urban", "rural"] = "all"
    service: str = ""
    """Service whose places are paid for, "" for any."""


@dataclass(frozen=True)
class Budget:
    """Most money for new sites, upgrades and closures, net of subsidies; of two rates that fit a site the higher is paid."""

    yuan: float
    subsidies: tuple[Subsidy, ...] = ()


@dataclass(frozen=True)
class Spacing:
    """Least distance from a new site to any other, along streets where a matrix is given, else as the crow flies."""

    metres: float
    with_existing: bool = True
    """Whether existing sites keep new ones away too."""
    streets: pd.DataFrame | None = field(default=None, compare=False)
    """Columns ``a``, ``b`` (site ids) and ``metres``; a pair that is missing is farther apart than `metres`."""


@dataclass(frozen=True)
class InclusiveShare:
    """Least share of inclusive (普惠) places or sites among all."""

    at_least: float
    """0 to 1."""
    measure: Measure = "places"
    which: Which = "all"


@dataclass(frozen=True)
class ReachInUnits:
    """At least a share of a group's people reached in every unit of a level, or in the study as a whole (level "")."""

    demand: Demand
    level: str
    share: float
    """0 to 1; people on cells that cannot be judged count as not reached."""
    of: Of = "all"
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hosting:
    """One service under a roof that may hold several: what it costs, the floor it takes and the places it has there.

    The candidate's own ``cost_yuan`` is the roof, paid once. The floor of all services hosted must fit the site's ``area_m2``.
    """

    service: str
    cost_yuan: float = 0.0
    area_m2: float = 0.0
    places: float | None = None
    """Places of this service at each site; None: the candidates' column ``places``."""


Rule: TypeAlias = (
    Sites
    | PerUnit
    | Amount
    | EachSite
    | ForcedIn
    | Forbidden
    | Closable
    | Upgradable
    | Budget
    | Spacing
    | InclusiveShare
    | ReachInUnits
    | Hosting
)


def subsidies_of(profile: Profile, *, types: Collection[str], services: Mapping[str, str] | None = None) -> tuple[Subsidy, ...]:
    """Take a plan's one-off subsidies per place and bed for the facility types to be sited.

    Parameters
    ----------
    types
        Facility types of the catalogue, such as ``托育机构``.
    services
        Facility type -> service id, where a plan sites several services.

    Examples
    --------
    >>> from careshed.policy.loading import load_profile
    >>> [(one.yuan, one.build, one.setting) for one in subsidies_of(load_profile("chifeng-2022"), types=["托育机构"])]
    [(2500.0, 'new', 'urban'), (1500.0, 'new', 'rural'), (1500.0, 'extension', 'urban'), (500.0, 'extension', 'rural')]
    """
    found: list[Subsidy] = []
    for rate in profile.subsidy:
        fitting = [name for name in types if not rate.types or name in rate.types]
        if rate.per not in ("place", "bed") or not fitting:
            continue
        hosted = sorted({(services or {}).get(name, "") for name in fitting})
        found.extend(Subsidy(float(rate.yuan), rate.build, rate.setting, service) for service in hosted)
    return tuple(found)
