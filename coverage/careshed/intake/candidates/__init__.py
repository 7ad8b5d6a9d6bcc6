"""Find candidate sites in lists, among facilities, in OSM or on streets; leave out what cannot be used, and size the rest."""

from careshed.intake.candidates.choosing import Chosen, choose_candidates
from careshed.intake.candidates.costs import Price, read_prices
from careshed.intake.candidates.finding import (
    OSM_SITES,
    candidates_from_facilities,
    candidates_from_osm,
    candidates_on_lattice,
    candidates_on_streets,
)
from careshed.intake.candidates.land import read_land
from careshed.intake.candidates.reading import read_candidates
from careshed.intake.candidates.sizing import size_candidates

__all__ = [
    "OSM_SITES",
    "Chosen",
    "Price",
    "candidates_from_facilities",
    "candidates_from_osm",
    "candidates_on_lattice",
    "candidates_on_streets",
    "choose_candidates",
    "read_candidates",
    "read_land",
    "read_prices",
    "size_candidates",
]
