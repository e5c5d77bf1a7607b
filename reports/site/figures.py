"""The plots of the page: how much of their budgets the numbers use, and how they drift."""

from __future__ import annotations

import math
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

from reports.site.columns import RELEASES, Column
from reports.site.drawing import INK, SERIES, figure, plot, svg
from reports.site.drift import BACKWARD, BINS, FORWARD, Level, Spread, Step, levels, spreads, steps
from reports.tally import percent, short
from reports.visible import shortened

WIDTH, HEIGHT = 3.75, 2.5
"""The size of a plot in inches; the page shows it as wide as a phone."""

MARKERS = ("o", "s", "^", "D")
STYLES = ("-", "--", ":", "-.")
"""The markers and line styles that tell lines apart besides their colours."""

NAME = 28
"""The largest number of characters of a name in a plot."""

Rows = Tuple[Tuple[str, ...], ...]


class Figure(NamedTuple):
    """A plot: its markup, its caption, and the table of its numbers."""

    picture: str
    caption: str
    head: Tuple[str, ...]
    rows: Rows


class Group(NamedTuple):
    """Plots under one heading, with a sentence on how they are read."""

    title: str
    text: str
    figures: Tuple[Figure, ...]


def groups(given: Sequence[Column]) -> Tuple[Group, ...]:
    """Return all plots that the columns have numbers for."""
    releases = [column for column in given if column.group == RELEASES]
    found = [
        Group(
            "Budget used",
            "How many cases use which part of the budget of a quantity: the largest error in the case, "
            "divided by its bound. Nothing may be beyond 100 %.",
            tuple(_histogram(spread, number) for number, spread in enumerate(spreads(given))),
        )
    ]
    if len(releases) > 1:
        moved, used = steps(given), levels(releases)
        drifts = [_changed(moved), *_moves(moved), *_levels(used)]
        found.append(
            Group(
                "Drift across releases",
                "Numbers move within their budgets when a release sums in another order or calls "
                "another kernel. Cases whose expected values changed are left out.",
                tuple(drifts),
            )
        )
    return tuple(group for group in found if group.figures)


# --- budget used ------------------------------------------------------------------------


def _histogram(spread: Spread, number: int) -> Figure:
    """Return the histogram of one quantity: bars for the newest release, ranges or lines for others."""
    releases = [each for each in spread.columns if each[0].group == RELEASES]
    main = (releases or list(spread.columns))[-1]
    band = [bins for column, bins in releases if column is not main[0]]
    lines = [each for each in spread.columns if each not in releases and each is not main][
        : len(SERIES) - 2
    ]
    name = shortened(spread.quantity, NAME)
    edges = [share / BINS for share in range(BINS + 2)]
    with figure(WIDTH, HEIGHT) as drawn:
        axes = plot(drawn, name, 0.1)
        axes.bar(edges[:-1], main[1], 1 / BINS, align="edge", color=SERIES[0], label=_short(main[0]))
        if band:
            low, high = ([pick(each) for each in zip(*band)] for pick in (min, max))
            middles = [edge + 0.5 / BINS for edge in edges[:-1]]
            axes.vlines(middles, low, high, color=SERIES[1], linewidth=2, label="range of other releases")
        for (column, bins), colour, style in zip(lines, SERIES[2:], STYLES[1:]):
            axes.stairs(bins, edges, color=colour, linestyle=style, linewidth=1.4, label=_short(column))
        axes.axvline(1, color=INK, linewidth=1)
        _log(axes, max(max(bins) for _, bins in spread.columns))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlim(0, 1 + 1 / BINS)
        axes.set_ylabel("cases")
        axes.legend(loc="upper right")
        label = f"Histogram of the budget that {name} uses on {main[0].title}"
        picture = svg(drawn, f"budget{number}", label)
    head = (
        "share of the budget",
        *(column.name for column, _ in (main, *lines)),
        *(("other releases",) if band else ()),
    )
    rows = tuple(
        (_range(place), str(main[1][place]), *(str(bins[place]) for _, bins in lines))
        + ((f"{min(bins[place] for bins in band)}–{max(bins[place] for bins in band)}",) if band else ())
        for place in range(BINS + 1)
    )
    return Figure(picture, f"{name}: {sum(main[1]):,} cases on {main[0].title}", head, rows)


def _range(place: int) -> str:
    if place == BINS:
        return "above 100 %"
    width = 100 // BINS
    return f"{place * width}–{(place + 1) * width} %"


def _log(axes: Any, most: int) -> None:
    """Set a scale on which one case and thousands of them can be seen."""
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 2 * max(most, 1))
    ticks = [0, *(10**power for power in range(len(str(most))))]
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks], minor=False)
    axes.set_yticks([], minor=True)


# --- drift ------------------------------------------------------------------------------


def _changed(moved: Sequence[Step]) -> Figure:
    title = "Cases with other bytes than on the release before"
    with figure(WIDTH, HEIGHT) as drawn:
        axes = plot(drawn, title, 0.17)
        axes.bar(range(len(moved)), [100 * step.changed for step in moved], color=SERIES[0])
        axes.set_ylabel("% of comparable cases")
        _releases(axes, [step.name for step in moved])
        picture = svg(drawn, "changed", title)
    rows = tuple((step.name, percent(step.changed)) for step in moved)
    return Figure(picture, title, ("release", "cases with other bytes"), rows)


def _moves(moved: Sequence[Step]) -> List[Figure]:
    """Return the plots of the largest moves: forward in ulps, backward in shares of the budget.

    Ulps say little about gradients, because in some cases all terms of a gradient cancel.
    """
    names = [step.name for step in moved]
    ulps = [(name, [step.ulps.get(name) for step in moved]) for name in FORWARD]
    shares = [
        (name, [100 * step.share[name] if name in step.share else None for step in moved])
        for name in BACKWARD
    ]
    found = []
    if any(step.ulps.get(name) for step in moved for name in FORWARD):
        title = "Largest move from the release before: forward"
        found.append(_lines(title, "ulps", names, ulps, short, connected=False))
    if any(step.share.get(name) for step in moved for name in BACKWARD):
        title = "Largest move from the release before: backward"
        found.append(_lines(title, "% of the budget", names, shares, _share, connected=False))
    return found


def _levels(used: Sequence[Level]) -> List[Figure]:
    found = []
    for what, quantities in (("forward", FORWARD), ("backward", BACKWARD)):
        names = [name for name in quantities if any(name in level.usage for level in used)]
        for place, which in enumerate(("Median", "Largest") if names else ()):
            values = [
                (
                    name,
                    [100 * level.usage[name][place] if name in level.usage else None for level in used],
                )
                for name in names
            ]
            title = f"{which} budget used: {what}"
            found.append(_lines(title, "% of the budget", [level.name for level in used], values, _share))
    return found


def _share(value: float) -> str:
    return percent(value / 100)


def _lines(
    title: str,
    unit: str,
    names: Sequence[str],
    values: Sequence[Tuple[str, Sequence[Optional[float]]]],
    text: Callable[[float], str],
    connected: bool = True,
) -> Figure:
    """Return a plot of one line for each quantity over the releases; points alone unless connected."""
    with figure(WIDTH, HEIGHT) as drawn:
        axes = plot(drawn, title, 0.17)
        for (name, column), colour, marker, style in zip(values, SERIES, MARKERS, STYLES):
            points = [float("nan") if value is None else value for value in column]
            axes.plot(
                range(len(names)), points, color=colour, marker=marker, markersize=3.5, linewidth=1.3,
                linestyle=style if connected else "none", label=name,
            )  # fmt: skip
        axes.set_ylabel(unit)
        if connected:
            axes.set_ylim(bottom=0)
        else:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda value, _: power(value))
            axes.minorticks_off()
        _releases(axes, names)
        axes.margins(y=0.25)
        axes.legend(loc="best", ncols=1)
        picture = svg(drawn, "".join(filter(str.isalpha, title)), title)
    rows = tuple(
        (
            name,
            *("–" if column[place] is None else text(float(column[place] or 0)) for _, column in values),
        )
        for place, name in enumerate(names)
    )
    return Figure(picture, title, ("release", *(name for name, _ in values)), rows)


def power(value: float) -> str:
    """Return a power of ten as text: 10⁻², 1, 10⁶."""
    exponent = round(math.log10(value))
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return "1" if exponent == 0 else f"10{digits}"


def _releases(axes: Any, names: Sequence[str]) -> None:
    axes.set_xticks(range(len(names)), [shortened(name, NAME) for name in names], rotation=90)
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.grid(visible=False, axis="x")


def _short(column: Column) -> str:
    return shortened(column.title if column.group == RELEASES else column.name, NAME)
