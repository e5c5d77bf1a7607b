"""Edges with inputs of another dtype than the module."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE
from cases.edges.edge import Edge, twice

EDGES: Tuple[Edge, ...] = (
    *twice("wrong_float", "dtype", "wrong_float", "many user reports of the message"),
    *twice("narrow_float", "dtype", "narrow_float", "float16, which a float32 module takes and no other"),
    *twice("integers", "dtype", "integers", "the exception's class changed"),
    Edge(
        "bytes", "dtype", "forward:bytes,forward:booleans,forward:b0,eval,forward:booleans,forward:bytes",
        "an image as a file has it must be converted first",
    ),
    Edge(
        "integers_laid_out", "dtype", "forward:integers.permuted,eval,forward:integers.sliced,"
        "forward:integers.channels_last", "a module without tensors has another kernel", BARE,
    ),
    *(
        Edge(
            f"integers_{way}", "dtype", f"preset,{way}:integers:ordinary,eval,{way}:integers:ordinary",
            "integers have no derivatives",
        )
        for way in ("jvp", "functional_jvp", "functional_vjp", "func_jvp", "func_vjp", "grad_jvp")
    ),
    Edge("wrong_float_bare", "dtype", "forward:integers,forward:wrong_float", "", BARE),
)
