"""Make what notebook 06 travels through: other study files of the demo town, hills, a compound and a river, and the figures.

Everything is fiction: the hills, the compound and the river no less than the town.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine

if TYPE_CHECKING:
    from IPython.display import Image
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    import careshed as cs
    from careshed.modes import Mode
    from careshed.supply.compare import Comparison

PIXEL_M = 30.0
HILL_M, SPREAD_M, NOISE_M = 160.0, 1000.0, 2.0
"""Height and spread of the made-up hill, and the error of the heights, metres."""

GRID = "EPSG:4550"
"""CGCS2000, three-degree zone around 123° E: metres, as a planning office has them."""

EAST, NORTH = 500_000.0, 3_920_000.0
"""Corner from which the hand-made streets are measured."""

WALL, RIVER, STREET, WAY = "#8a5a44", "#4a90c2", "#9a9a9a", "#c8501e"


def changed_study(study_file: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Write the study file with some of its text replaced, beside the first.

    Raises
    ------
    ValueError
        If a text to be replaced is not in the file exactly once.
    """
    text = study_file.read_text(encoding="utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {study_file.name}")
        text = text.replace(old, new)
    target = study_file.with_name(f"{name}.toml")
    target.write_text(text, encoding="utf-8")
    return target


def figures_of(modes: Sequence[Mode]) -> pd.DataFrame:
    """Lay out every figure of some modes with its source, Chinese and English; the key is what a study file calls it."""
    order = [field.name for field in fields(modes[0])]
    rows = [
        (mode.zh, figure.name, _shown(getattr(mode, figure.name)), figure.zh, figure.en)
        for mode in modes
        for figure in sorted(mode.figures, key=lambda one: order.index(one.name))
    ]
    return pd.DataFrame(rows, columns=["方式", "键 key", "值", "来源", "source"])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, tuple):
        speeds = [speed for _, speed in value]
        return f"{min(speeds):g}–{max(speeds):g}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def write_hills(path: Path, network: cs.Network, *, seed: int = 6) -> Path:
    """Write a GeoTIFF of made-up heights: a plain, one round hill north of the middle of the town, and errors of 2 m."""
    x0, y1 = math.floor(network.x.min()) - 1500.0, math.ceil(network.y.max()) + 1500.0
    columns = int((network.x.max() + 1500 - x0) / PIXEL_M)
    rows = int((y1 - network.y.min() + 1500) / PIXEL_M)
    x = x0 + (np.arange(columns) + 0.5) * PIXEL_M
    y = (y1 - (np.arange(rows) + 0.5) * PIXEL_M)[:, None]
    middle = np.median(network.x), np.median(network.y) + 600
    hill = HILL_M * np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * SPREAD_M**2))
    heights = 20 + hill + np.random.default_rng(seed).normal(0, NOISE_M, (rows, columns))
    place = Affine(PIXEL_M, 0, x0, 0, -PIXEL_M, y1)
    how = {"driver": "GTiff", "width": columns, "height": rows, "count": 1, "dtype": "float32", "crs": network.crs}
    with rasterio.open(path, "w", transform=place, **how) as file:
        file.write(heights.astype(np.float32), 1)
    return path


def draw_hills(path: Path, level: cs.Network, hilly: cs.Network, change: Comparison) -> Image:
    """Draw heights, streets coloured by what the slope costs on the way up, and the cells that lose reach.

    Parameters
    ----------
    level, hilly
        One mode's network without and with heights; a mode that no slope stops has the same streets in both.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap

    figure, axes = _canvas((8, 6))
    slower = np.maximum(hilly.time.edge_f, hilly.time.edge_b) / np.maximum(level.time.edge_f, 1) - 1
    order = np.argsort(slower, kind="stable")
    lines = [np.asarray(line.coords) for line in hilly.edge_lines().iloc[order]]
    colours = LinearSegmentedColormap.from_list("climb", ["#dcd9d3", "#f0b45f", "#b5480c"])
    streets = LineCollection(lines, array=np.clip(slower[order], 0, 0.4) * 100, cmap=colours, linewidths=1.1)
    axes.add_collection(streets)
    with rasterio.open(path) as file:
        heights, at = file.read(1), file.transform
    extent = (at.c, at.c + at.a * heights.shape[1], at.f + at.e * heights.shape[0], at.f)
    rings = axes.contour(
        _smooth(heights), levels=range(40, 200, 20), extent=extent, origin="upper", colors="#4d4a46", linewidths=0.9, zorder=3
    )
    axes.clabel(rings, levels=[40, 80, 120, 160], fmt="%d m", fontsize=8, inline_spacing=1)
    lost = change.cells.geometry.centroid[change.cells["state"] == "lose"]
    axes.scatter(lost.x, lost.y, s=16, c="#1f4aa8", marker="s", label="cells no longer within 15 minutes", zorder=4)
    bar = figure.colorbar(streets, ax=axes, shrink=0.6, pad=0.01)
    bar.set_label("slower uphill than on the level, % (40 and more in one colour)")
    bar.outline.set_visible(False)
    x, y = np.median(level.x), np.median(level.y) + 600
    axes.set_xlim(x - 4000, x + 4000)
    axes.set_ylim(y - 3300, y + 3100)
    axes.legend(loc="lower left", frameon=True, framealpha=0.9, edgecolor="none")
    axes.set_title("Who must climb to day care falls out of its 15 minutes (heights made up)", fontsize=10, loc="left")
    return _picture(figure)


def _smooth(heights: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(heights.astype(float), 3)


ROADS: Mapping[str, Sequence[tuple[float, float]]] = {
    "西街": [(-20, -20), (-20, 300)],
    "南街": [(-20, -20), (600, -20)],
    "东街": [(220, -20), (220, 300)],
    "南岸路": [(-20, 300), (220, 300)],
    "北岸路": [(100, 420), (600, 420)],
    "大桥": [(600, -20), (600, 420)],
}
HOMES = {"A 小区内": (20, 100), "B 北岸": (100, 350)}
STATION = (-20, 100)
GATE = (200, 100)


def write_compound(folder: Path) -> tuple[Path, Path, Path]:
    """Write three layers in metres: streets, a walled compound with a river beyond, and the compound's only gate."""

    def layer(name: str, shapes: Sequence[shapely.Geometry], **columns: Sequence[str]) -> Path:
        table = gpd.GeoDataFrame(columns, geometry=[shapely.transform(shape, _placed) for shape in shapes], crs=GRID)
        table.to_file(folder / name)
        return folder / name

    roads = layer("hand_roads.gpkg", [shapely.LineString(xy) for xy in ROADS.values()], 名称=[*ROADS])
    river = shapely.LineString([(-300, 335), (900, 335)])
    barriers = layer("hand_barriers.gpkg", [shapely.box(0, 0, 200, 200), river], 类型=["小区", "河流"])
    return roads, barriers, layer("hand_gates.gpkg", [shapely.Point(GATE)], 开放=["是"])


def _placed(xy: np.ndarray) -> np.ndarray:
    return np.asarray(xy) + np.array([EAST, NORTH])


def places(spots: Mapping[str, tuple[float, float]]) -> gpd.GeoDataFrame:
    """Make places of the hand-made town."""
    xy = _placed(np.array([*spots.values()], dtype=float))
    return gpd.GeoDataFrame(index=[*spots], geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=GRID)


def draw_compound() -> Image:
    """Draw the hand-made town with the true ways, and the legs that joining the nearest street would take."""
    figure, axes = _canvas((8, 5.6))
    for xy in ROADS.values():
        axes.plot(*np.array(xy).T, color=STREET, lw=3, solid_capstyle="round", zorder=1)
    axes.plot([-60, 660], [335, 335], color=RIVER, lw=7, zorder=0)
    for a, b in (((0, 0), (200, 0)), ((0, 0), (0, 200)), ((0, 200), (200, 200)), ((200, 0), (200, 95)), ((200, 105), (200, 200))):
        axes.plot(*np.array([a, b]).T, color=WALL, lw=2.5)
    ways = {"A": [(20, 100), (220, 100), (220, -20), (-20, -20), (-20, 100)],
            "B": [(100, 350), (100, 420), (600, 420), (600, -20), (220, -20)]}  # fmt: skip
    for way in ways.values():
        axes.plot(*np.array(way).T, color=WAY, lw=1.6, zorder=3)
    for a, b in (((20, 100), (-20, 100)), ((100, 350), (100, 300))):
        axes.annotate("", b, a, arrowprops={"arrowstyle": "->", "ls": "--", "color": "#333333", "lw": 1.4}, zorder=4)
    axes.plot(*np.array([*HOMES.values()]).T, "o", color="#222222", ms=7, zorder=5)
    axes.plot(*STATION, "s", color="#1b7f5c", ms=10, zorder=5)
    told = {
        (28, 112): "A", (108, 356): "B", (-28, 122): "day care ", (208, 108): " gate", (606, 200): " bridge", (560, 345): "river",
        (60, 40): "compound", (30, 84): "nearest street", (106, 312): "nearest street",
    }  # fmt: skip
    for (x, y), text in told.items():
        axes.text(x, y, text, fontsize=9, ha="right" if text.startswith("day") else "left")
    axes.set_xlim(-130, 690)
    axes.set_ylim(-45, 450)
    axes.set_title("Dashed: the nearest street, through a wall and a river. Solid: the way people walk", fontsize=10, loc="left")
    return _picture(figure)


def _picture(figure: Figure) -> Image:
    from IPython.display import Image

    png = BytesIO()
    figure.savefig(png, format="png")
    return Image(data=png.getvalue(), width=760)


def _canvas(size: tuple[float, float]) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure, axes
