"""The pages agree with the suite: commands, ids, numbers, options, files and links."""

from __future__ import annotations

import re
from typing import Any, List, Set, Tuple

import pytest

from cases import catalogue, claims, matrix
from cases.catalogue import find
from oracle.semantics import RELEASES
from reports.commands.table import COMMANDS
from tests.conformance import options
from tests.meta.command import crash, run
from tests.meta.sources import FOLDERS, ROOT


def _pages() -> Tuple[str, ...]:
    files = [*ROOT.glob("*.md"), *(each for folder in FOLDERS for each in (ROOT / folder).rglob("*.md"))]
    return tuple(sorted(each.relative_to(ROOT).as_posix() for each in files))


PAGES = _pages()
each_page = pytest.mark.parametrize("page", PAGES)

ONE_SCREEN = 80
"""The number of lines that README may have."""


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


README = text("README.md")


# --- README ----------------------------------------------------------------------------------


def test_readme_fits_on_a_screen() -> None:
    assert len(README.splitlines()) <= ONE_SCREEN


def test_commands_are_those_of_ci() -> None:
    """The two commands are in .ci/run letter for letter."""
    script = text(".ci/run").splitlines()
    commands = re.findall(r"^(python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert command in script


def test_releases_named_are_the_table() -> None:
    """README has the first and the last release of the table."""
    first, last = (".".join(map(str, each)) for each in (RELEASES[0], RELEASES[-1]))
    assert f"from {first} to {last}" in README


def test_the_failure_shown_is_what_its_command_prints() -> None:
    command = re.search(r"^pytest (--subject .*)$", README, re.MULTILINE)
    shown = re.search(r"^```text\n(claim-.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert command is not None
    assert shown is not None
    ran = run(*command[1].split())
    assert ran.status == 1, ran.output
    assert crash(ran.output) == []
    assert shown[1] in ran.output


def tree() -> List[Tuple[str, str]]:
    """Return the folders of the tree in README, and what it says of each."""
    block = re.search(r"^```text\n(cases/.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    entries: List[Tuple[str, str]] = []
    for line in block[1].splitlines():
        folder, description = line[:20].strip(), line[20:]
        if folder:
            entries.append((folder, description))
        else:
            entries[-1] = (entries[-1][0], f"{entries[-1][1]} {description}")
    return entries


def test_the_tree_is_that_of_the_repository() -> None:
    """Every folder and module that the tree names is there, and every room of tests is named."""
    for folder, description in tree():
        assert (ROOT / folder).is_dir(), folder
        for name in re.findall(r"[a-z_/]*[a-z_](?:\.py|/)", description):
            assert (ROOT / folder / name).exists(), f"{folder}{name}"
    named = {folder.rstrip("/") for folder, _ in tree()}
    rooms = {f"tests/{each.parent.name}" for each in (ROOT / "tests").glob("*/__init__.py")}
    assert rooms | {"cases", "oracle", "reports"} == named


# --- the other pages -------------------------------------------------------------------------


def test_claims_table_is_the_generated_one() -> None:
    """``python -m cases.claims`` prints what stands on the page."""
    assert claims.table() in text("cases/claims/README.md")


def test_numbers_of_cases_of_the_tiers() -> None:
    """The page has the size of the product, and the gate's to the nearest hundred."""
    page = text("cases/README.md")
    assert f"{sum(1 for _ in matrix.full()):,} cases" in page
    gate = sum(1 for family in catalogue.FAMILIES for _ in catalogue.ids(family, "gate"))
    assert f"about {round(gate, -2):,} cases" in page
    assert all(f"`{tier}`" in page for tier in catalogue.TIERS)


def test_ids_in_the_example_exist() -> None:
    """Every id shown names a case."""
    shown = re.findall(r"^((?:matrix|edge|claim|state|steps)-\S+)", text("cases/README.md"), re.MULTILINE)
    assert len(shown) == 5
    for each in shown:
        assert find(each).id == each


class _Names:
    """Stands for pytest's parser and collects the names of the options."""

    def __init__(self) -> None:
        self.names: Set[str] = set()

    def getgroup(self, *names: str) -> Any:
        return self

    def addoption(self, name: str, **values: Any) -> None:
        self.names.add(name)


def test_the_table_of_options_is_complete() -> None:
    parser: Any = _Names()
    options.add(parser)
    shown = re.findall(r"^\| `(--[a-z-]+)", text("tests/conformance/README.md"), re.MULTILINE)
    assert len(set(shown)) == len(shown)
    assert set(shown) == parser.names


PATH = re.compile(r"`((?:cases|oracle|tests|reports)/[a-z0-9_/.-]+)`")


@each_page
def test_files_named_are_there(page: str) -> None:
    for path in PATH.findall(text(page)):
        assert (ROOT / path).exists() , path


def test_modules_of_a_failure_are_all_on_its_page() -> None:
    page = text("tests/failure/README.md")
    named = set(re.findall(r"`([a-z_]+\.py)`", page))
    there = {each.name for each in (ROOT / "tests" / "failure").glob("*.py")}
    assert named == there - {"__init__.py"}


def test_contributing_names_what_a_newcomer_asks_for() -> None:
    """Each question is a row whose first cell asks it and whose second names the file."""
    rows = dict(re.findall(r"^\| (.*?) \| (.*) \|$", text("CONTRIBUTING.md"), re.MULTILINE))
    for words, path in (
        ("bound of a quantity", "oracle/numerics/bounds.py"),
        ("what a failing case prints", "tests/failure/report.py"),
        ("how a state dict is loaded into the subject", "tests/subject/state_dicts.py"),
        ("which cases make up smoke", "cases/matrix/covering.py"),
    ):
        [cell] = [cell for first, cell in rows.items() if words in first]
        assert cell.startswith((f"`{path}`", f"of the matrix `{path}`")), (words, cell)


# --- every page ------------------------------------------------------------------------------


def anchors(page: str) -> Set[str]:
    """Return the anchors that GitHub makes of the headings of a page, and those it sets itself."""
    headings = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings)
    return {*plain, *re.findall(r'<a id="([^"]+)"></a>', text(page))}


def outside_code(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", text(page), flags=re.MULTILINE | re.DOTALL)


@each_page
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link is a file of the repository, and its anchor a heading there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", outside_code(page)):
        place, _, anchor = target.partition("#")
        if "://" in place:
            continue
        file = ((ROOT / page).parent / place).resolve() if place else ROOT / page
        assert file.exists(), target
        assert file == ROOT or ROOT in file.parents, target
        if anchor:
            assert anchor in anchors(file.relative_to(ROOT).as_posix()), target


@each_page
def test_commands_named_exist(page: str) -> None:
    """nox sessions, modules that are run and commands of reports."""
    sessions = set(re.findall(r"^def ([a-z_]+)\(session", text("noxfile.py"), re.MULTILINE))
    for session in re.findall(r"nox -s \"?([a-z_]+)", text(page)):
        assert session in sessions, session
    for module in re.findall(r"python3? -m ((?:cases|oracle|reports|tests)[a-z_.]*)", text(page)):
        path = ROOT.joinpath(*module.rstrip(".").split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    commands = {entry.name for entry in COMMANDS}
    for command in re.findall(r"python -m reports ([a-z]+)", text(page)):
        assert command in commands, command


def test_every_folder_page_can_be_reached_from_readme() -> None:
    """A reader comes from README to every page by links."""
    reached, left = set(), ["README.md"]
    while left:
        page = left.pop()
        reached.add(page)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", outside_code(page)):
            if "://" in target:
                continue
            path = ((ROOT / page).parent / target).resolve().relative_to(ROOT).as_posix()
            if path.endswith(".md") and path not in reached:
                left.append(path)
    apart = ("reports/defects/", "reports/divergences/")
    assert {page for page in PAGES if not page.startswith(apart)} <= reached


def test_a_broken_anchor_is_seen() -> None:
    assert "run-it" in anchors("README.md")
    assert "freeze" in anchors("reports/BEHAVIOUR.md")
    assert "nowhere" not in anchors("README.md")
