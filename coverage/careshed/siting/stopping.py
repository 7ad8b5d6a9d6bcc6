"""End a long search with Ctrl-C and keep the best answer so far."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import highspy


def run_stoppable(highs: highspy.Highs) -> bool:
    """Run a search, which the first Ctrl-C ends with what it has found; True where it was ended so.

    A second Ctrl-C gives the answer up: `KeyboardInterrupt` follows once the solver has come to a halt. Only searches on the main
    thread are ended, and only where nobody else listens for Ctrl-C; a search by simplex or inner points alone runs on.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        highs.run()
        return False
    pressed: list[int] = []

    def end(event: highspy.highs.HighsCallbackEvent) -> None:
        event.interrupt(bool(pressed))

    signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    highs.cbMipInterrupt += end
    try:
        highs.run()
    finally:
        highs.cbMipInterrupt -= end
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if len(pressed) > 1:
        raise KeyboardInterrupt
    return bool(pressed)
