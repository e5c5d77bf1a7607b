"""The contracts of the paths that call the module in another way."""

from __future__ import annotations

from tests.subject.paths.clause import DOCS, exactly, freely

CALL_CONTEXTS = (
    exactly(
        "records_nothing",
        "The path is a call in a context in which autograd records nothing.",
        DOCS + "notes/autograd.html#locally-disabling-gradient-computation",
    ),
    exactly(
        "recomputes",
        "The backward calls the module once more, as it is by then: it counts and updates again, and "
        "reads the tensors of the second call.",
        "pytorch/pytorch#62471, #96136",
    ),
    freely(
        "recomputes_elsewhere",
        "The backward calls the original of a module that was copied, so the case does not see it.",
        "exception",
        "gradients present",
        "num_batches_tracked",
        "running_*",
        always=False,
        ends=True,
    ),
    exactly(
        "input_requires_no_gradient",
        "The reentrant checkpoint records a call only if one of its inputs requires a gradient.",
        DOCS + "checkpoint.html",
    ),
    exactly(
        "backward_alone",
        "The reentrant checkpoint cannot be differentiated by torch.autograd.grad.",
        DOCS + "checkpoint.html",
    ),
    exactly(
        "reentrant_input",
        "The reentrant checkpoint keeps its input, also an empty one: it notices where that was "
        "overwritten, and performs one backward.",
        DOCS + "checkpoint.html",
    ),
    freely(
        "reentrant_backward",
        "The reentrant checkpoint differentiates a second call of the module, as it is by then.",
        "*",
        source=DOCS + "checkpoint.html",
        ends=True,
        always=False,
    ),
)

FUNCTIONAL = (
    exactly("function_hooks", "The function belongs to no module, so there are no hooks to call."),
    exactly(
        "view_left_behind",
        "A view that the module was called with keeps its memory when the Parameter gets another dtype, "
        "so the backward reads the weight as it was.",
    ),
    exactly(
        "view_unreached",
        "A view of a bias passes its gradient on after the operations of the forward, one of which "
        "raises.",
    ),
    exactly(
        "vmap_update",
        "vmap refuses to write a stacked result into running buffers that are not stacked; the counter "
        "has been increased by then.",
        DOCS + "func.batch_norm.html",
    ),
    freely(
        "vmap_error",
        "The input reaches other operators, which refuse it with other messages, or accept it.",
        "exception",
        "output present",
        ends=True,
        always=False,
    ),
    freely(
        "vmap_mixed",
        "vmap takes batch_norm apart, and its parts do not mix float32 with 16 bits: in eval mode it "
        "raises RuntimeError, in train mode the output comes out in float32.",
        "exception",
        "output",
        "output present",
        "output_dtype",
        "grads present",
        "text",
        "running_mean",
        "running_var",
        ends=True,
        defect=True,
    ),
    freely(
        "vmap_narrow",
        "vmap applies weight and bias by operators of their own, which round to 16 bits once more.",
        "output",
        always=False,
    ),
    freely(
        "vmap_strides",
        "vmap decomposes batch_norm into operators, which choose the strides of a gradient.",
        "input gradient strides",
        always=False,
    ),
    freely(
        "vmap_weight",
        "The weight's gradient sums products with the normalised input, which is computed as the "
        "difference x / s - m / s: where x and m are large beside s, its digits are lost.",
        "weight gradient",
        "weight.grad",
        always=False,
    ),
    exactly(
        "vmap_misread",
        "vmap hands the kernel a view of the input, in which a dimension of size 1 has another stride, "
        "so that the backward misreads a gradient whose memory format is another: "
        "reports/defects/backward_misreads_ambiguous_layout.md.",
        defect=True,
    ),
    freely(
        "vmap_narrow_gradients",
        "Gradients are sums of intermediate results that were rounded to 16 bits.",
        "* gradient",
        "*.grad",
        always=False,
    ),
    freely(
        "vmap_kept",
        "The operators that vmap makes of batch_norm keep other tensors for the backward than one kernel "
        "does, so a change in place of one is seen by other steps, and a graph is freed in parts.",
        "exception",
        "* present",
        "* gradient",
        "*.grad",
        ends=True,
        always=False,
    ),
    exactly("ensemble_empty", "A module without tensors has no state that could be stacked."),
    exactly(
        "ensemble_item",
        "With momentum None the forward reads the counter as a number, which vmap refuses of a stack.",
        DOCS + "func.ux_limitations.html",
    ),
    freely(
        "ensemble_error",
        "Stacked tensors reach other kernels, which refuse them with other messages, or accept them.",
        "exception",
        "output present",
        "num_batches_tracked",
        "running_*",
        ends=True,
        always=False,
    ),
    exactly(
        "ensemble_dense",
        "The inputs are copied to one stack without gaps, so the kernel for dense tensors runs, in which "
        "the variance overflows: reports/defects/overflowing_variance_zeroes_output.md.",
        defect=True,
    ),
    freely(
        "ensemble_strides",
        "An output is a slice of a stack, and vmap promises nothing about its strides.",
        "output_strides *",
        always=False,
    ),
)

CONVERTING = (
    exactly(
        "lazy_features",
        "A LazyBatchNorm2d without affine and track_running_stats has nothing to initialise and never "
        "learns num_features, which stays 0.",
        defect=True,
    ),
    exactly(
        "lazy_channels",
        "A LazyBatchNorm2d is materialised by a forward, which raises for an input without channels.",
        "pytorch/pytorch#72821",
    ),
    freely(
        "sync_rank",
        "SyncBatchNorm accepts every input of two dimensions and more.",
        "exception",
        "output present",
        "num_batches_tracked",
        "running_mean",
        "running_var",
        source=DOCS + "generated/torch.nn.SyncBatchNorm.html",
        ends=True,
    ),
    exactly("sync_channels", "SyncBatchNorm refuses an input without channels."),
    exactly(
        "sync_counter",
        "SyncBatchNorm asserts that there is a counter wherever it counts; BatchNorm2d goes on without.",
    ),
    exactly(
        "fused_eval",
        "Only a module in eval mode can be fused.",
        DOCS + "generated/torch.nn.utils.fuse_conv_bn_eval.html",
    ),
    exactly("fused_buffers", "Only a module with both running buffers can be fused."),
    freely(
        "fused_constants",
        "The fused convolution keeps the numbers that the module had; its strides are a convolution's.",
        "output_strides *",
        source=DOCS + "generated/torch.nn.utils.fuse_conv_bn_eval.html",
        always=False,
    ),
    exactly(
        "fused_refuses",
        "A convolution takes no dtype but its own, and refuses sizes in its own words.",
    ),
    freely(
        "fused_input",
        "A convolution accepts what the checks of BatchNorm2d refuse, and has its own way with 16 bits.",
        "exception",
        "output",
        "output present",
        "output_requires_grad",
        "text",
        ends=True,
        always=False,
    ),
    freely(
        "fused_strides",
        "The backward of a convolution chooses the strides of the input's gradient.",
        "input gradient strides",
        always=False,
    ),
    freely(
        "fused_backward",
        "The backward is a convolution's: weight and bias of the module have no part in it.",
        "exception",
        "* present",
        "* 2nd gradient",
        ends=True,
        always=False,
    ),
)
