"""Second derivatives with a forward-mode derivative in them: jvp of jvp, vjp of jvp, jvp of vjp."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.construction import TRACKED, UNTRACKED
from cases.derivatives import NESTED
from cases.edges.edge import FLOAT64, MODULES, Edge
from cases.variants import WIDE, Variant

GROUP = "nested"

_SOURCE = "#196699"


def _both_modes(*steps: str) -> str:
    """Return a program: the steps in train mode, without a count, and with running statistics in eval."""
    each = ",".join(steps)
    return f"preset,set:track_running_stats:false,{each},eval,{each}"


def _ways() -> Iterator[Edge]:
    """Edges with every way on every kind of module. Functions of torch.func refuse one that counts."""
    for way in NESTED:
        program = f"preset,{way}:b1:ordinary,forward:b0,eval,{way}:b1:ordinary,forward:b0"
        for word, config in MODULES:
            yield Edge(f"{way}_{word}", GROUP, program, _SOURCE, config)
        program = _both_modes(f"{way}:b1:ordinary", f"{way}:b0:offset")
        yield Edge(f"{way}_track_off", GROUP, program, _SOURCE)
        note = "without a counter the buffers are updated, once"
        program = f"preset,drop:num_batches_tracked,{way}:b1:ordinary,forward:b0"
        yield Edge(f"{way}_no_counter", GROUP, program, note)
        note = "a number that does not depend on how it was computed"
        program = f"preset,input_grad:b1,retain:ordinary,double:ordinary:ordinary,{way}:b1:ordinary"
        yield Edge(f"{way}_beside_double", GROUP, program, note, UNTRACKED, FLOAT64)


def _numbers() -> Iterator[Edge]:
    note = "the budget follows the operations"
    for way in NESTED:
        for shape in ("n2", "n30", "n256"):
            for dtype in WIDE if shape != "n256" else ("float32",):
                variant = Variant("bounded", shape, dtype)
                program = _both_modes(f"{way}:b1:ordinary", f"{way}:b0:alternating")
                yield Edge(f"{way}_{shape}_{dtype}", GROUP, program, note, TRACKED, variant)
    for tangent in ("outlier", "ones", "like_input", "tiny"):
        program = _both_modes(*(f"{way}:b1:{tangent}" for way in NESTED))
        yield Edge(tangent, GROUP, program, _SOURCE)


def _inputs() -> Iterator[Edge]:
    for name in ("nan", "constant", "no_batch", "wrong_channels", "two_dims", "wrong_float"):
        program = _both_modes(*(f"{way}:{name}:ordinary" for way in NESTED))
        yield Edge(f"input_{name}", GROUP, program, "as in a derivative that is not nested")
    for layout in ("channels_last", "permuted", "sliced"):
        program = _both_modes(*(f"{way}:b1.{layout}:ordinary" for way in NESTED))
        yield Edge(f"layout_{layout}", GROUP, program, "the statistics do not depend on the layout")
    note = "it leaves the graphs before it alone"
    yield Edge("between", GROUP, "preset,input_grad:b0,grad_jvp:b1:ordinary,backward:ordinary", note)


EDGES: Tuple[Edge, ...] = (*_ways(), *_numbers(), *_inputs())
