"""Read streets: OSM files, OSMnx GraphML and graphs in memory -> ways with the right to walk on them."""

from careshed.intake.streets.model import Streets
from careshed.intake.streets.reading import read_streets
from careshed.intake.streets.walking import CLOSED_TO_WALKERS, FOOT_NO, FOOT_YES, RANK, SOLID, shuts, walkable

__all__ = ["CLOSED_TO_WALKERS", "FOOT_NO", "FOOT_YES", "RANK", "SOLID", "Streets", "read_streets", "shuts", "walkable"]
