"""The statements of the notebook about BatchNorm of PyTorch 1.8.2."""

from __future__ import annotations

from typing import List, Tuple

from cases.attributes import BUFFERS, STATISTICS
from cases.claims.checks import Check, Equals, HasFlag, HasShape, Prints, Unchanged
from cases.claims.claim import Claim
from cases.construction import TRACKED, Config

NOTEBOOK = Config(2, affine=False)

NOTEBOOK_ROWS = (
    "0.0000 0.0000 1.0000 1.0000",
    "0.1500 0.2000 0.9286 1.0143",
    "0.2850 0.3800 0.8643 1.0271",
    "0.4065 0.5420 0.8064 1.0387",
    "0.5159 0.6878 0.7544 1.0491",
    "0.6143 0.8190 0.7075 1.0585",
    "0.7028 0.9371 0.6653 1.0669",
    "0.7826 1.0434 0.6274 1.0745",
    "0.8543 1.1391 0.5932 1.0814",
    "0.9189 1.2252 0.5624 1.0875",
    "0.9770 1.3026 0.5348 1.0930",
    "1.0293 1.3724 0.5099 1.0980",
    "1.0764 1.4351 0.4874 1.1025",
    "1.1187 1.4916 0.4673 1.1065",
    "1.1568 1.5425 0.4491 1.1102",
    "1.1912 1.5882 0.4328 1.1134",
    "1.2220 1.6294 0.4181 1.1164",
    "1.2498 1.6665 0.4048 1.1190",
)
"""The printed running_mean and running_var before each forward, lines 126 to 143."""


def _printed_rows() -> Tuple[Check, ...]:
    checks: List[Check] = []
    for step, row in enumerate(NOTEBOOK_ROWS):
        words = tuple(row.split())
        checks.append(Prints(step, "running_mean", words[:2]))
        checks.append(Prints(step, "running_var", words[2:]))
    return tuple(checks)


def _repeated(name: str, count: int) -> str:
    return ",".join([f"forward:{name}"] * count)


CLAIMS: Tuple[Claim, ...] = (
    Claim(
        "constructor_defaults", "notebook", 30,
        "BatchNorm2d(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
        "confirmed", Config(2), "forward:notebook",
        (
            HasFlag(0, "eps", 1e-5), HasFlag(0, "momentum", 0.1), HasFlag(0, "affine", True),
            HasFlag(0, "track_running_stats", True), HasFlag(0, "num_features", 2),
        ),
    ),
    Claim(
        "formula", "notebook", 34, "y = (x - E[x]) / sqrt(Var[x] + eps) * gamma + beta",
        "confirmed", TRACKED, "preset,forward:b0",
        (Equals(2, "output", "scaled and shifted"),),
    ),
    Claim(
        "gamma_and_beta", "notebook", 36, "gamma and beta have size C; gamma is 1 and beta 0 at first.",
        "confirmed", Config(2), "forward:notebook",
        (HasShape(0, "weight", (2,)), Equals(0, "weight", "one"), Equals(0, "bias", "zero")),
    ),
    Claim(
        "biased_estimator", "notebook", 36, "The standard deviation is the biased estimator.",
        "refined", Config(11, affine=False, momentum=1.0), "forward:b0",
        (
            Equals(1, "output", "normalised by the biased variance"),
            Equals(1, "running_var", "unbiased variance"),
        ),
        "For the output; running_var stores the unbiased estimator.",
    ),
    Claim(
        "untracked_uses_batch_in_eval", "notebook", 40,
        "track_running_stats=False: batch statistics in evaluation as well.",
        "confirmed", Config(11, affine=False, track_running_stats=False), "eval,forward:b0",
        (Equals(2, "output", "normalised by the biased variance"),),
    ),
    Claim(
        "printed_rows", "notebook", 126,
        "running_mean and running_var print as the 18 rows shown.",
        "confirmed", NOTEBOOK, _repeated("notebook", 17), _printed_rows(),
    ),
    Claim(
        "after_hundred", "notebook", 93,
        "After 100 batches running_mean prints [1.5000, 1.9999], running_var [0.2857, 1.1429].",
        "confirmed", NOTEBOOK, _repeated("notebook", 100),
        (
            Prints(100, "running_mean", ("1.5000", "1.9999")),
            Prints(100, "running_var", ("0.2857", "1.1429")),
        ),
        "1.9999 and not 2.0000: 0.9**100 of the initial distance is left.",
    ),
    Claim(
        "eval_changes_nothing", "notebook", 94, "eval() itself leaves the buffers alone.",
        "confirmed", NOTEBOOK, _repeated("notebook", 3) + ",eval", (Unchanged(4, 3, BUFFERS),),
    ),
    Claim(
        "eval_output", "notebook", 95, "The eval output prints -0.9353 and 0.0000.",
        "confirmed", NOTEBOOK, _repeated("notebook", 100) + ",eval,forward:notebook_eval",
        (Prints(102, "output", ("-0.9353", "0.0000")),),
    ),
    Claim(
        "eval_note", "notebook", 84, "(1.0 - 1.5) / ((0.2857) ** 0.5) == -0.9353",
        "refined", NOTEBOOK, _repeated("notebook", 100) + ",eval,forward:notebook_eval",
        (Prints(102, "output", ("-0.9353", "0.0000")),),
        "With the printed 0.2857 the quotient is -0.93544; -0.9353 needs the stored digits and eps.",
    ),
    Claim(
        "momentum_one", "notebook", 168,
        "momentum=1 as an int: running_mean [1.5, 2.0], running_var [0.2857, 1.1429] after one batch.",
        "confirmed", Config(2, affine=False, momentum=1), _repeated("notebook", 3),
        (
            HasFlag(0, "momentum", 1),
            Prints(1, "running_mean", ("1.5000", "2.0000")),
            Prints(1, "running_var", ("0.2857", "1.1429")),
            Unchanged(3, 1, STATISTICS),
        ),
    ),
    Claim(
        "attached_parameters", "notebook", 194,
        "Parameters attached as running_mean and running_var of an untracked module: outputs are "
        "-1.0000 and 1.0000.",
        "refined", Config(2, affine=False, momentum=1, track_running_stats=False),
        "attach:running_mean:parameter,attach:running_var:parameter,forward:notebook,forward:notebook",
        (Prints(4, "output", ("-1.0000", "-1.0000", "1.0000", "1.0000")), Unchanged(4, 2, STATISTICS)),
        "In train mode they are ignored and stay as they are; in eval mode they would be used.",
        refuted_where="untracked_train_updates",
    ),
)  # fmt: skip
