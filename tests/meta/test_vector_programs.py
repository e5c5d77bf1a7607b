"""The steps of portable vectors: what of a program a port is told, and with which flags."""

from __future__ import annotations

from typing import List

import pytest

from tests.meta.vectors_here import dos, spelled, told


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("forward:b0,show:repr,deepcopy,hooked:b1", ["forward", "forward"]),
        ("preset,forward:b0", ["assign weight bias running_mean running_var", "forward"]),
        (
            "forward:b0,preset,preset,forward:b0",
            ["forward", "assign weight bias running_mean running_var", "forward"],
        ),
        (
            "eval,set:training:true,set:training:true,forward:b0",
            ["set training", "set training", "forward"],
        ),
        (
            "drop:running_mean,count:7,forward:b0",
            ["assign running_mean", "assign num_batches_tracked", "forward"],
        ),
        (
            "load:plain,forward:b0",
            ["assign weight bias running_mean running_var num_batches_tracked", "forward"],
        ),
        ("forward:b0,load:longer_loose,forward:b0", ["forward"]),
        ("forward:b0,backward:ones,backward:ones", ["forward", "backward"]),
        ("forward:b0,convert:double,forward:b1", ["forward"]),
        ("forward:b0,alias:running_mean:running_var,forward:b0", ["forward"]),
        ("forward:b0,overwrite,forward:b0", ["forward"]),
        ("overwrite,forward:b0", ["assign weight bias running_mean running_var", "forward"]),
        ("set:momentum:text,forward:b0", []),
        ("forward:b0,accumulate:ones,double:ones:ones,zero_grad,forward:b0", ["forward", "forward"]),
        ("attach:weight:tensor,forward:b0", ["forward"]),
        ("forward:wrong_float,forward:b0", []),
    ],
)
def test_what_is_told(program: str, expected: List[str]) -> None:
    assert dos(spelled(program)) == expected


@pytest.mark.parametrize(
    ("program", "flag", "error"),
    [
        ("forward:three_dims", "WrongRank", "ValueError"),
        ("forward:one_value", "OneValuePerChannel", "ValueError"),
        ("forward:wrong_channels", "WrongChannels", "RuntimeError"),
        ("forward:empty_wrong_channels", "WrongChannels", "RuntimeError"),
        ("drop:running_mean,forward:b0", "OneStatisticMissing", "ValueError"),
        ("drop:running_mean,eval,forward:b0", "OneStatisticMissing", "RuntimeError"),
        ("set:eps:-1.0,forward:b0", "RefusedEps", "ValueError"),
        ("count:-1,set:momentum:none,forward:b0", "CounterAtZero", "ZeroDivisionError"),
        ("drop:running_var,reset_running_stats", "ResetWithoutTensor", "AttributeError"),
    ],
)
def test_what_must_be_refused(program: str, flag: str, error: str) -> None:
    last = spelled(f"forward:b0,{program}")[-1]
    assert (last["raises"], "returns" in last) == (error, False)
    assert flag in last["flags"]


@pytest.mark.parametrize(
    ("program", "flags"),
    [
        ("forward:nan", ["NonFinite"]),
        ("eval,forward:no_batch", ["EmptyBatch"]),
        ("input_grad:b0,backward:ones", ["BackwardTrain"]),
        ("eval,input_grad:b0,backward:ones", ["BackwardEval"]),
        ("input_grad:b0,set:eps:0.5,backward:ones", ["BackwardTrain", "DelayedBackward"]),
        ("input_grad:b0,input_grad:b1,earlier:ones", ["BackwardTrain", "DelayedBackward"]),
        ("input_grad:b0,retain:ones,backward:ones", ["BackwardTrain"]),
        ("forward:narrow_float", ["Float16", "MixedPrecision"]),
        ("set:momentum:none", ["MomentumNone", "SetMomentum"]),
        ("set:momentum:inf", ["SetMomentum", "UnusualMomentum"]),
        ("set:eps:0.5", ["SetEps", "UnusualEps"]),
        ("set:track_running_stats:false", ["SetTrackRunningStats"]),
        ("count:9223372036854775807", ["HugeCounter"]),
        ("drop:running_mean,drop:num_batches_tracked", ["RemoveCounter"]),
        ("drop:weight,attach:weight:trainable", ["AttachParameters"]),
    ],
)
def test_flags_of_the_last_step(program: str, flags: List[str]) -> None:
    steps = spelled(f"forward:b0,{program}")
    assert [
        each for each in steps[-1]["flags"] if each not in ("ConstantChannel", "Undetermined")
    ] == flags


def test_a_number_that_json_lacks_is_a_text() -> None:
    assert [
        spelled(f"forward:b0,set:momentum:{each}")[-1]["value"] for each in ("nan", "inf", "0.5")
    ] == ["NaN", "Infinity", 0.5]
    assert spelled("forward:b0,count:9223372036854775807")[-1]["state"] == {
        "num_batches_tracked": str(2**63 - 1)
    }


def test_statistics_of_the_batch_in_eval_are_named() -> None:
    assert (
        "BatchStatisticsInEval" in spelled("eval,forward:b0", "affine-no_track-momentum_0.1")[-1]["flags"]
    )


def test_a_forward_that_raises_for_torch_alone_after_counting_ends_the_program() -> None:
    program = "forward:b0,attach:running_mean:trainable,forward:b0,forward:b0"
    assert dos(spelled(program))[-1].startswith("assign running_mean")


def test_the_rules_of_a_release() -> None:
    case = "steps-affine-track-momentum_0.1-bounded-n8-float32-preset,set:track_running_stats:false,eval,forward:b0"
    new, old = (told(case, release)[-1] for release in ((2, 15), (1, 5)))
    assert new["do"] == old["do"] == "forward"
    assert "state" not in new
    assert {"running_mean", "running_var"} <= set(old["state"])
    assert "BatchStatisticsInEval" in old["flags"]


def test_a_known_defect_of_torch_is_not_expected() -> None:
    step = told("edge-empty-wrong_channels")[-1]
    assert step["raises"] == "RuntimeError"
    right = told("edge-backward_program-eval_train_again_earlier")
    assert right[-1]["flags"] == ["BackwardEval", "DelayedBackward"]
