"""Makes smaller and plainer batches: fewer channels, fewer values, values with a short text."""

from __future__ import annotations

import dataclasses
from typing import Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from cases.case import Case
from cases.inputs import Batch, batch
from cases.steps import forwards
from cases.variants import Given
from tests.failure import literals
from tests.failure.rebuilding import rebuilt

Values = Mapping[str, np.ndarray]
"""Maps the name of a batch, without its layout, to its values."""

PLAIN = 2
"""Batches with more values than this, together, may be replaced by plainer ones."""


class Replaced(NamedTuple):
    """A case with other batches. ``texts``: the texts that make them, for those that have one."""

    case: Case
    texts: Mapping[str, str]


def batches_of(case: Case) -> Dict[str, Batch]:
    """Return every batch that the program names, in order, without its layout."""
    steps = [each for step in case.steps for each in forwards(step)]
    plain = dict.fromkeys(each.batch.partition(".")[0] for each in steps)
    return {name: batch(case.variant, name) for name in plain}


def values_of(case: Case) -> Dict[str, np.ndarray]:
    """Return the values of every batch that the program names."""
    return {name: each.values for name, each in batches_of(case).items()}


def with_values(case: Case, values: Values, channels: int) -> Case:
    """Return the case with these batches, on a module of so many channels."""
    given = tuple(
        Given(name, array.shape, str(array.dtype), array.tobytes()) for name, array in values.items()
    )
    return dataclasses.replace(
        case,
        config=dataclasses.replace(case.config, num_features=channels),
        variant=case.variant._replace(given=given),
    )


def _contiguity(case: Case) -> List[Tuple[bool, ...]]:
    """Say for every batch with a layout in which senses torch calls it contiguous."""
    names = dict.fromkeys(each.batch for step in case.steps for each in forwards(step))
    given = [batch(case.variant, name) for name in names]
    from tests.subject.inputs import Input  # imports torch, which an adapter does without

    return [Input(each).contiguity() for each in given if each.layout != "contiguous"]


def same_layout(case: Case, smaller: Case) -> bool:
    """Whether torch's answers about contiguity are the same for the batches of both cases.

    They may differ: a channels_last batch that is cut to one channel, for instance, is contiguous.
    """
    return _contiguity(case) == _contiguity(smaller)


def fewer_channels(case: Case, channel: int) -> Iterator[Case]:
    """Yield the case with one channel, and with that and another one."""
    channels = case.config.num_features
    values = values_of(case)
    for kept in ([channel], sorted({channel, (channel + 1) % max(channels, 1)})):
        if len(kept) < channels:
            taken = {name: _channels(each, kept, channels) for name, each in values.items()}
            yield with_values(case, taken, len(kept))


def _channels(values: np.ndarray, kept: Sequence[int], channels: int) -> np.ndarray:
    """Return the channels ``kept``, and one more of a batch that has one channel too many."""
    if values.ndim < 2 or values.shape[1] not in (channels, channels + 1):
        return values
    extra = [channels] if values.shape[1] == channels + 1 else []
    return np.ascontiguousarray(values[:, [*kept, *extra]])


def fewer_values(case: Case) -> Iterator[Case]:
    """Yield the case with a half or one of the columns, rows or images of every batch, smallest first."""
    values = values_of(case)
    shapes = [each.shape for each in values.values() if each.ndim == 4]
    for axis in (3, 2, 0):
        longest = max((shape[axis] for shape in shapes), default=0)
        for kept in sorted({1, (longest + 1) // 2}):
            for last in (False, True):
                if kept < longest:
                    cut = {name: _cut(each, axis, kept, last) for name, each in values.items()}
                    yield with_values(case, cut, case.config.num_features)


def _cut(values: np.ndarray, axis: int, kept: int, last: bool) -> np.ndarray:
    if values.ndim != 4:
        return values
    start = max(values.shape[axis] - kept, 0) if last else 0
    chosen = [slice(None)] * 4
    chosen[axis] = slice(start, start + kept)
    return np.ascontiguousarray(values[tuple(chosen)])


def plainer(case: Case) -> Iterator[Replaced]:
    """Yield the case with batches whose values have a short text, the plainest first.

    The first has the same small numbers in every batch; the next adds each batch's own mean and spread.
    """
    batches = batches_of(case)
    channels = case.config.num_features
    if sum(each.values.size for each in batches.values()) <= PLAIN:
        return
    small = {name: literals.pattern(each.values.shape, each.dtype) for name, each in batches.items()}
    yield Replaced(with_values(case, small, channels), {})
    alike, texts = {}, {}
    for name, each in batches.items():
        scale, middle = _spread_and_mean(each.values)
        alike[name] = literals.pattern(each.values.shape, each.dtype, scale, middle)
        texts[name] = literals.pattern_text(each.values.shape, each.dtype, scale, middle)
    yield Replaced(with_values(case, alike, channels), texts)


def _spread_and_mean(values: np.ndarray) -> Tuple[float, float]:
    """Return spread and mean of the finite values, to three digits; 1 and 0 where there is no spread."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size or not finite.std():
        return 1.0, 0.0
    return float(f"{finite.std():.3g}"), float(f"{finite.mean():.3g}")


def rebuilding(original: Case, case: Case, channel: int) -> Dict[str, str]:
    """Return the texts that rebuild the batches of ``case`` from integers.

    ``case`` has one channel of the batches of ``original``. A batch that is short enough, or that no text
    rebuilds, gets no text.
    """
    texts = {}
    for name, each in values_of(case).items():
        text = None
        if each.ndim == 4 and each.shape[1] == 1 and each.size > literals.SHORT:
            text = rebuilt(original.variant, name, channel, each)
        if text is not None:
            texts[name] = text
    return texts
