"""Records: what is written is read back, in one canonical text."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from reports import record
from reports.encoding import decode_case, encode_case
from reports.errors import (
    DuplicateCase,
)
from tests.meta import handmade

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    head = handmade.header(semantics={"s": True, "t": False}, selection="-k é")
    record.write(tmp_path / name, head, handmade.varied_rows(), 1)
    assert record.read(tmp_path / name) == handmade.record(head, handmade.varied_rows(), 1)
    assert record.read(tmp_path / name).source == str(tmp_path / name)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_bytes_depend_on_neither_order_nor_name_nor_time(tmp_path: Path, suffix: str) -> None:
    one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
    record.write(one, handmade.header(semantics={"a": True, "b": True}), handmade.varied_rows(), 0)
    record.write(two, handmade.header(semantics={"b": True, "a": True}), handmade.varied_rows()[::-1], 0)
    assert one.read_bytes() == two.read_bytes()


def test_compressed_record_carries_neither_name_nor_time(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    record.write(path, handmade.header(), [handmade.row()], 0)
    flags, time = path.read_bytes()[3], path.read_bytes()[4:8]
    assert (flags, time) == (0, bytes(4))


def test_rows_are_written_sorted_by_id(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(), [handmade.row(name) for name in "bca"], 0)
    assert [row.id for row in record.read(path).rows] == ["a", "b", "c"]


def test_every_line_is_an_object_of_standard_json(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(), handmade.varied_rows(), 0)
    text = path.read_bytes().decode("ascii")
    kinds = [json.loads(line)["kind"] for line in text.splitlines()]
    assert kinds == ["header", *["case"] * 6, "footer"]
    assert "Infinity" not in text
    assert "NaN" not in text


def test_extremes_are_rounded_outward_and_only_once() -> None:
    generator = random.Random(0)
    for _ in range(500):
        scale = 10.0 ** generator.randint(-320, 300)
        low, high = sorted(generator.gauss(0, 1) * scale for _ in range(2))
        line = encode_case(handmade.row(share={"output": (low, high)}, detectable={"output": high}))
        fields = json.loads(line)
        kept_low, kept_high = fields["share"]["output"]
        assert kept_low <= low <= high <= kept_high
        assert fields["detectable"]["output"] >= high
        assert abs(kept_high - high) <= abs(high) * 1e-3 + 5e-324
        again = handmade.row(
            share={"output": (kept_low, kept_high)},
            detectable={"output": fields["detectable"]["output"]},
        )
        assert encode_case(again) == line


def test_a_footer_is_the_sum_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    semantics = {"s": True, "unmet": True, "old": False}
    record.write(path, handmade.header(semantics=semantics), handmade.varied_rows(), 1)
    footer = record.read(path).footer
    assert footer.cases == 6
    assert footer.outcomes == {"pass": 2, "known_defect": 1, "finding": 3}
    assert (footer.forwards, footer.compared, footer.exit) == (24, 72, 1)
    assert footer.unexercised == ("unmet",)


def test_a_checkout_with_other_line_ends_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    record.write(path, handmade.header(), handmade.varied_rows(), 0)
    before = record.read(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert record.read(path) == before


def test_two_rows_of_one_case_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DuplicateCase, match="case-a"):
        record.write(tmp_path / "run.jsonl", handmade.header(), [handmade.row()] * 2, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_record_made_before_findings_were_kept_is_read_and_written_alike() -> None:
    """An empty field is left out, so an older line is written again unchanged."""
    line = encode_case(handmade.row(finding="output differs"))
    assert "findings" not in json.loads(line)
    assert encode_case(decode_case(json.loads(line))) == line


def test_committed_records_are_written_as_they_are_read(tmp_path: Path) -> None:
    committed = REPOSITORY / "reports" / "records" / "torch-2.13.jsonl.gz"
    kept = record.read(committed)
    record.write(tmp_path / "again.jsonl", kept.header, kept.rows, kept.footer.exit)
    assert (tmp_path / "again.jsonl").read_bytes() == gzip.decompress(committed.read_bytes())
