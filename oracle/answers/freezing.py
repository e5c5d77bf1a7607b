"""Answers about freezing: requires_grad, eval, train again, no_grad, momentum 0."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, PARAMETERS, STATISTICS
from oracle.answers.answer import Answer, Sentence, proved
from oracle.answers.checks import Changed, Counts, Gradients, Moves, NormalisesBy, Unchanged

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "freeze",
        "How do I freeze BatchNorm? Why does running_mean change although requires_grad is False?",
        ("frozen BN", "fine-tuning", "transfer learning", "pretrained backbone", "requires_grad_(False)"),
        (
            Sentence(
                "There are two things to freeze. `requires_grad_(False)` freezes `weight` and `bias` "
                "alone: a forward in train mode goes on normalising with the batch, counting and "
                "updating `running_mean` and `running_var`.",
                proved(
                    "edge-protocol-frozen", NormalisesBy(3, "batch"), Changed(3, 2, BUFFERS),
                    Unchanged(3, 2, PARAMETERS), Gradients(6, ("input",)),
                ),
            ),
            Sentence(
                "`eval()` on the layer freezes the statistics: a forward normalises with the running "
                "buffers and changes none of them.",
                proved("claim-parameters-eval_uses_buffers"),
            ),
            Sentence(
                "In eval mode `weight` and `bias` still get gradients, so an optimizer still changes "
                "them. A layer that is frozen altogether needs both: `eval()` and "
                "`requires_grad_(False)`.",
                proved(
                    "edge-backward-forward_all", NormalisesBy(5, "running"),
                    Gradients(6, ("weight", "bias")), Unchanged(6, 4, BUFFERS),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1).requires_grad_(False)
x = torch.arange(4.0).reshape(1, 1, 2, 2)
m(x); print("train:", m.running_mean.tolist(), int(m.num_batches_tracked))
m.eval(); m(x); print("eval: ", m.running_mean.tolist(), int(m.num_batches_tracked))
""",
        """\
train: [0.15000000596046448] 1
eval:  [0.15000000596046448] 1
""",
        ("https://discuss.pytorch.org/t/137904",),
    ),
    Answer(
        "model-train-unfreezes",
        "Why is my frozen BatchNorm updated again? What does model.train() do to it?",
        ("un-freeze", "unfreeze", "module.eval() is undone", "train(mode) override", "every epoch"),
        (
            Sentence(
                "`train()` puts the layer back into train mode, and the next forward counts and updates, "
                "also under `torch.no_grad()`. `model.train()` does so to every layer of the model: call "
                "`eval()` on the frozen layers after each `model.train()`.",
                proved(
                    "edge-accumulation-eval_train", Unchanged(3, 1, BUFFERS), Unchanged(5, 1, BUFFERS),
                    NormalisesBy(6, "batch"), Changed(6, 5, BUFFERS),
                ),
            ),
            Sentence(
                "Assigning the attribute, `layer.training = False`, does what `eval()` does to this "
                "layer.",
                proved(
                    "matrix-affine-track-momentum_1.0-alternating-training_attribute-between_train-bounded-n8-float32",
                    NormalisesBy(2, "batch"), NormalisesBy(4, "running"), Unchanged(4, 3, BUFFERS),
                ),
            ),
        ),
        """\
import torch
model = torch.nn.Sequential(torch.nn.BatchNorm2d(1).eval())
x = torch.arange(4.0).reshape(1, 1, 2, 2)
model.train(); model(x); print(model[0].running_mean.tolist())
model.train(); model[0].eval(); model(x); print(model[0].running_mean.tolist())
""",
        """\
[0.15000000596046448]
[0.15000000596046448]
""",
    ),
    Answer(
        "no-grad",
        "Does torch.no_grad() or torch.inference_mode() stop the update of the running statistics?",
        ("no_grad is not eval", "validation without model.eval()", "inference_mode"),
        (
            Sentence(
                "No. In train mode a forward under `torch.no_grad()` normalises with the batch, counts "
                "and updates like any other.",
                proved("edge-autograd-no_grad", NormalisesBy(2, "batch"), Moves(2, 0.1), Counts(2, 1)),
            ),
            Sentence(
                "The same is true under `torch.inference_mode()`.",
                proved(
                    "edge-accumulation-tracked_inference", NormalisesBy(2, "batch"), Moves(2, 0.1),
                    Counts(2, 1),
                ),
            ),
            Sentence(
                "Only the mode decides: in eval mode neither of the two is needed to leave the buffers "
                "alone.",
                proved("claim-notebook-eval_changes_nothing"),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2)
with torch.no_grad():
    m(x)
print(m.running_mean.tolist(), int(m.num_batches_tracked))
""",
        """\
[0.15000000596046448] 1
""",
    ),
    Answer(
        "momentum-0",
        "Does momentum=0 freeze the statistics? What does momentum=1 do?",
        ("momentum=0.0", "momentum=1.0", "freeze running_mean with momentum"),
        (
            Sentence(
                "With `momentum=0` the buffers keep their numbers in train mode, but the batch still "
                "normalises and is still counted: it is not what `eval()` does.",
                proved(
                    "edge-backward_program-eval_train_momentum_0", NormalisesBy(5, "batch"),
                    Unchanged(5, 4, STATISTICS), Counts(5, 1),
                ),
            ),
            Sentence(
                "With `momentum=1` the buffers are those of the last batch alone.",
                proved("claim-notebook-momentum_one"),
            ),
            Sentence(
                "Neither protects from NaN: with `momentum=0` a NaN in the batch makes the buffers of "
                "its channel NaN all the same, because 0 times NaN is NaN.",
                proved("edge-nonfinite-momentum_zero_nan", Changed(2, 1, STATISTICS)),
            ),
            Sentence(
                "A momentum outside 0 to 1 is not refused.",
                proved("edge-momentum-momentum_2.0", Moves(3, 2.0)),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1, momentum=0), torch.arange(4.0).reshape(1, 1, 2, 2)
print([round(y, 2) for y in m(x).flatten().tolist()], m.running_mean.tolist(), int(m.num_batches_tracked))
m.momentum = 1
m(x); print(m.running_mean.tolist(), int(m.num_batches_tracked))
""",
        """\
[-1.34, -0.45, 0.45, 1.34] [0.0] 1
[1.5] 2
""",
        ("https://github.com/pytorch/pytorch/issues/127736",),
    ),
)  # fmt: skip
