"""Draw who can be reached: the travel-cost function as polygons, street lines and a surface, each with its certificate."""

from careshed.isochrones.certificate import Certificate, certify
from careshed.isochrones.lattice import Lattice, Surface, lattice_of, step_for
from careshed.isochrones.outline import draw_isochrones, level_set, merged_isochrones, surface
from careshed.isochrones.streets import reached_streets

__all__ = [
    "Certificate",
    "Lattice",
    "Surface",
    "certify",
    "draw_isochrones",
    "lattice_of",
    "level_set",
    "merged_isochrones",
    "reached_streets",
    "step_for",
    "surface",
]
