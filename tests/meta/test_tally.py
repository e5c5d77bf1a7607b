"""The summary of a record: counts and extremes over its cases."""

from __future__ import annotations

import math

import pytest

from reports import tally
from tests.meta import handmade


def test_summary_names_what_was_seen() -> None:
    rows = [
        handmade.row("a", share={"output": (-0.5, 0.1)}, detectable={"output": 2e-6}),
        handmade.row("b", share={"output": (0.0, 0.25)}, detectable={"output": 1e-6}),
        handmade.row("c", share={}, detectable={}, defect="poison"),
    ]
    lines = tally.summary_lines(handmade.header(), rows)
    assert lines[0] == "torch 2.13.0+cpu | torch.nn:BatchNorm2d | tier gate | seed 0"
    assert "cases                3 (2 pass)" in lines
    assert "findings             0 cases" in lines
    assert "known defects        1 case" in lines
    assert "forwards checked     12" in lines
    assert "quantities compared  36" in lines
    assert "compared exactly     running_mean 12, flags 12" in lines
    assert lines[-1].split() == ["output", "12", "50", "%", "37.5", "%", "2e-06"]


def test_summary_says_what_limits_it() -> None:
    head = handmade.header("2.16", selection="-k eval", release_in_table=False)
    text = "\n".join(tally.summary_lines(head, []))
    assert "a selection of the tier: -k eval" in text
    assert "release 2.16 is not in the table" in text
    assert "budget" not in text


def test_summary_is_ascii_so_that_every_terminal_can_print_it() -> None:
    "\n".join(tally.summary_lines(handmade.header(), handmade.varied_rows())).encode("ascii")


def test_budget_use_that_is_no_number_counts_as_infinite() -> None:
    usage = tally.tally([handmade.row(share={"output": (math.nan, 0.0)})]).usage[0]
    assert usage.largest == tally.Peak(math.inf, "case-a")


def test_equal_peaks_name_the_first_case_whatever_the_order() -> None:
    rows = [handmade.row(name) for name in "bac"]
    usage = tally.tally(rows).usage[0]
    assert usage.largest == tally.Peak(0.25, "a")


@pytest.mark.parametrize(
    ("value", "text"), [(0.07, "7 %"), (0.123456, "12.4 %"), (0.0, "0 %"), (math.inf, "inf %")]
)
def test_percentages_are_rounded_up(value: float, text: str) -> None:
    assert tally.percent(value) == text
