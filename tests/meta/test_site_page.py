"""The page of records shows text and acts on none, and the command writes it."""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path
from typing import List

import pytest

from reports import record
from reports.__main__ import main
from reports.record import Record
from reports.site import page as made
from reports.site.columns import columns
from reports.site.contents import contents
from reports.site.summary import verdict
from tests.meta import handmade
from tests.meta.test_visible import acting, hostile


def drawn(records: List[Record]) -> str:
    """Return the page of ``records``."""
    pytest.importorskip("jinja2", reason="the page needs jinja2: pip install jinja2 matplotlib")
    pytest.importorskip("matplotlib", reason="the page needs matplotlib: pip install jinja2 matplotlib")
    return made.page(records)


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page of ``handmade.releases``."""
    return drawn(handmade.releases())


def test_a_page_shows_markup_and_does_not_act_on_it() -> None:
    text = drawn([hostile(), hostile("2.13")])
    outside = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    assert acting(text) == []
    assert text.count("<script") == outside.count("<script") == 2
    assert "&lt;script&gt;c&lt;/script&gt;" in outside
    assert "\\u202e" in outside


def test_a_page_asks_the_network_for_nothing(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy.group(1).startswith("default-src 'none';")
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b|\ssrc=|@import|fetch\(|XMLHttp|import\(", page)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert all(each.startswith("#") for each in re.findall(r'href="([^"]*)"', page))


def test_the_colours_of_pictures_are_those_of_the_page(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    style = page[: page.index("</style>")]
    assert len(pictures) > 3
    for picture in pictures:
        assert not re.search(r"#[0-9a-f]{6}|mathdefault", picture)
        assert {name for name in re.findall(r"var\((--[a-z0-9-]+)\)", picture) if f"{name}:" not in style} == set()
        assert re.match(r'<svg role="img" aria-label="[^"]+"', picture)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_page_is_the_same_each_time(page: str) -> None:
    assert drawn(handmade.releases()) == page


def test_a_page_says_what_is_wrong_and_what_is_known(page: str) -> None:
    shown = html.unescape(page)
    assert "3 findings on torch 2.12.0+cpu; 1 finding on torch 2.13.0+cpu" in shown
    assert "wrong after forward: output" in shown
    assert "<h4>poison</h4>" in shown
    assert 'href="#cases?on=2.13&outcome=known_defect"' in shown


def test_a_run_that_did_not_finish_is_named() -> None:
    unfinished = handmade.record(handmade.header(), [handmade.row()], exit_status=2)
    assert "Not finished: 2.13; cases may be missing." in drawn([unfinished])


def test_the_applicable_cases_of_an_implementation_are_counted() -> None:
    rows = [handmade.row("case-a"), handmade.row("case-b", outcome="not_applicable", reason="no eps")]
    other = handmade.record(handmade.header(implementation="flax 0.12", subject="a:b"), rows)
    found = verdict(columns([other, handmade.record(handmade.header(), rows[:1])]))
    assert found.text == "No findings: every case is as specified. Applicable cases: flax 0.12 1 of 2 (50 %)."


# --- the command ------------------------------------------------------------------------


def written(directory: Path) -> Path:
    directory.mkdir()
    for each in handmade.releases()[:2]:
        path = directory / f"{each.header.release}.jsonl.gz"
        record.write(path, each.header, each.rows, each.footer.exit)
    return directory


@pytest.mark.parametrize("output", ["page.html", "new/", "new", "old", "old/other.html"])
def test_a_page_is_written_to_a_file_or_into_a_directory(
    tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(made, "page", lambda records: f"<!DOCTYPE html>{len(records)}")
    (tmp_path / "old").mkdir()
    assert main(["html", str(written(tmp_path / "records")), "-o", str(tmp_path / output)]) == 0
    path = tmp_path / output
    file = path / "index.html" if path.is_dir() else path
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert f"{file}: 2 records" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["jinja2", "matplotlib.figure"])
def test_what_is_missing_is_named(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jinja2", reason="the page needs jinja2: pip install jinja2 matplotlib")
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["html", str(written(tmp_path / "records")), "-o", str(tmp_path / "run.html")]) == 2
    assert "python -m pip install jinja2 matplotlib" in capsys.readouterr().err
    assert not (tmp_path / "run.html").exists()


def test_a_directory_without_records_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["html", str(tmp_path / "empty"), "-o", str(tmp_path / "run.html")]) == 2
    assert "holds no record (*.jsonl.gz); name one" in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["html", str(written(tmp_path / "records")), "-o", str(tmp_path / "file" / "new")]) == 2
    assert "cannot be" in capsys.readouterr().err


def test_the_contents_are_json_of_our_own_kind() -> None:
    text = json.dumps(contents(columns(handmade.releases())), allow_nan=False)
    assert json.loads(text)["columns"][0]["name"] == "2.12"
