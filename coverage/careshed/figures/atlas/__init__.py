"""Draw the atlas (图集) of a study: A3 sheets true to scale, one file, with annex tables."""

from careshed.figures.atlas.writing import write_atlas

__all__ = ["write_atlas"]
