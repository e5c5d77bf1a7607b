"""Second derivatives of BatchNorm2d: the gradients of its gradients.

A double backward differentiates a loss made of the three gradients of ``oracle.backward``,

    L = sum v * dx + sum a * dw + sum c * db

with fixed directions v for the input's, a for the weight's and c for the bias's gradient. Each channel
stands for itself. With h = x - m, r = 1/s, n values a channel, D = sum g*h and E = sum v*h:

    EVAL MODE. m and s do not depend on x, so dx = w*r*g, dw = r*D, db = sum g, and

        dL/dg = w*r*v + a*r*h + c
        dL/dw = r * sum v*g
        dL/dx = a*r*g

    TRAIN MODE. m and s are functions of x: dm/dx = 1/n, dr/dx = -r**3 * h/n, and therefore
    dD/dx = g - mean(g), dE/dx = v - mean(v). With g' = g - mean(g), v' = v - mean(v), P = sum v*g',

        L = w*r*P - w*r**3 * D*E/n + a*r*D + c * sum g

        dL/dg = w*r*v' - w*r**3 * E*h/n + a*r*h + c
        dL/dw = r*P - r**3 * D*E/n
        dL/dx = -w*r**3/n * (P*h + E*g' + D*v') + 3*w*r**5/n**2 * D*E*h + a*(r*g' - r**3 * D*h/n)

The budget of each follows the formula, operation by operation (``oracle.numerics.propagation``). Sums may
be taken in any order; means may be subtracted from what has none, as a derivative by the chain rule does.

Source: the chain rule, applied to ``oracle.backward``.
"""

from __future__ import annotations

from typing import Dict, NamedTuple

import numpy as np

from cases.attributes import PARAMETERS
from cases.inputs import attached, upstream
from cases.steps import Backward, Double
from cases.variants import Variant
from oracle.backward import backward
from oracle.numerics import bounds
from oracle.numerics.formats import FLOAT64, FORMATS
from oracle.numerics.normalisation import OutputValues, plane, terms
from oracle.numerics.propagation import Arithmetic, Uncertain, exact, negative
from oracle.semantics import Rules
from oracle.state import SECONDS, Expected, ExpectedSecond, State


def double(state: State, step: Double, variant: Variant, rules: Rules) -> Expected:
    """Differentiate the gradients of the last output, which a backward that is kept returns."""
    returned = backward(state, Backward(step.upstream, retain=True), variant, rules)
    graph = returned.state.graphs[0]
    given = upstream(variant, graph.output.batch, step.upstream)
    along = upstream(variant, graph.output.batch, step.direction)
    dtypes = {"input": given.dtype, "weight": state.dtype, "upstream": given.dtype}
    found = tuple(
        ExpectedSecond(name, graph.output, given, along, graph.trainable, dtypes[name])
        for name in SECONDS
        if name == "upstream" or name in graph.trainable
    )
    return Expected(returned.state, seconds=found)


class Channels(NamedTuple):
    """The letters of the formulas. Shapes: ``g``, ``v``, ``h`` (N, C, H, W), the others (C, 1, 1)."""

    g: Uncertain
    v: Uncertain
    h: Uncertain
    r: Uncertain
    w: Uncertain
    a: Uncertain
    c: Uncertain
    n: int


def _channels(expected: ExpectedSecond, arithmetic: Arithmetic) -> Channels:
    """A direction is 0 for a gradient that is not there."""
    output, channels = expected.output, expected.output.shape[1]
    part, fmt = terms(output), output.arithmetic
    relative = part.inverse_error + bounds.gamma(4, fmt.unit) + bounds.gamma(4, FLOAT64.unit)
    mean = Uncertain(plane(output.mean.values), plane(output.mean.budget))
    vectors: Dict[str, Uncertain] = {
        name: exact(plane(attached(name, channels) * (name in expected.differentiated)))
        for name in PARAMETERS
    }
    budget = np.zeros(channels) if output.weight is None else output.weight.budget
    return Channels(
        g=exact(expected.upstream.values),
        v=exact(expected.direction.values.astype(np.float64) * ("input" in expected.differentiated)),
        h=arithmetic.plus(exact(output.batch.values), negative(mean)),
        r=Uncertain(plane(part.inverse), plane(np.abs(part.inverse) * relative)),
        w=Uncertain(plane(part.weight), plane(budget)),
        a=vectors["weight"],
        c=vectors["bias"],
        n=max(output.batch.values.size // max(channels, 1), 1),
    )


def _in_eval(name: str, at: Channels, do: Arithmetic) -> Uncertain:
    """The formulas of eval mode."""
    if name == "upstream":
        return do.plus(do.product(at.w, at.r, at.v), do.product(at.a, at.r, at.h), at.c)
    if name == "weight":
        return do.product(at.r, do.total(do.product(at.v, at.g)))
    return do.product(at.a, at.r, at.g)


def _in_train(name: str, at: Channels, do: Arithmetic) -> Uncertain:
    """The formulas of train mode."""
    g, v, h, r, w = at.g, at.v, at.h, at.r, at.w
    cube = do.product(r, r, r)
    of_g, of_v = do.total(do.product(g, h)), do.total(do.product(v, h))
    if name == "upstream":
        away = do.over(at.n, do.product(w, cube, of_v, h))
        along_weight = do.product(at.a, r, h)
        return do.plus(do.product(w, r, do.centred(v)), negative(away), along_weight, at.c)
    both = do.total(do.product(v, do.centred(g)))
    if name == "weight":
        return do.plus(do.product(r, both), negative(do.over(at.n, do.product(cube, of_g, of_v))))
    h = do.centred(h)
    bracket = do.plus(
        do.product(both, h), do.product(of_v, do.centred(g)), do.product(of_g, do.centred(v))
    )
    cubic = do.over(at.n, do.product(w, cube, bracket))
    twice = do.over(at.n, do.product(r, r, of_g, of_v))
    quintic = do.over(at.n, do.product(exact(np.array(3.0)), w, cube, twice, h))
    along_weight = do.plus(
        do.product(r, do.centred(g)), negative(do.over(at.n, do.product(cube, of_g, h)))
    )
    return do.plus(negative(cubic), quintic, do.product(at.a, along_weight))


def second_values(expected: ExpectedSecond) -> OutputValues:
    """Compute a second derivative with the budget of every element: shape (C,), or that of the input.

    ``undetermined``: the channels in which anything conforms, those included whose error has no bound.
    """
    output = expected.output
    arithmetic = Arithmetic(output.arithmetic)
    formulas = _in_train if output.batch_statistics else _in_eval
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        found = formulas(expected.name, _channels(expected, arithmetic), arithmetic)
        value, error = np.broadcast_arrays(found.value, found.error + FORMATS[expected.dtype].tiny)
    shape = expected.shape
    if expected.name != "weight":
        value, error = np.broadcast_to(value, shape), np.broadcast_to(error, shape)
    finite = np.isfinite(value)
    budget = np.where(finite, np.where(np.isnan(error), np.inf, error), np.nan)
    return OutputValues(value.reshape(shape), budget.reshape(shape), terms(output).undetermined)
