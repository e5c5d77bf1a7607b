"""Answers about gradients: which tensors get one, its dtype, second derivatives."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS
from cases.derivatives import GRADIENTS
from oracle.answers.answer import Answer, Proof, Sentence, proved
from oracle.answers.checks import Dtypes, Entries, Gradients, Grads, Raises, Returns

IN_PLACE = "modified by an inplace operation"

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "no-gradient",
        "Why is weight.grad None? When do weight and bias get gradients?",
        (
            "weight.grad is None", "bias.grad is None", "no gradient after backward",
            "element 0 of tensors does not require grad",
        ),
        (
            Sentence(
                "`weight.grad` is None until the first `backward()`, which fills it in train mode and in "
                "eval mode.",
                (
                    Proof("edge-accumulation-train_two_forwards", (Grads(2, ()), Grads(3, GRADIENTS))),
                    Proof("edge-accumulation-eval_two_forwards", (Grads(3, ()), Grads(4, GRADIENTS))),
                ),
            ),
            Sentence(
                "A weight with `requires_grad=False` gets none.",
                proved("edge-accumulation-weight_frozen", Grads(4, ("input", "bias"))),
            ),
            Sentence(
                "With `affine=False` there is no weight: `m.weight` itself is None.",
                proved("edge-accumulation-no_affine", Entries(0, BUFFERS), Grads(3, ("input",))),
            ),
            Sentence(
                "`zero_grad()` makes it None again.",
                proved("edge-accumulation-train_cleared", Grads(3, GRADIENTS), Grads(4, ("input",))),
            ),
            Sentence(
                "`zero_grad()` fills it with zeros.",
                proved("edge-accumulation-train_cleared", Grads(3, GRADIENTS), Grads(4, GRADIENTS)),
                past=True,
            ),
            Sentence(
                "`torch.autograd.grad` returns the gradients and leaves `.grad` alone.",
                proved("edge-accumulation-train_returned", Gradients(3, GRADIENTS), Grads(3, ())),
            ),
            Sentence(
                "A deep copy begins without gradients.",
                proved("edge-accumulation-deepcopy", Grads(3, GRADIENTS), Grads(4, ("input",))),
            ),
            Sentence(
                "After a forward under `torch.no_grad()`, `backward()` raises RuntimeError \"does not "
                "require grad\".",
                proved("edge-accumulation-no_grad", Raises(3, "RuntimeError", "does not require grad")),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2)
m.weight.requires_grad_(False)
m(x).sum().backward(); print(m.weight.grad, m.bias.grad)
m.zero_grad(); print(m.bias.grad)
""",
        """\
None tensor([4.])
None
""",
    ),
    Answer(
        "modified-in-place",
        "RuntimeError: one of the variables needed for gradient computation has been modified by an "
        "inplace operation: how does BatchNorm cause it?",
        (
            "inplace error with BatchNorm", "DistributedDataParallel", "broadcast_buffers",
            "two forwards before one backward", "ReLU(inplace=True)",
        ),
        (
            Sentence(
                "A forward saves weight and running buffers for its backward, in train mode and in eval "
                "mode. If one of them is written to in place before that backward (an optimizer step, "
                "`load_state_dict`, `reset_running_stats`, the broadcast of buffers by "
                "DistributedDataParallel), the backward raises RuntimeError.",
                (
                    Proof(
                        "edge-backward_program-train_reset_parameters",
                        (Raises(4, "RuntimeError", IN_PLACE),),
                    ),
                    Proof(
                        "edge-backward_program-train_reset_running_stats",
                        (Raises(4, "RuntimeError", IN_PLACE),),
                    ),
                    Proof(
                        "edge-backward_program-eval_load_plain",
                        (Raises(5, "RuntimeError", IN_PLACE),),
                    ),
                ),
            ),
            Sentence(
                "The module's own update of the running buffers is no such write: after a second forward "
                "in train mode, the backward of the first works.",
                proved("edge-backward_program-train_train_earlier", Gradients(4, GRADIENTS)),
            ),
            Sentence(
                "The output may be overwritten, as `ReLU(inplace=True)` does.",
                proved(
                    "edge-overwritten-output_overwritten_tracked", Gradients(3, GRADIENTS),
                    Gradients(10, GRADIENTS),
                ),
            ),
            Sentence(
                "The input may not be.",
                proved("edge-overwritten-input_overwritten_tracked", Raises(3, "RuntimeError", IN_PLACE)),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2)
y, z = torch.relu_(m(x)).sum(), m(x).sum(); y.backward(); m.running_mean.zero_()
try: z.backward()
except RuntimeError as error: print(str(error)[:94])
""",
        """\
one of the variables needed for gradient computation has been modified by an inplace operation
""",
    ),
    Answer(
        "dtype-of-gradients",
        "Which gradients does a float16 batch through a float32 BatchNorm2d give?",
        ("mixed precision backward", "fp16 gradients", "gradient dtype"),
        (
            Sentence(
                "Input, weight and bias get gradients as usual, in train mode and in eval mode.",
                proved(
                    "edge-backward-ordinary_n30_mixed_float16", Dtypes(2, "float16", "float32"),
                    Gradients(3, GRADIENTS), Gradients(6, GRADIENTS),
                ),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.ones(2, 1, 1, 1, dtype=torch.float16, requires_grad=True)
m(x).sum().backward()
print(x.grad.dtype, m.weight.grad.dtype)
""",
        """\
torch.float16 torch.float32
""",
    ),
    Answer(
        "differentiate-twice",
        "Can BatchNorm2d be differentiated twice (gradient penalty, create_graph=True)?",
        ("WGAN-GP", "double backward", "second derivative", "Hessian", "gradient of gradient"),
        (
            Sentence(
                "Yes, in train mode and in eval mode, in float32 and float64.",
                (
                    Proof("edge-double_backward-n30_float32", (Returns(3), Returns(6))),
                    Proof("edge-double_backward-n30_float64", (Returns(3), Returns(6))),
                ),
            ),
            Sentence(
                "Also without parameters (`affine=False`).",
                proved("edge-double_backward-no_affine", Returns(3), Returns(6)),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2).requires_grad_()
(slope,) = torch.autograd.grad((m(x) ** 3).sum(), x, create_graph=True)
slope.square().sum().backward()
print([round(y, 2) for y in slope.flatten().tolist()], [round(y, 2) for y in x.grad.flatten().tolist()])
""",
        """\
[2.15, -2.15, -2.15, 2.15] [5.53, 20.27, -20.27, -5.53]
""",
        ("defects/double_backward_needs_weight.md",),
    ),
)  # fmt: skip
