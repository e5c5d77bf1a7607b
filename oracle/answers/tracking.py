"""Answers about track_running_stats, absent buffers and resets."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, PARAMETERS, STATISTICS
from oracle.answers.answer import Answer, Proof, Sentence, proved
from oracle.answers.checks import Changed, Counts, Entries, NormalisesBy, NotFinite, Raises, Unchanged

_DROPPED = (
    "matrix-affine-track-momentum_0.1-train_then_eval-drop_running_stats-before_first_forward-exact-"
    "n30-float32"
)

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "track-running-stats-changed-late",
        "What happens when track_running_stats is set to False after construction?",
        ("bn.track_running_stats = False", "set late", "changed on the instance", "stop tracking"),
        (
            Sentence(
                "In train mode nothing is counted or updated any more; the batch normalises, as before.",
                (
                    Proof("claim-parameters-track_off_later_train"),
                    Proof("claim-parameters-track_off_later_like_built_so"),
                ),
            ),
            Sentence(
                "In train mode `running_mean` and `running_var` are updated all the same; only the "
                "counter stays.",
                proved(
                    "claim-parameters-updates_in_train_only", Changed(6, 5, STATISTICS),
                    Unchanged(6, 5, ("num_batches_tracked",)),
                ),
                past=True,
            ),
            Sentence(
                "In eval mode it has no effect: the buffers are there, so they normalise.",
                proved("claim-parameters-track_off_later_eval"),
            ),
            Sentence(
                "In eval mode the batch normalises instead, and the buffers are updated.",
                proved(
                    "claim-parameters-track_off_later_eval", NormalisesBy(3, "batch"),
                    Changed(3, 2, STATISTICS),
                ),
                past=True,
            ),
            Sentence(
                "`reset_running_stats()` does nothing while it is off.",
                proved("edge-reset-flag_off", Unchanged(4, 3, BUFFERS)),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2)
m.track_running_stats = False
print([round(y, 2) for y in m(x).flatten().tolist()], m.running_mean.tolist(), int(m.num_batches_tracked))
print([round(y, 2) for y in m.eval()(x).flatten().tolist()])
""",
        """\
[-1.34, -0.45, 0.45, 1.34] [0.0] 0
[0.0, 1.0, 2.0, 3.0]
""",
        (
            "https://github.com/pytorch/pytorch/issues/20967",
            "https://github.com/pytorch/pytorch/issues/37823",
            "https://github.com/pytorch/pytorch/issues/30294",
        ),
    ),
    Answer(
        "track-running-stats-turned-on-late",
        "What happens when track_running_stats is set to True after construction with False?",
        ("bn.track_running_stats = True", "start tracking later", "running_mean is None"),
        (
            Sentence(
                "Nothing, in train mode: no buffers appear, nothing is counted, the batch normalises.",
                proved("claim-parameters-track_on_later_train"),
            ),
            Sentence(
                "Nothing, in eval mode: without buffers the batch normalises.",
                proved("claim-parameters-track_on_later_eval"),
            ),
            Sentence(
                "In eval mode it raises RuntimeError \"running_mean must be defined in evaluation "
                "mode\".",
                proved(
                    "claim-parameters-track_on_later_eval",
                    Raises(3, "RuntimeError", "running_mean must be defined in evaluation mode"),
                ),
                past=True,
            ),
            Sentence(
                "`reset_running_stats()` then raises AttributeError, because it looks at the flag and "
                "finds None.",
                proved("edge-reset-flag_on_bare", Raises(2, "AttributeError")),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1, track_running_stats=False)
m.track_running_stats = True
m(torch.arange(4.0).reshape(1, 1, 2, 2))
print(m.running_mean, m.num_batches_tracked)
""",
        """\
None None
""",
    ),
    Answer(
        "built-without-tracking",
        "What does BatchNorm2d(..., track_running_stats=False) do in train and in eval?",
        ("batch statistics in eval", "no running_mean in state_dict", "eval is like train"),
        (
            Sentence(
                "There are no buffers: `running_mean`, `running_var` and `num_batches_tracked` are "
                "None and not in the state dict.",
                proved("claim-parameters-untracked_has_no_buffers"),
            ),
            Sentence(
                "The batch's statistics normalise in train mode and in eval mode.",
                (
                    Proof("claim-parameters-untracked_eval"),
                    Proof("claim-notebook-untracked_uses_batch_in_eval"),
                ),
            ),
            Sentence(
                "So one value per channel raises \"Expected more than 1 value per channel when "
                "training\" in eval mode, too.",
                proved(
                    "edge-shape-one_value_untracked",
                    Raises(3, "ValueError", "Expected more than 1 value per channel when training"),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1, track_running_stats=False)
x = torch.arange(4.0).reshape(1, 1, 2, 2)
print(sorted(m.state_dict()), m.running_mean)
print(torch.equal(m.train()(x), m.eval()(x)))
""",
        """\
['bias', 'weight'] None
True
""",
        ("https://github.com/pytorch/pytorch/issues/156051",),
    ),
    Answer(
        "batch-statistics-at-test-time",
        "Can I set running_mean to None? How do I make a trained BatchNorm use batch statistics in eval "
        "mode?",
        (
            "test-time adaptation", "running_mean = None", "use batch statistics in eval",
            "drop the buffers",
        ),
        (
            Sentence(
                "Set `running_mean` and `running_var` both to None: then the batch normalises in eval "
                "mode.",
                proved(
                    _DROPPED,
                    Entries(3, (*PARAMETERS, "num_batches_tracked")), NormalisesBy(7, "batch"),
                ),
            ),
            Sentence(
                "In eval mode that raises RuntimeError \"running_mean must be defined in evaluation "
                "mode\".",
                proved(
                    _DROPPED,
                    Raises(7, "RuntimeError", "running_mean must be defined in evaluation mode"),
                ),
                past=True,
            ),
            Sentence(
                "Only one of them None raises in eval mode: \"running_mean must be defined in evaluation "
                "mode\".",
                proved(
                    "edge-backward-statistics_mean_dropped",
                    Raises(8, "RuntimeError", "running_mean must be defined in evaluation mode"),
                ),
            ),
            Sentence(
                "In train mode with both None a batch is still counted.",
                proved(
                    "edge-counter-counts_without_buffers", NormalisesBy(3, "batch"), Counts(3, 1),
                ),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1).eval(), torch.arange(4.0).reshape(1, 1, 2, 2)
print("running:", [round(y, 2) for y in m(x).flatten().tolist()])
m.running_mean = m.running_var = None
print("batch:  ", [round(y, 2) for y in m(x).flatten().tolist()])
""",
        """\
running: [0.0, 1.0, 2.0, 3.0]
batch:   [-1.34, -0.45, 0.45, 1.34]
""",
    ),
    Answer(
        "reset",
        "How do I reset the running statistics?",
        ("reset_running_stats", "reset_parameters", "reinitialise", "re-estimate statistics"),
        (
            Sentence(
                "`reset_running_stats()` sets `running_mean` to 0, `running_var` to 1 and the counter "
                "to 0, and leaves weight and bias.",
                proved(
                    "edge-backward_program-train_reset_running_stats", Unchanged(3, 0, BUFFERS),
                    Unchanged(3, 2, PARAMETERS),
                ),
            ),
            Sentence(
                "`reset_parameters()` does the same, and sets weight to 1 and bias to 0.",
                proved(
                    "edge-backward_program-train_reset_parameters", Unchanged(3, 0, BUFFERS + PARAMETERS),
                ),
            ),
            Sentence(
                "`reset_parameters()` looks at `affine` as it is now: if it was set to False, weight and "
                "bias stay.",
                proved("edge-reset-affine_off", Unchanged(3, 2, PARAMETERS), Unchanged(3, 0, BUFFERS)),
            ),
            Sentence(
                "`reset_parameters()` raises AttributeError where the bias is None.",
                proved("edge-reset-bias_dropped", Raises(3, "AttributeError")),
                past=True,
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1)
m(torch.arange(4.0).reshape(1, 1, 2, 2)); print(m.running_mean.tolist())
m.reset_running_stats()
print(m.running_mean.tolist(), m.running_var.tolist(), int(m.num_batches_tracked))
""",
        """\
[0.15000000596046448]
[0.0] [1.0] 0
""",
    ),
    Answer(
        "nan",
        "One batch had a NaN: why is running_mean NaN for ever? How do I get rid of it?",
        ("nan loss", "running_var nan", "inf in batch", "output is nan in eval only"),
        (
            Sentence(
                "In train mode a NaN makes `running_mean` and `running_var` of its channel NaN, and no "
                "later batch heals them, because every update keeps a part of the old value. Other "
                "channels are not touched.",
                proved(
                    "edge-nonfinite-nan", NotFinite(1, STATISTICS, 0), NotFinite(2, STATISTICS, 1),
                    NotFinite(3, STATISTICS, 1),
                ),
            ),
            Sentence(
                "In eval mode a NaN in the batch leaves the buffers alone.",
                proved("edge-nonfinite-nan", NormalisesBy(5, "running"), Unchanged(5, 4, BUFFERS)),
            ),
            Sentence(
                "Not even `momentum=1` forgets it with the next batch: 0 times NaN is NaN.",
                proved("edge-nonfinite-momentum_one_nan", NotFinite(3, STATISTICS, 1)),
            ),
            Sentence(
                "`reset_running_stats()` makes all of them finite again.",
                proved(
                    "matrix-affine-track-momentum_1.5-train_then_eval-reset_running_stats-"
                    "between_train_and_eval-nonfinite-n8-float32",
                    NotFinite(3, STATISTICS, 2), NotFinite(4, STATISTICS, 0), Counts(4, 0),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(2)
m(torch.tensor([float("nan"), 1.0, 0.0, 3.0]).reshape(2, 2, 1, 1))
m(torch.ones(2, 2, 1, 1)); print([round(y, 4) for y in m.running_mean.tolist()])
m.reset_running_stats(); print(m.running_mean.tolist())
""",
        """\
[nan, 0.28]
[0.0, 0.0]
""",
    ),
)  # fmt: skip
