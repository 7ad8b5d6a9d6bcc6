"""Keep a manifest of what went into a run and what came out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from careshed.run.plans import plan_summary

if TYPE_CHECKING:
    from careshed.run.results import ServiceResult
    from careshed.schema import Fault
    from careshed.siting.studying import StudyPlan
    from careshed.study import Study

PACKAGES: Final = (
    "careshed",
    "numpy",
    "scipy",
    "pandas",
    "geopandas",
    "shapely",
    "pyproj",
    "rasterio",
    "numba",
    "highspy",
    "osmium",
)


def write_manifest(
    study: Study,
    results: Sequence[ServiceResult],
    faults: Sequence[Fault],
    files: Sequence[Path],
    path: Path,
    plans: Sequence[StudyPlan] = (),
) -> Path:
    """Write what went in (files by hash, parameters, versions) and what came out; no clock, so that a repeat is equal."""
    counts = {severity: sum(fault.severity == severity for fault in faults) for severity in ("dropped", "repaired", "noted")}
    manifest = {
        "study": {
            "name": study.name,
            "made_up": study.made_up,
            "data_date": study.data_date,
            "crs": study.crs,
            "snap_m": study.snap_m,
            "scenario": None if study.scenario is None else asdict(study.scenario),
        },
        "people": _people(study),
        "inputs": {file: _sha256(study.folder / file) for file in sorted(input_files(study))},
        "versions": {package: version(package) for package in PACKAGES},
        "services": {result.service.id: _summary(study, result) for result in results},
        **({"plans": {one.section.id: plan_summary(one) for one in plans}} if plans else {}),
        "faults": counts,
        "outputs": {file.name: _sha256(file) for file in files},
    }
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    os.replace(aside, path)
    return path


def _summary(study: Study, result: ServiceResult) -> dict[str, Any]:
    """Parameters, assumptions and main figures of one service."""
    service, plan, mode = result.service, result.plan, study.mode(result.service.id)
    return {
        "parameters": service.model_dump(),
        "mode": {key: value for key, value in asdict(mode).items() if key not in ("zh", "en")},
        "direction": result.times.direction,
        "facilities": len(result.times.facilities),
        "candidates": len(result.options.facilities),
        "coverage": [
            {
                "group": row.group,
                "minutes": row.minutes,
                "people": _round(row.people),
                "covered": _round(row.covered),
                "unjudged": _round(row.unjudged),
            }
            for row in result.covered.loc[["ALL"]].itertuples()
        ],
        "isochrones": [
            {"minutes": c.limit, "inside_beyond": round(c.inside_beyond, 6), "outside_reachable": round(c.outside_reachable, 6)}
            for c in result.certificates
        ],
        "gaps": len(result.gaps),
        "plan": {
            "sites": plan.sites.index.tolist(),
            "people_covered": _round(plan.people_covered_after),
            "bound": _round(plan.bound),
            "gap": round(plan.gap, 9),
            "status": plan.status,
            "bound_by": plan.bound_by,
            "reproducible": plan.reproducible,
        },
        "places": _places_summary(result),
        "refinement": _refinement(result),
    }


def _people(study: Study) -> list[dict[str, Any]]:
    """The account of people: every step with the people of each group before and after it."""
    steps = study.ledger.steps if study.ledger is not None else ()
    return [
        {
            "step": step.en,
            **{group: [round(step.before.get(group, 0.0), 6), round(people, 6)] for group, people in step.after.items()},
        }
        for step in steps
    ]


def _refinement(result: ServiceResult) -> dict[str, Any] | None:
    """Coverage before and after people were refined, by group."""
    if result.effect is None:
        return None
    counts = ["people", "covered_before", "covered_after", "newly_covered", "no_longer"]
    return {str(group): {name: _round(row[name]) for name in counts} for group, row in result.effect.iterrows()}


def _places_summary(result: ServiceResult) -> dict[str, Any] | None:
    """Who finds a place, and on what assumption."""
    found = result.places
    if found is None:
        return None
    total = found.split.loc["ALL"]
    counts = {name: _round(total[name]) for name in ("people", "served", "no_place", "out_of_reach", "unjudged")}
    return {"demand_rate": found.demand_rate, "rule": found.assignment.rule, "proven": found.assignment.proven, **counts}


def _round(people: object) -> float:
    return round(float(str(people)), 3)


def input_files(study: Study) -> set[str]:
    """List the files a study reads, as it names them, itself included."""
    config = study.config
    named = [*config.streets.files, *config.population.files, *(one.file for one in config.units.files)]
    named += config.demand.files if config.demand is not None else ()
    named += [section.file for section in config.facilities]
    named += [file for section in config.candidates for file in section.files]
    named += [section.file for section in (config.compounds, config.elevation) if section is not None]
    named += config.further_files
    return {study.path.name, *named}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
