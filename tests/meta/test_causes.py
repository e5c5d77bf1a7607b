"""The causes of many findings, on rows made by hand."""

from __future__ import annotations

import random
from typing import List, Tuple

import pytest

from reports.causes import MOST, SCREEN, cause_lines, causes
from reports.circumstances import Region
from reports.incidents import incidents_of
from reports.rows import CaseRow, Found
from reports.symptoms import Symptom, generalised, verb
from tests.meta import handmade

AFFINE, TRACK = ("affine", "no_affine", "no_bias"), ("track", "no_track")
SCHEDULES, SIZES = ("train_only", "alternating", "eval_only"), ("n2", "n8", "n30")
DTYPES, LAYOUTS = ("float32", "float64"), ("contiguous", "channels_last")


def matrix() -> List[Tuple[str, ...]]:
    """Return the words of the cases of a small matrix."""
    return [
        ("matrix", affine, track, schedule, size, dtype, layout)
        for affine in AFFINE
        for track in TRACK
        for schedule in SCHEDULES
        for size in SIZES
        for dtype in DTYPES
        for layout in LAYOUTS
    ]


def case(words: Tuple[str, ...], *findings: Found) -> CaseRow:
    """Return the row of one case."""
    return handmade.row("-".join(words), findings=findings)


def raised(got: str, expected: str = "no exception", **overrides: object) -> Found:
    return handmade.found("exception", got=got, expected=expected, **overrides)


# --- one fault, one cause ---------------------------------------------------------------


def test_a_run_without_findings_has_no_cause() -> None:
    assert causes([case(words) for words in matrix()]) == ()
    assert cause_lines(()) == []


def test_a_wrong_running_var_is_one_cause_whatever_it_makes_wrong_later() -> None:
    def findings(words: Tuple[str, ...]) -> Tuple[Found, ...]:
        if words[2] == "no_track" or words[3] == "eval_only":
            return ()
        return (
            handmade.found("running_var", regime="huge", index=(3,)),
            handmade.found("output", step=4, token="forward:b1"),
        )

    (cause,) = causes([case(words, *findings(words)) for words in matrix()])
    assert (cause.cases, cause.findings, cause.found.quantity) == (72, 72, "running_var")
    assert cause.symptoms == ((Symptom("running_var", "forward"), 72, cause.id),)
    assert "channel regime huge" in cause.shared
    assert cause.id == "matrix-affine-track-train_only-n2-float32-contiguous"


def test_a_quantity_that_is_wrong_after_every_step_is_one_cause() -> None:
    tokens = ("construct", "forward:b0", "load:legacy", "deepcopy", "reset_running_stats")
    rows = [
        case(words, handmade.found("running_var", step=i % 5, token=tokens[i % 5]))
        for i, words in enumerate(matrix())
    ]
    (cause,) = causes(rows)
    assert cause.cases == len(rows)
    assert "after construct" in cause_lines((cause,))[1]


def test_a_wrong_mean_explains_what_is_wrong_at_the_same_step() -> None:
    """A few outputs are within their budgets although the buffer is not; the cause is the same."""

    def findings(i: int) -> Tuple[Found, ...]:
        output, mean = handmade.found("output"), handmade.found("running_mean")
        return {0: (output, mean), 1: (output,)}.get(i % 7 % 3, (mean,) if i % 7 == 5 else (output, mean))

    (cause,) = causes([case(words, *findings(i)) for i, words in enumerate(matrix())])
    assert cause.cases == len(matrix())
    assert {name.quantity for name, _, _ in cause.symptoms} == {"output", "running_mean"}


def test_what_an_exception_leaves_undone_follows_from_it() -> None:
    undone = [handmade.found(name) for name in ("output present", "running_mean", "num_batches_tracked")]
    (cause,) = causes([case(words, *undone, raised("AssertionError: no")) for words in matrix()])
    assert [name for name, _, _ in cause.symptoms] == [
        Symptom("exception", "forward", "AssertionError: no", "no exception")
    ]


def test_a_check_that_is_missing_is_one_cause_whatever_happens_instead() -> None:
    expected = "ValueError matching '^expected 4D input \\\\(got 3D input\\\\)$'"
    got = ("no exception", "RuntimeError: running_var must be defined", "ValueError: both or neither")
    rows = [case(words, raised(got[i % 3], expected)) for i, words in enumerate(matrix())]
    (cause,) = causes(rows)
    assert cause_lines((cause,))[1].endswith(f"forward does not raise {expected}")


def test_a_fault_in_one_corner_says_which() -> None:
    def wrong(words: Tuple[str, ...]) -> bool:
        return words[4:] == ("n2", "float64", "channels_last")

    quantities = ("output", "running_var", "running_mean")
    rows = [
        case(words, *([handmade.found(quantities[i % 3])] if wrong(words) else ()))
        for i, words in enumerate(matrix())
    ]
    (cause,) = causes(rows)
    assert cause.only is not None
    assert cause.only.family == "matrix"
    assert set(cause.only.words) == {"n2", "float64", "channels_last"}
    lines = cause_lines((cause,))
    assert "only in cases with" in lines[2]
    assert "none of which passes" in lines[2]


@pytest.mark.parametrize("word", ["n2", "float64", "channels_last"])
def test_a_fault_at_one_value_of_an_axis_says_which(word: str) -> None:
    rows = [case(words, *([handmade.found()] if word in words else ())) for words in matrix()]
    (cause,) = causes(rows)
    assert cause.only == Region("matrix", (word,), whole=True)


def test_no_corner_is_named_where_a_case_in_it_passes() -> None:
    rows = [case(words, *([handmade.found()] if "n2" in words else ())) for words in matrix()]
    rows[0] = case(matrix()[0])
    (cause,) = causes(rows)
    assert cause.only is None
    assert "none of which passes" not in "\n".join(cause_lines((cause,)))


# --- several faults ---------------------------------------------------------------------


def timm() -> List[CaseRow]:
    """Return rows such as timm's BatchNormAct2d without activation gives."""
    rows = []
    for words in matrix():
        bias = raised(f"TypeError: {words[3]}.__init__() got an unexpected keyword argument 'bias'")
        rows.append(case(words, *([bias] if "no_bias" in words else ())))
    for rank in (2, 3, 5):
        got, expected = f"AssertionError: expected 4D input (got {rank}D input)", f"(got {rank}D input)"
        rows.append(
            case(("edge", "shape", f"rank_{rank}"), raised(got, f"ValueError matching {expected!r}"))
        )
    for text in ("tracked", "cumulative"):
        shown = handmade.found("text", token="show:repr", got=f"(drop) {text}", expected=text)
        rows.append(case(("edge", "text", text), shown))
    return rows


def test_three_faults_are_three_causes_those_of_most_cases_first() -> None:
    found = causes(timm())
    assert [cause.cases for cause in found] == [72, 3, 2]
    lines = cause_lines(found)
    assert lines[0] == "3 causes explain 77 findings, most likely first:"
    assert "got an unexpected keyword argument 'bias'" in lines[1]
    assert "only in cases with no_bias, none of which passes" in lines[2]
    assert any("AssertionError: expected 4D input" in line for line in lines)
    assert any("show:repr gives another text" in line for line in lines)


def test_causes_do_not_depend_on_the_order_of_rows() -> None:
    rows = timm()
    before = causes(rows)
    random.Random(0).shuffle(rows)
    assert causes(rows) == before


def test_independent_operations_of_one_state_are_judged_apart() -> None:
    one = handmade.found("momentum", step=3, token="set:momentum:1")
    other = raised("AttributeError: no", step=9, token="load:legacy")
    rows = [case(("state", mode, track), one, other) for mode in ("train", "eval") for track in TRACK]
    assert [cause.cases for cause in causes(rows)] == [4, 4]
    rows = [case(("matrix", mode, track), one, other) for mode in ("train", "eval") for track in TRACK]
    assert [cause.found for cause in causes(rows)] == [one]


def test_the_parts_of_a_state_stand_one_after_the_other() -> None:
    """Two parts may fail at the same step in the same quantity; each is an incident."""
    var, mean, error = handmade.found("running_var"), handmade.found("running_mean"), raised("E: x")
    other = handmade.found("running_var", step=2, token="deepcopy")
    row = case(("state", "train"), var, mean, var, other, error, mean, error, var)
    incidents = [each.findings for each in incidents_of(row)]
    assert incidents == [(var, mean), (var,), (other,), (error,), (error,)]
    assert [each.findings for each in incidents_of(case(("edge", "x"), other, var, mean))] == [(var, mean)]


def test_a_switch_is_named_where_it_explains_every_finding() -> None:
    rows = [case(words, handmade.found(switches=("counts", "x"))) for words in matrix()[:4]]
    assert causes(rows)[0].switches == ("counts", "x")
    rows[0] = case(matrix()[0], handmade.found(switches=("counts",)))
    assert causes(rows)[0].switches == ("counts",)
    assert any("the other side of switch 'counts' explains it" in line for line in cause_lines(causes(rows)))


def test_a_record_without_findings_field_has_causes_by_its_texts() -> None:
    texts = ["verdict 'confirmed' is wrong: 3 forwards", "verdict 'refuted' is wrong: 71 forwards"]
    rows = [handmade.row(f"claim-a-{i}", finding=texts[i % 2]) for i in range(4)]
    rows.append(handmade.row("matrix-x", finding="known defect 'poison' is gone"))
    assert [cause.cases for cause in causes(rows)] == [4, 1]


# --- symptoms ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("got input size torch.Size([1, 11, 1, 1])", "got input size torch.Size([#])"),
        ("size a (12) must match b (11)", "size a (#) must match b (#)"),
        ("unexpected keyword argument 'bias'", "unexpected keyword argument 'bias'"),
        ("'Mine' object has no attribute 'eps'", "'...' object has no attribute 'eps'"),
        ("not implemented for 'Half'", "not implemented for '...'"),
        ("<Module object at 0x7f12ab>", "<Module object at #>"),
        ("expected 4D input (got 3D input)", "expected #D input (got #D input)"),
        ("float64 in BatchNorm2d, -1.5e-07", "float64 in BatchNorm2d, #"),
        ("two\n  lines", "two lines"),
    ],
)
def test_a_message_is_generalised(message: str, expected: str) -> None:
    assert generalised(message) == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("forward:b0.channels_last", "forward"),
        ("forwards:b:300", "forwards"),
        ("set:eps:0.5", "set:eps"),
        ("load:legacy", "load:legacy"),
        ("attach:weight:parameter", "attach:weight"),
        ("construct", "construct"),
        ("count:-1", "count"),
    ],
)
def test_the_verb_of_a_step(token: str, expected: str) -> None:
    assert verb(token) == expected


# --- the text ---------------------------------------------------------------------------


def flood(count: int) -> List[CaseRow]:
    """Return rows with nothing in common."""
    words = ["".join(chr(97 + int(digit)) for digit in str(i)) for i in range(count)]
    return [case(("matrix", word), raised("E: " + word * 400)) for word in words]


def test_the_causes_never_take_more_than_a_screen() -> None:
    found = causes(flood(MOST + 50))
    assert len(found) == MOST + 1
    assert sum(cause.cases for cause in found) == MOST + 50
    lines = cause_lines(found)
    assert len(lines) <= SCREEN
    assert lines[-1].endswith("(--all shows them)")
    assert all(len(line) <= 120 for line in lines if "pytest" not in line)
    for limit in range(2, 12):
        assert len(cause_lines(found, limit=limit)) <= limit


def test_each_cause_says_how_to_run_it_again() -> None:
    lines = cause_lines(causes(timm()), options=" --subject m:C")
    assert "     pytest --case 'edge-text-tracked' --subject m:C" in lines
    (quoted,) = causes([handmade.row("it's", findings=(handmade.found(),))])
    assert cause_lines((quoted,))[-1].strip() == "pytest --case 'it'\"'\"'s'"


def test_long_texts_are_shown_from_where_they_differ() -> None:
    same = "BatchNorm2d(11, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True"
    shown = handmade.found("text", token="show:repr", got=same + ", bias=False)", expected=same + ")")
    (line,) = [each for each in cause_lines(causes([case(("edge", "x"), shown)])) if "got" in each]
    assert "bias=False" in line
    assert len(line) <= 120
