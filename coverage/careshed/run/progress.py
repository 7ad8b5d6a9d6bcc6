"""Show how far a run has come, in terminals and in Jupyter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Bar:
    """A progress bar that can be silent."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def plan(self, steps: int) -> None:
        """Set how many steps there are in all."""
        if self._bar is not None:
            self._bar.total = steps
            self._bar.refresh()

    def say(self, text: str) -> None:
        """Show what is being done, without a step forward."""
        if self._bar is not None:
            self._bar.set_description_str(text)

    def step(self, text: str) -> None:
        """Go one step forward and show what comes now."""
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_description_str(text)


@contextmanager
def show_progress(show: bool) -> Iterator[Bar]:
    """Give a progress bar for the terminal or the notebook; it is closed however the run ends."""
    if not show:
        yield Bar(None)
        return
    from tqdm.auto import tqdm

    with tqdm(total=1, bar_format="{desc:<40} {bar} {n_fmt}/{total_fmt}", leave=False) as bar:
        yield Bar(bar)
