"""The flags of cases and steps, each explained once, in the manner of Wycheproof's notes.

A case or step has the flags of what it needs and of what it is about. A port names the flags that it
lacks; a consumer leaves out a case that has one of them, and ends a case before a step that has one.
"""

from __future__ import annotations

import re
from typing import Dict, NamedTuple, Tuple

from oracle.defects import DEFECTS, Defect
from oracle.switch import Release

CAPABILITY, REFUSAL, SITUATION, TORCH_DEFECT = "CAPABILITY", "REFUSAL", "SITUATION", "TORCH_DEFECT"

KINDS: Dict[str, str] = {
    CAPABILITY: "The port needs something that not every port has.",
    REFUSAL: "The port must refuse the step, by an exception or an error value.",
    SITUATION: "The numbers or the state are unusual. Every port meets this; the flag says what a "
    "failing case is about.",
    TORCH_DEFECT: "torch itself gives a wrong result here, in the memory layout that the id names. The "
    "vectors have the right one.",
}
"""Maps a kind of flag to its meaning."""

DOCUMENTATION = "https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html"
PAPER = "https://arxiv.org/abs/1502.03167"
TRACKER = "https://github.com/pytorch/pytorch"


class Flag(NamedTuple):
    """A flag: its name, its kind (one of KINDS), what it means, and where to read more."""

    name: str
    kind: str
    description: str
    links: Tuple[str, ...]


def _issues(*numbers: int) -> Tuple[str, ...]:
    return tuple(f"{TRACKER}/issues/{number}" for number in numbers)


_CAPABILITIES: Tuple[Flag, ...] = (
    Flag("Float64", CAPABILITY, "Module or input is float64.", (DOCUMENTATION,)),
    Flag(
        "Float16",
        CAPABILITY,
        "Module or input is float16; the arithmetic is in float32.",
        (DOCUMENTATION,),
    ),
    Flag(
        "BFloat16",
        CAPABILITY,
        "Module or input is bfloat16; the arithmetic is in float32.",
        ("https://en.wikipedia.org/wiki/Bfloat16_floating-point_format",),
    ),
    Flag(
        "MixedPrecision",
        CAPABILITY,
        "A float32 module gets a float16 or bfloat16 input; the output has the dtype of the input.",
        ("https://docs.pytorch.org/docs/stable/amp.html",),
    ),
    Flag("NoAffine", CAPABILITY, "affine=False: weight and bias are absent.", (DOCUMENTATION,)),
    Flag("NoBias", CAPABILITY, "There is a weight and no bias.", _issues(157144)),
    Flag(
        "Untracked",
        CAPABILITY,
        "track_running_stats=False: the running statistics are absent, and batch "
        "statistics normalise in eval mode, too.",
        (DOCUMENTATION,),
    ),
    Flag(
        "MomentumNone",
        CAPABILITY,
        "momentum=None: the running statistics are the plain average over all "
        "batches, with the factor 1/num_batches_tracked.",
        (DOCUMENTATION,),
    ),
    Flag(
        "BackwardTrain",
        CAPABILITY,
        "The gradient of an output that batch statistics normalised: mean and "
        "variance depend on the input.",
        (PAPER,),
    ),
    Flag(
        "BackwardEval",
        CAPABILITY,
        "The gradient of an output that running statistics normalised.",
        (PAPER,),
    ),
    Flag(
        "DelayedBackward",
        CAPABILITY,
        "Between a forward and its backward the module changed or ran another "
        "forward; the backward uses what the forward used.",
        _issues(13402),
    ),
    Flag("SetMomentum", CAPABILITY, "momentum is assigned on the live module.", _issues(127736)),
    Flag("SetEps", CAPABILITY, "eps is assigned on the live module.", _issues(166405)),
    Flag(
        "SetTrackRunningStats",
        CAPABILITY,
        "track_running_stats is assigned on the live module: it decides "
        "whether train mode counts and updates, and not which statistics normalise in eval mode.",
        (*_issues(20967, 37823), f"{TRACKER}/pull/38084"),
    ),
    Flag(
        "SetAffine",
        CAPABILITY,
        "affine is assigned on the live module: only reset_parameters reads it.",
        (DOCUMENTATION,),
    ),
    Flag(
        "SetNumFeatures",
        CAPABILITY,
        "num_features is assigned on the live module: nothing reads it.",
        (DOCUMENTATION,),
    ),
    Flag(
        "RemoveStatistics",
        CAPABILITY,
        "running_mean or running_var of a live module becomes absent.",
        _issues(30294, 65520),
    ),
    Flag(
        "RemoveCounter",
        CAPABILITY,
        "num_batches_tracked of a live module becomes absent: nothing counts, and "
        "with momentum None nothing is learned.",
        (DOCUMENTATION,),
    ),
    Flag(
        "RemoveParameters", CAPABILITY, "weight or bias of a live module becomes absent.", _issues(157144)
    ),
    Flag(
        "AttachStatistics",
        CAPABILITY,
        "running_mean or running_var is attached to a module that had none.",
        _issues(40977),
    ),
    Flag(
        "AttachCounter",
        CAPABILITY,
        "num_batches_tracked is attached to a module that had none.",
        _issues(40977),
    ),
    Flag(
        "AttachParameters",
        CAPABILITY,
        "weight or bias is attached to a module that had none.",
        (DOCUMENTATION,),
    ),
    Flag(
        "ResetRunningStats",
        CAPABILITY,
        "reset_running_stats(): mean 0, variance 1, counter 0, if track_running_stats is set.",
        (DOCUMENTATION,),
    ),
    Flag(
        "ResetParameters",
        CAPABILITY,
        "reset_parameters(): reset_running_stats(), then weight 1 and bias 0.",
        (DOCUMENTATION,),
    ),
    Flag(
        "HugeCounter",
        CAPABILITY,
        "num_batches_tracked exceeds 2**53, which a JSON number may not hold; it is "
        "written as a text. It is an int64, and wraps around.",
        (DOCUMENTATION,),
    ),
)

_REFUSALS: Tuple[Flag, ...] = (
    Flag("WrongRank", REFUSAL, "The input does not have four dimensions.", (DOCUMENTATION,)),
    Flag(
        "WrongChannels",
        REFUSAL,
        "The input has another number of channels than the module; torch has counted the batch by then.",
        _issues(72821),
    ),
    Flag(
        "OneValuePerChannel",
        REFUSAL,
        "Batch statistics of a single value per channel; torch has counted the batch by then.",
        _issues(156051),
    ),
    Flag(
        "OneStatisticMissing",
        REFUSAL,
        "One of running_mean and running_var is absent where both or neither "
        "are needed; torch has counted the batch by then.",
        _issues(65520, 137172),
    ),
    Flag(
        "RefusedEps",
        REFUSAL,
        "eps is 0 or negative where it must not be; torch has counted the batch by then.",
        (*_issues(166405), f"{TRACKER}/pull/166756"),
    ),
    Flag(
        "CounterAtZero",
        REFUSAL,
        "With momentum None the counter is 0 after counting, so that the factor would be 1/0.",
        (DOCUMENTATION,),
    ),
    Flag(
        "ResetWithoutTensor",
        REFUSAL,
        "A reset of a module that lacks a tensor that its flags promise; what "
        "comes before the missing tensor has been reset by then.",
        (DOCUMENTATION,),
    ),
)

_SITUATIONS: Tuple[Flag, ...] = (
    Flag(
        "BatchStatisticsInEval",
        SITUATION,
        "In eval mode both running statistics are absent, so batch statistics normalise.",
        _issues(30294, 16793),
    ),
    Flag(
        "EmptyBatch",
        SITUATION,
        "The input has no elements. A batch in train mode counts, and statistics stay.",
        _issues(12013, 29578),
    ),
    Flag(
        "NonFinite",
        SITUATION,
        "The input has a NaN or an infinity. Other channels must not be affected.",
        ("https://en.wikipedia.org/wiki/IEEE_754",),
    ),
    Flag(
        "ConstantChannel",
        SITUATION,
        "All values of a channel are equal: the variance is 0, and eps alone keeps the output finite.",
        (PAPER,),
    ),
    Flag(
        "LargeMean",
        SITUATION,
        "A channel has a mean of more than 1000 times its spread: one pass over the "
        "values (mean of squares less square of mean) loses all digits of the variance.",
        ("https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance",),
    ),
    Flag(
        "LongSum",
        SITUATION,
        "More than 1000 values are summed in a channel.",
        ("https://en.wikipedia.org/wiki/Pairwise_summation",),
    ),
    Flag(
        "Undetermined",
        SITUATION,
        "Correct implementations may differ without limit in some elements, whose budget is infinite.",
        ("https://en.wikipedia.org/wiki/Catastrophic_cancellation",),
    ),
    Flag(
        "UnusualMomentum",
        SITUATION,
        "momentum is below 0, above 1, or not finite; it is used as it is.",
        _issues(127736),
    ),
    Flag("UnusualEps", SITUATION, "eps is not the default.", _issues(166405)),
)


def defect_flag(name: str) -> str:
    """Return the name of the flag of a known defect of torch."""
    return "Torch" + "".join(word.capitalize() for word in name.split("_"))


def _of_defect(defect: Defect) -> Flag:
    numbers = re.findall(r"(PR )?#([0-9]+)", defect.source)
    links = [f"{TRACKER}/{'pull' if is_pull else 'issues'}/{number}" for is_pull, number in numbers]
    text = f"torch has a defect here: {defect.circumstances}. {defect.instead}"
    return Flag(defect_flag(defect.name), TORCH_DEFECT, text, tuple(links))


OUT_OF_SIGHT = (
    "assign_marks_metadata",
    "channels_last_backward_misreads_weight",
    "derivative_of_tangent_of_constant_statistics",
    "double_backward_needs_weight",
    "expanded_buffer_written",
    "windows_overwrite_tangent",
)
"""The known defects that show in steps that vectors do not have."""


def flags(release: Release) -> Tuple[Flag, ...]:
    """Return all flags that the vectors of a release can have, in the order of the page."""
    seen = [each for each in DEFECTS if each.on(release) and each.name not in OUT_OF_SIGHT]
    present = [_of_defect(each) for each in seen]
    return (*_CAPABILITIES, *_REFUSALS, *_SITUATIONS, *present)
