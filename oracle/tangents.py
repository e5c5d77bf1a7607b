"""The tangent of BatchNorm2d's output: its derivative along tangents of input, weight and bias.

If the input x moves along v, the weight w along a and the bias b along c, then the output moves along

    dy = J*v + a * (x - m) / s + c        with J = dy/dx

The backward pass computes the transpose: dL/dx = J^T * g (``oracle.backward``). In each channel J is
symmetric,

    EVAL MODE.   J = w/s * 1
    TRAIN MODE.  J = w/s * (1 - ones/n - (x - m)(x - m)^T / (n * s**2))

so J*v is the formula of the input's gradient, with the tangent in place of the upstream gradient:

    EVAL MODE.   J*v = v * w / s
    TRAIN MODE.  J*v = (v - mean(v) - (x - m) * q) * w / s        with q = sum v*(x - m) / (n * s**2)

This is also the derivative of <v, dL/dx> with respect to g, and the terms with a and c are those of
<a, dL/dw> and <c, dL/db>: a tangent is the second derivative with respect to the upstream gradient, and
has its formula and its budget (``oracle.second_derivatives``).

The forward that computes a tangent counts and updates the running buffers as any other does. These are
no part of the derivative: they have no tangent.

Source: the chain rule, applied to ``oracle.batch_norm``.
"""

from __future__ import annotations

import dataclasses

from oracle.expected_derivatives import ExpectedDerivative
from oracle.numerics.propagation import Arithmetic
from oracle.second_derivatives import Terms, second_terms


def tangent_terms(expected: ExpectedDerivative, arithmetic: Arithmetic) -> Terms:
    """Yield the terms of the output's tangent."""
    return second_terms(dataclasses.replace(expected, name="upstream"), arithmetic)
