"""The records of two paths, made comparable case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Tuple

from reports.record import Record


def joined(old: Record, new: Record) -> Tuple[Record, Record]:
    """Return the records; if they are of different paths, with ids that do not name the paths."""
    same = old.header.path == new.header.path
    return (old, new) if same else (_without_path(old), _without_path(new))


def _without_path(record: Record) -> Record:
    """Return a record of one path with the ids that its cases have as eager ones, to join others."""
    if " " in record.header.path:
        return record
    end = f"-path_{record.header.path}"
    rows = [replace(row, id=row.id[: -len(end) * row.id.endswith(end) or None]) for row in record.rows]
    return replace(record, rows=tuple(rows))
