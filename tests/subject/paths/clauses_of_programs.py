"""The contracts of the paths that make a program of the module."""

from __future__ import annotations

from tests.subject.paths.clause import DOCS, exactly, freely

JIT = (
    exactly(
        "jit_none",
        "An attribute of a ScriptModule keeps its type: a tensor cannot become None, nor None a tensor, "
        "nor a truth value a text.",
        DOCS + "jit_language_reference.html",
    ),
    freely(
        "jit_channels",
        "BatchNorm2d(0) raises by a known defect of torch, of which TorchScript makes another class.",
        "exception",
        "num_batches_tracked",
        ends=True,
        always=False,
    ),
    exactly("jit_hooks", "The module's hooks are not called: the ScriptModule has its own."),
    exactly(
        "jit_error",
        "TorchScript raises its own class of exception, whose message ends with the original one.",
        DOCS + "jit_language_reference.html",
    ),
    exactly(
        "script_constants",
        "momentum, eps and track_running_stats are __constants__ of the module: compiled into the code.",
        DOCS + "jit.html",
    ),
    exactly("script_hooks", "A hook is compiled with the module, and a lambda cannot be."),
    exactly(
        "script_none",
        "TorchScript converts None neither to the bool that a flag is read as nor to the float eps.",
        DOCS + "jit_language_reference.html",
    ),
    exactly(
        "script_number",
        "TorchScript converts no int to the float that momentum and eps are declared as.",
        DOCS + "jit_language_reference.html",
    ),
    exactly(
        "trace_constants",
        "A trace records the operators of one call: mode, momentum (with None the factor of that call), "
        "eps, track_running_stats and which tensors there are stay as they were.",
        DOCS + "generated/torch.jit.trace.html",
    ),
    freely(
        "trace_checks",
        "The checks that the module makes in Python are no part of a trace.",
        "exception",
        "output present",
        "num_batches_tracked",
        "running_mean",
        "running_var",
        source=DOCS + "generated/torch.jit.trace.html",
        ends=True,
        always=False,
    ),
    exactly("trace_sharing", "A module in which two names lead to one tensor cannot be traced."),
    exactly("making_undone", "The call that failed was the one that is recorded; what it did is undone."),
    exactly(
        "freeze_eval",
        "Only a module in eval mode can be frozen.",
        DOCS + "generated/torch.jit.freeze.html",
    ),
    exactly(
        "freeze_constants",
        "Freezing makes constants without gradients of flags and tensors; these lie in the memory of the "
        "module's, so only a change in place is seen.",
        DOCS + "generated/torch.jit.freeze.html",
    ),
    exactly(
        "freeze_pools",
        "Freezing makes one constant of equal tensors (a weight of ones and an initial running_var), in "
        "the memory of one of them: a later write to it changes the other in the code, too.",
        defect=True,
    ),
    freely(
        "freeze_double",
        "The weight is a constant of the code, so no gradient depends on it.",
        "derivatives present",
        "* 2nd gradient",
        always=False,
        ends=True,
    ),
    freely(
        "script_division",
        "TorchScript divides 1.0 by a counter of 0 without raising ZeroDivisionError.",
        "exception",
        "output present",
        "running_mean",
        "running_var",
        ends=True,
        defect=True,
    ),
)

HOOKS = "pytorch/pytorch#98371"
"""The change that made torch compile hooks, which leaves those out that are registered later."""

COMPILE = (
    exactly(
        "compile_error",
        "batch_norm refuses its arguments while the graph is captured: the class is TorchRuntimeError, "
        "its message contains the original one, and the counter has not been increased.",
    ),
    exactly(
        "compile_hooks",
        "torch runs what it has compiled for this module and input, and does not look whether there are "
        "hooks by now.",
        HOOKS,
    ),
    freely(
        "compile_hooks_again",
        "Hooks that were registered after a forward are called where torch compiles the module again.",
        "text",
        source=HOOKS,
        always=False,
    ),
    freely(
        "compile_skipped",
        "Python has raised an exception in a forward. Since then torch runs what it had compiled before, "
        "or calls the module as it is.",
        "*",
        ends=True,
        always=False,
    ),
    exactly(
        "fullgraph",
        "One graph can hold neither an exception of Python nor the number in the counter, which a "
        "forward with momentum None reads.",
        "pytorch/pytorch#194504",
    ),
    freely(
        "decomposed_strides",
        "The operators that batch_norm is decomposed into keep the input's strides, or choose others.",
        "output_strides *",
        "input gradient strides",
        always=False,
    ),
    freely(
        "decomposed_checks",
        "The operators that batch_norm is decomposed into check the forms of its tensors less.",
        "*",
        ends=True,
        always=False,
    ),
    exactly(
        "decomposed_update",
        "Running statistics of 16 bits are updated by several operators, and (1 - momentum) * running is "
        "rounded to 16 bits before the batch's share is added.",
    ),
    freely(
        "decomposed_narrow",
        "The operators that batch_norm is decomposed into round to 16 bits in other places.",
        "* gradient",
        "*.grad",
        always=False,
    ),
    exactly(
        "decomposed_infinity",
        "The decomposition takes the mean from var_mean, which is NaN where an infinity is not the last "
        "value of its channel: running_mean becomes NaN, not an infinity.",
        "pytorch/pytorch#138570",
        defect=True,
    ),
    freely(
        "inductor_infinity",
        "inductor combines means of parts where a batch is large, has one channel or sizes that may "
        "change. The mean of an infinity is then NaN or infinite, by the order of the parts.",
        "running_mean",
        source="reports/defects/path_decomposed_infinity.md; pytorch/pytorch#138570",
        ends=True,
        always=False,
        defect=True,
    ),
    freely(
        "decomposed_statistics",
        "The decomposition of batch_norm rounds mean and inverse deviation of a 16-bit input on the CPU "
        "to 16 bits for the backward, also of a float32 module, whose gradients lose their digits.",
        "* gradient",
        "*.grad",
        source="torch 2.13.0, torch/_decomp/decompositions.py, native_batch_norm_helper; PR #84013",
        always=False,
        defect=True,
    ),
    freely(
        "ahead_strides",
        "A backward that was traced ahead of time gives an upstream gradient the strides it was traced "
        "with, and lays its results out accordingly.",
        "input gradient strides",
        always=False,
    ),
    exactly(
        "ahead_checks",
        "The operators are traced ahead of time, so a check that the captured graph leaves to them comes "
        "before the counter has been increased.",
    ),
    exactly(
        "ahead_alias",
        "The operator that is traced reads weight and bias before it updates the running buffers. Where "
        "one tensor is both, the module reads it after the update.",
        defect=True,
    ),
    exactly(
        "ahead_statistics",
        "The operator that is traced reads both running statistics before it writes to either. Where one "
        "tensor is both, only the update of running_var is seen; the module performs both.",
        defect=True,
    ),
    exactly(
        "ahead_whole",
        "A backward that was traced ahead of time is one node: where one of its operations raises, the "
        "bias gets no gradient, either.",
    ),
    exactly(
        "ahead_used_up",
        "A backward that was traced ahead of time keeps tensors also of an empty batch, so its graph can "
        "be used up.",
    ),
    exactly(
        "ahead_double",
        "A backward that was traced ahead of time cannot be differentiated; an upstream gradient in "
        "other strides than it was traced with is copied, which autograd refuses of one that requires a "
        "gradient.",
        DOCS + "generated/torch.compile.html",
    ),
    exactly(
        "ahead_donated",
        "A backward that was compiled before for sizes that may change overwrites what the forward has "
        "saved, so it refuses to keep the graph.",
        "pytorch/pytorch#104971; pytorch/pytorch#130580",
    ),
    freely(
        "ahead_cached",
        "A backward that was compiled before the call, from a cache or for sizes that may change, may "
        "overwrite what the forward has saved, and then refuses to keep the graph.",
        "*",
        source="pytorch/pytorch#130580",
        ends=True,
        always=False,
    ),
    freely(
        "ahead_saved",
        "The graph that was traced ahead of time keeps other tensors for the backward, and updates the "
        "buffers where autograd sees it, so a change in between is noticed at other times.",
        "*",
        ends=True,
        always=False,
    ),
)
