"""Read heights from an elevation raster: smoothed, window by window, in any coordinate system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from careshed.intake.places import Bounds, parse_crs
from careshed.intake.tables import damaged, must_exist, stop
from careshed.schema import Checked, Fault, file_label

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Float = NDArray[np.float64]

SMOOTH_M: Final = 45.0
"""Spread (standard deviation) of the smoothing, metres: 1.5 pixels of a 30 m model, whose heights err by about 2 m. What is left
of such noise are slopes of less than 1 %."""

BLOCK: Final = 1024
"""Pixels a side of a window read at once."""

HEIGHT_UNITS: Final[dict[str, float]] = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters", "米"), 1.0),
    **dict.fromkeys(("ft", "foot", "feet", "英尺"), 0.3048),
    **dict.fromkeys(("us survey foot", "us-ft", "ftus"), 1200 / 3937),
    **dict.fromkeys(("dm", "decimetre", "decimetres", "decimeters", "分米"), 0.1),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeters", "厘米"), 0.01),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeters", "毫米"), 0.001),
}
"""Units that a raster or a study may say heights are in -> metres."""

COARSE_M: Final = 120.0
"""Pixels wider than this, metres, hide the slopes of streets: a block of houses is as long."""

LOWEST, HIGHEST = -500.0, 9_000.0
"""Heights beyond these are no heights on earth: the Dead Sea's shore lies at −430 m."""


@dataclass(frozen=True)
class Elevation:
    """An elevation raster, read where heights are asked for."""

    path: Path
    crs: str
    """Coordinate system of the raster."""
    smooth_m: float
    """Spread of the smoothing, metres, at least one pixel."""
    unit_m: float | None = None
    """Metres in one unit of height, as the study states it; None for what the raster says of itself."""

    def at(self, x: Float, y: Float, crs: str) -> Float:
        """Give smoothed heights at points, metres; NaN where the raster has none.

        Parameters
        ----------
        x, y
            Points, shape (points,).
        crs
            Coordinate system of the points.

        Returns
        -------
        ndarray
            Interpolated between pixel centres, shape (points,).
        """
        import rasterio
        from pyproj import Transformer

        turn = Transformer.from_crs(crs, self.crs, always_xy=True)
        px, py = map(np.asarray, turn.transform(x, y))
        with rasterio.open(self.path) as raster:
            return self._sampled(raster, px, py)

    def bounds_lonlat(self) -> Bounds:
        """Give west, south, east and north of the raster, degrees."""
        import rasterio
        from rasterio.warp import transform_bounds

        with rasterio.open(self.path) as raster:
            west, south, east, north = transform_bounds(self.crs, "EPSG:4326", *raster.bounds)
        return (west, south, east, north)

    def _sampled(self, raster: DatasetReader, px: Float, py: Float) -> Float:
        """Sample block by block, each read with a margin for smoothing."""
        back = ~raster.transform
        column, row = back.a * px + back.c - 0.5, back.e * py + back.f - 0.5
        spread = tuple(max(self.smooth_m / size, 1.0) for size in _pixel_metres(raster, self.crs, py))
        metres = _metres(raster, self.unit_m)
        heights = np.full(len(px), np.nan)
        inside = np.flatnonzero((column > -1) & (column < raster.width) & (row > -1) & (row < raster.height))
        block = (row[inside] // BLOCK).astype(np.int64) * (1 << 32) + (column[inside] // BLOCK).astype(np.int64)
        order = np.argsort(block, kind="stable")
        for part in np.split(inside[order], np.flatnonzero(np.diff(block[order])) + 1):
            if len(part):
                heights[part] = _in_block(raster, spread, metres, column[part], row[part])
        return heights


def open_elevation(
    path: str | Path, *, crs: str | None = None, smooth_m: float = SMOOTH_M, unit: str | None = None
) -> Checked[Elevation]:
    """Check that an elevation raster can be used; heights are read later, where they are needed.

    Parameters
    ----------
    crs
        Coordinate system, where the file states none.
    smooth_m
        Spread of the smoothing, metres; never less than a pixel.
    unit
        What heights are in (`HEIGHT_UNITS`), where the file does not say it; metres where neither does.

    Raises
    ------
    careshed.schema.InputError
        If the file is missing or damaged, its coordinate system is neither stated nor given or stated otherwise than given, or
        it says a unit of height that is not known.
    """
    import rasterio
    from rasterio.errors import RasterioError

    file = Path(path)
    must_exist(file)
    try:
        with rasterio.open(file) as raster:
            own, bands = raster.crs.to_wkt() if raster.crs is not None else "", raster.count
            rotated = raster.transform.b != 0 or raster.transform.d != 0
            name = (raster.units[0] or "").strip()
            middle = np.array([(raster.bounds.top + raster.bounds.bottom) / 2])
            system = _system(file, own, crs)
            factor = _unit(file, name, unit)
            metres, wide = _metres(raster, factor), max(_pixel_metres(raster, system, middle))
    except RasterioError as error:
        raise damaged(file, error) from error
    if rotated:
        told = ("高程栅格是旋转的", "the elevation raster is rotated")
        raise stop(file, "rotated", told, ("请重投影为正北方向的栅格。", "Warp it to a raster that points north."))
    several = f"{bands} bands; the first is taken for heights", f"有 {bands} 个波段，取第一个作为高程"
    noted = [Fault("several_bands", file_label(file), several[1], several[0], severity="noted")] if bands > 1 else []
    told_of = (*noted, *_scaled(file, metres), *_coarse(file, wide))
    return Checked(Elevation(file, system, smooth_m, factor), told_of)


def _system(file: Path, own: str, given: str | None) -> str:
    """Decide on the coordinate system; what the file and the study say must agree."""
    stated, known = parse_crs(given), parse_crs(own)
    if stated is None and known is None:
        told = ("高程栅格没有坐标系", "the elevation raster states no coordinate system")
        cure = ('请在 [elevation] 中写 crs = "EPSG:4326" 等。', 'State it as crs = "EPSG:4326" in [elevation].')
        raise stop(file, "unknown_crs", told, cure, found=given or "")
    if stated is not None and known is not None and not stated.equals(known, ignore_axis_order=True):
        told = (
            f"文件自带坐标系 {known.name}，与研究文件所写 {stated.name} 不符",
            f"the file states {known.name}, but the study says {stated.name}",
        )
        cure = ("请删去 [elevation] 中的 crs，或改正文件。", "Take crs out of [elevation], or correct the file.")
        raise stop(file, "crs_mismatch", told, cure)
    return own or str(given)


def _unit(file: Path, own: str, given: str | None) -> float | None:
    """Metres in the unit that the study states, None where the file's own word is to be taken."""
    if given is not None:
        return HEIGHT_UNITS[given]
    if own and own.lower() not in HEIGHT_UNITS:
        told = (f"高程单位“{own}”不认识", f"the unit of heights {own!r} is not known")
        cure = (
            '请在 [elevation] 中写 unit，如 unit = "m"（米）、"dm"（分米）、"cm"（厘米）、"ft"（英尺）。',
            'State unit in [elevation], such as unit = "m", "dm", "cm" or "ft".',
        )
        raise stop(file, "height_unit", told, cure)
    return None


def _scaled(file: Path, metres: tuple[float, float]) -> list[Fault]:
    """Tell that heights are not kept as metres in the file."""
    scale, offset = metres
    if (scale, offset) == (1.0, 0.0):
        return []
    added = f" + {offset:g}" if offset else ""
    zh = f"高程按文件或研究文件所述换算为米：值 × {scale:g}{added}"
    en = f"heights are turned into metres as the file or the study says: value × {scale:g}{added}"
    return [Fault("heights_scaled", file_label(file), zh, en, severity="noted")]


def _coarse(file: Path, wide: float) -> list[Fault]:
    """Tell a raster whose pixels are too wide for the slopes of streets."""
    if wide <= COARSE_M:
        return []
    zh = f"高程像元宽 {wide:,.0f} 米，街道的坡度会被抹平，低估爬坡的影响"
    en = f"the pixels of the heights are {wide:,.0f} m wide: the slopes of streets are levelled out, and hills count too little"
    cure = ("请换用像元不大于 30 米的高程数据。", "Use an elevation model with pixels of 30 m or less.")
    return [Fault("heights_coarse", file_label(file), zh, en, *cure, severity="noted")]


def _metres(raster: DatasetReader, unit_m: float | None) -> tuple[float, float]:
    """Give the factor, and what is added, that turn the values of the first band into metres."""
    unit = HEIGHT_UNITS.get((raster.units[0] or "").strip().lower(), 1.0) if unit_m is None else unit_m
    return float(raster.scales[0]) * unit, float(raster.offsets[0]) * unit


def _pixel_metres(raster: DatasetReader, crs: str, py: Float) -> tuple[float, float]:
    """Height and width of a pixel, metres, in the system that the heights are read by."""
    wide, high = abs(raster.transform.a), abs(raster.transform.e)
    system = parse_crs(crs)
    if system is None or system.is_geographic:
        middle = float(np.nanmedian(py)) if len(py) else 0.0
        return high * 111_320.0, wide * 111_320.0 * max(float(np.cos(np.radians(middle))), 0.01)
    unit = float(system.axis_info[0].unit_conversion_factor) or 1.0
    return high * unit, wide * unit


def _in_block(raster: DatasetReader, spread: tuple[float, ...], metres: tuple[float, float], column: Float, row: Float) -> Float:
    """Read one window, smooth it without its gaps, and interpolate between pixel centres."""
    from rasterio.windows import Window
    from scipy.ndimage import gaussian_filter

    margin = int(np.ceil(4 * max(spread))) + 2
    left, top = max(int(column.min()) - margin, 0), max(int(row.min()) - margin, 0)
    right = min(int(column.max()) + margin + 2, raster.width)
    bottom = min(int(row.max()) + margin + 2, raster.height)
    raw: Any = raster.read(1, window=Window(left, top, right - left, bottom - top), masked=True)
    known = ~np.ma.getmaskarray(raw)
    scale, offset = metres
    values = np.where(known, np.ma.getdata(raw), np.nan).astype(np.float64) * scale + offset
    known &= np.isfinite(values) & (values > LOWEST) & (values < HIGHEST)
    weight = gaussian_filter(known.astype(np.float64), spread, mode="constant")
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth = gaussian_filter(np.where(known, values, 0.0), spread, mode="constant") / weight
    smooth[~known] = np.nan
    return _between_centres(smooth, row - top, column - left)


def _between_centres(values: Float, row: Float, column: Float) -> Float:
    """Interpolate linearly; at the rim the outermost centres hold, and a missing neighbour leaves the others to decide."""
    height, width = values.shape
    row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    r, c = np.minimum(row.astype(np.int64), max(height - 2, 0)), np.minimum(column.astype(np.int64), max(width - 2, 0))
    down, right = row - r, column - c
    total, weight = np.zeros(len(row)), np.zeros(len(row))
    for dr, dc, share in (
        (0, 0, (1 - down) * (1 - right)),
        (0, 1, (1 - down) * right),
        (1, 0, down * (1 - right)),
        (1, 1, down * right),
    ):
        value = values[np.minimum(r + dr, height - 1), np.minimum(c + dc, width - 1)]
        good = np.isfinite(value)
        total += np.where(good, value, 0.0) * share
        weight += np.where(good, share, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 1e-9, total / weight, np.nan)
