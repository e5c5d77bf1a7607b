"""Second derivatives of BatchNorm2d: the gradients of its gradients.

A double backward differentiates a loss made of the three gradients of ``oracle.backward``,

    L = sum v * dx + sum a * dw + sum c * db

with fixed directions v for the input's, a for the weight's and c for the bias's gradient. The channels
are independent. With h = x - m, r = 1/s, n values a channel, D = sum g*h and E = sum v*h:

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
be taken in any order. A derivative by the chain rule may subtract a mean again from centred values. A
tangent may multiply v' by r**3 before it sums (observed): what underflows there, h enlarges once more.
The derivative by w may be a sum of v times the other factors (observed).

If one of the three gradients does not exist or is not differentiated, the terms with its direction are
absent.

Source: the chain rule, applied to ``oracle.backward``.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from cases.derivatives import CONSTANT, DOUBLES, SECONDS, Backward, Double
from cases.inputs import Batch, attached, upstream
from cases.variants import Variant
from oracle import refusals
from oracle.backward import backward
from oracle.expected_derivatives import SECOND, THIRD, ExpectedDerivative
from oracle.numerics import bounds
from oracle.numerics.formats import FLOAT64
from oracle.numerics.normalisation import plane, terms
from oracle.numerics.propagation import Arithmetic, Uncertain, exact, negative
from oracle.semantics import Rules
from oracle.state import Expected, Graph, State


def double(state: State, step: Double, variant: Variant, rules: Rules) -> Expected:
    """Differentiate the gradients of the last output; the backward that returns them keeps its graph."""
    returned = backward(state, Backward(step.upstream, retain=True), variant, rules)
    graph = returned.state.graphs[0]
    wanted = graph.wanted.intersection(DOUBLES[step.way])
    reached = tuple(each for each in graph.trainable if each in wanted)
    sought = SECONDS[:2] if step.way == CONSTANT else SECONDS
    if not {"upstream", *graph.trainable}.intersection(sought):  # there is nothing to ask for
        return Expected(returned.state)
    if graph.rows.intersection(reached):  # the directions have the shape (C,)
        raise refusals.other_shape()
    batches = [upstream(variant, graph.output.batch, name) for name in (step.upstream, step.direction)]
    found = derivatives_of(graph, SECOND, reached, batches, rules)
    found = tuple(each for each in found if each.name in sought)
    return Expected(returned.state, derivatives=found)


def derivatives_of(
    graph: Graph, kind: str, reached: Tuple[str, ...], batches: Sequence[Batch], rules: Rules
) -> Tuple[ExpectedDerivative, ...]:
    """Return the derivatives of a graph in the order of SECONDS, without those of leaves it lacks.

    ``reached``: the gradients that are differentiated. ``batches``: the upstream gradient and the
    direction; of a third derivative also the direction of that.
    """
    dtypes = dict.fromkeys(SECONDS, batches[0].dtype)
    dtypes["weight"] = graph.weight_dtype or graph.dtype
    leaves_it = bool(graph.renewed) and rules.holds("conversion_leaves_saved_weight")
    unread = graph.strangers | graph.renewed if leaves_it else graph.strangers
    return tuple(
        ExpectedDerivative(
            name,
            kind,
            graph.output,
            batches[0],
            batches[1],
            () if name in unread else reached,
            dtypes[name],
            batches[2] if kind == THIRD else None,
            added=graph.added and kind == SECOND,
        )
        for name in SECONDS
        if name == "upstream" or name in {*graph.trainable, *graph.thawed} - graph.frozen
    )


class Letters(NamedTuple):
    """The letters of the formulas. Shapes: ``g``, ``v``, ``h`` (N, C, H, W), the others (C, 1, 1).

    ``v``, ``a``, ``c``: None where their gradient is not differentiated; the terms with that letter are
    then absent. ``dual``: the values of v may be multiplied by r**3 before they are summed up, where the
    product may underflow.
    """

    g: Uncertain
    h: Uncertain
    r: Uncertain
    w: Uncertain
    v: Optional[Uncertain]
    a: Optional[Uncertain]
    c: Optional[Uncertain]
    n: int
    dual: bool


def letters(expected: ExpectedDerivative, arithmetic: Arithmetic) -> Letters:
    """Return the letters for a derivative."""
    output, count = expected.output, expected.output.shape[1]
    part, fmt = terms(output), output.arithmetic
    roundings = bounds.gamma(4, fmt.unit) + bounds.gamma(4, FLOAT64.unit)
    relative = bounds.compounded(part.inverse_error, roundings)
    mean_budget = output.mean.budget
    budget = np.zeros(count) if output.weight is None else output.weight.budget
    if fmt is not fmt.arithmetic:
        mean_budget = mean_budget + bounds.stored(output.mean.values, fmt, mean_budget)
        budget = budget + bounds.stored(part.weight, fmt)
    mean = Uncertain(plane(output.mean.values), plane(mean_budget))

    both = attached("weight", count) + attached("bias", count)

    def along(name: str, values: np.ndarray) -> Optional[Uncertain]:
        return exact(values) if name in expected.differentiated else None

    return Letters(
        g=exact(expected.upstream.values),
        h=arithmetic.plus(exact(output.batch.values), negative(mean)),
        r=Uncertain(plane(part.inverse), plane(np.abs(part.inverse) * relative)),
        w=Uncertain(plane(part.weight), plane(budget)),
        v=along("input", expected.direction.values),
        a=along("weight", plane(both if expected.added else attached("weight", count))),
        c=along("bias", plane(both if expected.added else attached("bias", count))),
        n=max(output.batch.values.size // max(count, 1), 1),
        dual=expected.dual,
    )


Terms = Iterator[Uncertain]
"""The summands of a second derivative."""


def _in_eval(name: str, at: Letters, do: Arithmetic) -> Terms:
    """Yield the terms of the formulas of eval mode."""
    if name == "weight":
        if at.v is not None:
            summed = do.product(at.r, do.total(do.product(at.v, at.g)))
            yield do.or_narrow(summed, do.total(do.product(at.v, at.g, at.r)))
    elif name == "input":
        if at.a is not None:
            yield do.product(at.a, at.r, at.g)
    else:
        if at.v is not None:
            yield do.product(at.w, at.r, at.v)
        if at.a is not None:
            yield do.product(at.a, at.r, at.h)
        if at.c is not None:
            yield at.c


def _in_train(name: str, at: Letters, do: Arithmetic) -> Terms:
    """Yield the terms of the formulas of train mode."""
    g, h, r, cube = at.g, at.h, at.r, do.product(at.r, at.r, at.r)
    of_g = do.total(do.product(g, h))
    if at.v is not None:
        yield from _along_input(name, at, do, at.v, of_g)
    elif at.dual:  # a tangent of 0 is multiplied by r**3, which may overflow
        yield do.product(cube, exact(np.zeros((1, 1, 1))))
    if name == "upstream":
        if at.a is not None:
            yield do.product(at.a, r, h)
        if at.c is not None:
            yield at.c
    if name == "input" and at.a is not None:
        yield do.product(at.a, r, do.centred(g))
        yield negative(do.over(at.n, do.product(at.a, cube, of_g, do.centred(h))))


def _along_input(name: str, at: Letters, do: Arithmetic, v: Uncertain, of_g: Uncertain) -> Terms:
    """Yield the terms with v, in train mode; ``of_g`` is D."""
    g, h, r, w = at.g, at.h, at.r, at.w
    cube, of_v = do.product(r, r, r), do.total(do.product(v, h))
    if name == "upstream":
        slope = do.over(at.n, do.product(w, cube, of_v, h))
        if not at.dual:  # w*r/n may underflow
            part, times = do.over(at.n, do.product(w, r)), _centred(v, at.n, do)
            count = exact(np.array(float(at.n)))
            yield do.or_narrow(do.product(w, r, times), do.product(part, count, times))
            slope = do.or_narrow(slope, do.product(part, h, r, r, of_v))
        else:
            yield do.product(w, r, do.centred(v))
            inside = do.over(at.n, do.total(do.product(cube, do.centred(v), h)))
            slope = do.either(slope, do.product(w, inside, h))
        yield negative(slope)
        return
    both = do.total(do.product(v, _centred(g, at.n, do)))
    both = do.or_by_way_of(both, do.product(do.total(v), do.total(g)))  # P = sum v*g - sum v * sum g / n
    if name == "weight":
        yield do.or_narrow(do.product(r, both), do.total(do.product(v, _centred(g, at.n, do), r)))
        each = do.total(do.product(v, h, r, r, of_g, r))
        yield negative(do.over(at.n, do.or_narrow(do.product(cube, of_g, of_v), each)))
        return
    h = do.centred(h)
    pairs = ((both, h), (of_v, do.centred(g)), (of_g, do.centred(v)))
    bracket = do.plus(*(do.product(*pair) for pair in pairs))
    apart = [do.product(w, do.over(at.n, do.product(cube, one)), other) for one, other in pairs]
    yield negative(do.or_narrow(do.over(at.n, do.product(w, cube, bracket)), do.plus(*apart)))
    twice = do.over(at.n, do.product(r, r, of_g, of_v))
    yield do.over(at.n, do.product(exact(np.array(3.0)), w, cube, twice, h))


def _centred(values: Uncertain, n: int, do: Arithmetic) -> Uncertain:
    """Subtract the mean of each channel, maybe by way of n times the values, which may overflow."""
    return do.or_by_way_of(do.centred(values), do.product(exact(np.array(float(n))), values))


def _of_constants(at: Letters, do: Arithmetic, forward: bool) -> Terms:
    """Yield the terms of a tangent's derivative, where batch statistics are taken for constants.

    With the tangent v, and g for the second tangent or the upstream gradient: in forward mode w*r**3/n of
    -(P*h + E*g), in reverse mode of -(D*v' + E*g).
    """
    assert at.v is not None
    slope = do.over(at.n, do.product(at.w, at.r, at.r, at.r))
    first = (do.total(do.product(at.g, at.h)), do.centred(at.v))
    if forward:
        first = (do.total(do.product(at.g, do.centred(at.v))), at.h)
    for pair in (first, (do.total(do.product(at.v, at.h)), at.g)):
        yield negative(do.product(slope, *pair))


def second_terms(expected: ExpectedDerivative, arithmetic: Arithmetic) -> Terms:
    """Yield the terms of a second derivative."""
    if expected.statistics_constant:
        return _of_constants(letters(expected, arithmetic), arithmetic, expected.forward)
    formulas = _in_train if expected.output.batch_statistics else _in_eval
    return formulas(expected.name, letters(expected, arithmetic), arithmetic)
