"""Streets from layers of lines: joined where they meet, edited by planned and closed streets."""

from careshed.intake.streets.lines.editing import edit_streets
from careshed.intake.streets.lines.noding import Lines, Noded, node_lines
from careshed.intake.streets.lines.reading import LAYER_SUFFIXES, read_street_lines

__all__ = ["LAYER_SUFFIXES", "Lines", "Noded", "edit_streets", "node_lines", "read_street_lines"]
