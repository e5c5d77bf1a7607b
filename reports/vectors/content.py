"""All files of a set of vectors, as bytes: the same on every machine, Python and NumPy."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from cases.case import Case
from cases.derivatives import Backward
from cases.steps import Forward
from oracle.defects import DEFECTS
from oracle.expectations import deviating, expectations
from oracle.semantics import semantics
from oracle.switch import Release
from reports.revision import suite_revision
from reports.vectors import selection, situations
from reports.vectors.arrays import POOLS, Arrays, npy
from reports.vectors.flags import KINDS, OUT_OF_SIGHT, defect_flag, flags
from reports.vectors.page import rendered
from reports.vectors.program import Json, number, written

FORMAT = 1
"""The version of the format. It changes with every field or word that an earlier reader does not know."""

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]

SCHEMAS = ("arrays", "cases", "left_out", "manifest")
"""The names of the JSON Schemas. Those of all files of cases are the same."""

HEADER = (
    "Test vectors for implementations of BatchNorm2d. README.md says how a port uses them.",
    "A case constructs a module and performs steps on it. After each step, what it returns and the state "
    "must be within the budgets, element by element.",
    "Leave out a case with a flag that the port lacks, and end a case before a step with such a flag.",
)
"""Lines at the beginning of the manifest, for a person who opens it first."""


class Written(NamedTuple):
    """All files by name, and the numbers that a person wants to know."""

    files: Dict[str, bytes]
    cases: int
    steps: int
    arrays: int
    left_out: int


def content(tier: str, release: Release) -> Written:
    """Return the files of the vectors of a tier, for the rules of a release of torch."""
    selected = selection.select(tier)
    arrays, groups = Arrays(), _Groups()
    left_out = {**selected.left_out, **_fill(groups, arrays, selected.cases, release)}
    files = {
        **{f"{pool}.npy": npy(arrays.pool(pool)) for pool in POOLS},
        "arrays.json": _arrays(arrays),
        **{f"{family}.json": groups.text(family) for family in groups.families},
        "left_out.json": _lines({"schema": _schema("left_out")}, "left_out", _reasons(left_out)),
        **_companions(release),
    }
    files["manifest.json"] = _manifest(tier, release, files, groups)
    cases = sum(groups.families.values())
    return Written(files, cases, groups.steps, len(arrays.table), len(left_out))


def _fill(groups: _Groups, arrays: Arrays, cases: Sequence[Case], release: Release) -> Dict[str, str]:
    """Write the cases that say something new to a port; return the reason for each of the others."""
    rules = semantics(release).of_subject(sums_exactly=False)
    left_out: Dict[str, str] = {}
    seen: Dict[str, str] = {}
    for case in cases:
        expected = expectations(case, rules)
        program = written(case, expected, arrays)
        if program is None:
            left_out[case.id] = selection.TORCH_ONLY
            continue
        group = _group(case)
        same = seen.setdefault(_line({"group": group, "steps": program}), case.id)
        if same != case.id:
            left_out[case.id] = selection.SAME + same
            continue
        flags_of_case = sorted(situations.of_case(case) + _defects(case, release))
        test = {"id": case.id, "comment": case.note, "flags": flags_of_case, "steps": program}
        groups.add(case, group, test)
    return left_out


class _Groups:
    """The tests of each family, in groups of one construction and dtype.

    ``families``: the number of tests of each family. ``used``: the number of tests that have a flag.
    """

    def __init__(self) -> None:
        self.families: Dict[str, int] = {}
        self.used: Dict[str, int] = {}
        self.steps = 0
        self._tests: Dict[Tuple[str, str], List[Json]] = {}

    def add(self, case: Case, group: Json, test: Json) -> None:
        family = case.id.partition("-")[0].replace("steps", "state")
        self.families[family] = self.families.get(family, 0) + 1
        self.steps += len(test["steps"])
        for flag in {*test["flags"], *(each for step in test["steps"] for each in step.get("flags", ()))}:
            self.used[flag] = self.used.get(flag, 0) + 1
        self._tests.setdefault((family, _line(group)), []).append(test)

    def text(self, family: str) -> bytes:
        """Return the file of a family, each test on a line."""
        head = {"schema": _schema("cases"), "numberOfTests": self.families[family]}
        parts = []
        for (own, group), tests in self._tests.items():
            if own == family:
                lines = ",\n".join(_line(test) for test in tests)
                parts.append(f'{group[:-1]},"tests":[\n{lines}\n]}}')
        groups = ",\n".join(parts)
        return f'{_line(head)[:-1]},"testGroups":[\n{groups}\n]}}\n'.encode("ascii")


def _group(case: Case) -> Json:
    """Return the fields that the tests of a group share."""
    config, variant = case.config, case.variant
    return {
        "config": {
            "num_features": config.num_features,
            "eps": number(config.eps),
            "momentum": number(config.momentum),
            "affine": config.affine,
            "bias": config.affine and config.bias is not False,
            "track_running_stats": config.track_running_stats,
        },
        "dtype": variant.module_dtype,
        "input_dtype": variant.input_dtype,
    }


def _defects(case: Case, release: Release) -> List[str]:
    """Return the flags of the known defects that torch shows in the case, with one thread."""
    present = [each for each in DEFECTS if each.on(release) and each.name not in OUT_OF_SIGHT]
    rules = semantics(release)
    right = expectations(case, rules)
    if deviating(case, right, rules, present, 1) is None:
        return []
    found = []
    for each in present:
        seen = deviating(case, right, rules, [each], 1) or right
        first = next((step for step, a, b in zip(case.steps, right[1:], seen[1:]) if a is not b), None)
        if isinstance(first, (Forward, Backward)):
            found.append(defect_flag(each.name))
    return found


def _reasons(left_out: Dict[str, str]) -> List[Json]:
    reasons: Dict[str, List[str]] = {}
    for case_id in sorted(left_out):
        reasons.setdefault(left_out[case_id], []).append(case_id)
    return [{"reason": reason, "ids": reasons[reason]} for reason in sorted(reasons)]


def _arrays(arrays: Arrays) -> bytes:
    head = {"schema": _schema("arrays"), "points": arrays.points}
    return _lines(head, "arrays", arrays.table)


def _companions(release: Release) -> Dict[str, bytes]:
    """Return the files that are no numbers: the page, the schemas and the consumers."""
    page = rendered(release).replace("](vectors/", "](").encode("utf-8")
    found = {"README.md": page, **{_schema(name): _text(FOLDER / _schema(name)) for name in SCHEMAS}}
    for path in sorted((FOLDER / "consumers").glob("*.*")):
        found[f"consumers/{path.name}"] = _text(path)
    return found


def _text(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n")


def _schema(name: str) -> str:
    return f"schema/{name}.schema.json"


def _manifest(tier: str, release: Release, files: Dict[str, bytes], groups: _Groups) -> bytes:
    """Return the manifest: what the vectors are, every flag that is used, and every file's digest."""
    notes = {
        each.name: {
            "bugType": each.kind,
            "description": each.description,
            "links": list(each.links),
            "numberOfTests": groups.used[each.name],
        }
        for each in flags(release)
        if each.name in groups.used
    }
    manifest: Json = {
        "schema": _schema("manifest"),
        "format": FORMAT,
        "header": list(HEADER),
        "suite": suite_revision(ROOT),
        "tier": tier,
        "semantics": ".".join(map(str, release)),
        "numberOfTests": sum(groups.families.values()),
        "cases": [f"{family}.json" for family in groups.families],
        "bugTypes": KINDS,
        "notes": notes,
        "files": {
            name: {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
            for name in sorted(files)
        },
    }
    return (json.dumps(manifest, indent=1) + "\n").encode("ascii")


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _lines(head: Json, name: str, entries: List[Json]) -> bytes:
    """Return an object whose last field is a list, each entry of it on a line."""
    lines = ",\n".join(map(_line, entries))
    return f'{_line(head)[:-1]},"{name}":[\n{lines}\n]}}\n'.encode("ascii")
