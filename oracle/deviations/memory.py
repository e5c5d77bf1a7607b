"""The deviations of writes into tensors of which several numbers share one place."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict

import numpy as np

from cases.attributes import STATISTICS
from cases.derivatives import Jvp
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
from oracle.refusals import OVERLAPPING, Refusal, check_affine_rows
from oracle.semantics import Rules
from oracle.state import Expected, Tensor
from oracle.transforms import WITHOUT_DUALS


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
    given, rules = batch(situation.variant, step.batch, step.grad == "view"), Rules(situation.semantics)
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

    The last number that is written to a place stays. The longer of rows and columns is the outer loop of
    the copy. Where both are equally long, the order depends on the whole shape; it is not described.
    """
    step = situation.step
    if not isinstance(step, Jvp) or step.way in WITHOUT_DUALS or not right.derivatives:
        return right
    given = right.derivatives[0].output.batch
    tangent = right.derivatives[0].direction
    if given.layout != "windows" or tangent.layout == "windows" or not given.values.size:
        return right
    seen = dataclasses.replace(right.derivatives[0], direction=_copied(tangent))
    return dataclasses.replace(right, derivatives=(seen,))


def _copied(tangent: Batch) -> Batch:
    """Return the tangent that overlapping windows hold after it was copied to them."""
    values = tangent.values
    height, width = values.shape[2:]
    row, column = np.indices((height, width))
    place = row + column
    kept = np.minimum(place, (height if height > width else width) - 1)
    rows, columns = (kept, place - kept) if height > width else (place - kept, kept)
    return dataclasses.replace(tangent, values=values[:, :, rows, columns])
