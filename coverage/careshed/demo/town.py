"""Build the whole made-up town in memory: form, streets, homes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from careshed.demo.blocks import Block, Compound, Homes, fill_blocks, lattice
from careshed.demo.form import Form, Warp, make_form, make_warp
from careshed.demo.rural import Hamlet, draw_country, place_hamlets
from careshed.demo.streets import Skeleton, draw_barriers, draw_riverside, draw_skeleton
from careshed.demo.ways import Drawing, Streets, joined

ISLET_PEOPLE = 64
"""Residents of the island in the river before scaling: a few dozen, as on such islands."""


@dataclass(frozen=True)
class Town:
    """Everything the demo's files are written from, in plan metres until `warp` bends it."""

    form: Form
    warp: Warp
    skeleton: Skeleton
    blocks: tuple[Block, ...]
    compounds: tuple[Compound, ...]
    hamlets: tuple[Hamlet, ...]
    streets: Streets
    homes: Homes
    drawing: Drawing


def build_town(seed: int = 2025) -> Town:
    """Build the town; the same seed gives the same town.

    >>> town = build_town(2025)
    >>> 60 <= len(town.compounds) <= 140
    True
    """
    form, warp = make_form(seed), make_warp(seed)
    drawing, homes = Drawing(), Homes()
    skeleton = draw_skeleton(form, drawing)
    blocks, compounds = fill_blocks(form, skeleton, drawing, homes, seed)
    hamlets = place_hamlets(form, seed)
    draw_country(form, skeleton, hamlets, drawing, homes, seed)
    draw_riverside(form, skeleton, drawing)
    draw_barriers(form, drawing)
    rng = np.random.default_rng([seed, 6])
    islet = lattice(shapely.Polygon(form.island.buffer(-22).exterior), 40, rng)
    homes.add(islet, ISLET_PEOPLE, 0.9, rng)
    streets = joined(drawing)
    return Town(form, warp, skeleton, tuple(blocks), tuple(compounds), tuple(hamlets), streets, homes, drawing)
