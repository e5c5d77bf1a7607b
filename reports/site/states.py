"""The eight states of a BatchNorm2d in which a forward differs, and the ways between them, as data.

The sentences hold from torch 2.8 on; ``tests/meta/test_site_states.py`` asks the oracle for each of them.
"""

from __future__ import annotations

from typing import NamedTuple, Tuple

BATCH, BUFFERS = "the batch's statistics", "the running buffers"
NOTHING = "nothing"


class State(NamedTuple):
    """A state: the words that its cases have in their ids, and what a forward does in it.

    ``training``, ``tracked``, ``present``: the mode, track_running_stats, and whether running_mean and
    running_var are there. ``normalises``: BATCH or BUFFERS. ``updates``: what a forward changes.
    """

    training: bool
    tracked: bool
    present: bool
    normalises: str
    updates: str

    @property
    def name(self) -> str:
        """The state in words."""
        mode = "train" if self.training else "eval"
        return f"{mode}, {self.kind}"

    @property
    def kind(self) -> str:
        """The state in words, without its mode."""
        tracked = "tracked" if self.tracked else "untracked"
        return f"{tracked}, {'buffers' if self.present else 'no buffers'}"

    @property
    def words(self) -> Tuple[str, str]:
        """The parts of an id that all cases of this state have, and no others of the family ``state``."""
        mode, track = ("train" if self.training else "eval"), ("track" if self.tracked else "no_track")
        return f"state-{mode}-{track}-", "-mean-var-" if self.present else "-no_mean-no_var-"


STATES: Tuple[State, ...] = (
    State(True, True, True, BATCH, "running_mean, running_var and the counter"),
    State(False, True, True, BUFFERS, NOTHING),
    State(True, False, True, BATCH, NOTHING),
    State(False, False, True, BUFFERS, NOTHING),
    State(True, False, False, BATCH, NOTHING),
    State(False, False, False, BATCH, NOTHING),
    State(True, True, False, BATCH, "the counter, if it is there"),
    State(False, True, False, BATCH, NOTHING),
)
"""The states in the rows of the picture, train mode before eval mode. From each row to the next, and from
the last to the first, one thing changes."""


class Way(NamedTuple):
    """A transition: its code, what it does, and the behaviour whose cases prove it."""

    code: str
    effect: str
    behaviour: str


WAYS: Tuple[Way, ...] = (
    Way(
        "m.train(), m.eval()",
        "Sets the flag training. Buffers, counter and parameters stay.",
        "alternating",
    ),
    Way(
        "m.track_running_stats = False",
        "Sets the flag alone. The buffers stay: eval mode still normalises by them, and train mode "
        "leaves them and the counter alone.",
        "track_off",
    ),
    Way(
        "m.track_running_stats = True",
        "Sets the flag alone. Buffers that are missing are not made: without them, both modes normalise "
        "by the batch's statistics.",
        "track_on",
    ),
    Way(
        "m.running_mean = m.running_var = None",
        "From here on both modes normalise by the batch's statistics. In train mode a counter that is "
        "there still counts.",
        "drop_running_stats",
    ),
    Way(
        "m.running_mean = None",
        "With running_var alone, eval mode raises; so does train mode while it tracks (since 2.8).",
        "drop_running_mean",
    ),
    Way(
        "m.running_mean, m.running_var = a, b",
        "Eval mode normalises by the new tensors, whatever track_running_stats says. Train mode updates "
        "them in place while it tracks.",
        "attach_tensors",
    ),
    Way(
        "m.num_batches_tracked = None",
        "Train mode no longer counts. With momentum=None the buffers then stop moving.",
        "drop_counter",
    ),
    Way(
        "m.reset_running_stats()",
        "While it tracks: mean 0, variance 1 and counter 0, written in place; AttributeError if one of "
        "them is None. Untracked: nothing.",
        "reset_running_stats",
    ),
    Way(
        "m.momentum = None",
        "From here on the buffers move by 1/k at the k-th counted batch, towards the plain average.",
        "momentum_to_none",
    ),
)
"""The ways between states, and the other steps that change what a forward does to the buffers."""
