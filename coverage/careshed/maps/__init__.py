"""Draw offline maps: one HTML file each for who can reach care, who finds a place, and who gains or loses by a change."""

from careshed.maps.change import write_change_map
from careshed.maps.index import write_index
from careshed.maps.page import write_map
from careshed.maps.places import write_places_map

__all__ = ["write_change_map", "write_index", "write_map", "write_places_map"]
