"""The deviations of writes into tensors of which several numbers share one place."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Dict, Sequence

import numpy as np

from cases.attributes import STATISTICS
from cases.derivatives import Jvp, Nested
from cases.inputs import Batch, batch
from cases.steps import Forward
from oracle import outputs
from oracle.batch_norm import numeric_factor
from oracle.deviations.situation import Situation
from oracle.meanings import advance
from oracle.numerics.budgeted import Budgeted, undetermined
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.statistics import statistics
from oracle.refusals import OVERLAPPING, Refusal
from oracle.semantics import Rules
from oracle.state import Expected, Tensor
from oracle.tensor_checks import check_affine_rows
from oracle.transforms import WITHOUT_DUALS

THREAD_SHARE = 2**15
"""The fewest numbers that torch gives a thread of a copy."""


def expanded_buffer_written(right: Expected, situation: Situation) -> Expected:
    """Every channel's moving average is written to the one place, one after the other."""
    step, before = situation.step, situation.before
    if right.error != OVERLAPPING or not isinstance(step, Forward):
        return right
    overlapping = {
        name: tensor
        for name in STATISTICS
        for tensor in [before.entry(name)]
        if isinstance(tensor, Tensor) and tensor.overlaps
    }
    dense = {name: tensor._replace(form="") for name, tensor in overlapping.items()}
    usual = advance(before.changed(**dense), step, situation.variant, situation.semantics)
    rows: Dict[str, Any] = {}
    if usual.error is not None:  # a weight or bias that is a row is refused after the update
        rows = {each: before.entry(each) for each in before.affine_rows}
        dense.update({name: tensor._replace(form="") for name, tensor in rows.items()})
        usual = advance(before.changed(**dense), step, situation.variant, situation.semantics)
    if usual.error is not None:
        return right
    factor = numeric_factor(right.state)
    given, rules = batch(situation.variant, step.batch, step.way == "view"), Rules(situation.semantics)
    changes: Dict[str, Any] = {**rows, **_updated(overlapping, given, factor, situation)}
    assert usual.output is not None
    try:
        check_affine_rows(before, given, True, usual.output.batch_statistics, rules)
    except Refusal as refusal:
        changes["graphs"] = before.graphs
        return Expected(usual.state.changed(**changes), error=refusal.error)
    followed = outputs.memory_format(given, True, usual.output.batch_statistics, rules)
    output = dataclasses.replace(usual.output, memory_format=followed)
    state = usual.state.with_last_graph(output=output).changed(**changes)
    return dataclasses.replace(usual, output=output, state=state)


def _updated(
    overlapping: Dict[str, Tensor], given: Batch, factor: float, situation: Situation
) -> Dict[str, Tensor]:
    """Return the buffers of which all channels share one place, after the update by a batch."""
    found = statistics(given, situation.semantics.sums_exactly)
    new = {"running_mean": found.mean, "running_var": found.unbiased_variance}
    updated = {}
    for name, tensor in overlapping.items():
        numbers = _in_one_place(tensor.numbers, new[name], factor, situation.before.dtype)
        updated[name] = tensor.updated(undetermined(numbers) if situation.threads > 1 else numbers)
    return updated


def _in_one_place(old: Budgeted, new: Budgeted, factor: float, dtype: str) -> Budgeted:
    """Apply the moving averages of all channels, in turn, to the one value that all channels share."""
    place = Budgeted(old.values[:1], old.budget[:1], old.nonnegative)
    fmt = FORMATS[dtype]  # a narrow module, too, computes in this format
    for channel in range(new.channels):
        part = slice(channel, channel + 1)
        each = Budgeted(new.values[part], new.budget[part], new.nonnegative)
        place = moving_average(place, each, factor, fmt, exact=False, working=fmt)
    channels = np.zeros(old.channels, dtype=int)
    return Budgeted(place.values[channels], place.budget[channels], place.nonnegative)


def windows_overwrite_tangent(right: Expected, situation: Situation) -> Expected:
    """The tangent of an input of overlapping windows is copied to strides like the input's.

    Where a forward-mode derivative is differentiated again, this befalls every tangent, and no upstream
    gradient: a jvp of a jvp has two tangents. Where two threads share an image, the order is open.
    """
    step = situation.step
    if not isinstance(step, (Jvp, Nested)) or step.way in WITHOUT_DUALS or not right.derivatives:
        return right
    found = right.derivatives[0]
    given, tangent = found.output.batch, found.direction
    overlaps = given.layout == "windows" and min(given.values.shape[2:]) > 1 and given.values.size
    if not overlaps or tangent.layout == "windows":
        return right
    copied = _copied(tangent)
    outer = copied if isinstance(step, Jvp) or step.way == "func_jvp_jvp" else found.upstream
    output = found.output
    if _threads_share_an_image(tangent.values.shape, situation.threads):
        output = dataclasses.replace(output, variance=undetermined(output.variance))
    seen = dataclasses.replace(found, direction=copied, upstream=outer, output=output)
    return dataclasses.replace(right, derivatives=(seen,))


def _threads_share_an_image(shape: Sequence[int], threads: int) -> bool:
    """Whether the threads that copy a tensor, each an equal share of it, divide a channel of an image.

    A thread gets at least THREAD_SHARE numbers (observed).
    """
    size = math.prod(shape)
    share = -(-size // min(threads, -(-size // THREAD_SHARE)))
    return share % (shape[2] * shape[3]) != 0


def _copied(tangent: Batch) -> Batch:
    """Return the tangent that overlapping windows hold after it was copied to them.

    The last number that is written to a place stays. The inner loop of the copy runs along the rows if
    there are more columns than rows, or if the tangent's rows are nearer to each other in memory than its
    columns; else along the columns.
    """
    values = tangent.values
    height, width = values.shape[2:]
    along_row, along_column = tangent.strides[3], tangent.strides[2]
    rows_inside = width > height or 0 < along_column < along_row
    row, column = np.indices((height, width))
    place = row + column
    kept = np.minimum(place, (width if rows_inside else height) - 1)
    rows, columns = (place - kept, kept) if rows_inside else (kept, place - kept)
    return dataclasses.replace(tangent, values=values[:, :, rows, columns])
