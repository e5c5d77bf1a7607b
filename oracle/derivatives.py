"""The numbers of second and third derivatives and of tangents, from the terms of their formulas."""

from __future__ import annotations

from typing import Callable, Dict, List

import numpy as np

from cases.inputs import Batch
from oracle.expected_derivatives import SECOND, TANGENT, THIRD, ExpectedDerivative
from oracle.numerics import bounds
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.normalisation import OutputValues, all_zero, terms
from oracle.numerics.propagation import Arithmetic, exact
from oracle.second_derivatives import Terms, second_terms
from oracle.tangents import tangent_terms
from oracle.third_derivatives import third_terms

TERMS: Dict[str, Callable[[ExpectedDerivative, Arithmetic], Terms]] = {
    SECOND: second_terms,
    THIRD: third_terms,
    TANGENT: tangent_terms,
}
"""Maps a kind of derivative to the function that yields its terms."""


def _stored(value: np.ndarray, error: np.ndarray, storage: Format) -> np.ndarray:
    """Return the budget of storing a derivative that is off by at most ``error``."""
    if storage is storage.arithmetic:
        return np.full(value.shape, storage.tiny)
    return bounds.stored(value, storage, error)


def _given(expected: ExpectedDerivative) -> List[Batch]:
    """Return the upstream gradient and the directions of a derivative."""
    given = (expected.upstream, expected.direction, expected.along)
    return [each for each in given if each is not None]


def _infinite(expected: ExpectedDerivative) -> np.ndarray:
    """Return the channels whose upstream gradient or direction has an infinity, shape (C,).

    There the order of the operations decides between an infinity and NaN.
    """
    found = [np.isinf(each.values).any(axis=(0, 2, 3)) for each in _given(expected)]
    return np.asarray(np.logical_or.reduce(found))


def _overflows(expected: ExpectedDerivative, value: np.ndarray) -> np.ndarray:
    """Return the channels in which finite numbers give one that is not finite, shape (C,).

    A power of 1 / s may exceed float64 where s is nearly 0, or a product of large numbers may.
    """
    part = terms(expected.output)
    finite = np.isfinite(part.inverse) & np.isfinite(part.weight)
    for each in (expected.output.batch, *_given(expected)):
        finite = finite & np.isfinite(each.values).all(axis=(0, 2, 3))
    return np.asarray(finite & ~np.isfinite(value).all(axis=(0, 2, 3) if value.ndim == 4 else (1, 2)))


def derivative_values(expected: ExpectedDerivative) -> OutputValues:
    """Compute a derivative with the budget of every element: shape (C,), or that of the input.

    ``undetermined``: the channels in which anything conforms. An element whose error has no bound has an
    infinite budget.
    """
    output = expected.output
    if not output.batch.values.size:
        return all_zero(expected.shape)
    arithmetic = Arithmetic(output.arithmetic, at_once=expected.dual)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        found = list(TERMS[expected.kind](expected, arithmetic))
        value, error = arithmetic.plus(*found) if found else exact(np.zeros((1, 1, 1)))
        error = error + _stored(value, error, FORMATS[expected.dtype]) if found else error
    shape = expected.shape
    whole = shape if len(shape) == 4 else (*shape, 1, 1)
    value, error = np.broadcast_to(value, whole), np.broadcast_to(error, whole)
    finite = np.isfinite(value)
    budget = np.where(finite, np.where(np.isnan(error), np.inf, error), np.nan)
    undetermined = terms(output).undetermined | _infinite(expected)
    undetermined = (undetermined | _overflows(expected, value)) & bool(found)
    return OutputValues(value.reshape(shape), budget.reshape(shape), undetermined)
