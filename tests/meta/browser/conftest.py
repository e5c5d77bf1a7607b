"""Pages of records, and a browser that opens them.

It needs a Chromium: ``apt-get install chromium``, or its path in CHROMIUM.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence

import pytest

from reports.history import record_paths
from reports.record import Record, read
from reports.releases import DIRECTORY
from reports.site.page import page
from tests.meta import handmade

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


class Site(NamedTuple):
    """A page on disk, and the records in it, by release."""

    path: Path
    records: Dict[str, Record]

    @property
    def address(self) -> str:
        return self.path.as_uri()


def written(path: Path, records: Sequence[Record]) -> Site:
    path.write_text(page(records), encoding="utf-8")
    return Site(path, {each.header.release: each for each in records})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the page of all committed records."""
    records = [read(each) for each in record_paths(DIRECTORY)]
    return written(tmp_path_factory.mktemp("site") / "index.html", records)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a page with every outcome, an implementation and a path."""
    rows = [
        *handmade.varied_rows(),
        handmade.row("matrix-x", outcome="not_applicable", reason="does not offer set:eps"),
        handmade.row("matrix-y", outcome="contract", reason="sums in another order", clause="tree_sums"),
    ]
    heads = [
        handmade.header("2.12"),
        handmade.header("2.13"),
        handmade.header(implementation="flax 0.12.12", subject="mine:Flax", promise="values"),
        handmade.header(path="compile"),
    ]
    records = [handmade.record(head, rows, 1, f"{number}.jsonl") for number, head in enumerate(heads)]
    return written(tmp_path_factory.mktemp("mixed") / "mixed.html", records)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = importlib.import_module("playwright.sync_api")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium, or give its path in CHROMIUM")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


class Visit(NamedTuple):
    """An open page, and what it did besides showing itself: messages, errors, dialogs, requests."""

    page: Any
    noise: List[str]


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """Give a function that opens an address without a network; at the end, nothing else may have happened."""
    contexts: List[Any] = []
    visits: List[Visit] = []

    def opened(address: str, size: Any = WIDE, scheme: str = "light", scripts: bool = True) -> Any:
        context = browser.new_context(
            viewport=size, color_scheme=scheme, offline=True, java_script_enabled=scripts
        )
        contexts.append(context)
        noise: List[str] = []
        tab = context.new_page()

        def noted(dialog: Any) -> None:
            noise.append(dialog.message)
            dialog.dismiss()

        tab.on("console", lambda message: noise.append(message.text))
        tab.on("pageerror", lambda error: noise.append(str(error)))
        tab.on("dialog", noted)
        tab.on("request", lambda request: noise.append(request.url))
        tab.goto(address)
        if scripts:
            tab.wait_for_selector("nav a[aria-current]")
        assert noise.pop(0).startswith("file://")
        visits.append(Visit(tab, noise))
        return tab

    yield opened
    for each in visits:
        assert each.noise == []
    for context in contexts:
        context.close()
