"""The statements of the text about the operation on a feature map."""

from __future__ import annotations

from typing import Tuple

from cases.claims.checks import Differs, Equals, HasFlag, HasShape
from cases.claims.claim import Claim
from cases.construction import Config

CLAIMS: Tuple[Claim, ...] = (
    Claim(
        "sixteen_elements", "feature_map", 24,
        "Mean and variance run over all elements of one channel in the batch: 4*2*2 = 16.",
        "confirmed", Config(3, momentum=1.0), "forward:feature_map",
        (Equals(1, "running_mean", "batch mean"),),
    ),
    Claim(
        "normalise_then_scale", "feature_map", 28,
        "Subtract the mean, divide by the variance, times gamma plus beta.",
        "refined", Config(3), "preset,forward:feature_map",
        (Equals(2, "output", "scaled and shifted"), Differs(2, "output", "divided by the variance")),
        "Divided by the root of the variance plus eps, not by the variance.",
    ),
    Claim(
        "two_parameters_a_channel", "feature_map", 34, "Two learnable numbers a channel.",
        "confirmed", Config(3), "forward:feature_map",
        (HasShape(0, "weight", (3,)), HasShape(0, "bias", (3,))),
    ),
    Claim(
        "ten_times_smaller", "feature_map", 71,
        "With the default momentum running_mean is the batch mean with the point shifted by one.",
        "confirmed", Config(3), "forward:feature_map",
        (Equals(1, "running_mean", "a tenth of the batch mean"),),
        "Only for the first batch, from the initial 0.",
    ),
    Claim(
        "momentum_set_to_one", "feature_map", 73,
        "m.momentum = 1 set afterwards makes it the batch mean.",
        "confirmed", Config(3), "set:momentum:1,forward:feature_map",
        (Equals(2, "running_mean", "batch mean"), HasFlag(2, "momentum", 1)),
    ),
    Claim(
        "variance_likewise", "feature_map", 81, "The variance is probably computed the same way.",
        "refined", Config(3), "set:momentum:1,forward:feature_map",
        (Equals(2, "running_var", "unbiased variance"), Differs(2, "running_var", "biased variance")),
        "Over the same 16 elements, but divided by 15.",
    ),
)  # fmt: skip
