"""Cases, changes and hostile text in a real browser: searched, chosen, shown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Dict

import pytest

from reports.comparison import compare
from reports.rows import KNOWN_DEFECT
from reports.shifts import shifts
from reports.site.page import VIEWS
from tests.meta.browser.conftest import Site, written
from tests.meta.test_visible import hostile

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: nox -s site")

# --- cases ------------------------------------------------------------------------------


def test_an_id_opens_its_case(site: Site, visit: Any) -> None:
    name = "edge-accumulation-eval_used_up"
    tab = visit(f"{site.address}#cases")
    tab.fill("#words", name)
    detail = tab.locator("#cases-list details[open] .detail")
    detail.wait_for()
    text = detail.inner_text()
    row = next(each for each in site.records["2.15"].rows if each.id == name)
    for expected in ("BatchNorm2d(11)", "accumulate:ordinary", "Trying to backward through the graph a second time"):
        assert expected in text
    assert all(quantity in text for quantity in row.share)
    assert f"pytest --case '{name}' -v" in text
    assert tab.evaluate("location.hash").endswith(f"case={name}")


def test_a_finding_shows_what_was_expected_and_seen(mixed: Site, visit: Any) -> None:
    tab = visit(f"{mixed.address}#cases?case=case-f&on=2.13")
    row = tab.locator("#cases-list details[open] tbody tr").first.inner_text()
    assert row.split("\t")[:6] == ["1 forward:b0", "output (huge)", "2.0", "1.0", "0.1 / 1e-7", "inf"]


def test_words_and_axes_choose_cases(site: Site, visit: Any) -> None:
    tab = visit(f"{site.address}#cases?on=2.15")
    tab.click("#axes-fold summary")
    tab.select_option("select[name=momentum]", "momentum_none")
    tab.fill("#words", "drop_counter float64")
    ids = [row.id for row in site.records["2.15"].rows]
    wanted = [each for each in ids if {"drop_counter", "float64", "momentum_none"} <= set(each.split("-"))]
    assert wanted
    tab.wait_for_selector(f"#status:has-text('{len(wanted)} case')")
    tab.select_option("select[name=outcome]", KNOWN_DEFECT)
    known = [r for r in site.records["2.15"].rows if r.id in wanted and r.outcome == KNOWN_DEFECT]
    tab.wait_for_selector(f"#status:has-text('{len(known)} case')")
    tab.click("#choose button[type=reset]")
    tab.wait_for_selector(f"#status:has-text('{len(ids):,} cases of {len(ids):,}')")


def test_the_board_counts_the_chosen_cases_alone(site: Site, visit: Any) -> None:
    tab = visit(f"{site.address}#behaviours?words=narrow+float16&dtype=float16")
    tab.wait_for_selector("#status:has-text('chosen')")
    shown = tab.eval_on_selector_all("#board tr[data-behaviour]:not([hidden])", "rows => rows.length")
    rows = site.records["2.15"].rows
    assert shown == len({row.behaviour for row in rows if "narrow" in row.id and "-float16" in row.id and row.id.startswith("matrix")})


# --- changes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"), [("1.4", "1.5"), ("1.5", "1.6"), ("2.7", "2.8"), ("2.11", "2.12"), ("2.13", "2.14"), ("1.4", "2.15")]
)
def test_the_changes_are_those_of_the_command(site: Site, visit: Any, old: str, new: str) -> None:
    tab = visit(f"{site.address}#changes?from={old}&to={new}")
    tab.wait_for_selector("#changes-list .lead")
    headings = tab.eval_on_selector_all("#changes-list h3", "found => found.map((each) => each.textContent)")
    shown = {text.split(": ")[0]: int(text.split(": ")[1].split()[0].replace(",", "")) for text in headings}
    comparison = compare(site.records[old], site.records[new])
    expected: Dict[str, int] = Counter()
    for shift in shifts(site.records[old], site.records[new], comparison):
        expected[shift.kind] += len(shift.cases)
    if comparison.numerics.changed:
        expected["other bytes, within the budget"] = comparison.numerics.changed
    for which, alone in (("old", comparison.only_old), ("new", comparison.only_new)):
        if alone:
            expected[f"only in the {which} record"] = len(alone)
    if comparison.switches:
        expected["Specified otherwise"] = len(comparison.switches)
    assert shown == expected


# --- text that acts ---------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path, visit: Any, view: str) -> None:
    site = written(tmp_path / "hostile.html", [hostile(), hostile("2.13")])
    tab = visit(f"{site.address}#{view}")
    tab.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    tab.wait_for_timeout(100)
    text = tab.inner_text("body")
    assert "\u202e" not in text
    assert tab.locator("script").count() == 2
    assert tab.eval_on_selector_all("a", "found => found.every((each) => each.protocol === 'file:')")
    if view not in ("states", "numbers"):
        assert "<script>c</script>" in text
