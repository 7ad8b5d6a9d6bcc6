"""Draw offline maps: one HTML file that shows who can reach care, who cannot, and where to build next."""

from careshed.maps.page import write_map

__all__ = ["write_map"]
