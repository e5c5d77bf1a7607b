"""The contract of every path: what it legitimately does otherwise than a call of the module."""

from __future__ import annotations

from typing import Dict, Tuple

from tests.subject.contract import Clause
from tests.subject.paths.clauses_of_calls import CALL_CONTEXTS, CONVERTING, FUNCTIONAL
from tests.subject.paths.clauses_of_exports import EXPORT, ONNX
from tests.subject.paths.clauses_of_programs import COMPILE, JIT

CONTRACTS: Dict[str, Tuple[Clause, ...]] = {
    "call_contexts": CALL_CONTEXTS,
    "functional": FUNCTIONAL,
    "jit": JIT,
    "compile": COMPILE,
    "export": (*EXPORT, *(each for each in COMPILE if each.name == "decomposed_strides")),
    "converting": CONVERTING,
    "wrapping": (),
    "onnx": ONNX,
}
"""Maps a module of ``tests.subject.paths`` to the clauses of its paths."""
