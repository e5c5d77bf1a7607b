"""The contracts of the paths that export the module."""

from __future__ import annotations

from tests.subject.paths.clause import DOCS, exactly, freely

_RESULT = ("exception", "output present", "num_batches_tracked", "running_*")
"""Patterns of the quantities that differ where a call is refused and should not be, or the reverse."""

_OUTPUT = ("output", "output_requires_grad", "output_strides *")

EXPORT = (
    exactly(
        "export_constants",
        "An exported program is specialised on flags, mode and the tensors that the module had.",
        DOCS + "export.html",
    ),
    exactly(
        "decomposed_backward",
        "A train-mode forward of a decomposed program that updates its statistics cannot be "
        "differentiated: the program writes to them after an operator that has saved them.",
        defect=True,
    ),
    exactly(
        "decomposed_alias",
        "A train-mode program of a module in which a running statistic has a second name cannot be "
        "decomposed: an assertion of torch fails.",
        defect=True,
    ),
    exactly("export_hooks", "The module's hooks are not called: the program is a module of its own."),
    exactly(
        "export_sizes",
        "The program refuses an input of other sizes than that it was exported with.",
        DOCS + "export.html",
    ),
    exactly(
        "export_item",
        "With momentum None the forward reads the counter as a number, which an export cannot.",
        DOCS + "export.html",
    ),
    exactly(
        "export_refuses",
        "What a forward refuses is refused while it is exported, and the counter is not increased.",
    ),
    freely(
        "export_input",
        "The program checks dtype and rank of an input in its own words, or not at all.",
        *_RESULT,
        source=DOCS + "export.html",
        ends=True,
        always=False,
    ),
    freely(
        "export_layout",
        "A program whose sizes may change, and that was exported with an input that is not dense, has "
        "guards for the strides of that input.",
        *_RESULT,
        ends=True,
        always=False,
    ),
    freely(
        "export_refused",
        "torch.export has its own words for empty inputs, integers and one statistic without the other.",
        *_RESULT,
        source=DOCS + "export.html",
        ends=True,
        always=False,
    ),
    freely(
        "export_absent",
        "torch.export raises IndexError for a module with a counter among its buffers and without "
        "statistics.",
        "exception",
        "output present",
        "num_batches_tracked",
        ends=True,
        defect=True,
    ),
)

ONNX = (
    exactly(
        "onnx_constants",
        "A model is a function of its input alone: tensors are constants, eps is a float32 attribute, "
        "and the output is a new tensor without a gradient.",
        "https://onnx.ai/onnx/operators/onnx__BatchNormalization.html",
    ),
    exactly(
        "onnx_item",
        "With momentum None the forward reads the counter as a number, which an export cannot.",
        DOCS + "onnx.html",
    ),
    freely(
        "onnx_refused",
        "The exporter refuses what raises; what a model computes of the running statistics in train mode "
        "is not written back.",
        *_RESULT,
        *_OUTPUT,
        source=DOCS + "onnx.html",
        ends=True,
        always=False,
    ),
    freely(
        "onnx_input",
        "The model takes inputs of the exported shape; onnxruntime computes 16 bits in its own way.",
        *_RESULT,
        *_OUTPUT,
        ends=True,
        always=False,
    ),
)
