"""Hand travel costs from step to step: one Parquet file, a long table of origin, destination and cost."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from careshed.modes import mode_from
from careshed.reach.times import TravelTimes
from careshed.schema import Fault, InputError, file_label

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

COLUMN = {"time": "cost_ms", "length": "cost_mm"}
KEY = b"careshed"


def write_travel_times(path: str | Path, times: TravelTimes) -> Path:
    """Write travel costs as a long Parquet table: ``origin``, ``destination`` and ``cost_ms`` or ``cost_mm``.

    What the pairs do not hold (nearest facilities beyond the limit, why a cell cannot be judged, mode and limit) goes into
    the file's metadata.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    origin = times.facilities.index.astype(str).to_numpy().repeat(np.diff(times.indptr))
    columns = {
        "origin": pa.array(origin).dictionary_encode(),
        "destination": times.cell_ids.to_numpy()[times.indices],
        COLUMN[times.metric]: times.cost,
    }
    about = {
        "facilities": _fingerprint(times.facilities.index),
        "cells": _fingerprint(times.cell_ids),
        "metric": times.metric,
        "limit": times.limit,
        "direction": times.direction,
        "snap_m": times.snap_m,
        "mode": asdict(times.mode),
        "nearest_cost": _packed(times.nearest_cost),
        "nearest_facility": _packed(times.nearest_facility),
        "cell_fault": times.cell_fault.tolist(),
        "facility_fault": times.facility_fault.tolist(),
    }
    table = pa.table(columns).replace_schema_metadata({KEY: json.dumps(about, ensure_ascii=False, sort_keys=True)})
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    pq.write_table(table, aside, compression="zstd")
    os.replace(aside, path)
    return path


def read_travel_times(path: str | Path, facilities: GeoDataFrame, cells: GeoDataFrame) -> TravelTimes:
    """Read travel costs that `write_travel_times` wrote, for the same facilities and cells.

    Raises
    ------
    InputError
        If the file is missing, was not written by careshed, or is for other facilities or cells.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise _bad(path, "unreadable", "出行时间文件无法读取", "the travel-time file cannot be read", str(error)[:120]) from error
    raw = (table.schema.metadata or {}).get(KEY)
    if raw is None:
        raise _bad(path, "not_ours", "不是 careshed 写出的出行时间文件", "the file was not written by careshed")
    about: dict[str, Any] = json.loads(raw)
    row = facilities.index.astype(str).get_indexer(table["origin"].to_numpy(zero_copy_only=False))
    column = cells.index.get_indexer(table["destination"].to_numpy())
    same = about["cells"] == _fingerprint(cells.index) and about["facilities"] == _fingerprint(facilities.index)
    if not same or (row < 0).any() or (column < 0).any():
        raise _bad(
            path,
            "other_places",
            "文件对应的设施或人口格网与本项目不一致",
            "the file is for other facilities or cells than the study's",
        )
    order = np.lexsort((column, row))
    cost = table[COLUMN[about["metric"]]].to_numpy()[order].astype(np.uint32)
    return TravelTimes(
        facilities=facilities,
        cell_ids=cells.index,
        indptr=np.searchsorted(row[order], np.arange(len(facilities) + 1)).astype(np.int64),
        indices=column[order].astype(np.int32),
        cost=cost,
        nearest_cost=_unpacked(about["nearest_cost"], np.int64),
        nearest_facility=_unpacked(about["nearest_facility"], np.int32),
        cell_fault=np.array(about["cell_fault"], dtype="<U7"),
        facility_fault=np.array(about["facility_fault"], dtype="<U7"),
        metric=about["metric"],
        limit=about["limit"],
        direction=about["direction"],
        mode=mode_from(about["mode"]),
        snap_m=about["snap_m"],
    )


def _fingerprint(ids: pd.Index[Any]) -> str:
    """Tell ids and their order: what the pairs do not hold goes by position."""
    return hashlib.sha256("\n".join(map(str, ids)).encode()).hexdigest()


def _packed(values: NDArray[np.integer[Any]]) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6)).decode("ascii")


def _unpacked(text: str, kind: type[np.integer[Any]]) -> NDArray[Any]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=kind)


def _bad(path: str | Path, code: str, zh: str, en: str, found: str = "") -> InputError:
    cure = ("请用 careshed travel-times 重新计算", "compute it again with careshed travel-times")
    return InputError([Fault(code, file_label(path), zh, en, *cure, found=found)])
