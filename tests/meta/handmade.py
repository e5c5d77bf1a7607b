"""Rows and records with made-up values for the tests of ``reports``; every default can be overridden."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Sequence

from reports.record import Record
from reports.rows import CaseRow, Found, Header, footer_for


def header(release: str = "2.13", **overrides: Any) -> Header:
    """Return the header of a whole gate tier on ``release``."""
    values: Dict[str, Any] = {
        "suite": "abc1234",
        "torch": release + ".0+cpu",
        "numpy": "2.4.6",
        "python": "3.11.7",
        "platform": "Linux-x86_64",
        "threads": 2,
        "subject": "torch.nn:BatchNorm2d",
        "tier": "gate",
        "seed": 0,
        "selection": None,
        "release": release,
        "release_in_table": True,
        "semantics": {},
    }
    values.update(overrides)
    return Header(**values)


def row(case: str = "case-a", **overrides: Any) -> CaseRow:
    """Return the row of a passing case; its outcome follows from a defect or a finding."""
    values: Dict[str, Any] = {
        "id": case,
        "behaviour": "plain",
        "outcome": "pass",
        "forwards": 4,
        "compared": {"output": 4, "running_mean": 4, "flags": 4},
        "share": {"output": (-0.25, 0.125)},
        "ulps": {"output": (-2.0, 1.0)},
        "detectable": {"output": 1e-6},
        "errors": (),
        "switches": (),
        "defect": None,
        "finding": None,
        "digest": "0123456789abcdef",
        "findings": (),
    }
    if overrides.get("findings") and overrides.get("finding") is None:
        values["finding"] = "output differs"
        values["outcome"] = "finding"
    if overrides.get("defect") is not None:
        values["outcome"] = "known_defect"
    elif overrides.get("finding") is not None:
        values["outcome"] = "finding"
    values.update(overrides)
    return CaseRow(**values)


def found(quantity: str = "output", **overrides: Any) -> Found:
    """Return a finding at the first forward of a case."""
    values: Dict[str, Any] = {
        "step": 1,
        "token": "forward:b0",
        "quantity": quantity,
        "got": "1.0",
        "expected": "2.0",
    }
    values.update(overrides)
    return Found(**values)


def varied_rows() -> List[CaseRow]:
    """Return rows that between them use every field."""
    return [
        row("case-a"),
        row("case-b", errors=("3 forward:b2 ValueError é “one” value",), switches=("s",)),
        row("case-c", defect="poison", finding="buffers are replaced"),
        row("case-d", finding="output[0, 1] got nan", share={"output": (-math.inf, 2.0)}),
        row("case-e", findings=(found(), found("exception", step=0, index=(0, 1), switches=("s",)))),
        row("case-f", findings=(found(error=0.1, budget=1e-7, ulps=math.inf, regime="huge"),)),
    ]


def record(
    head: Header, rows: Sequence[CaseRow], exit_status: int = 0, source: str = "handmade"
) -> Record:
    """Return a record as ``reports.record.read`` would."""
    ordered = sorted(rows, key=lambda each: each.id)
    return Record(head, tuple(ordered), footer_for(head, ordered, exit_status), source)


def releases() -> List[Record]:
    """Return three records of two releases and of another module, whose cases differ."""
    rows = varied_rows()
    later = [row("case-a", digest="f" * 16), *rows[1:4], row("case-g", errors=("0 construct E e",))]
    return [
        record(header("2.13"), later, 1, "b.jsonl.gz"),
        record(header("2.12"), rows, 1, "a.jsonl.gz"),
        record(header("2.13", subject="mine:Norm"), rows[:2], 0, "c.jsonl.gz"),
    ]
