"""Answers about the numbers: train against eval, biased and unbiased, momentum, the plain average."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, STATISTICS
from oracle.answers.answer import Answer, Proof, Sentence, proved
from oracle.answers.checks import Counts, Moves, NormalisesBy, Raises, Says, Unchanged

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "eval-differs-from-train",
        "Why does model.eval() give other results than model.train()?",
        (
            "eval gives different results", "bad accuracy in eval mode", "good in train, bad in eval",
            "validation loss", "output depends on the batch",
        ),
        (
            Sentence(
                "In train mode the batch's own mean and biased variance normalise; in eval mode the "
                "buffers `running_mean` and `running_var` do. They are different numbers.",
                (
                    Proof("claim-parameters-train_normalises_by_batch"),
                    Proof("claim-parameters-eval_uses_buffers"),
                ),
            ),
            Sentence(
                "The buffers begin at 0 and 1 and move by a tenth of the way in each batch. Before any "
                "training, eval divides by sqrt(1 + eps) and does nothing else; after 100 batches "
                "0.9 ** 100 of the distance is left.",
                (
                    Proof("claim-question-initial_values"),
                    Proof("claim-parameters-affine_false_eval"),
                    Proof("claim-notebook-after_hundred"),
                ),
            ),
            Sentence(
                "Even with `momentum=1`, when the buffers are those of the very batch, the results "
                "differ: `running_var` is the *unbiased* variance, n/(n-1) times the one that train "
                "mode uses.",
                (Proof("claim-parameters-unbiased_is_stored"), Proof("claim-notebook-biased_estimator")),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1, momentum=1.0), torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1)
print("train:", [round(y, 3) for y in m(x).flatten().tolist()])
m.eval()
print("eval: ", [round(y, 3) for y in m(x).flatten().tolist()], m.running_var.tolist())
""",
        """\
train: [-1.0, 1.0]
eval:  [-0.707, 0.707] [2.0]
""",
        (
            "https://discuss.pytorch.org/t/18600",
            "https://discuss.pytorch.org/t/7146",
            "https://github.com/pytorch/pytorch/issues/5406",
        ),
    ),
    Answer(
        "biased-or-unbiased",
        "Is the variance biased or unbiased? Which one is running_var?",
        ("Bessel's correction", "running_var unbiased", "divide by n or n-1", "my own BatchNorm differs"),
        (
            Sentence(
                "Wherever the batch normalises, it does so with the biased variance (divided by n), in "
                "train mode and in eval mode without buffers.",
                (
                    Proof("claim-parameters-train_normalises_by_batch"),
                    Proof("claim-parameters-untracked_eval_unbiased"),
                ),
            ),
            Sentence(
                "`running_var` stores the unbiased variance (divided by n - 1), n being the number of "
                "values of a channel in the batch, N * H * W.",
                (
                    Proof("claim-parameters-unbiased_is_stored"),
                    Proof("claim-question-variance_by_hand"),
                    Proof("claim-question-across_space"),
                ),
            ),
            Sentence(
                "The output is (x - mean) / sqrt(variance + eps) * weight + bias: eps is inside the "
                "root.",
                proved("claim-notebook-formula"),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1, momentum=1.0), torch.arange(4.0).reshape(1, 1, 2, 2)
y = m(x)
print(m.running_var.item() == x.var(unbiased=True).item())
print(torch.allclose(y, (x - x.mean()) / (x.var(unbiased=False) + m.eps).sqrt()))
""",
        """\
True
True
""",
        ("https://discuss.pytorch.org/t/51877",),
    ),
    Answer(
        "by-hand",
        "How do I write the eval forward by hand, or fold BatchNorm into a convolution?",
        (
            "fuse conv and bn", "fuse_conv_bn_eval", "my implementation differs", "scale and shift",
            "inference",
        ),
        (
            Sentence(
                "In eval mode with buffers it is one multiplication and one addition for each channel: "
                "scale = weight / sqrt(running_var + eps), shift = bias - running_mean * scale. The "
                "batch does not matter, and nothing changes.",
                proved("edge-autograd-no_grad", NormalisesBy(6, "running"), Unchanged(6, 5, BUFFERS)),
            ),
            Sentence(
                "The statistics run over N, H and W: one mean and one variance for each channel, not "
                "one for each image.",
                (Proof("claim-question-across_space"), Proof("claim-question-shape")),
            ),
            Sentence(
                "A new module is in train mode, where the batch normalises: call `eval()` before you "
                "compare.",
                proved("edge-protocol-hooks", NormalisesBy(2, "batch"), NormalisesBy(5, "running")),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2)
m(x); m.eval()
scale = m.weight / (m.running_var + m.eps).sqrt(); shift = m.bias - m.running_mean * scale
print(torch.allclose(m(x), x * scale + shift))
""",
        """\
True
""",
        ("https://discuss.pytorch.org/t/139598", "https://discuss.pytorch.org/t/96889"),
    ),
    Answer(
        "momentum",
        "What does momentum mean in BatchNorm? Is it the share of the old value or of the new one?",
        (
            "exponential moving average", "momentum 0.1", "momentum 0.9", "momentum 0.99",
            "momentum in TensorFlow", "momentum in Keras",
        ),
        (
            Sentence(
                "The share of the new batch: running = (1 - momentum) * running + momentum * batch, with "
                "0.1 by default.",
                (
                    Proof("claim-question-default_momentum"),
                    Proof("claim-question-mean_by_hand"),
                    Proof("claim-question-variance_by_hand"),
                ),
            ),
            Sentence(
                "At 0.9 a tenth of the old value is left after one batch.",
                proved("claim-question-momentum_near_one"),
            ),
            Sentence(
                "In TensorFlow and Keras momentum is the share of the *old* value. Take the complement: "
                "0.9 there is 0.1 here.",
                (Proof("claim-question-default_momentum"), Proof("claim-question-mean_by_hand")),
            ),
            Sentence(
                "`momentum` is read in every forward, so assigning it takes effect at once.",
                proved("claim-feature_map-momentum_set_to_one"),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.full((2, 1, 1, 1), 10.0)
m(x); print(m.running_mean.tolist())
m.momentum = 0.5
m(x); print(m.running_mean.tolist())
""",
        """\
[1.0]
[5.5]
""",
        ("https://keras.io/api/layers/normalization_layers/batch_normalization/",),
    ),
    Answer(
        "momentum-none",
        "What does momentum=None do?",
        (
            "cumulative moving average", "simple average", "num_batches_tracked", "recompute statistics",
            "SWA",
        ),
        (
            Sentence(
                "The buffers become the plain average over all batches: the factor of the k-th batch is "
                "1/k, and k is `num_batches_tracked`.",
                (Proof("claim-parameters-momentum_none"), Proof("claim-parameters-cumulative_factor")),
            ),
            Sentence(
                "Set later, it goes on from the counter: after two batches the third has the factor 1/3.",
                proved("edge-momentum-none_later", Moves(3, 0.1), Moves(5, 1 / 3), Counts(5, 3)),
            ),
            Sentence(
                "Without the counter (`num_batches_tracked = None`) the factor is 0 and the buffers "
                "stay as they are.",
                proved(
                    "edge-counter-without_counter", NormalisesBy(3, "batch"), Unchanged(3, 2, STATISTICS),
                    Counts(3, None),
                ),
            ),
            Sentence(
                "A counter that is 0 after counting raises ZeroDivisionError.",
                proved("edge-counter-minus_one", Raises(3, "ZeroDivisionError")),
            ),
            Sentence(
                "So it estimates the buffers of a trained model anew: `reset_running_stats()`, then "
                "forwards in train mode, also under `torch.no_grad()`.",
                (
                    Proof("edge-autograd-no_grad_cumulative", (Moves(2, 1.0), Moves(3, 0.5))),
                    Proof("edge-reset-affine_off", (Counts(3, 0),)),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1, momentum=None)
for value in (1.0, 2.0, 6.0):
    m(torch.full((2, 1, 1, 1), value))
print(m.running_mean.tolist(), int(m.num_batches_tracked))
""",
        """\
[3.0] 3
""",
    ),
    Answer(
        "eps",
        "What is eps for? Why does torch say that batch_norm eps must be positive?",
        ("batch_norm eps must be positive during training", "eps=0", "division by zero"),
        (
            Sentence(
                "eps is added to the variance under the root. A channel whose values are all the same "
                "gives `bias` up to rounding, not NaN.",
                (
                    Proof("claim-notebook-formula"),
                    Proof("edge-constant-constant", (NormalisesBy(2, "batch"),)),
                ),
            ),
            Sentence(
                "In train mode eps = 0 raises ValueError \"batch_norm eps must be positive\".",
                proved(
                    "edge-eps-eps_0.0_tracked",
                    Raises(3, "ValueError", "batch_norm eps must be positive"),
                ),
            ),
            Sentence(
                "In eval mode with buffers eps = 0 is allowed.",
                proved("edge-eps-eps_0.0_tracked", NormalisesBy(5, "running")),
            ),
            Sentence(
                "In eval mode eps = 0 is refused, too.",
                proved(
                    "edge-eps-eps_0.0_tracked",
                    Raises(5, "ValueError", "batch_norm eps must be positive"),
                ),
                past=True,
            ),
            Sentence(
                "eps is not looked at: 0 and negative numbers are taken.",
                proved("edge-eps-eps_minus_1.0_tracked", NormalisesBy(3, "batch")),
                past=True,
            ),
            Sentence(
                "It can be assigned at any time, and it is not in the state dict.",
                proved(
                    "edge-text-tracked", Says(7, "eps=0.5"),
                    Says(2, "bias num_batches_tracked running_mean running_var weight"),
                ),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.zeros(2, 1, 1, 1)
print(m(x).flatten().tolist())
print(sorted(m.state_dict()))
""",
        """\
[0.0, 0.0]
['bias', 'num_batches_tracked', 'running_mean', 'running_var', 'weight']
""",
    ),
)  # fmt: skip
