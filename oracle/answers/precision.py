"""Answers about dtypes and memory formats."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import STATISTICS
from oracle.answers.answer import Answer, Sentence, proved
from oracle.answers.checks import Changed, Dtypes, LaidOut, NotFinite, Raises

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "half-precision",
        "Half precision: can BatchNorm2d be float16 or bfloat16? Should it stay in float32?",
        (
            "half", "fp16", "bf16", "AMP", "autocast", "mixed precision",
            "\"batch_norm\" not implemented for 'Half'",
        ),
        (
            Sentence(
                "A float32 module takes a float16 input, such as a convolution returns under "
                "`torch.autocast`. The output is float16, and parameters and buffers stay float32.",
                proved(
                    "edge-dtype-narrow_float", Dtypes(2, "float16", "float32"), Changed(2, 1, STATISTICS),
                ),
            ),
            Sentence(
                "It takes a bfloat16 input in the same way.",
                proved("edge-accumulation-eight_mixed_bfloat16", Dtypes(2, "bfloat16", "float32")),
            ),
            Sentence(
                "`module.half()` and `module.to(torch.float16)` convert parameters and running "
                "statistics, too; the counter stays int64. The module then takes float16.",
                proved(
                    "edge-convert-to_float16", Dtypes(2, "", "float16"), Dtypes(4, "float16", "float16"),
                ),
            ),
            Sentence(
                "On the CPU float16 raises RuntimeError \"batch_norm\" not implemented for 'Half'.",
                proved(
                    "edge-dtype-narrow_float", Raises(2, "RuntimeError", "not implemented for 'Half'"),
                ),
                past=True,
            ),
            Sentence(
                "`half()` rounds the running statistics, and one above 65504 becomes infinity. `float()` "
                "does not bring it back, so let the module stay in float32.",
                proved(
                    "edge-convert-half_and_back", NotFinite(2, STATISTICS, 0),
                    NotFinite(3, ("running_mean",), 2), NotFinite(4, ("running_mean",), 2),
                ),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.ones(2, 1, 1, 1)
print(m(x.half()).dtype, m.running_mean.dtype)
m.running_var.fill_(70000.0)
print(m.half().running_var, m.num_batches_tracked.dtype)
""",
        """\
torch.float16 torch.float32
tensor([inf], dtype=torch.float16) torch.int64
""",
        ("defects/narrow_arithmetic.md",),
    ),
    Answer(
        "channels-last",
        "Does BatchNorm2d keep the memory format channels_last?",
        (
            "memory_format=torch.channels_last", "NHWC", "strides of the output", "is_contiguous",
            "wrong gradients with channels_last", "batch of one", "permute", "unsqueeze",
        ),
        (
            Sentence(
                "The output of a channels_last input is channels_last, in train mode and in eval mode.",
                proved(
                    "edge-layout-channels_last_n8", LaidOut(2, "channels_last"),
                    LaidOut(5, "channels_last"),
                ),
            ),
            Sentence(
                "In train mode it is contiguous.",
                proved(
                    "edge-layout-channels_last_n8", LaidOut(2, "contiguous"), LaidOut(5, "channels_last"),
                ),
                past=True,
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(3), torch.ones(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
print(m(x).stride(), m(x).is_contiguous(memory_format=torch.channels_last))
""",
        """\
(48, 1, 12, 3) True
""",
        (
            "https://github.com/pytorch/pytorch/issues/48919", "defects/channels_last_plain_sums.md",
            "defects/backward_misreads_ambiguous_layout.md",
        ),
    ),
)  # fmt: skip
