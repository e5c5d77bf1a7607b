"""The expectations of a path where it differs, legitimately or by a defect, from an eager call.

``stepping`` returns the function that performs a step on a path. Where the path differs from an eager
call, what that function returns names the clause of the path's contract; the reasons and sources of the
clauses stand beside the paths, in ``tests.subject.paths``.
"""

from __future__ import annotations

import dataclasses
import importlib

from cases.paths import EAGER, PATHS
from cases.steps import Forward, Step
from oracle.meanings import advance
from oracle.outputs import REQUIRING, UNRECORDED
from oracle.paths.walk import Advance, failing, tagged
from oracle.state import Expected


def stepping(path: str) -> Advance:
    """Return the function that performs a step on the path, with ``advance``'s arguments and result."""
    if path == EAGER:
        return advance
    module = importlib.import_module(f"{__name__}.{PATHS[path].module}")
    found: Advance = module.STEPPING.get(path, advance)
    return found


def as_called(path: str, step: Step) -> Step:
    """Return the step as the kernel sees it: a forward on some paths is called without recording."""
    if not isinstance(step, Forward) or step.way in UNRECORDED:
        return step
    if path == "checkpoint_reentrant" and step.way in REQUIRING:
        return step
    ways = {"no_grad": "no_grad", "inference_mode": "inference", "checkpoint_reentrant": "no_grad"}
    return dataclasses.replace(step, way=ways[path]) if path in ways else step


def constructed(path: str, expected: Expected) -> Expected:
    """Return the result of construction on the path."""
    state = expected.state
    if path == "lazy" and expected.error is None and not state.config.num_features:
        return failing(state, "IndexError", "index 0 out of range", "lazy_channels")
    if path == "lazy" and expected.error is None and not (state.affine or state.track_running_stats):
        return tagged(dataclasses.replace(expected, state=state.changed(num_features=0)), "lazy_features")
    return expected
