"""Third derivatives of BatchNorm2d: the gradients of its second derivative with respect to the input.

With the letters of ``oracle.second_derivatives``, and a fixed direction u for the second derivative,

    L = sum v * dx + sum a * dw,        M = sum u * dL/dx

A prime subtracts the mean of a channel. The sums of a channel are

    D = sum g*h,  E = sum v*h,  U = sum u*h,  P = sum v*g',  G = sum u*g',  V = sum u*v'

EVAL MODE.  dL/dx = a*r*g, so M = a*r * sum u*g, and dM/dg = a*r*u; nothing depends on w or x.

TRAIN MODE.

    M = -w*r**3/n * (P*U + E*G + D*V) + 3*w*r**5/n**2 * D*E*U + a*(r*G - r**3/n * D*U)

M is symmetric in g and v but for its terms with a. With dD/dx = g' and so on, dr/dx = -r**3 * h/n, and P,
G and V free of x,

    dM/dw = -r**3/n * (P*U + E*G + D*V) + 3*r**5/n**2 * D*E*U
    dM/dg = w*r**3/n * (-(U*v' + E*u' + V*h) + 3*r**2/n * E*U*h) + a*(r*u' - r**3/n * U*h)
    dM/dx = p*u' + q*v' + k*g' + z*h        with
        p = -w*r**3/n * P + 3*w*r**5/n**2 * D*E - a*r**3/n * D
        q = -w*r**3/n * G + 3*w*r**5/n**2 * D*U
        k = -w*r**3/n * V + 3*w*r**5/n**2 * E*U - a*r**3/n * U
        z = 3*w*r**5/n**2 * (P*U + E*G + D*V) - 15*w*r**7/n**3 * D*E*U
            - a*r**3/n * G + 3*a*r**5/n**2 * D*U

If m and r were constants in this last step, D would have the derivative g and not g', and r none: there
would remain p*u + q*v + k*g.

Source: the chain rule, applied to ``oracle.second_derivatives``.
"""

from __future__ import annotations

from typing import List, NamedTuple

from cases.derivatives import Backward, Triple
from cases.inputs import upstream
from cases.variants import Variant
from oracle import refusals
from oracle.backward import backward
from oracle.expected_derivatives import THIRD, ExpectedDerivative
from oracle.graphs import check_bias
from oracle.numerics.propagation import Arithmetic, Uncertain, exact, negative
from oracle.second_derivatives import Letters, Terms, derivatives_of, letters
from oracle.semantics import Rules
from oracle.state import Expected, State


def triple(state: State, step: Triple, variant: Variant, rules: Rules) -> Expected:
    """Differentiate the second derivative of the last output with respect to the input."""
    asked = _without_bias(state)
    graph = asked.graphs[0]
    if graph.frozen >= {*graph.trainable}:
        raise refusals.nothing_to_differentiate()
    backward(asked, Backward(step.upstream, retain=True), variant, rules)
    check_bias(state.graphs[0], rules)
    trainable = tuple(name for name in graph.trainable if name in graph.wanted)
    if "input" not in trainable:
        raise refusals.nothing_to_differentiate()
    if "weight" in graph.rows & graph.wanted:  # the directions have the shape (C,)
        raise refusals.other_shape()
    batch_statistics = graph.output.batch_statistics and graph.output.batch.values.size
    if batch_statistics and rules.holds("third_derivatives_refused"):
        raise refusals.no_third_derivatives()
    names = (step.upstream, step.direction, step.along)
    batches = [upstream(variant, graph.output.batch, name) for name in names]
    return Expected(state, derivatives=derivatives_of(graph, THIRD, trainable, batches, rules))


def _without_bias(state: State) -> State:
    """Return the state in which the bias does not require a gradient: its second derivatives are 0."""
    if not state.graphs:
        raise refusals.no_output()
    trainable = state.graphs[0].trainable
    if not trainable:
        raise refusals.output_without_graph()
    return state.with_last_graph(trainable=tuple(name for name in trainable if name != "bias"))


class Sums(NamedTuple):
    """The direction u, and the six sums of the formulas, shape (C, 1, 1).

    ``of_g``: D. ``of_v``: E. ``of_u``: U. ``vg``: P. ``ug``: G. ``uv``: V.
    """

    u: Uncertain
    of_g: Uncertain
    of_v: Uncertain
    of_u: Uncertain
    vg: Uncertain
    ug: Uncertain
    uv: Uncertain


def third_terms(expected: ExpectedDerivative, arithmetic: Arithmetic) -> Terms:
    """Yield the terms of a third derivative."""
    assert expected.along is not None
    if not expected.differentiated:  # the leaf is not in the graph any more
        return
    at, u = letters(expected, arithmetic), exact(expected.along.values)
    if not expected.output.batch_statistics:
        if expected.name == "upstream" and at.a is not None:
            yield arithmetic.product(at.a, at.r, u)
        return
    sums = _sums(at, u, arithmetic)
    if expected.name == "weight":
        yield from _weight(at, sums, arithmetic)
    elif expected.name == "upstream":
        yield from _upstream(at, sums, arithmetic)
    else:
        yield from _input(at, sums, arithmetic, not expected.statistics_constant)


def _sums(at: Letters, u: Uncertain, do: Arithmetic) -> Sums:
    assert at.v is not None
    return Sums(
        u=u,
        of_g=do.total(do.product(at.g, at.h)),
        of_v=do.total(do.product(at.v, at.h)),
        of_u=do.total(do.product(u, at.h)),
        vg=do.total(do.product(at.v, do.centred(at.g))),
        ug=do.total(do.product(u, do.centred(at.g))),
        uv=do.total(do.product(u, do.centred(at.v))),
    )


def _times(factor: float, number: Uncertain) -> Uncertain:
    """Multiply by a small whole number, whose rounding the products around it count."""
    return Uncertain(factor * number.value, abs(factor) * number.error)


def _power(at: Letters, do: Arithmetic, exponent: int, divisions: int) -> Uncertain:
    """Return a power of r, divided by n so many times."""
    number = do.product(*[at.r] * exponent)
    for _ in range(divisions):
        number = do.over(at.n, number)
    return number


def _bracket(sums: Sums, do: Arithmetic) -> Uncertain:
    """Return P*U + E*G + D*V."""
    pairs = ((sums.vg, sums.of_u), (sums.of_v, sums.ug), (sums.of_g, sums.uv))
    return do.plus(*(do.product(*pair) for pair in pairs))


def _weight(at: Letters, sums: Sums, do: Arithmetic) -> Terms:
    yield negative(do.product(_power(at, do, 3, 1), _bracket(sums, do)))
    yield do.product(_times(3, _power(at, do, 5, 2)), sums.of_g, sums.of_v, sums.of_u)


def _upstream(at: Letters, sums: Sums, do: Arithmetic) -> Terms:
    assert at.v is not None
    cube, h, u = do.product(at.w, _power(at, do, 3, 1)), do.centred(at.h), do.centred(sums.u)
    for pair in ((sums.of_u, do.centred(at.v)), (sums.of_v, u), (sums.uv, h)):
        yield negative(do.product(cube, *pair))
    yield do.product(at.w, _times(3, _power(at, do, 5, 2)), sums.of_v, sums.of_u, h)
    if at.a is not None:
        yield do.product(at.a, at.r, u)
        yield negative(do.product(at.a, _power(at, do, 3, 1), sums.of_u, h))


def _input(at: Letters, sums: Sums, do: Arithmetic, whole: bool) -> Terms:
    """Yield p*u' + q*v' + k*g' + z*h if ``whole``, else p*u + q*v + k*g."""
    assert at.v is not None
    cube, fifth = _power(at, do, 3, 1), _times(3, _power(at, do, 5, 2))
    found = ((sums.u, sums.vg, (sums.of_g, sums.of_v)), (at.v, sums.ug, (sums.of_g, sums.of_u)))
    for values, product, pair in (*found, (at.g, sums.uv, (sums.of_v, sums.of_u))):
        values = do.centred(values) if whole else values
        yield negative(do.product(at.w, cube, product, values))
        yield do.product(at.w, fifth, *pair, values)
    if at.a is not None:
        for values, product in ((sums.u, sums.of_g), (at.g, sums.of_u)):
            values = do.centred(values) if whole else values
            yield negative(do.product(at.a, cube, product, values))
    if whole:
        yield from (do.product(each, do.centred(at.h)) for each in _along_deviation(at, sums, do))


def _along_deviation(at: Letters, sums: Sums, do: Arithmetic) -> List[Uncertain]:
    """Return the terms of z."""
    cube, fifth = _power(at, do, 3, 1), _times(3, _power(at, do, 5, 2))
    seventh = _times(15, _power(at, do, 7, 3))
    found = [
        do.product(at.w, fifth, _bracket(sums, do)),
        negative(do.product(at.w, seventh, sums.of_g, sums.of_v, sums.of_u)),
    ]
    if at.a is not None:
        found.append(negative(do.product(at.a, cube, sums.ug)))
        found.append(do.product(at.a, fifth, sums.of_g, sums.of_u))
    return found
