"""The statements of the text about the core parameters of BatchNorm."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, STATISTICS
from cases.claims.checks import Changed, Differs, Equals, HasKeys, Prints, Raises, Returns, Unchanged
from cases.claims.claim import Claim
from cases.construction import BARE, CUMULATIVE, NO_AFFINE, TRACKED, UNTRACKED, Config

CLAIMS: Tuple[Claim, ...] = (
    Claim(
        "affine_true", "parameters", 8, "affine=True: multiplied by weight (initially 1), plus bias (0).",
        "confirmed", TRACKED, "preset,forward:b0",
        (
            Equals(0, "weight", "one"), Equals(0, "bias", "zero"),
            Equals(2, "output", "scaled and shifted"),
        ),
    ),
    Claim(
        "affine_true_eval", "parameters", 14, "affine=True in eval: multiplied by weight, plus bias.",
        "confirmed", UNTRACKED, "preset,eval,forward:b0",
        (Equals(3, "output", "scaled and shifted"),),
    ),
    Claim(
        "affine_false", "parameters", 10, "affine=False: there is no weight and no bias.",
        "confirmed", NO_AFFINE, "forward:b0",
        (HasKeys(0, BUFFERS), Equals(1, "output", "normalised by the biased variance")),
    ),
    Claim(
        "affine_false_eval", "parameters", 16, "affine=False in eval: nothing is applied.",
        "confirmed", NO_AFFINE, "eval,forward:b0",
        (Equals(2, "output", "normalised by the initial buffers"),),
    ),
    Claim(
        "affine_changed_later", "parameters", 19,
        "affine changed on the instance: no effect, construction decides.",
        "refined", TRACKED, "preset,set:affine:false,forward:b0,reset_parameters",
        (Equals(3, "output", "scaled and shifted"), Unchanged(4, 3, ("weight", "bias"))),
        "True of a forward; reset_parameters reads the flag as it is now and leaves weight and bias.",
    ),
    Claim(
        "updates_in_train_only", "parameters", 107,
        "Buffers are only updated in train mode with track_running_stats=True.",
        "confirmed", TRACKED, "forward:b0,eval,forward:b1,train,set:track_running_stats:false,forward:b2",
        (Changed(1, 0, BUFFERS), Unchanged(6, 1, BUFFERS)),
        refuted_where="untracked_train_updates",
    ),
    Claim(
        "train_normalises_by_batch", "parameters", 113,
        "In train mode the batch is normalised with its own statistics only.",
        "refined", NO_AFFINE, "preset,forward:b0",
        (
            Equals(2, "output", "normalised by the biased variance"),
            Differs(2, "output", "normalised by the unbiased variance"),
        ),
        "With the biased variance, although the unbiased one is stored.",
    ),
    Claim(
        "counter_starts_at_zero", "parameters", 116, "num_batches_tracked starts at 0.",
        "confirmed", TRACKED, "forward:b0,forward:b1",
        (Prints(0, "num_batches_tracked", ("0",)), Prints(2, "num_batches_tracked", ("2",))),
    ),
    Claim(
        "momentum_none", "parameters", 118,
        "momentum None: a cumulative average that uses num_batches_tracked.",
        "confirmed", CUMULATIVE, "preset,forward:b0,forward:b1,forward:b2",
        (Equals(4, "running_mean", "mean of the batch means"),),
    ),
    Claim(
        "unbiased_is_stored", "parameters", 123,
        "x_batch are the batch's mean and unbiased sample variance.",
        "confirmed", Config(11, momentum=1.0), "forward:b0",
        (Equals(1, "running_var", "unbiased variance"), Differs(1, "running_var", "biased variance")),
    ),
    Claim(
        "cumulative_factor", "parameters", 124, "factor = 1/num_batches_tracked.",
        "confirmed", CUMULATIVE, "forward:b0,forward:b1",
        (Equals(2, "running_var", "mean of the unbiased variances"),),
    ),
    Claim(
        "exponential_factor", "parameters", 125, "factor = momentum.",
        "confirmed", Config(11, momentum=0.1), "forward:b0",
        (Equals(1, "running_mean", "a tenth of the batch mean"),),
    ),
    Claim(
        "track_off_later_train", "parameters", 127,
        "track_running_stats=False set later: in train mode num_batches_tracked stays.",
        "confirmed", TRACKED, "set:track_running_stats:false,forward:b0",
        (Unchanged(2, 0, ("num_batches_tracked",)),),
    ),
    Claim(
        "track_off_later_like_built_so", "parameters", 139,
        "In train mode that has the same effect as track_running_stats=False at construction.",
        "confirmed", NO_AFFINE, "set:track_running_stats:false,forward:b0",
        (Equals(2, "output", "normalised by the biased variance"), Unchanged(2, 0, STATISTICS)),
        refuted_where="untracked_train_updates",
    ),
    Claim(
        "untracked_has_no_buffers", "parameters", 146,
        "Built with track_running_stats=False: no running_mean, no running_var, batch statistics.",
        "confirmed", BARE, "forward:b0",
        (HasKeys(0, ()), Equals(1, "output", "normalised by the biased variance")),
    ),
    Claim(
        "track_on_later_train", "parameters", 151,
        "track_running_stats=True set later: the counter stays None, nothing changes.",
        "confirmed", BARE,
        "set:track_running_stats:true,forward:b0",
        (HasKeys(2, ()), Equals(2, "output", "normalised by the biased variance")),
    ),
    Claim(
        "eval_uses_buffers", "parameters", 167, "Tracked and in eval: the global statistics are used.",
        "confirmed", NO_AFFINE, "eval,forward:b0",
        (Equals(2, "output", "normalised by the initial buffers"), Unchanged(2, 0, BUFFERS)),
    ),
    Claim(
        "track_off_later_eval", "parameters", 170,
        "track_running_stats=False set later, eval: still the stored statistics; no effect.",
        "confirmed", NO_AFFINE, "set:track_running_stats:false,eval,forward:b0",
        (Equals(3, "output", "normalised by the initial buffers"), Unchanged(3, 0, BUFFERS)),
        refuted_where="flag_alone_selects_statistics",
    ),
    Claim(
        "untracked_eval", "parameters", 180, "Built untracked, eval: the batch's statistics are used.",
        "confirmed", BARE, "eval,forward:b0",
        (Equals(2, "output", "normalised by the biased variance"),),
    ),
    Claim(
        "untracked_eval_unbiased", "parameters", 182,
        "There it is the unbiased sample variance that normalises (unlike training).",
        "refuted", BARE, "eval,forward:b0",
        (
            Equals(2, "output", "normalised by the biased variance"),
            Differs(2, "output", "normalised by the unbiased variance"),
        ),
        "The biased variance normalises wherever batch statistics do, in train and eval.",
    ),
    Claim(
        "untracked_eval_batch_of_one", "parameters", 182,
        "So with batch_size=1 the denominator is 0 and it raises an error.",
        "refuted", Config(2, affine=False, track_running_stats=False),
        "eval,forward:notebook_eval,forward:one_value",
        (Returns(2), Equals(2, "output", "normalised by the biased variance"), Raises(3, "ValueError")),
        "A batch of one image of 2x2 works. One value a channel raises ValueError, in eval too, by a "
        "check that speaks of training (#156051), not by a division.",
    ),
    Claim(
        "track_on_later_eval", "parameters", 184,
        "track_running_stats=True set later, eval: still the batch's statistics.",
        "confirmed", BARE,
        "set:track_running_stats:true,eval,forward:b0",
        (Returns(3), Equals(3, "output", "normalised by the biased variance")),
        refuted_where="flag_alone_selects_statistics",
    ),
)  # fmt: skip
