"""Durations in words, and how long the rest of something takes."""

from __future__ import annotations

import time


def in_words(seconds: float) -> str:
    """Return a duration in words: "31 s", "4 min 10 s", "2 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def progress(done: int, total: int, noun: str, gone: float, before: int = 0) -> str:
    """Return a line that says how far something is.

    Args:
        done: how much of ``total`` is done, with what was done before.
        total: how much there is.
        noun: what is counted, in the plural.
        gone: the seconds since the beginning of this run.
        before: how much was done before this run began.
    """
    text = f"{done:,} of {total:,} {noun} ({100 * done // max(total, 1)} %), {in_words(gone)} gone"
    mine = done - before
    if not mine or done >= total:
        return text
    return f"{text}, about {in_words(gone / mine * (total - done))} left"


class Pace:
    """The progress of work in ``total`` long steps, ``before`` of which an earlier process did."""

    def __init__(self, total: int, before: int) -> None:
        self._total, self._before, self._done = total, before, before
        self._begun = time.monotonic()

    def line(self) -> str:
        """Return how much is done, and from the second step on how long the others take."""
        gone = time.monotonic() - self._begun
        return progress(self._done, self._total, "done", gone, self._before)

    def add(self) -> None:
        """Count a step that is over."""
        self._done += 1
