"""The CI recipes: from a first run with nothing accepted to a change that is accepted by one command."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, List

import pytest

from reports import record
from tests.meta import handmade
from tests.meta.command import MATRIX
from tests.meta.recipe import ACTION, PAGE, ROOT, Machine, Step, Workflow, blocks
from tests.meta.test_summary import commands

yaml = pytest.importorskip("yaml", reason="the recipes are YAML: pip install pyyaml")
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the steps of the recipes need bash")

DOCUMENT = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
HONEST = "import torch\n\n\nclass Norm(torch.nn.BatchNorm2d):\n    pass\n"
CHANGED = HONEST + (
    "\n    def forward(self, input):\n"
    "        if self.num_batches_tracked:\n            print('::error::injected')\n"
    "        return super().forward(input) * (2 if self.num_batches_tracked > 1 else 1)\n"
)
INPUTS = {"torch": "2.13.0", "subject": "mine:Norm", "path": "source", "options": f"--case {MATRIX}"}
ACCEPTED = "batchnorm/torch-2.13.0.jsonl.gz"


def told_commands(summary: str) -> List[str]:
    """Return the commands that a page tells to run, which are indented and hold ``gh``, ``cp`` or ``curl``."""
    return re.findall(r"^    ((?:mkdir|rm|cp|curl) .*)$", summary, re.MULTILINE)


def test_from_the_first_run_to_an_accepted_change(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    workflow = Workflow(DOCUMENT, machine)
    source = machine.workspace / "source"
    source.mkdir()
    (source / "mine.py").write_text(HONEST, encoding="ascii")

    first = workflow.run(**INPUTS)
    assert first.status == 0, first.log
    assert f"Nothing is accepted yet: there is no file `{ACCEPTED}`" in first.summary
    assert "### BatchNorm2d conformance: as specified" in first.summary
    accept(machine, first)

    unchanged = workflow.run(**INPUTS)
    assert unchanged.status == 0, unchanged.log
    assert f"Nothing that matters has changed since `{ACCEPTED}` was accepted." in unchanged.summary
    assert told_commands(unchanged.summary) == []
    assert heard(unchanged.log) == []

    (source / "mine.py").write_text(CHANGED, encoding="ascii")
    changed = workflow.run(**INPUTS)
    assert changed.status == 1
    assert "### BatchNorm2d conformance: 1 finding" in changed.summary
    assert MATRIX in changed.summary
    title = "error title=BatchNorm2d conformance"
    assert heard(changed.log) == [f"{title}%3A 1 case", title]
    assert "injected" in changed.log
    accept(machine, changed)

    assert workflow.run(**INPUTS).status == 0
    assert "torch==2.13.0 numpy pytest>=8.0 pytest-xdist>=3.5" in machine.log.read_text(encoding="utf-8")


def accept(machine: Machine, step: Step) -> None:
    """Run the one command that the page of a run tells."""
    (command,) = told_commands(step.summary)
    assert command in step.log
    before = machine.workspace / ACCEPTED
    old = before.read_bytes() if before.exists() else b""
    assert machine.bash(command).status == 0
    assert before.read_bytes() != old


def heard(log: str) -> List[str]:
    """Return the workflow commands that GitHub obeys, without their values."""
    obeyed, word = [], ""
    for line in commands(log):
        name, _, value = line.strip()[2:].partition("::")
        if word:
            word = "" if name == word else word
        elif name == "stop-commands":
            word = value
        else:
            obeyed.append(name)
    assert not word
    return obeyed


def test_a_run_that_cannot_be_judged_fails_and_accepts_nothing(tmp_path: Path) -> None:
    workflow = Workflow(DOCUMENT, Machine(tmp_path))
    step = workflow.run(torch="2.13.0", options="--tier small")
    assert step.status == 4
    assert "could not be judged (exit status 4 of pytest)" in step.summary
    assert told_commands(step.summary) == []
    assert not list(workflow.machine.store.rglob("*.jsonl.gz"))


def test_a_team_calls_the_action_in_a_few_lines() -> None:
    text = blocks("yaml")[0]
    workflow: Any = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()
    used = job["steps"][-1]
    assert len(text.splitlines()) <= 12
    assert used["uses"].partition("@")[0].partition("/.github/")[2] == "actions/conformance"
    assert set(used["with"]) <= set(DOCUMENT["inputs"])
    required = {name for name, each in DOCUMENT["inputs"].items() if each.get("required")}
    assert required <= set(used["with"])
    assert job["strategy"]["matrix"]["torch"]


def test_the_page_explains_every_input() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in rows))) == set(DOCUMENT["inputs"])


def test_the_lines_for_gitlab_run(tmp_path: Path) -> None:
    """The suite is stood in for, because the test of the action runs it."""
    (job,) = yaml.safe_load(blocks("yaml")[1]).values()
    machine = Machine(tmp_path)
    variables = {
        **job["variables"], "TORCH": job["parallel"]["matrix"][0]["TORCH"][1],
        "CI_JOB_URL": "https://example.com/job/7", "RECORD": str(tmp_path / "ready.jsonl.gz"),
    }  # fmt: skip
    record.write(variables["RECORD"], handmade.header(), [handmade.row()], 0)
    script = "\n".join(job["script"])
    first = machine.bash(script, **variables)
    assert first.status == 0, first.log
    out = machine.workspace / job["artifacts"]["paths"][0]
    assert (machine.workspace / job["artifacts"]["reports"]["junit"]).exists()
    (command,) = told_commands(first.log)
    shutil.copy(out / "torch-2.13.0.jsonl.gz", machine.store)
    assert machine.bash(command).status == 0
    assert (machine.workspace / ACCEPTED).read_bytes() == (out / "torch-2.13.0.jsonl.gz").read_bytes()
    assert commands(first.log) == []


def test_the_gate_says_how_it_is_used(tmp_path: Path) -> None:
    ran = Machine(tmp_path).bash(f"{ROOT}/.ci/gate one.txt out")
    assert (ran.status, ran.log) == (2, "usage: .ci/gate ACCEPTED.jsonl.gz FOLDER [options of pytest]\n")


CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_file_has_what_its_format_requires_and_the_version_of_the_suite() -> None:
    from reports.revision import VERSION

    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
    assert CITATION["cff-version"] == "1.2.0"
    assert all(set(each) in ({"name"}, {"family-names", "given-names"}) for each in CITATION["authors"])
    assert CITATION["version"] == VERSION
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
