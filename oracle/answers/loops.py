"""Answers about training loops: checkpointing, accumulation, shared layers, empty batches."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, PARAMETERS, STATISTICS
from oracle.answers.answer import Answer, Proof, Sentence, proved
from oracle.answers.checks import (
    Counts,
    Entries,
    Gradients,
    Moves,
    NormalisesBy,
    Raises,
    Returns,
    Says,
    Unchanged,
)

_UNCOUNTED = "matrix-affine-track-momentum_0.1-alternating-drop_counter-between_train-bounded-n8-float64"

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "gradient-checkpointing",
        "Are the running statistics updated twice with gradient checkpointing (torch.utils.checkpoint)?",
        (
            "activation checkpointing", "use_reentrant", "recomputation", "momentum with checkpoint",
            "num_batches_tracked doubles",
        ),
        (
            Sentence(
                "A layer inside a checkpoint runs twice for each batch. Every forward in train mode "
                "updates: two forwards of the same batch move the buffers twice and count 2.",
                proved("edge-layout-channels_last_n8", Moves(2, 0.1), Moves(3, 0.1), Counts(3, 2)),
            ),
            Sentence(
                "That one of them runs under `torch.no_grad()`, as with `use_reentrant=True`, makes no "
                "difference.",
                proved("edge-autograd-no_grad", Moves(2, 0.1), Moves(4, 0.1), Counts(4, 3)),
            ),
            Sentence(
                "The output stays the same: a forward in train mode does not read the buffers.",
                proved("claim-parameters-train_normalises_by_batch"),
            ),
            Sentence(
                "Two updates by the same batch move the buffers as far as one does, if momentum is "
                "1 - sqrt(1 - momentum): 0.0513 in place of 0.1.",
                proved("edge-layout-channels_last_n8", Moves(2, 0.1), Moves(3, 0.1)),
            ),
        ),
        """\
import torch; from torch.utils.checkpoint import checkpoint
x = torch.arange(4.0).reshape(1, 1, 2, 2).requires_grad_()
for reentrant in (False, True):
    m = torch.nn.BatchNorm2d(1); checkpoint(m, x, use_reentrant=reentrant).sum().backward()
    print(int(m.num_batches_tracked), round(m.running_mean.item(), 4), "= 1.5 * (1 - 0.9 ** 2)")
""",
        """\
2 0.285 = 1.5 * (1 - 0.9 ** 2)
2 0.285 = 1.5 * (1 - 0.9 ** 2)
""",
        (
            "https://github.com/pytorch/pytorch/issues/96136",
            "https://github.com/pytorch/pytorch/issues/62471",
            "https://discuss.pytorch.org/t/17738",
        ),
    ),
    Answer(
        "gradient-accumulation",
        "How does BatchNorm behave with gradient accumulation?",
        ("micro-batch", "accumulate gradients", "effective batch size", "optimizer.step every k batches"),
        (
            Sentence(
                "Every forward normalises with its own small batch, counts 1 and updates the buffers, "
                "whenever the optimizer steps.",
                proved(
                    "edge-accumulation-train_two_forwards", NormalisesBy(2, "batch"),
                    NormalisesBy(4, "batch"), Moves(2, 0.1), Moves(4, 0.1), Counts(4, 2),
                ),
            ),
            Sentence(
                "The backward changes no buffer and no parameter; `zero_grad()` changes none either.",
                (
                    Proof(
                        "edge-accumulation-train_two_forwards", (Unchanged(3, 2, BUFFERS + PARAMETERS),)
                    ),
                    Proof("edge-accumulation-train_cleared", (Unchanged(4, 2, BUFFERS + PARAMETERS),)),
                    Proof("claim-group_norm-buffers_without_backward"),
                ),
            ),
        ),
        """\
import torch
x, whole, parts = torch.arange(4.0).reshape(4, 1, 1, 1), torch.nn.BatchNorm2d(1), torch.nn.BatchNorm2d(1)
print("one batch:  ", [round(y, 2) for y in whole(x).flatten().tolist()], int(whole.num_batches_tracked))
halves = torch.cat([parts(x[:2]), parts(x[2:])])
print("two batches:", [round(y, 2) for y in halves.flatten().tolist()], int(parts.num_batches_tracked))
""",
        """\
one batch:   [-1.34, -0.45, 0.45, 1.34] 1
two batches: [-1.0, 1.0, -1.0, 1.0] 2
""",
    ),
    Answer(
        "used-twice",
        "What if one BatchNorm2d is called twice in a step (shared layer, siamese network, GAN)?",
        (
            "shared weights", "weight sharing", "siamese", "discriminator real and fake batch",
            "one of the variables needed for gradient computation has been modified by an inplace "
            "operation",
            "two forwards",
        ),
        (
            Sentence(
                "Each call normalises with its own batch and updates the same buffers, one after the "
                "other.",
                proved(
                    "edge-accumulation-train_two_forwards", Moves(2, 0.1), Moves(4, 0.1), Counts(4, 2),
                ),
            ),
            Sentence(
                "In train mode both calls can be differentiated afterwards, in any order: the buffers "
                "that changed in between are not read.",
                proved(
                    "edge-backward_program-train_train_earlier_then_last",
                    Gradients(4, ("input", "weight", "bias")), Gradients(5, ("input", "weight", "bias")),
                ),
            ),
            Sentence(
                "A weight that is written in place between a forward and its backward raises "
                "RuntimeError \"modified by an inplace operation\".",
                proved(
                    "edge-backward_program-train_preset",
                    Raises(4, "RuntimeError", "modified by an inplace operation"),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1)
a, b = torch.zeros(2, 1, 1, 1), torch.ones(2, 1, 1, 1)
(m(a) + m(b)).sum().backward()
print(int(m.num_batches_tracked), round(m.running_mean.item(), 4), m.bias.grad.item())
""",
        """\
2 0.1 4.0
""",
    ),
    Answer(
        "num-batches-tracked",
        "What is num_batches_tracked? When does it change, and what is it for?",
        ("num_batches_tracked", "tensor(0)", "LongTensor buffer", "int64 buffer", "counter"),
        (
            Sentence(
                "It counts the forwards in train mode with `track_running_stats=True`, beginning at 0; "
                "eval mode leaves it alone.",
                (
                    Proof("claim-parameters-counter_starts_at_zero"),
                    Proof("edge-autograd-no_grad", (Counts(4, 3), Counts(7, 3))),
                ),
            ),
            Sentence(
                "Only `momentum=None` uses it: the factor is 1 / num_batches_tracked. With a number as "
                "momentum the buffers move alike without it.",
                (
                    Proof("claim-parameters-cumulative_factor"),
                    Proof(_UNCOUNTED, (Moves(2, 0.1), Moves(4, 0.1), Counts(4, None))),
                ),
            ),
            Sentence(
                "A batch that is refused later in the forward has been counted, one with another "
                "number of dimensions has not.",
                (
                    Proof("edge-shape-one_value_tracked", (Raises(1, "ValueError"), Counts(1, 1))),
                    Proof("edge-shape-three_dims", (Raises(2, "ValueError"), Counts(2, 0))),
                ),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.ones(2, 1, 1, 1)
m(x); m(x); m.eval()(x)
print(m.num_batches_tracked)
""",
        """\
tensor(2)
""",
    ),
    Answer(
        "weight-decay",
        "affine=False: are there parameters? Does weight decay touch BatchNorm?",
        ("weight decay", "no_decay", "learnable parameters", "gamma and beta", "elementwise_affine"),
        (
            Sentence(
                "With `affine=False` weight and bias are None: there is no parameter to train or decay.",
                proved("edge-text-bare", Entries(0, ())),
            ),
            Sentence(
                "The running statistics and the counter are buffers, not parameters: an optimizer over "
                "`parameters()` does not see them.",
                proved(
                    "edge-protocol-order",
                    Says(1, "weight bias; running_mean running_var num_batches_tracked"),
                ),
            ),
            Sentence(
                "weight begins at 1 and bias at 0, one number for each channel.",
                (
                    Proof("claim-notebook-gamma_and_beta"),
                    Proof("claim-feature_map-two_parameters_a_channel"),
                ),
            ),
            Sentence(
                "`affine` is read at construction. Set to False later, a forward still scales and "
                "shifts.",
                proved("claim-parameters-affine_changed_later"),
            ),
            Sentence(
                "`m.weight = None` and `m.bias = None` do remove them, also one alone.",
                proved(
                    "edge-backward-forward_weight_dropped", Entries(2, ("bias", *BUFFERS)), Returns(3),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1, affine=False)
print([name for name, _ in m.named_parameters()], [name for name, _ in m.named_buffers()])
m.affine = True
print(m.weight, m.bias)
""",
        """\
[] ['running_mean', 'running_var', 'num_batches_tracked']
None None
""",
    ),
    Answer(
        "bias-keyword",
        "Can I build BatchNorm2d without bias (bias=False)?",
        ("bias=False", "weight without bias", "unexpected keyword argument 'bias'"),
        (
            Sentence(
                "Yes: a weight, and no bias.",
                proved("edge-text-no_bias", Entries(0, ("weight", *BUFFERS)), Says(1, "bias=False")),
            ),
            Sentence(
                "The constructor raises TypeError \"unexpected keyword argument 'bias'\"; `m.bias = "
                "None` after construction does the same.",
                (
                    Proof("edge-backward-forward_bias_dropped", (Entries(2, ("weight", *BUFFERS)),)),
                    Proof(
                        "edge-text-no_bias",
                        (Raises(0, "TypeError", "unexpected keyword argument 'bias'"),),
                    ),
                ),
                past=True,
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1)
m.bias = None
print(m(torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1)).flatten().tolist()[1] > 0.99, list(m.state_dict()))
""",
        """\
True ['weight', 'running_mean', 'running_var', 'num_batches_tracked']
""",
        ("https://github.com/pytorch/pytorch/issues/157144",),
    ),
    Answer(
        "empty-batch",
        "What does BatchNorm2d do with an empty batch?",
        ("batch size 0", "zero-size input", "no samples", "empty tensor"),
        (
            Sentence(
                "It returns an empty output. In train mode the batch is counted, and the running "
                "statistics stay as they are.",
                proved(
                    "edge-empty-no_batch", Returns(2), Counts(1, 0), Counts(2, 1),
                    Unchanged(2, 1, STATISTICS),
                ),
            ),
            Sentence(
                "With `momentum=None` the empty batch counts, too, so the next batch has the factor 1/2.",
                proved("edge-empty-no_batch_cumulative", Counts(1, 1), Moves(2, 0.5)),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(3)
print(m(torch.empty(0, 3, 2, 2)).shape)
print(int(m.num_batches_tracked), m.running_mean.tolist())
""",
        """\
torch.Size([0, 3, 2, 2])
1 [0.0, 0.0, 0.0]
""",
    ),
)  # fmt: skip
