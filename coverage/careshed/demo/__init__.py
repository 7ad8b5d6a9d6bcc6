"""Make up a town: a complete study of a place that does not exist, written as planners' files.

The town lies at sea, its codes belong to no province, and every file says that it is made up. What is missing in it, and
where, follows from its form: nobody chose the gaps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from careshed.demo.town import build_town

__all__ = ["build_town", "make_demo"]


def make_demo(folder: str | Path, *, seed: int = 2025) -> Path:
    """Write the demo town, a made-up study of about 250,000 people, and return the path of its study file.

    Parameters
    ----------
    folder
        Where the files go; made if it is not there. Files of an earlier demo are replaced.
    seed
        Another number gives another town; the same number the same bytes.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     study = make_demo(folder)
    ...     study.name, sorted(path.name for path in study.parent.iterdir())[:3]
    ('study.toml', ['README.txt', 'candidates.csv', 'childcare.csv'])
    """
    from careshed.demo import registers
    from careshed.demo.people import count_people, write_rasters
    from careshed.demo.planned import write_planned
    from careshed.demo.plans_text import PLANS
    from careshed.demo.study_text import README, STUDY
    from careshed.demo.units import make_units, write_units
    from careshed.demo.ways import write_pbf

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    town = build_town(seed)
    units, raster = make_units(town), count_people(town)
    office = registers.make_office(town, units, raster, seed)
    schools = registers.kindergartens(office)
    write_pbf(folder / "streets.osm.pbf", town.streets, lambda plan: office.to_lonlat(np.asarray(town.warp(plan))))
    write_rasters(folder / "population", raster)
    write_units(folder / "units.gpkg", units)
    write_planned(folder / "planned_bridge.geojson", town, folder / "streets.osm.pbf")
    registers.write_workbook(folder / "elder_care.xlsx", registers.elder_care(office), README.splitlines()[0])
    registers.write_csv(folder / "kindergartens.csv", schools)
    registers.write_csv(folder / "childcare.csv", registers.childcare(office, schools))
    sites = registers.candidates(office, schools)
    registers.write_csv(folder / "candidates.csv", sites)
    registers.write_csv(folder / "clinics.csv", registers.clinics(sites))
    registers.write_csv(folder / "compounds.csv", registers.compounds(office, town, units, raster))
    (folder / "README.txt").write_bytes(README.encode())
    study = folder / "study.toml"
    study.write_bytes(STUDY.encode())
    (folder / "plans.toml").write_bytes(f"{STUDY}\n{PLANS}".encode())
    return study
