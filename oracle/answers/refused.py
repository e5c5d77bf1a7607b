"""Answers about the exceptions of a forward, under the words of their messages."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, STATISTICS
from oracle.answers.answer import Answer, Proof, Sentence, proved
from oracle.answers.checks import Changed, Counts, Dtypes, NormalisesBy, Raises, Returns, Unchanged

ONE_VALUE = "Expected more than 1 value per channel when training"

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "expected-more-than-1-value-per-channel",
        f"ValueError: {ONE_VALUE}, got input size torch.Size([1, ...]): what does it mean?",
        (
            "batch of one", "eval mode with batch size 1", "inference on one image", "last batch",
            "drop_last", "1x1 feature map", "global pooling",
        ),
        (
            Sentence(
                "The batch has one value in each channel, N * H * W = 1, and train mode needs the "
                "variance of a channel.",
                proved("edge-shape-one_value_tracked", Raises(1, "ValueError", ONE_VALUE)),
            ),
            Sentence(
                "A batch of one image is fine if H * W is larger than 1.",
                proved(
                    "edge-shape-one_row_exact", Returns(2), NormalisesBy(2, "batch"),
                    Changed(2, 1, BUFFERS),
                ),
            ),
            Sentence(
                "In eval mode a batch of one is fine, whatever H and W are: the running buffers "
                "normalise.",
                proved("edge-shape-one_value_tracked", Returns(3), NormalisesBy(3, "running")),
            ),
            Sentence(
                "But a module built with `track_running_stats=False` raises it in eval mode, too.",
                proved("edge-shape-one_value_untracked", Raises(3, "ValueError", ONE_VALUE)),
            ),
            Sentence(
                "The refused batch has been counted: `num_batches_tracked` is 1 higher, and the running "
                "statistics are as before.",
                proved(
                    "edge-shape-one_value_tracked", Counts(0, 0), Counts(1, 1),
                    Unchanged(1, 0, STATISTICS),
                ),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.ones(1, 1, 1, 1)
try: m(x)
except ValueError as error: print(error, "| counted:", int(m.num_batches_tracked))
print(m.eval()(x).shape, m.train()(torch.ones(1, 1, 2, 2)).shape)
""",
        """\
Expected more than 1 value per channel when training, got input size torch.Size([1, 1, 1, 1]) | counted: 1
torch.Size([1, 1, 1, 1]) torch.Size([1, 1, 2, 2])
""",
        ("https://github.com/pytorch/pytorch/issues/156051",),
    ),
    Answer(
        "wrong-shape",
        "ValueError: expected 4D input (got 3D input). RuntimeError: running_mean should contain ... "
        "elements not ...",
        (
            "expected 4D input (got 2D input)", "wrong number of channels", "num_features", "unsqueeze",
            "NHWC",
        ),
        (
            Sentence(
                "The input must have the shape (N, C, H, W). Another number of dimensions raises "
                "ValueError, and the batch is not counted.",
                proved(
                    "edge-shape-three_dims", Raises(2, "ValueError", "expected 4D input (got 3D input)"),
                    Counts(2, 0),
                ),
            ),
            Sentence(
                "Dimension 1 must have as many channels as the buffers. Another number raises "
                "RuntimeError \"running_mean should contain 12 elements not 11\", but the batch has "
                "been counted.",
                proved(
                    "edge-shape-wrong_channels_tracked",
                    Raises(1, "RuntimeError", "running_mean should contain 12 elements not 11"),
                    Counts(1, 1),
                ),
            ),
            Sentence(
                "Without buffers it is the weight that does not fit; without either, any number of "
                "channels is taken.",
                (
                    Proof(
                        "edge-shape-wrong_channels_untracked",
                        (Raises(1, "RuntimeError", "weight should contain 12 elements not 11"),),
                    ),
                    Proof("edge-shape-wrong_channels_bare", (Returns(1),)),
                ),
            ),
            Sentence(
                "Assigning `num_features` changes nothing of this: a forward looks at the tensors.",
                proved(
                    "edge-large-set_num_features", NormalisesBy(6, "running"), NormalisesBy(8, "batch"),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(3)
for shape in ((3, 2, 2), (1, 4, 2, 2)):
    try: m(torch.ones(shape))
    except Exception as error: print(type(error).__name__, error, int(m.num_batches_tracked))
""",
        """\
ValueError expected 4D input (got 3D input) 0
RuntimeError running_mean should contain 4 elements not 3 1
""",
    ),
    Answer(
        "running-mean-must-be-defined",
        "RuntimeError: running_mean must be defined in evaluation mode. "
        "ValueError: running_mean and running_var must either both be None or neither be None",
        ("one buffer is None", "running_var must be defined in evaluation mode"),
        (
            Sentence(
                "One of `running_mean` and `running_var` is None and the other is not. In eval mode that "
                "raises RuntimeError.",
                proved(
                    "edge-backward-statistics_var_dropped",
                    Raises(8, "RuntimeError", "running_var must be defined in evaluation mode"),
                ),
            ),
            Sentence(
                "In train mode it raises ValueError, and the batch has been counted.",
                proved(
                    "edge-backward-statistics_var_dropped", Counts(10, 1), Counts(11, 2),
                    Raises(11, "ValueError", "must either both be None or neither be None"),
                ),
            ),
            Sentence(
                "In train mode the other buffer is updated, and nothing is raised.",
                proved(
                    "edge-backward-statistics_var_dropped", NormalisesBy(11, "batch"),
                    Changed(11, 10, ("running_mean",)),
                ),
                past=True,
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.ones(2, 1, 1, 1)
m.running_var = None
try: m.eval()(x)
except RuntimeError as error: print(error)
""",
        """\
running_var must be defined in evaluation mode
""",
        (
            "https://github.com/pytorch/pytorch/issues/65520",
            "https://github.com/pytorch/pytorch/issues/137172",
        ),
    ),
    Answer(
        "mixed-dtype",
        "RuntimeError: mixed dtype (CPU): all inputs must share same datatype. Which input dtypes are "
        "allowed?",
        (
            "expected scalar type Float but found Double", "float64 input",
            "batch_norm not implemented for 'Long'",
        ),
        (
            Sentence(
                "A float64 input to a float32 module raises \"mixed dtype (CPU): all inputs must share "
                "same datatype\", in both modes; in train mode the batch has been counted.",
                proved(
                    "edge-dtype-wrong_float", Raises(2, "RuntimeError", "must share same datatype"),
                    Counts(2, 1), Raises(5, "RuntimeError", "must share same datatype"),
                ),
            ),
            Sentence(
                "The message is \"expected scalar type ... but found ...\".",
                proved("edge-dtype-wrong_float", Raises(2, "RuntimeError", "expected scalar type")),
                past=True,
            ),
            Sentence(
                "`module.double()` makes it a float64 module, which takes float64 and refuses float32.",
                proved(
                    "edge-convert-double", Dtypes(4, "float64", "float64"), Returns(6),
                    Raises(7, "RuntimeError"),
                ),
            ),
            Sentence(
                "An integer input raises \"batch_norm not implemented for 'Long'\".",
                proved(
                    "edge-dtype-integers", Raises(2, "NotImplementedError", "not implemented for 'Long'"),
                ),
            ),
            Sentence(
                "A float16 input to a float32 module is allowed: "
                "[half precision](#half-precision).",
                proved("edge-dtype-narrow_float", Dtypes(2, "float16", "float32")),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.ones(2, 1, 1, 1, dtype=torch.float64)
try: m(x)
except RuntimeError as error: print(str(error).split(".")[0])
print(m.double()(x).dtype)
""",
        """\
mixed dtype (CPU): all inputs must share same datatype
torch.float64
""",
    ),
)  # fmt: skip
