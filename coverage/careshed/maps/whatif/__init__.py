"""Write the what-if page: the reader ticks sites, and coverage, gaps and money recompute in the page."""

from careshed.maps.whatif.page import TooLarge, write_whatif

__all__ = ["TooLarge", "write_whatif"]
