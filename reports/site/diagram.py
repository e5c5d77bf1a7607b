"""The picture of the states: a column for each mode, a row for each pair of flag and buffers."""

from __future__ import annotations

from typing import Any, Tuple

from reports.site.drawing import CHOSEN, INK, PAGE, PLAIN, QUIET, figure, matplotlib, svg
from reports.site.states import BUFFERS, NOTHING, STATES, State

WIDTH, HEIGHT = 3.9, 5.4
"""The size of the picture in inches, which are also the units of the places below."""

BOX_WIDTH, BOX_HEIGHT = 1.48, 0.8
LEFTS = (0.22, 2.2)
TOPS = (4.98, 3.66, 2.34, 1.02)
"""The left edges of the two columns, and the upper edges of the four rows."""

FLAG = "track_running_stats"
BETWEEN = (
    (FLAG, "↓ = False    ↑ = True"),
    ("buffers", "↓ = None    ↑ attached"),
    (FLAG, "↓ = True    ↑ = False"),
)
"""The attribute that the ways from each row to the next and back change, and its values."""

LABEL = "States of a BatchNorm2d: the table below says the same in words"


def picture() -> str:
    """Return the picture as markup."""
    with figure(WIDTH, HEIGHT) as drawn:
        axes = drawn.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, HEIGHT)
        for left, mode in zip(LEFTS, ("train mode", "eval mode")):
            axes.text(left + BOX_WIDTH / 2, 5.16, mode, ha="center", fontsize=10, weight="bold")
        for number, state in enumerate(STATES):
            _box(axes, LEFTS[number % 2], TOPS[number // 2], state)
        for top in TOPS:
            _modes(axes, top - BOX_HEIGHT / 2)
        for upper, lower, labels in zip(TOPS, TOPS[1:], BETWEEN):
            for left in LEFTS:
                _rows(axes, left, upper - BOX_HEIGHT, lower, labels)
        _around(axes)
        return svg(drawn, "states", LABEL)


def _box(axes: Any, left: float, top: float, state: State) -> None:
    axes.add_patch(
        matplotlib().patches.FancyBboxPatch(
            (left, top - BOX_HEIGHT), BOX_WIDTH, BOX_HEIGHT, boxstyle="round,pad=0,rounding_size=0.07",
            facecolor=CHOSEN if state.normalises == BUFFERS else PLAIN, edgecolor=QUIET, linewidth=0.8,
        )
    )  # fmt: skip
    short = "running buffers" if state.normalises == BUFFERS else "batch statistics"
    updates = "updates nothing" if state.updates == NOTHING else _updates(state)
    for line, (text, weight) in enumerate(
        ((state.kind, "bold"), (f"by {short}", "normal"), (updates, "normal"))
    ):
        axes.text(
            left + BOX_WIDTH / 2,
            top - 0.2 - 0.2 * line,
            text,
            ha="center",
            va="center",
            weight=weight,
            fontsize=8,
        )


def _updates(state: State) -> str:
    return "updates, counts" if state.present else "counts"


def _modes(axes: Any, height: float) -> None:
    """Draw the ways between train and eval mode."""
    start, end = LEFTS[0] + BOX_WIDTH + 0.04, LEFTS[1] - 0.04
    _arrow(axes, (start, height + 0.07), (end, height + 0.07))
    _arrow(axes, (end, height - 0.07), (start, height - 0.07))
    axes.text((start + end) / 2, height + 0.14, "eval()", ha="center", fontsize=7.5)
    axes.text((start + end) / 2, height - 0.24, "train()", ha="center", fontsize=7.5)


def _rows(axes: Any, left: float, start: float, end: float, labels: Tuple[str, str]) -> None:
    """Draw the ways between a state and the one below it."""
    _arrow(axes, (left + 0.1, start - 0.03), (left + 0.1, end + 0.03))
    _arrow(axes, (left + 0.22, end + 0.03), (left + 0.22, start - 0.03))
    for line, label in enumerate(labels):
        axes.text(left + 0.32, (start + end) / 2 + 0.09 - 0.18 * line, label, va="center", fontsize=7.5)


def _around(axes: Any) -> None:
    """Draw the ways between the last row and the first, outside of the boxes."""
    behind = {"facecolor": PAGE, "edgecolor": "none", "pad": 2}
    for side, edge in ((0.1, LEFTS[0]), (WIDTH - 0.1, LEFTS[1] + BOX_WIDTH)):
        upper, lower = TOPS[0] - BOX_HEIGHT / 2, TOPS[-1] - BOX_HEIGHT / 2
        axes.plot([side, side], [lower, upper], color=INK, linewidth=0.9, solid_capstyle="butt")
        for height in (upper, lower):
            _arrow(axes, (side, height), (edge, height))
        label = "buffers:  ↓ attached  ↑ = None"
        axes.text(
            side,
            (upper + lower) / 2,
            label,
            rotation=90,
            ha="center",
            va="center",
            fontsize=7.5,
            bbox=behind,
        )


def _arrow(axes: Any, start: Tuple[float, float], end: Tuple[float, float]) -> None:
    style = {
        "arrowstyle": "-|>,head_length=0.3,head_width=0.16",
        "color": INK,
        "linewidth": 0.9,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", end, start, arrowprops=style)
