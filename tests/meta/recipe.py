"""The recipes of reports/CI.md, run as a CI service runs them, as far as one machine can.

Only what lies outside of the repository is a stand-in: ``pip``, ``gh``, ``git clone`` and the upload of
artefacts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from tests.meta.sources import ROOT

ACTION = ROOT / ".github" / "actions" / "conformance" / "action.yml"
PAGE = ROOT / "reports" / "CI.md"

STAND_INS: Dict[str, str] = {
    # The stand-in for a run of the suite is a record that is ready, where a test names one.
    "python": """if [[ "$1 $2" == "-m pip" ]]; then echo "pip $*" >>"$LOG"; exit; fi
if [[ "$1 $2" != "-m pytest" || -z ${RECORD:-} ]]; then exec "$PYTHON_HERE" "$@"; fi
for word in "$@"; do
    case $word in
        --report=*) cp "$RECORD" "${word#*=}" ;;
        --junitxml=*) echo "<testsuites/>" >"${word#*=}" ;;
    esac
done""",
    "pip": """echo "pip $*" >>"$LOG" """,
    # The stand-in refuses to overwrite a file, as gh does.
    "gh": """[[ "$1 $2 $4 $6 $8" == "run download --repo --name --dir" ]] || exit 9
source=$(ls "$STORE/$3/$7"/*)
set -o noclobber
mkdir -p "$9" && cat "$source" >"$9/$(basename "$source")" """,
    "curl": """cp "$STORE/${3##*/}" "$5" """,
    "git": """ln -s "$CHECKOUT" "${@: -1}" """,
}
"""Maps the name of a program to the script that stands in for it."""


def blocks(language: str) -> List[str]:
    """Return the code blocks of a language on the page of the recipes."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Step(NamedTuple):
    """A step that ran: its exit status, its log, and what it appended to the page of the run."""

    status: int
    log: str
    summary: str


class Machine:
    """A machine of a CI service with a checkout of a team's repository.

    ``workspace``: the checkout. ``store``: a folder with the artefacts, by run.
    """

    def __init__(self, folder: Path) -> None:
        self.workspace, self.store, self.log = folder / "work", folder / "store", folder / "log"
        self._folder = folder
        for each in (self.workspace, self.store, folder / "bin"):
            each.mkdir()
        for name, script in STAND_INS.items():
            (folder / "bin" / name).write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="ascii")
            (folder / "bin" / name).chmod(0o755)

    def bash(self, script: str, **variables: str) -> Step:
        """Run a script as GitHub runs that of a step."""
        summary = self._folder / "summary.md"
        summary.write_text("", encoding="utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "PYTEST", "CI"))}
        environment = {
            **kept, "LOG": str(self.log), "STORE": str(self.store), "PYTHON_HERE": sys.executable,
            "PATH": f"{self._folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "CHECKOUT": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(summary), **variables,
        }  # fmt: skip
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.workspace, env=environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        return Step(ran.returncode, ran.stdout, summary.read_text(encoding="utf-8"))


class Workflow:
    """Runs of the composite action in one repository; ``document``: the parsed ``action.yml``."""

    def __init__(self, document: Any, machine: Machine) -> None:
        self._steps: List[Any] = document["runs"]["steps"]
        self._defaults = {name: each.get("default") for name, each in document["inputs"].items()}
        self.machine = machine
        self.runs = 0

    def run(self, **inputs: str) -> Step:
        """Run every step of the action that a machine can, and return that of the gate."""
        self.runs += 1
        temp = self.machine.store.parent / f"temp{self.runs}"
        temp.mkdir()
        known = {f"inputs.{name}": value for name, value in {**self._defaults, **inputs}.items()}
        known["runner.temp"] = str(temp)
        gate = Step(-1, "", "")
        for step in self._steps:
            if "run" in step:
                ran = self._perform(step, known, temp)
                gate = ran if step.get("id") == "gate" else gate
            elif step["uses"].startswith("actions/upload-artifact@"):
                wanted = {name: _filled(value, known) for name, value in step["with"].items() if isinstance(value, str)}
                self._upload(wanted)
        return gate

    def _perform(self, step: Any, known: Dict[str, str], temp: Path) -> Step:
        assert "${{" not in step["run"], "inputs go into a script by variables, which bash does not parse"
        outputs = temp / "outputs"
        outputs.write_text("", encoding="utf-8")
        ran = self.machine.bash(
            step["run"],
            **{name: _filled(value, known) for name, value in step["env"].items()},
            GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(outputs), GITHUB_RUN_ID=str(self.runs),
            GITHUB_REPOSITORY="team/project", GITHUB_WORKSPACE=str(self.machine.workspace),
            GITHUB_ACTION_PATH=str(ACTION.parent), RUNNER_TEMP=str(temp),
        )  # fmt: skip
        for line in outputs.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            known[f"steps.{step['id']}.outputs.{name}"] = value
        return ran

    def _upload(self, wanted: Dict[str, str]) -> None:
        if Path(wanted["path"]).exists():
            artefact = self.machine.store / str(self.runs) / wanted["name"]
            artefact.mkdir(parents=True)
            shutil.copy(wanted["path"], artefact)


def _filled(text: str, known: Dict[str, str]) -> str:
    """Replace the expressions in a text by their values."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found.group(1)], text)
