"""Every view in a real browser: operated with the keyboard, in light and dark, wide and narrow."""

from __future__ import annotations

from typing import Any, List

import pytest

from reports.site.page import VIEWS
from tests.meta.browser.conftest import NARROW, WIDE, Site

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: nox -s site")

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["390", "1280"])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
LARGEST = 3_000_000
"""The largest number of bytes of the page of all releases."""

GRAVE = ("serious", "critical")


def test_the_page_of_all_releases_is_small(site: Site) -> None:
    assert len(site.records) >= 26
    assert site.path.stat().st_size < LARGEST


# --- every view, narrow and wide, light and dark ----------------------------------------

ADDRESSES = (
    *VIEWS,
    "cases?case=edge-accumulation-eval_used_up",
    "cases?on=2.15&outcome=known_defect",
    "changes?from=1.4&to=2.15",
)


def faults(tab: Any) -> List[str]:
    """Return the grave violations of the rules for accessible pages."""
    response = axe.Axe().run(tab, options={"resultTypes": ["violations"]}).response
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in response["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"][:3]
    ]


def sideways(tab: Any) -> int:
    return int(tab.evaluate("document.documentElement.scrollWidth - innerWidth"))


@SIZES
@SCHEMES
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_view_is_accessible_and_fits(site: Site, visit: Any, address: str, size: Any, scheme: str) -> None:
    tab = visit(f"{site.address}#{address}", size, scheme)
    tab.evaluate("document.querySelectorAll('main details').forEach((fold, at) => { if (at < 4) fold.open = true })")
    tab.wait_for_timeout(100)
    assert faults(tab) == []
    assert sideways(tab) <= 0


@SIZES
@SCHEMES
@pytest.mark.parametrize("address", ["behaviours", "cases?outcome=finding", "cases?case=case-f", "causes", "changes", "runs"])
def test_a_page_with_every_outcome_is_accessible_and_fits(
    mixed: Site, visit: Any, address: str, size: Any, scheme: str
) -> None:
    tab = visit(f"{mixed.address}#{address}", size, scheme)
    assert faults(tab) == []
    assert sideways(tab) <= 0


def test_dark_is_dark(site: Site, visit: Any) -> None:
    colours = [
        visit(site.address, scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert [sum(map(int, each[4:-1].split(","))) > 384 for each in colours] == [True, False]


# --- the board --------------------------------------------------------------------------


def cells(tab: Any) -> List[str]:
    return list(tab.eval_on_selector_all("#board a.cell", "found => found.map((each) => each.innerText)"))


def test_the_board_is_there_without_scripts_and_the_same_with_them(site: Site, visit: Any) -> None:
    still = visit(site.address, scripts=False)
    scripted = visit(site.address)
    scripted.wait_for_selector("#status:has-text('chosen')")
    words = [text.replace(", changed from the release before", "") for text in cells(scripted)]
    assert len(words) > 26 * 60
    assert words == cells(still)
    assert still.locator("section:visible").count() == len(VIEWS)


def test_a_narrow_board_says_the_same_in_runs(site: Site, visit: Any) -> None:
    tab = visit(site.address, NARROW)
    assert not tab.locator("#board").is_visible()
    line = tab.locator(".line", has=tab.locator("h4", has_text="momentum_to_none")).first
    assert "1.4" in line.inner_text()
    line.locator("a").last.click()
    assert "momentum_to_none on torch 2.15" in tab.locator("#cases-list .lead").inner_text()


def test_the_board_is_operated_with_the_keyboard(site: Site, visit: Any) -> None:
    tab = visit(site.address)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.matches('#board a.cell')"):
            break
    else:
        pytest.fail("Tab does not lead into the board")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        tab.keyboard.press(key)
    place = tab.evaluate(
        "[document.activeElement.closest('td').cellIndex, document.activeElement.closest('tr').cells[0].innerText]"
    )
    assert place == [3, "affine_on"]
    tab.keyboard.press("End")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#cases-list details")
    assert tab.evaluate("document.activeElement.innerText") == "Cases"
    assert "affine_on on torch 2.15" in tab.locator("#cases-list .lead").inner_text()
    for _ in range(9):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.matches('#cases-list summary')"):
            break
    tab.keyboard.press("Enter")
    assert tab.locator("#cases-list .steps").first.is_visible()
    tab.go_back()
    tab.wait_for_selector("#board", state="visible")
