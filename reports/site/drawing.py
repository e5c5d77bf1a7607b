"""Drawing with matplotlib: figures as SVG that takes its colours and letters from the page around it.

matplotlib is imported only when a figure is drawn: the other commands do without it.
"""

from __future__ import annotations

import html
import importlib
import io
import re
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Tuple

from reports.errors import MissingExtra

INK, QUIET, LINE, BAND, PAGE = "#010201", "#010202", "#010203", "#010204", "#010205"
SERIES: Tuple[str, ...] = ("#010211", "#010212", "#010213", "#010214")
PLAIN, CHOSEN = "#010221", "#010222"

_NAMES: Dict[str, str] = {
    INK: "ink",
    QUIET: "quiet",
    LINE: "line",
    BAND: "band",
    PAGE: "page",
    PLAIN: "soft",
    CHOSEN: "other",
    **{colour: f"series-{number}" for number, colour in enumerate(SERIES, 1)},
}
"""Maps the colours that figures are drawn in to the colours of the page, light or dark."""

_SETTINGS: Dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "batchnorm2d",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "figure.facecolor": "none",
}


def matplotlib() -> Any:
    """Return matplotlib.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        importlib.import_module("matplotlib.figure")
        return importlib.import_module("matplotlib")
    except ModuleNotFoundError:
        raise MissingExtra(
            "the plots of the page need matplotlib, which is not installed: "
            "python -m pip install jinja2 matplotlib"
        ) from None


@contextmanager
def figure(width: float, height: float) -> Iterator[Any]:
    """Give a figure of this size in inches, in the settings of the page."""
    library = matplotlib()
    with library.rc_context(_SETTINGS):
        yield library.figure.Figure(figsize=(width, height))


def plot(drawn: Any, title: str, bottom: float) -> Any:
    """Return the axes of a plot that fills a figure; ``bottom``: the share of the height below them."""
    axes = drawn.add_axes((0.15, bottom, 0.83, 0.87 - bottom))
    axes.set_title(title)
    return axes


def svg(drawn: Any, name: str, label: str) -> str:
    """Return a figure as markup for a page.

    ``name`` makes the ids in it different from those of other figures; ``label`` is read out instead of
    the picture. Must be called while the settings of ``figure`` hold.
    """
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    drawn.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"#0102[0-9]{2}", lambda found: f"var(--{_NAMES[found.group()]})", text)
    text = re.sub(r' (width|height)="[0-9.]+pt"', "", text, count=2)
    text = re.sub(r"<style.*?</style>|font-family: [^;]*; ?", "", text, flags=re.DOTALL)
    text = re.sub(r'font: ([^;"]*?)([0-9.]+px) [^;"]*', r"font: \1\2 sans-serif", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1)
