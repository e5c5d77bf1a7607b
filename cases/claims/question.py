"""The statements of the question and answer about running_mean and running_var."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS
from cases.claims.checks import Changed, Differs, Equals, HasFlag, HasShape, Near
from cases.claims.claim import Claim
from cases.construction import Config

IVAN = Config(10)

CLAIMS: Tuple[Claim, ...] = (
    Claim(
        "default_momentum", "question", 27, "The momentum coefficient is 0.1 by default.",
        "confirmed", IVAN, "forward:ivan", (HasFlag(0, "momentum", 0.1),),
    ),
    Claim(
        "momentum_near_one", "question", 30,
        "Closer to 1, the new running statistic is closer to the current batch statistics.",
        "confirmed", Config(10, momentum=0.9), "forward:ivan",
        (Near(1, "running_mean", "batch mean", 0.01, 0.2),),
        "At momentum 0.9 a tenth of the old value is left.",
    ),
    Claim(
        "momentum_near_zero", "question", 32,
        "Closer to 0, the current batch statistics do not contribute much.",
        "confirmed", Config(10, momentum=0.01), "forward:ivan",
        (Near(1, "running_mean", "zero", 1e-3, 0.01),),
    ),
    Claim(
        "across_space", "question", 35, "The statistics run over (b, h, w).",
        "confirmed", Config(10, momentum=1.0), "forward:ivan",
        (Equals(1, "running_mean", "batch mean"),),
    ),
    Claim(
        "shape", "question", 38, "The running statistics are shaped (c,).",
        "confirmed", IVAN, "forward:ivan",
        (HasShape(0, "running_mean", (10,)), HasShape(1, "running_var", (10,))),
    ),
    Claim(
        "tracks_by_default", "question", 43,
        "track_running_stats is True by default: train mode tracks the running stats.",
        "confirmed", IVAN, "forward:ivan",
        (HasFlag(0, "track_running_stats", True), Changed(1, 0, BUFFERS)),
    ),
    Claim(
        "initial_values", "question", 47,
        "Running mean and variance are initialised to zeros and ones.",
        "confirmed", IVAN, "forward:ivan",
        (Equals(0, "running_mean", "zero"), Equals(0, "running_var", "one")),
    ),
    Claim(
        "mean_by_hand", "question", 58, "(1-momentum)*running_mean + momentum*xmean",
        "confirmed", IVAN, "forward:ivan",
        (Equals(1, "running_mean", "a tenth of the batch mean"),),
    ),
    Claim(
        "variance_by_hand", "question", 61, "(1-momentum)*running_var + momentum*xvar",
        "refined", IVAN, "forward:ivan",
        (
            Equals(1, "running_var", "0.9 and a tenth of the unbiased variance"),
            Differs(1, "running_var", "0.9 and a tenth of the biased variance"),
        ),
        "xvar is the unbiased variance; with the biased one the numbers do not agree.",
    ),
)  # fmt: skip
