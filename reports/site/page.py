"""The page: what the columns show, put into the templates.

jinja2 is imported only when a page is made. Texts are made visible and escaped on their way into the
page; the only markup that is not escaped are the figures, which this package draws itself.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Dict, Sequence

from reports.errors import MissingExtra
from reports.record import Record
from reports.rows import FINDING, KNOWN_DEFECT
from reports.site import diagram, figures
from reports.site.board import LOOKS, board, legend
from reports.site.columns import columns
from reports.site.contents import contents
from reports.site.faults import explained, findings
from reports.site.packing import packed
from reports.site.proofs import proofs
from reports.site.summary import lead, verdict
from reports.visible import visible

TEMPLATES = Path(__file__).parents[1] / "templates"

TITLE = "BatchNorm2d conformance"

VIEWS: Dict[str, str] = {
    "behaviours": "Behaviours",
    "cases": "Cases",
    "changes": "Changes",
    "causes": "Causes",
    "numbers": "Numbers",
    "states": "States",
    "runs": "Runs",
}
"""Maps the name of each view in an address to its name in the navigation."""

SCRIPTS = ("elements.js", "records.js", "choice.js", "changes.js", "board.js", "cases.js", "main.js")


def page(records: Sequence[Record]) -> str:
    """Return the page of one or more records.

    Raises:
        MissingExtra: jinja2 or matplotlib is not installed.
    """
    environment = _environment()
    given = columns(records)
    parts = board(given)
    text: str = environment.get_template("site.html.j2").render(
        title=TITLE,
        lead=lead(given),
        views=VIEWS.items(),
        looks=LOOKS,
        columns=given,
        verdict=verdict(given),
        board=parts,
        legend=legend(parts),
        findings=findings(given),
        explained=explained(given),
        figures=[_marked(group) for group in figures.groups(given)],
        states={**proofs(given), "picture": _markup(diagram.picture())},
        packed=packed(contents(given)),
        scripts=SCRIPTS,
        FINDING=FINDING,
        KNOWN_DEFECT=KNOWN_DEFECT,
    )
    return text


def _environment() -> Any:
    try:
        jinja2: Any = importlib.import_module("jinja2")
    except ModuleNotFoundError:
        raise MissingExtra(
            "the page needs jinja2, which is not installed: python -m pip install jinja2 matplotlib"
        ) from None
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(TEMPLATES)),
        autoescape=jinja2.select_autoescape(["html.j2"], default=True),
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """Return the page's text for a value; the template escapes its markup."""
    return visible(value) if type(value) is str else value


def _marked(group: figures.Group) -> Dict[str, object]:
    """Return a group of figures whose pictures are known to be markup."""
    return {
        "title": group.title,
        "text": group.text,
        "figures": [{**figure._asdict(), "picture": _markup(figure.picture)} for figure in group.figures],
    }


def _markup(text: str) -> object:
    """Return text that the template takes for markup."""
    markupsafe: Any = importlib.import_module("markupsafe")
    made: object = markupsafe.Markup(text)
    return made
