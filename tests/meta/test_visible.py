"""Text from a record is shown by every renderer and acted on by none."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict, List

import pytest

from reports import markdown, record, releases
from reports.__main__ import main
from reports.causes import cause_lines, causes
from reports.errors import MissingRecord
from reports.history import history
from reports.record import Record
from reports.tally import summary_lines
from reports.visible import LONGEST, one_line, short_words, shortened, visible
from tests.meta import handmade

ESCAPES: Dict[str, str] = {
    "escape": "\x1b",
    "bell": "\x07",
    "backspace": "\x08",
    "carriage return": "\r",
    "delete": "\x7f",
    "next line": "\x85",
    "control sequence": "\x9b",
    "right-to-left override": "\u202e",
    "left-to-right isolate": "\u2066",
    "arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "soft hyphen": "\xad",
    "no-break space": "\xa0",
    "line separator": "\u2028",
    "variation selector": "\ufe0f",
    "hangul filler": "\u3164",
    "tag": "\U000e0041",
    "private use": "\ue000",
    "half a surrogate pair": "\udc9b",
}
"""Characters that a terminal or a browser acts on, or that do not show."""


@pytest.mark.parametrize("name", ESCAPES)
def test_a_character_that_acts_is_shown_as_its_escape(name: str) -> None:
    shown = visible(f"a{ESCAPES[name]}b")
    assert re.fullmatch(r"a\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|r)b", shown)
    assert shown.encode("utf-8").decode("utf-8") == visible(shown)


def test_text_that_can_be_read_is_left_alone() -> None:
    text = "expected é “one” value, 日本語, ≠ 𝒳, a\\b 'c' <d> |e|"
    assert visible(text) == one_line(text) == text


def test_no_character_of_unicode_gets_through_and_acts() -> None:
    every = [chr(i) for i in range(sys.maxunicode + 1)]
    assert all(visible(each).isprintable() for each in every)


def test_text_is_put_on_one_line_and_cut() -> None:
    assert one_line("  a\r\n\tb \x0b c ") == "a b \\x0b c"
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert shortened("x" * 10**6) == "x" * (LONGEST - 3) + "..."
    assert len(shortened("\x1b" * 10**6, 50)) == 50


# --- every renderer ---------------------------------------------------------------------

HOSTILE = "".join(ESCAPES.values()) + "\n| x | `y` ``z`` [a](javascript:b) <script>c</script> *d* &lt;"
"""All of the characters at once, with markup of Markdown and HTML."""


def hostile(release: str = "2.12") -> Record:
    """Return a record whose every text is hostile, and as it is after reading."""
    head = handmade.header(
        release, subject=HOSTILE, torch=HOSTILE, numpy=HOSTILE, python=HOSTILE, suite=HOSTILE,
        platform=HOSTILE + release, semantics={HOSTILE: release == "2.12"},
    )  # fmt: skip
    found = handmade.found("exception", token=HOSTILE, got=HOSTILE, expected=HOSTILE, regime=HOSTILE)
    other = handmade.found(HOSTILE, token=HOSTILE, got=HOSTILE, expected=HOSTILE, switches=(HOSTILE,))
    rows = [
        handmade.row("a" + HOSTILE, findings=(found,), behaviour=HOSTILE, finding=HOSTILE),
        handmade.row("b" + HOSTILE, findings=(other,), switches=(HOSTILE,)),
        handmade.row("c" + HOSTILE, defect=HOSTILE + release, behaviour=HOSTILE),
        handmade.row("d" + HOSTILE, errors=(f"3 {HOSTILE} {release}",), share={HOSTILE: (0.0, 1.0)}),
        handmade.row("e" + HOSTILE, compared={HOSTILE: 2}, digest=release[-1] * 16),
        handmade.row("f" + HOSTILE + release),
    ]
    return handmade.record(head, rows, exit_status=1, source=HOSTILE)


def written(directory: Path, given: Record) -> Path:
    path = directory / f"{given.header.release}.jsonl.gz"
    record.write(path, given.header, given.rows, given.footer.exit)
    return path


def acting(text: str) -> List[str]:
    """Return the characters of ``text`` that act or do not show, line ends aside."""
    return sorted({each for each in text if each != "\n" and (not each.isprintable() or each in HOSTILE[:21])})


def test_the_record_of_these_tests_can_be_written_and_read(tmp_path: Path) -> None:
    assert record.read(written(tmp_path, hostile())) == hostile()


@pytest.mark.parametrize("command", ["show", "show --all", "diff", "diff --all"])
def test_a_terminal_is_shown_no_character_that_acts(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command.split()
    old, new = written(tmp_path, hostile()), written(tmp_path, hostile("2.13"))
    paths = [str(old)] if name == "show" else [str(old), str(new)]
    main([name, *paths, *options])
    printed = capsys.readouterr()
    assert acting(printed.out) == []
    assert "\\u202e" in printed.out
    assert printed.err == ""


def test_lines_that_pytest_prints_hold_no_character_that_acts() -> None:
    given = hostile()
    lines = summary_lines(given.header, given.rows) + cause_lines(causes(given.rows), 50, HOSTILE)
    assert acting("\n".join(lines)) == []
    assert not any("\n" in line for line in lines)


def test_a_markdown_page_shows_markup_and_does_not_act_on_it() -> None:
    page = releases.page(history([hostile(), hostile("2.13")]))
    assert acting(page) == []
    outside = re.sub(r"(`+) .*?[^`] \1(?!`)", "", page)  # the text outside of code spans
    assert not re.search(r"(?<!\\)<script>", outside)
    assert not re.search(r"(?<!\\)\[a", outside)
    widths = {line.count(" | ") for line in page.splitlines() if line.startswith("| ") and "e | `" in line}
    assert len(widths) <= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "`plain`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("\x1b", "`\\x1b`")],
)
def test_a_code_span_holds_whatever_is_in_it(text: str, expected: str) -> None:
    assert markdown.code(text) == expected


def test_a_cell_ends_where_its_text_ends() -> None:
    cells = ["|", "\\|", "\\\\|", markdown.plain("x|y"), markdown.code("z|")]
    row = markdown.table(["head"] * 5, [cells])[2]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 6


@pytest.mark.parametrize("arguments", [["\x1b[31m"], ["show", "a", "\x1b[31m"], ["show", "\x1b[31m\u202e"]])
def test_a_complaint_shows_what_was_given(
    arguments: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        sys.exit(main(arguments))
    assert caught.value.code == 2
    assert acting(capsys.readouterr().err) == []


def test_an_error_is_visible() -> None:
    assert acting(str(MissingRecord(HOSTILE, HOSTILE))) == []


def test_what_follows_a_very_long_word_is_seen() -> None:
    assert short_words(f"{'x' * 5000}: no such file") == f"{'x' * 80}... no such file"
    path = "/folder" * 40 + ": no such file"
    assert short_words(path) == path
    error = MissingRecord("x" * 5000, "there is no such file")
    assert str(error).startswith("x" * 80 + "... there is no such file; ")
