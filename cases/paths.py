"""The paths by which a forward can be reached, as plain data: the names that ids and options use.

A case on a path other than ``eager`` has the path's word at the very end of its id:
``matrix-...-float32-path_jit.script``. The rest of the id is that of the case on the eager path. What a
path does is in ``tests.subject.paths``; what it must show is in ``oracle.paths``.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

from cases.errors import one_of

EAGER = "eager"
"""The path of a case whose id has no word of a path: the module is called."""

PREFIX = "path_"


class PathEntry(NamedTuple):
    """A path, without its implementation.

    ``module``: the module of ``tests.subject.paths`` that implements it. ``description``: one line.
    ``needs``: packages beside torch. ``cost``: about the seconds of a case of the smoke tier on one core.
    ``every``: n, where a run of a tier takes every n-th of its cases, because more would take too long.
    """

    module: str
    description: str
    needs: Tuple[str, ...] = ()
    cost: float = 0.02
    every: int = 1


def _compiled() -> Dict[str, PathEntry]:
    """Return a path for every backend and every way of torch.compile."""
    backends = {
        "eager": ("dynamo", "captures a graph and runs torch's own kernels", 0.4, 4),
        "aot_eager": ("aot_eager", "also traces the backward ahead of time", 0.7, 6),
        "aot_eager_decomp_partition": ("aot_decomp", "also decomposes batch_norm", 1.0, 6),
        "inductor": ("inductor", "compiles to C++", 15.0, 30),
    }
    ways = {
        "": "",
        "_static": ", dynamic=False",
        "_dynamic": ", dynamic=True",
        "_fullgraph": ", fullgraph=True",
    }
    return {
        name + suffix: PathEntry(
            "compile", f'torch.compile(module, backend="{backend}"{arguments}): {does}', (), cost, every
        )
        for backend, (name, does, cost, every) in backends.items()
        for suffix, arguments in ways.items()
    }


PATHS: Dict[str, PathEntry] = {
    "functional": PathEntry(
        "functional", "torch.nn.functional.batch_norm with the module's tensors and attributes"
    ),
    "functional_call": PathEntry(
        "functional", "torch.func.functional_call with views of the module's tensors"
    ),
    "vmap": PathEntry("functional", "torch.func.vmap over a stack of one batch", (), 0.03),
    "ensemble": PathEntry("functional", "vmap over the stacked states of two modules", (), 0.05),
    "jit.script": PathEntry("jit", "torch.jit.script(module)", (), 0.1),
    "jit.trace": PathEntry("jit", "torch.jit.trace(module, first input)", (), 0.05),
    "jit.freeze": PathEntry("jit", "torch.jit.freeze(torch.jit.script(module))", (), 0.1),
    **_compiled(),
    "export": PathEntry("export", "torch.export.export, static shapes", (), 1.0),
    "export_dynamic": PathEntry("export", "torch.export.export, N, H and W dynamic", (), 1.2),
    "export_decomposed": PathEntry("export", "torch.export.export and run_decompositions", (), 1.2),
    "onnx": PathEntry(
        "onnx", "torch.onnx.export, run by onnxruntime", ("onnx", "onnxscript", "onnxruntime"), 6.0, 20
    ),
    "fx": PathEntry("wrapping", "torch.fx.symbolic_trace of a Sequential that holds the module"),
    "data_parallel": PathEntry("wrapping", "torch.nn.DataParallel(module) without devices"),
    "no_grad": PathEntry("call_contexts", "a call under torch.no_grad()"),
    "inference_mode": PathEntry("call_contexts", "a call under torch.inference_mode()"),
    "autocast": PathEntry("call_contexts", 'a call under torch.autocast("cpu")'),
    "checkpoint": PathEntry("call_contexts", "torch.utils.checkpoint.checkpoint, use_reentrant=False"),
    "checkpoint_reentrant": PathEntry(
        "call_contexts", "torch.utils.checkpoint.checkpoint, use_reentrant=True"
    ),
    "lazy": PathEntry("converting", "LazyBatchNorm2d, materialised by a batch in eval mode"),
    "sync": PathEntry("converting", "SyncBatchNorm.convert_sync_batchnorm(module)"),
    "fused": PathEntry("converting", "fuse_conv_bn_eval with a convolution that does nothing"),
    "cudnn_off": PathEntry("call_contexts", "a call with cuDNN turned off; needs --device cuda"),
}
"""Maps the name of a path to its entry."""


def every(path: str) -> int:
    """Return n, where a run of a tier on the path takes every n-th of its cases."""
    return 1 if path == EAGER else PATHS[path].every


def write(path: str) -> str:
    """Return the end of an id: a hyphen and the word of the path, nothing for ``eager``."""
    return "" if path == EAGER else f"-{PREFIX}{path}"


def split(case_id: str) -> Tuple[str, str]:
    """Return the id without the word of its path, and the path; raises CaseError for an unknown path."""
    plain, _, word = case_id.rpartition("-")
    if not word.startswith(PREFIX):
        return case_id, EAGER
    return plain, one_of(word[len(PREFIX) :], tuple(PATHS), "path")
