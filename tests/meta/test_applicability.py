"""Rows that are not applicable or within a contract: kept, counted with their reasons, compared, shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports import record
from reports.causes import causes
from reports.comparison import compare, verdict
from reports.diff import diff_lines
from reports.encoding import decode_case, decode_header, encode_case, encode_header
from reports.fields import Malformed
from reports.rows import CONTRACT, NOT_APPLICABLE, CaseRow, Header, footer_for
from reports.tally import applicable, outcome_counts, reasons, summary_lines
from tests.conformance import summary
from tests.meta import handmade

FIELDS = {
    "promise": "values",
    "path": "compile",
    "device": "cuda",
    "implementation": "flax 0.12.12",
    "clauses": {"no_eval": "it cannot (https://example.org)"},
}


def unoffered(case: str = "n", reason: str = "not offered: affine", forwards: int = 0) -> CaseRow:
    return handmade.row(case, outcome=NOT_APPLICABLE, reason=reason, forwards=forwards, compared={})


def within(case: str = "w") -> CaseRow:
    return handmade.row(case, outcome=CONTRACT, reason="it cannot", clause="no_eval")


def head(**fields: object) -> Header:
    return handmade.header(**{**FIELDS, **fields})


def test_a_record_keeps_reasons_clauses_and_the_claim(tmp_path: Path) -> None:
    rows = [handmade.row("a"), unoffered(), within()]
    path = tmp_path / "a.jsonl.gz"
    record.write(path, head(), rows, 0)
    read = record.read(path)
    assert (read.header, list(read.rows)) == (head(), rows)
    assert read.footer.outcomes == {"pass": 1, "not_applicable": 1, "contract": 1, "known_defect": 0, "finding": 0}


def test_lines_of_plain_torch_are_those_of_older_records() -> None:
    """Neither a header nor a row nor a footer has a field that older ones lack."""
    fields = {*json.loads(encode_header(handmade.header())), *json.loads(encode_case(handmade.row()))}
    assert not fields & {*FIELDS, "reason", "clause"}
    assert set(footer_for(handmade.header(), [handmade.row()], 0).outcomes) == {"pass", "known_defect", "finding"}
    assert decode_header(json.loads(encode_header(handmade.header()))) == handmade.header()


def test_a_row_without_its_reason_is_refused() -> None:
    for change in ({"reason": ""}, {"outcome": "contract"}, {"finding": "x"}):
        fields = {**json.loads(encode_case(unoffered())), **change}
        with pytest.raises(Malformed, match=r"outcome '(not_applicable|contract)'"):
            decode_case(fields)
    with pytest.raises(Malformed, match="field 'promise' is 'much', not one of"):
        decode_header(json.loads(encode_header(head(promise="much"))))


def test_the_table_counts_them_with_their_reasons() -> None:
    rows = [handmade.row("a"), unoffered("n"), unoffered("m", forwards=2), unoffered("o", "a layout"), within()]
    lines = summary_lines(head(), rows)
    assert lines[1] == "flax 0.12.12 | promise values | path compile | device cuda"
    assert "applicable           2 of 5 (40 %), and 1 in part" in lines
    assert "within the contract  1 case" in lines
    assert "not applicable:      2  not offered: affine" in lines
    assert "within the contract:      1  no_eval: it cannot" in lines
    assert not [line for line in summary_lines(handmade.header(), [handmade.row()]) if "applicable" in line]


def test_many_reasons_are_summed_up() -> None:
    lines = reasons([unoffered(str(n), f"reason {n:02}") for n in range(20)])
    assert len(lines) == 13
    assert lines[-1].endswith("8  for 8 other reasons")
    assert applicable(outcome_counts([])) == "0 of 0"


def test_an_adapter_says_whose_rules_it_is_held_to() -> None:
    line = summary_lines(head(torch=""), [handmade.row()])[0]
    assert line.startswith("rules of torch 2.13 | ")


def test_the_options_run_a_case_again_as_it_was() -> None:
    assert head(subject="mine:Mine").options == (
        " --subject mine:Mine --threads 2 --promise values --device cuda"
    )


def test_a_diff_notes_another_claim_and_compares_reasons() -> None:
    old = handmade.record(head(), [unoffered("a"), within("b"), handmade.row("c")])
    new = handmade.record(head(promise="state"), [handmade.row("a"), within("b"), unoffered("c", "a layout")])
    comparison = compare(old, new)
    assert [(each.case, each.old, each.new) for each in comparison.verdicts] == [
        ("a", ("not_applicable: not offered: affine",), ("pass",)),
        ("c", ("pass",), ("not_applicable: a layout",)),
    ]
    assert verdict(within()) == "contract no_eval"
    assert "note: promise differs too: values -> state" in diff_lines(old, new, comparison, {})


def test_what_is_not_applicable_is_no_passing_case_of_a_cause() -> None:
    """A region of ids belongs to a cause although cases in it do not apply."""
    rows = [handmade.row("edge-eps-a", findings=(handmade.found(),)), handmade.row("edge-eps-b", findings=(handmade.found(),))]
    others = [handmade.row("edge-load-a")]
    told = causes([*rows, unoffered("edge-eps-c"), *others])
    assert told[0].only is not None
    assert causes([*rows, handmade.row("edge-eps-c"), *others])[0].only is None


def test_a_run_without_an_applicable_case_is_told() -> None:
    assert summary.nothing_judged([handmade.row(), unoffered()]) == []
    assert summary.nothing_judged([]) == []
    assert summary.nothing_judged([unoffered()])[0].startswith("none of 1 case(s) is applicable")
