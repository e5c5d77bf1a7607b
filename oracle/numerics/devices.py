"""The arithmetic of devices: how much more a correct kernel may round there than on the CPU.

``oracle.numerics.bounds`` counts roundings of operations that are rounded correctly, as IEEE 754 asks of
sums, products, quotients and roots. The makers of a device guarantee less for two operations:

- the inverse root, which bounds count as a root and a quotient: 2 roundings;
- the quotient, of a sum by n for instance, which may also be a product with a rounded 1/n.

An error of e ulps is at most 2e roundings, because the distance between two numbers is at most twice the
unit roundoff of a value. Sums in any order, by any split into blocks, threads and atomic additions, are
within the bounds as they are: these hold for every order. Fused multiply-adds round less. Subnormal
numbers may be flushed to zero: every budget has the smallest normal number added already.

No device sums exactly: a kernel that multiplies by 1/n rounds where a quotient would not, so the exact
lane has the derived bounds there.

CUDA. CUDA C++ Programming Guide, "Mathematical Functions", maximum ulp error: x + y, x * y, x / y and
sqrtf 0 ("-prec-div=true -prec-sqrt=true", the defaults), rsqrtf 2, rsqrt (double) 1; the numbers are in
ulps beyond the correctly rounded result. So rsqrtf is off by at most 2.5 ulps, 5 roundings, 3 more than
bounds count; rsqrt by 1.5 ulps, 3 roundings, 1 more. A quotient by n may be a product with a rounded 1/n:
1 more. HIP documents the same operations with at most these errors ("HIP math API").

MPS. Metal Shading Language Specification, table 8.2 (fast math, Metal's default): x / y 2.5 ulps,
1 / x 1 ulp, rsqrt 2 ulps, sqrt "implemented as x * rsqrt(x)", so 2 ulps and 1 rounding. An inverse root
as 1 / sqrt is 3 ulps and 1 rounding, 7 roundings, 5 more; a quotient 5 roundings, 4 more. There is no
float64.

Others (xpu among them). The OpenCL C Specification's minimum for full-profile devices, table "Relative
Error as ULPs", which SYCL takes over: x / y 2.5 ulps, sqrt 3 ulps, rsqrt 2 ulps. An inverse root as
1 / sqrt is 5.5 ulps, 11 roundings, 9 more; a quotient 4 more. In double precision x / y and sqrt are
rounded correctly and rsqrt has 2 ulps: 4 roundings, 2 more.
"""

from __future__ import annotations

from typing import Dict, NamedTuple

from oracle.numerics.formats import Format

CPU = "cpu"


class Extra(NamedTuple):
    """The roundings of an inverse root and of a quotient beyond those that ``bounds`` counts."""

    root: int
    quotient: int


NONE = Extra(0, 0)
OTHERS: Dict[str, Extra] = {"float32": Extra(9, 4), "float64": Extra(2, 1)}

DEVICES: Dict[str, Dict[str, Extra]] = {
    CPU: {"float32": NONE, "float64": NONE},
    "cuda": {"float32": Extra(3, 1), "float64": Extra(1, 1)},
    "mps": {"float32": Extra(5, 4), "float64": Extra(5, 4)},
}
"""Maps the type of a device and the format of the arithmetic to the further roundings; a device that is
not listed has those of OTHERS."""


def extra(device: str, fmt: Format) -> Extra:
    """Return the further roundings on a device, such as ``cuda:1``, in a format of arithmetic."""
    known = DEVICES.get(device.partition(":")[0], OTHERS)
    return known.get(fmt.dtype, known["float32"])
