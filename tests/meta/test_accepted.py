"""Accepted findings: a file that lets a subject with known differences pass, strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from reports import accepted, record
from reports.__main__ import main
from reports.accepted import Accepted, accept, gone, new
from reports.causes import MOST
from reports.errors import DifferentSubjects, UnusableAccepted
from reports.rows import CaseRow, Found
from tests.meta import handmade

SUBJECT = "timm.layers:BatchNormAct2d"
HEAD = handmade.header(subject=SUBJECT)


def bias(**overrides: object) -> Found:
    got = "TypeError: __init__() got an unexpected keyword argument 'bias'"
    return handmade.found(
        "exception", step=0, token="construct", got=got, expected="no exception", **overrides
    )


def var(**overrides: object) -> Found:
    return handmade.found("running_var", **overrides)


def rows(**findings: Found) -> List[CaseRow]:
    """Return rows of six cases, of which those named have a finding."""
    return [
        handmade.row(f"case-{name}", findings=(findings[name],) if name in findings else ())
        for name in "abcdef"
    ]


BEFORE = rows(a=bias(), b=bias(), c=var(got="1.5"))
ACCEPTED = accept(HEAD, BEFORE)


# --- accepted findings ------------------------------------------------------------------


def test_a_record_accepts_itself() -> None:
    assert [cause.cases for cause in ACCEPTED.causes] == [2, 1]
    assert [ACCEPTED.covers(row) for row in BEFORE] == [True, True, True, False, False, False]
    assert new(ACCEPTED, BEFORE) == ()
    assert gone(ACCEPTED, HEAD, BEFORE) == ()


def test_a_finding_is_accepted_by_its_symptom_whatever_its_numbers_and_its_case() -> None:
    later = rows(a=bias(), b=bias(), c=var(got="7.5", regime="huge"), d=var(step=9, index=(3,)))
    assert new(ACCEPTED, later) == ()
    cause = ACCEPTED.accepts(var(got="-3"))
    assert cause is not None
    assert cause.what == "wrong after forward: running_var"


@pytest.mark.parametrize(
    "found",
    [
        handmade.found("running_mean"),
        var(token="reset_running_stats"),
        handmade.found("exception", got="ValueError: no", expected="no exception"),
        handmade.found("exception", got="TypeError: other", expected="no exception"),
    ],
)
def test_a_finding_with_another_symptom_is_new(found: Found) -> None:
    assert ACCEPTED.accepts(found) is None
    (cause,) = new(ACCEPTED, [*BEFORE[:3], handmade.row("case-d", findings=(found,))])
    assert (cause.id, cause.found) == ("case-d", found)


def test_an_accepted_finding_does_not_hide_a_new_one_beside_it() -> None:
    both = handmade.row("case-c", findings=(var(), handmade.found("output_dtype")))
    assert not ACCEPTED.covers(both)
    (cause,) = new(ACCEPTED, [both])
    assert cause.found.quantity == "output_dtype"


def test_what_follows_from_an_accepted_finding_is_accepted_with_it() -> None:
    """An output that is wrong after an accepted wrong running_var is accepted; on its own it is new."""
    output = handmade.found("output", step=4)
    assert ACCEPTED.covers(handmade.row("case-c", findings=(var(), output)))
    assert not ACCEPTED.covers(handmade.row("case-c", findings=(output,)))


def test_an_accepted_cause_that_no_case_shows_is_gone() -> None:
    part = handmade.header(subject=SUBJECT, selection="-k x")
    (cause,) = gone(ACCEPTED, part, rows(c=var()))
    assert cause.case == "case-a"
    assert gone(ACCEPTED, part, rows(b=bias(), c=var())) == ()  # shown in another case
    assert gone(ACCEPTED, part, rows(c=var())[1:]) == ()  # the case named did not run


def test_in_a_whole_run_every_accepted_cause_shows_whatever_case_it_names() -> None:
    renamed = ACCEPTED._replace(causes=tuple(each._replace(case="no-such-case") for each in ACCEPTED.causes))
    (cause,) = gone(renamed, HEAD, rows(c=var()))
    assert cause.symptoms == ACCEPTED.causes[0].symptoms
    for change in ({"selection": "-k x"}, {"tier": "full"}, {"seed": 1}):
        assert gone(renamed, handmade.header(subject=SUBJECT, **change), rows(c=var())) == ()


def test_every_symptom_stands_in_one_cause_however_many_causes_there_are() -> None:
    flood = []
    for i in range(MOST + 20):
        name = "".join(chr(97 + int(digit)) for digit in str(i))
        flood.append(handmade.row(f"case-{name}", findings=(handmade.found(name), var())))
    flood.append(handmade.row("case-x", findings=(var(),)))
    kept = accept(HEAD, flood)
    names = [name for cause in kept.causes for name in cause.symptoms]
    assert len(names) == len(set(names)) == MOST + 21
    assert new(kept, flood) == ()


# --- the file ---------------------------------------------------------------------------


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "accepted.json"
    accepted.write(path, ACCEPTED)
    assert accepted.read(path) == ACCEPTED
    fields = json.loads(path.read_text("ascii"))
    assert fields["causes"][0] == {
        "reason": "",
        "what": "construct raises TypeError: __init__() got an unexpected keyword argument 'bias'",
        "cases": 2,
        "case": "case-a",
        "symptoms": [
            {
                "quantity": "exception",
                "verb": "construct",
                "got": "TypeError: __init__() got an unexpected keyword argument 'bias'",
                "expected": "no exception",
            }
        ],
    }


def test_reasons_are_kept_where_a_symptom_is(tmp_path: Path) -> None:
    told = ACCEPTED._replace(causes=tuple(each._replace(reason=each.what[:5]) for each in ACCEPTED.causes))
    again = accept(HEAD, rows(a=bias(), d=handmade.found("output")), told)
    assert [cause.reason for cause in again.causes] == ["const", ""]


def fields_of(kept: Accepted, tmp_path: Path) -> Dict[str, Any]:
    accepted.write(tmp_path / "good.json", kept)
    fields: Dict[str, Any] = json.loads((tmp_path / "good.json").read_text())
    return fields


FAULTS: Dict[str, Dict[str, Any]] = {
    "another kind": {"kind": "header"},
    "another format": {"format": 2},
    "a field missing": {"subject": ...},
    "a field unknown": {"colour": "red"},
    "causes that are text": {"causes": "all"},
    "a cause that is text": {"causes": ["all"]},
    "a cause without symptoms": {"causes": [{**ACCEPTED.causes[0]._asdict(), "symptoms": []}]},
    "a symptom of another shape": {"causes": [{**ACCEPTED.causes[0]._asdict(), "symptoms": [{}]}]},
    "a release that is a number": {"release": 2.13},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_says_something_else_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "accepted.json"
    fields = {**fields_of(ACCEPTED, tmp_path), **FAULTS[name]}
    path.write_text(json.dumps({key: value for key, value in fields.items() if value is not ...}))
    with pytest.raises(UnusableAccepted) as caught:
        accepted.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("write it again: python -m reports accept RECORD -o FILE.json")


def test_a_symptom_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accepted.json"
    accepted.write(path, ACCEPTED._replace(causes=(*ACCEPTED.causes, ACCEPTED.causes[0])))
    with pytest.raises(UnusableAccepted, match="stands in two causes"):
        accepted.read(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 10**5, b"\xff", b"[]", b"9" * 5000, b"NaN"])
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "accepted.json").write_bytes(content)
    with pytest.raises(UnusableAccepted):
        accepted.read(tmp_path / "accepted.json")
    with pytest.raises(UnusableAccepted, match="there is no such file"):
        accepted.read(tmp_path / "missing.json")


# --- the commands -----------------------------------------------------------------------


def saved(path: Path, given: List[CaseRow], **header: object) -> str:
    record.write(path, handmade.header(subject=SUBJECT, **header), given, 1)
    return str(path)


def test_accept_writes_the_file_and_keeps_its_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, path = saved(tmp_path / "run.jsonl", BEFORE), tmp_path / "accepted.json"
    assert main(["accept", run, "-o", str(path)]) == 0
    assert "accepts 2 causes; say why in each 'reason'" in capsys.readouterr().out
    path.write_text(path.read_text().replace('"reason": ""', '"reason": "agreed"'))
    assert main(["accept", run, "-o", str(path)]) == 0
    assert [cause.reason for cause in accepted.read(path).causes] == ["agreed", "agreed"]


def test_accept_does_not_replace_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, path = saved(tmp_path / "run.jsonl", BEFORE), tmp_path / "other.json"
    path.write_text("{}")
    assert main(["accept", run, "-o", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert path.read_text() == "{}"


def test_accept_refuses_a_run_that_did_not_finish(tmp_path: Path) -> None:
    record.write(tmp_path / "run.jsonl", HEAD, BEFORE, 2)
    assert main(["accept", str(tmp_path / "run.jsonl"), "-o", str(tmp_path / "a.json")]) == 2
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (BEFORE, 0),
        (rows(a=bias(), c=var(), f=bias()), 0),
        (rows(a=bias(), c=var(), f=handmade.found("output")), 1),
        (rows(a=bias()), 1),
    ],
)
def test_a_difference_against_accepted_findings(
    tmp_path: Path, later: List[CaseRow], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.write(tmp_path / "accepted.json", ACCEPTED)
    old, fresh = saved(tmp_path / "old.jsonl", rows(), release="2.12"), saved(tmp_path / "new.jsonl", later)
    assert main(["diff", old, fresh, "--accepted", str(tmp_path / "accepted.json")]) == status
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(("not accepted:", "gone: ")) for line in lines) == bool(status)


def test_accepted_findings_of_another_subject_are_refused(tmp_path: Path) -> None:
    accepted.write(tmp_path / "accepted.json", ACCEPTED)
    with pytest.raises(DifferentSubjects, match="BatchNormAct2d"):
        ACCEPTED.require_subject(handmade.header(), "accepted.json")
    record.write(tmp_path / "run.jsonl", handmade.header(), rows(), 0)
    run = str(tmp_path / "run.jsonl")
    assert main(["diff", run, run, "--accepted", str(tmp_path / "accepted.json")]) == 2


@pytest.mark.parametrize("other", [{"promise": "values"}, {"path": "fx"}, {"device": "cuda"}])
def test_accepted_findings_of_another_promise_path_or_device_are_refused(other: Dict[str, Any]) -> None:
    head = handmade.header(subject=SUBJECT, **other)
    ((name, value),) = other.items()
    with pytest.raises(DifferentSubjects, match=f"the run is of {SUBJECT} --{name} {value}; write"):
        ACCEPTED.require_subject(head, "accepted.json")
    accept(head, BEFORE).require_subject(head, "accepted.json")


# --- more cases than were accepted --------------------------------------------------------


def test_more_cases_with_an_accepted_symptom_are_told() -> None:
    """Another fault may have the same symptom, so more cases are reported; fewer are not."""
    later = rows(a=bias(), b=bias(), c=var(), d=var(step=9))
    ((cause, count),) = accepted.grown(ACCEPTED, HEAD, later)
    assert (cause.what, cause.cases, count) == ("wrong after forward: running_var", 1, 2)
    assert accepted.grown(ACCEPTED, HEAD, BEFORE) == ()
    assert accepted.grown(ACCEPTED, HEAD, rows(b=bias(), d=var())) == ()


@pytest.mark.parametrize("change", [{"selection": "-k x"}, {"tier": "full"}, {"seed": 1}, {"suite": "7654321"}])
def test_only_whole_runs_of_the_same_cases_are_counted(change: Dict[str, Any]) -> None:
    header = handmade.header(subject=SUBJECT, **change)
    assert accepted.grown(ACCEPTED, header, rows(a=var(), b=var(), c=var())) == ()


def test_a_difference_with_more_cases_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = rows(a=bias(), b=bias(), c=var(), d=var())
    for name, each in (("old", BEFORE), ("new", later)):
        record.write(tmp_path / f"{name}.jsonl", HEAD, each, 1)
    accepted.write(tmp_path / "accepted.json", ACCEPTED)
    paths = [str(tmp_path / name) for name in ("old.jsonl", "new.jsonl", "accepted.json")]
    assert main(["diff", *paths[:2], "--accepted", paths[2]]) == 1
    assert "more: wrong after forward: running_var: 1 case accepted, 2 show it" in capsys.readouterr().out
    assert main(["diff", paths[0], paths[0], "--accepted", paths[2]]) == 0
