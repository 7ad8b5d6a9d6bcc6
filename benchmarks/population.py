"""Measure how much memory a population raster of 12,000 × 12,000 pixels takes, and that everybody in it is kept.

``python benchmarks/population.py`` prints one PASS or FAIL line a limit; it exits with 1 if any limit is not kept. Each case is
read in a process of its own, whose peak of resident memory counts, libraries included. ``--quick`` takes 3,000 × 3,000.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from verdicts import MB, Verdicts, peak_bytes

MOST_MB: Final = 1500.0
"""Peak of resident memory that a raster of 12,000 × 12,000 may take, MB."""

KEPT: Final = 1e-9
BLOCK: Final = 500
WEST, NORTH, PIXEL = 108.0, 42.0, 1 / 1200
"""WorldPop's 3 arc-seconds, over northern China."""

CASES: Final[dict[str, dict[str, Any]]] = {
    "people in 2.5 % of pixels, all cells": {"file": "settled.tif"},
    "people in every pixel, cells of 10 × 10 pixels": {"file": "everywhere.tif", "merge": 10},
    "people in every pixel, a city's 0.6° × 0.6°": {"file": "everywhere.tif", "area": [110.0, 40.0, 110.6, 40.6]},
    "density in every pixel, cells of 10 × 10 pixels": {"file": "everywhere.tif", "merge": 10, "per": "km2"},
    "people in every pixel, all cells": {"file": "everywhere.tif"},
}


def make_rasters(folder: Path, side: int) -> dict[str, float]:
    """Write two rasters of whole people, and give their totals."""
    import rasterio
    from rasterio.transform import Affine
    from rasterio.windows import Window

    profile = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    profile |= {"transform": Affine(PIXEL, 0, WEST, 0, -PIXEL, NORTH), "nodata": -99999.0, "tiled": True}
    profile |= {"blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1}
    totals = {}
    for name, share in (("settled.tif", 0.025), ("everywhere.tif", 1.0)):
        rng, total = np.random.default_rng(4), 0
        with rasterio.open(folder / name, "w", **profile) as file:
            for top in range(0, side, BLOCK):
                people = rng.integers(1, 60, (BLOCK, side), dtype=np.int32)
                people[rng.random((BLOCK, side), dtype=np.float32) >= share] = 0
                total += int(people.sum())
                file.write(people.astype(np.float32), 1, window=Window(0, top, side, BLOCK))
        totals[name] = float(total)
    return totals


def read(case: str, folder: Path) -> None:
    """Read one case and print what it took; runs in a process of its own."""
    from careshed.intake.population import read_population_rasters
    from careshed.schema import InputError

    settings = dict(CASES[case])
    file = folder / settings.pop("file")
    started = time.process_time()
    told: dict[str, Any] = {"kept": 0.0, "cells": 0, "refused": "", "beyond": 0.0}
    try:
        checked = read_population_rasters({"total": file}, crs_out="EPSG:32649", **settings)
        told["kept"], told["cells"] = float(checked.table.cells["total"].sum()), len(checked.table.cells)
        told["beyond"] = sum(fault.people for fault in checked.faults if fault.code == "people_beyond_area")
    except InputError as error:
        told["refused"] = error.faults[0].code
    print(json.dumps(told | {"mb": peak_bytes() / MB, "seconds": time.process_time() - started}))


def main() -> int:
    """Make the rasters, read every case, and print the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--read", nargs=2, metavar=("CASE", "FOLDER"))
    given = parser.parse_args()
    if given.read:
        read(given.read[0], Path(given.read[1]))
        return 0
    side, verdicts = 3_000 if given.quick else 12_000, Verdicts()
    with tempfile.TemporaryDirectory() as folder:
        totals = make_rasters(Path(folder), side)
        for case, settings in CASES.items():
            command = [sys.executable, __file__, "--read", case, folder]
            told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            judge(verdicts, f"{side:,} × {side:,}, {case}", told, totals[settings["file"]], settings)
    return verdicts.exit_code()


def judge(verdicts: Verdicts, name: str, told: dict[str, Any], total: float, settings: dict[str, Any]) -> None:
    """Compare one case with its limits; a raster of too many cells must be refused, not run out of memory."""
    print(f"{name}: {told['cells']:,} cells, {told['mb']:,.0f} MB, {told['seconds']:.1f} s CPU", flush=True)
    verdicts.at_most(f"{name}: memory", told["mb"], MOST_MB, "MB")
    if told["refused"]:
        verdicts.equal(f"{name}: refused, with the cure", told["refused"], "too_many_cells")
    elif "per" not in settings:
        off = abs(told["kept"] + told["beyond"] - total) / total
        verdicts.at_most(f"{name}: people lost", off, KEPT, "of all")


if __name__ == "__main__":
    sys.exit(main())
