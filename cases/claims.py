"""Every statement of the five public texts that the suite grew from, as a case with a verdict.

A verdict is about the statement: *confirmed* when it is right as it stands, *refuted* when it is
wrong, *refined* when it holds but leaves out what makes it usable. The checks say what the real
module does, so the checks of a refuted statement contradict it. A statement that holds only on
some releases names the switch: where that holds, the statement is refuted and its checks must fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Optional, Tuple

from cases.case import Case
from cases.checks import (
    Changed,
    Check,
    Differs,
    Equals,
    HasFlag,
    HasKeys,
    HasShape,
    Near,
    Prints,
    Raises,
    Returns,
    Unchanged,
)
from cases.construction import Config
from cases.errors import CaseError, nearest
from cases.steps import Step, parse_program
from cases.variants import Variant

FAMILY = "claim"
VERDICTS = ("confirmed", "refuted", "refined")

TEXTS: Dict[str, str] = {
    "question": "What are running_mean and running_var? (question and answer by Ivan)",
    "parameters": "BN core parameters explained (PyTorch之BN核心参数详解)",
    "notebook": "Understanding BatchNorm of PyTorch 1.8.2 (notebook)",
    "feature_map": "Batch Normalization in PyTorch (Pytorch中的Batch Normalization操作, 2018)",
    "group_norm": "Substitute group norm with batch norm (Dhruv Matani, 2023)",
}
"""Word to the text's title."""


@dataclass(frozen=True)
class Claim:
    """One statement. ``line``: where the text as collected has it. ``note``: what the verdict adds.

    ``refuted_where``: the switch on whose releases the statement, otherwise right, is wrong.
    """

    name: str
    text: str
    line: int
    statement: str
    verdict: str
    config: Config
    program: str
    checks: Tuple[Check, ...]
    note: str = ""
    refuted_where: Optional[str] = None

    @property
    def case(self) -> Case:
        """The case that runs the statement's program."""
        source = f"{TEXTS[self.text]}, line {self.line}: {self.statement}"
        return Case(
            id=f"{FAMILY}-{self.text}-{self.name}",
            behaviour=f"claims of {self.text}",
            config=self.config,
            steps=_steps(self.program),
            variant=Variant("bounded", "n8", "float32"),
            note=source,
        )


@lru_cache(maxsize=None)
def _steps(program: str) -> Tuple[Step, ...]:
    """The same object for the same text: statements about one experiment share its run."""
    return parse_program(program)


STATISTICS = ("running_mean", "running_var")
BUFFERS = STATISTICS + ("num_batches_tracked",)
IVAN = Config(10)
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


TRACKED = Config(11)
UNTRACKED = Config(11, track_running_stats=False)
MATANI_BATCHES = 2000
MATANI = f"forwards:random:{MATANI_BATCHES}"

CLAIMS: Tuple[Claim, ...] = (
    # --- question ---
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
    # --- parameters ---
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
        "confirmed", Config(11, affine=False), "forward:b0",
        (HasKeys(0, BUFFERS), Equals(1, "output", "normalised by the biased variance")),
    ),
    Claim(
        "affine_false_eval", "parameters", 16, "affine=False in eval: nothing is applied.",
        "confirmed", Config(11, affine=False), "eval,forward:b0",
        (Equals(2, "output", "normalised by the initial buffers"),),
    ),
    Claim(
        "affine_changed_later", "parameters", 19,
        "affine changed on the instance: no effect, construction decides.",
        "refined", TRACKED, "preset,set:affine:false,forward:b0,reset_parameters",
        (
            Equals(3, "output", "scaled and shifted"),
            Unchanged(4, 3, ("weight", "bias")),
        ),
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
        "refined", Config(11, affine=False), "preset,forward:b0",
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
        "confirmed", Config(11, momentum=None), "preset,forward:b0,forward:b1,forward:b2",
        (Equals(4, "running_mean", "mean of the batch means"),),
    ),
    Claim(
        "unbiased_is_stored", "parameters", 123,
        "x_batch are the batch's mean and unbiased sample variance.",
        "confirmed", Config(11, momentum=1.0), "forward:b0",
        (
            Equals(1, "running_var", "unbiased variance"),
            Differs(1, "running_var", "biased variance"),
        ),
    ),
    Claim(
        "cumulative_factor", "parameters", 124, "factor = 1/num_batches_tracked.",
        "confirmed", Config(11, momentum=None), "forward:b0,forward:b1",
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
        "confirmed", Config(11, affine=False), "set:track_running_stats:false,forward:b0",
        (
            Equals(2, "output", "normalised by the biased variance"),
            Unchanged(2, 0, STATISTICS),
        ),
        refuted_where="untracked_train_updates",
    ),
    Claim(
        "untracked_has_no_buffers", "parameters", 146,
        "Built with track_running_stats=False: no running_mean, no running_var, batch statistics.",
        "confirmed", Config(11, affine=False, track_running_stats=False), "forward:b0",
        (HasKeys(0, ()), Equals(1, "output", "normalised by the biased variance")),
    ),
    Claim(
        "track_on_later_train", "parameters", 151,
        "track_running_stats=True set later: the counter stays None, nothing changes.",
        "confirmed", Config(11, affine=False, track_running_stats=False),
        "set:track_running_stats:true,forward:b0",
        (HasKeys(2, ()), Equals(2, "output", "normalised by the biased variance")),
    ),
    Claim(
        "eval_uses_buffers", "parameters", 167, "Tracked and in eval: the global statistics are used.",
        "confirmed", Config(11, affine=False), "eval,forward:b0",
        (Equals(2, "output", "normalised by the initial buffers"), Unchanged(2, 0, BUFFERS)),
    ),
    Claim(
        "track_off_later_eval", "parameters", 170,
        "track_running_stats=False set later, eval: still the stored statistics; no effect.",
        "confirmed", Config(11, affine=False), "set:track_running_stats:false,eval,forward:b0",
        (Equals(3, "output", "normalised by the initial buffers"), Unchanged(3, 0, BUFFERS)),
        refuted_where="flag_alone_selects_statistics",
    ),
    Claim(
        "untracked_eval", "parameters", 180, "Built untracked, eval: the batch's statistics are used.",
        "confirmed", Config(11, affine=False, track_running_stats=False), "eval,forward:b0",
        (Equals(2, "output", "normalised by the biased variance"),),
    ),
    Claim(
        "untracked_eval_unbiased", "parameters", 182,
        "There it is the unbiased sample variance that normalises (unlike training).",
        "refuted", Config(11, affine=False, track_running_stats=False), "eval,forward:b0",
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
        "confirmed", Config(11, affine=False, track_running_stats=False),
        "set:track_running_stats:true,eval,forward:b0",
        (Returns(3), Equals(3, "output", "normalised by the biased variance")),
        refuted_where="flag_alone_selects_statistics",
    ),
    # --- notebook ---
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
        (
            Prints(4, "output", ("-1.0000", "-1.0000", "1.0000", "1.0000")),
            Unchanged(4, 2, STATISTICS),
        ),
        "In train mode they are ignored and stay as they are; in eval mode they would be used.",
        refuted_where="untracked_train_updates",
    ),
    # --- feature map ---
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
        (
            Equals(2, "output", "scaled and shifted"),
            Differs(2, "output", "divided by the variance"),
        ),
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
        (
            Equals(2, "running_var", "unbiased variance"),
            Differs(2, "running_var", "biased variance"),
        ),
        "Over the same 16 elements, but divided by 15.",
    ),
    # --- group norm ---
    Claim(
        "buffer_names", "group_norm", 45,
        "The buffers are running_mean, running_var and num_batches_tracked.",
        "confirmed", Config(3, affine=False), "forward:random0", (HasKeys(0, BUFFERS),),
    ),
    Claim(
        "buffers_without_backward", "group_norm", 17,
        "No backward pass is needed to update the buffers: the forward does it.",
        "confirmed", Config(3), "forward:random0", (Changed(1, 0, BUFFERS),),
    ),
    Claim(
        "thousand_batches", "group_norm", 5, "We take 1000 batches.",
        "refuted", Config(3), MATANI,
        (Prints(1, "num_batches_tracked", ("2000",)),),
        "The code below that sentence takes 2000, and prints 40000 rows of 20.",
    ),
    Claim(
        "near_the_mean", "group_norm", 57,
        "running_mean is close to the mean of all data: 0.06 away on average.",
        "refined", Config(3), MATANI,
        (Near(1, "running_mean", "mean of all data", 1e-3, 0.26),),
        "Near, not at: an average with factor 0.1 sees about 20 batches, so its standard deviation is "
        "sqrt(0.1/1.9/20) = 0.05 however many batches follow; 0.26 is five of them.",
    ),
    Claim(
        "near_the_variance", "group_norm", 57,
        "running_var is close to the variance of all data: 0.06 away on average.",
        "refined", Config(3), MATANI,
        (Near(1, "running_var", "variance of all data", 1e-3, 0.37),),
        "Near, not at, for the same reason; 0.37 is five times sqrt(2/19 * 0.1/1.9).",
    ),
)

CASES: Dict[str, Claim] = {claim.case.id: claim for claim in CLAIMS}


def verdict(claim: Claim, holding: Dict[str, bool]) -> str:
    """The verdict on a release whose switches hold as ``holding`` says."""
    if claim.refuted_where is not None and holding.get(claim.refuted_where, False):
        return "refuted"
    return claim.verdict


def find(case_id: str) -> Case:
    """The case with this id; raises CaseError."""
    if case_id not in CASES:
        raise CaseError(f"no such claim; {nearest(case_id, CASES)}")
    return CASES[case_id].case


def table() -> str:
    """All statements and verdicts as a Markdown table; ``python -m cases.claims`` prints it."""
    lines = ["| text | line | statement | verdict | what the verdict adds |", "|---|---|---|---|---|"]
    for claim in CLAIMS:
        remark = claim.note
        if claim.refuted_where is not None:
            remark = f"{remark} Refuted where `{claim.refuted_where}` holds.".strip()
        statement = claim.statement.replace("|", "\\|").replace("*", "\\*")
        lines.append(
            f"| {claim.text} | {claim.line} | {statement} | {claim.verdict} | {remark} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
