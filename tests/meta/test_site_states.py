"""The states of the page and the ways between them, each asked of the oracle."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

import pytest

from cases import catalogue
from cases.attributes import BUFFERS
from oracle.expectations import expectations
from oracle.semantics import RELEASES, semantics
from oracle.state import Counter, Expected, Tensor
from reports.site.states import BATCH, NOTHING, STATES, WAYS, State, Way

SINCE = (2, 8)
"""The release from which on the sentences hold."""

NAMES = ("running_mean", "running_var")


def performed(steps: List[str], release: Tuple[int, int], track: str = "track", momentum: str = "0.1") -> List[Expected]:
    """Return what the oracle expects of a program on a release, with the state before it in front."""
    case = catalogue.find(f"steps-affine-{track}-momentum_{momentum}-bounded-n8-float32-{','.join(steps)}")
    return list(expectations(case, semantics(release)))


def entered(state: State) -> List[str]:
    steps = ["preset"] if state.present else [f"drop:{name}" for name in NAMES]
    steps += [] if state.tracked else ["set:track_running_stats:false"]
    return [*steps, "train" if state.training else "eval"]


def changed(before: Expected, after: Expected, name: str) -> bool:
    a, b = before.state.entry(name), after.state.entry(name)
    if isinstance(a, Counter) and isinstance(b, Counter):
        return a.value != b.value
    return getattr(a, "numbers", None) is not getattr(b, "numbers", None)


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
@pytest.mark.parametrize("release", [SINCE, RELEASES[-1]], ids=str)
def test_a_forward_does_what_the_page_says(state: State, release: Tuple[int, int]) -> None:
    *_, before, after = performed([*entered(state), "forward:b0"], release)
    assert after.output is not None
    assert after.output.batch_statistics == (state.normalises == BATCH)
    moved = [name for name in BUFFERS if changed(before, after, name)]
    words = {
        (): NOTHING,
        ("num_batches_tracked",): "the counter, if it is there",
        BUFFERS: "running_mean, running_var and the counter",
    }
    assert words[tuple(moved)] == state.updates


# --- the ways ---------------------------------------------------------------------------

BUFFERLESS = [f"drop:{name}" for name in NAMES]
FLAGS = ("training", "track_running_stats", "momentum")


def last(*steps: str, release: Tuple[int, int] = SINCE, momentum: str = "0.1") -> Tuple[Expected, Expected]:
    """Return what is expected of the last step, and of the one before it."""
    *_, before, after = performed(list(steps), release, momentum=momentum)
    return before, after


def moved(before: Expected, after: Expected) -> List[str]:
    """Return the buffers and flags that a step changes."""
    tensors = [name for name in (*BUFFERS, "weight", "bias") if changed(before, after, name)]
    return tensors + [name for name in FLAGS if getattr(before.state, name) != getattr(after.state, name)]


def values(expected: Expected, name: str) -> Any:
    """Return the values of a running statistic, an array of shape (C,)."""
    tensor = expected.state.entry(name)
    assert isinstance(tensor, Tensor)
    return tensor.numbers.values


def by_batch(*steps: str) -> bool:
    """Whether the forward at the end of a program normalises by the batch."""
    output = last(*steps, "forward:b0")[1].output
    assert output is not None
    return bool(output.batch_statistics)


def raised(*steps: str, release: Tuple[int, int] = SINCE) -> str:
    error = last(*steps, release=release)[1].error
    return "" if error is None else error.kind


def mode_is_a_flag() -> None:
    assert moved(*last("preset", "eval")) == ["training"]
    assert moved(*last("preset", "eval", "train")) == ["training"]


def untracking_is_a_flag() -> None:
    off = "set:track_running_stats:false"
    assert moved(*last("preset", off)) == ["track_running_stats"]
    assert not by_batch("preset", off, "eval")
    assert moved(*last("preset", off, "forward:b0")) == []


def tracking_is_a_flag() -> None:
    off, on = "set:track_running_stats:false", "set:track_running_stats:true"
    assert moved(*last("preset", off, on)) == ["track_running_stats"]
    assert all(by_batch(*BUFFERLESS, off, on, mode) for mode in ("train", "eval"))


def without_buffers_the_batch_normalises() -> None:
    assert all(by_batch("preset", *BUFFERLESS, mode) for mode in ("train", "eval"))
    assert moved(*last("preset", *BUFFERLESS, "forward:b0")) == ["num_batches_tracked"]


def one_buffer_is_too_few() -> None:
    one = ("preset", "drop:running_mean")
    assert raised(*one, "eval", "forward:b0")
    assert raised(*one, "set:track_running_stats:false", "eval", "forward:b0")
    assert raised(*one, "forward:b0")
    assert not raised(*one, "forward:b0", release=(2, 7))
    assert not raised(*one, "set:track_running_stats:false", "forward:b0")


def attached_tensors_normalise() -> None:
    attached = (*BUFFERLESS, *(f"attach:{name}:tensor" for name in NAMES))
    for flag in ("true", "false"):
        assert not by_batch(*attached, f"set:track_running_stats:{flag}", "eval")
    before, after = last(*attached, "forward:b0")
    assert moved(before, after) == ["running_mean", "running_var", "num_batches_tracked"]
    assert before.state.running_mean is not None
    assert after.state.running_mean is not None
    assert before.state.running_mean.identity is after.state.running_mean.identity


def without_a_counter_nothing_counts() -> None:
    assert moved(*last("preset", "drop:num_batches_tracked", "forward:b0")) == list(NAMES)
    before, after = last("preset", "drop:num_batches_tracked", "forward:b0", momentum="none")
    assert all((values(before, name) == values(after, name)).all() for name in NAMES)


def a_reset_resets_while_it_tracks() -> None:
    _, after = last("preset", "forward:b0", "reset_running_stats")
    assert [set(values(after, name)) for name in NAMES] == [{0.0}, {1.0}]
    counter = after.state.entry("num_batches_tracked")
    assert isinstance(counter, Counter)
    assert counter.value == 0
    assert raised("drop:running_var", "reset_running_stats") == "AttributeError"
    assert moved(*last("preset", "set:track_running_stats:false", "reset_running_stats")) == []


def without_momentum_the_average_is_plain() -> None:
    assert moved(*last("preset", "set:momentum:none")) == ["momentum"]
    before, after = last("set:momentum:none", "forward:b0")
    again = last("set:momentum:none", "forward:b0", "forward:b0")[1]
    first, second = (values(each, "running_mean") for each in (after, again))
    assert (abs(first - second) <= 1e-12 * abs(first)).all()  # the average of equal batches is that of one
    assert (values(before, "running_mean") != first).any()


PROOFS: Dict[str, Callable[[], None]] = {
    "m.train(), m.eval()": mode_is_a_flag,
    "m.track_running_stats = False": untracking_is_a_flag,
    "m.track_running_stats = True": tracking_is_a_flag,
    "m.running_mean = m.running_var = None": without_buffers_the_batch_normalises,
    "m.running_mean = None": one_buffer_is_too_few,
    "m.running_mean, m.running_var = a, b": attached_tensors_normalise,
    "m.num_batches_tracked = None": without_a_counter_nothing_counts,
    "m.reset_running_stats()": a_reset_resets_while_it_tracks,
    "m.momentum = None": without_momentum_the_average_is_plain,
}


@pytest.mark.parametrize("way", WAYS, ids=[way.code for way in WAYS])
def test_a_way_does_what_the_page_says(way: Way) -> None:
    PROOFS[way.code]()


def test_the_behaviours_that_prove_the_ways_are_in_the_gate() -> None:
    ids = [case for family in catalogue.FAMILIES for case in catalogue.ids(family, "smoke")]
    there = {catalogue.find(case).behaviour for case in ids}
    assert {way.behaviour for way in WAYS} <= there


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_a_state_has_the_cases_that_its_words_name(state: State) -> None:
    cases = [case for case in catalogue.ids("state", "gate") if all(word in case for word in state.words)]
    assert len(cases) == 2**4
    parts = [case.split("-") for case in cases]
    mode, track = ("train" if state.training else "eval"), ("track" if state.tracked else "no_track")
    assert {(each[1], each[2]) for each in parts} == {(mode, track)}
