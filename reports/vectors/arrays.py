"""The arrays of the vectors: two pools of numbers, and a table of the arrays that lie in them.

A pool is a one-dimensional ``.npy`` file; an array is a stretch of it. Float32 holds most inputs and
budgets without loss, so there is a pool of float32 and one of float64. The same numbers are stored once.
"""

from __future__ import annotations

import struct
from typing import Any, Dict, List, Tuple

import numpy as np

from cases.inputs import Batch
from reports.vectors.numbers import Numbers

POOLS = ("float32", "float64")

WHOLE = 100
"""The largest size of an expected array of which every element is written."""

POINTS = 44
"""About the number of elements that are written of a larger array; of every channel, one to four."""

GOLDEN = 0.6180339887498949
"""The fractional parts of its multiples spread evenly over the unit interval."""

LOOSER = 1e-6
"""The largest part by which a budget may grow when float32 holds it, rounded up."""


def npy(values: np.ndarray) -> bytes:
    """Return a one-dimensional array as the bytes of a ``.npy`` file of version 1.0.

    ``numpy.save`` pads the header in another way from release to release; here the bytes are always the
    same.
    """
    header = f"{{'descr': '<f{values.itemsize}', 'fortran_order': False, 'shape': ({values.size},), }}"
    padded = header + " " * (-(len(header) + 11) % 64) + "\n"
    data = values.astype(f"<f{values.itemsize}").tobytes()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode("ascii") + data


def points(shape: Tuple[int, ...]) -> np.ndarray:
    """Return the places of a large array (N, C, H, W) that are written, counted in C order.

    They are the first and the last element of each channel and some between, in other places in each
    channel; of many channels, one element each and the first and last of all.
    """
    images, channels, height, width = shape
    plane, count = height * width, images * height * width
    ends = (0, count - 1) if 4 * channels <= POINTS else ()
    between = 1 if ends else max(1, min(4, POINTS // channels))
    found = {0, images * channels * plane - 1}
    for channel in range(channels):
        inner = [int(count * ((channel * between + k) * GOLDEN % 1)) for k in range(between)]
        for place in (*ends, *inner):
            image, rest = divmod(place, plane)
            found.add((image * channels + channel) * plane + rest)
    return np.array(sorted(found))


class Arrays:
    """The pools and the table of arrays, as far as they have been filled.

    An array is named by its number in ``table``.
    """

    def __init__(self) -> None:
        self.table: List[Dict[str, Any]] = []
        self.points: Dict[str, List[int]] = {}
        self._pools: Dict[str, List[np.ndarray]] = {name: [] for name in POOLS}
        self._lengths: Dict[str, int] = dict.fromkeys(POOLS, 0)
        self._places: Dict[Tuple[str, bytes], int] = {}
        self._numbers: Dict[str, int] = {}

    def given(self, batch: Batch) -> int:
        """Return the number of an input or upstream gradient, every element of which is written."""
        shape = list(batch.values.shape)
        return self._entered({"shape": shape, "values": self._placed(_narrowed(batch.values))})

    def expected(self, numbers: Numbers) -> int:
        """Return the number of an expected array with its budgets."""
        shape = numbers.values.shape
        entry: Dict[str, Any] = {"shape": list(shape)}
        if len(shape) == 4 and numbers.values.size > WHOLE:
            name = "x".join(map(str, shape))
            if name not in self.points:
                self.points[name] = points(shape).tolist()
            entry["points"] = name
            numbers = Numbers(*(each.reshape(-1)[self.points[name]] for each in numbers))
        entry["values"] = self._placed(_narrowed(numbers.values))
        entry["budget"] = self._placed(_rounded_up(numbers.budget))
        return self._entered(entry)

    def pool(self, name: str) -> np.ndarray:
        """Return all numbers of a pool."""
        return np.concatenate([np.zeros(0, name), *self._pools[name]])

    def _placed(self, values: np.ndarray) -> List[Any]:
        """Return the pool that holds the numbers, and where in it they begin."""
        pool, data = values.dtype.name, values.tobytes()
        place = self._places.get((pool, data))
        if place is None:
            place = self._places[pool, data] = self._lengths[pool]
            self._pools[pool].append(values.reshape(-1))
            self._lengths[pool] += values.size
        return [pool, place]

    def _entered(self, entry: Dict[str, Any]) -> int:
        number = self._numbers.setdefault(repr(entry), len(self.table))
        if number == len(self.table):
            self.table.append(entry)
        return number


def _narrowed(values: np.ndarray) -> np.ndarray:
    """Return the values in float32 if it holds all of them, else in float64.

    Machines differ in the sign of a NaN; here all NaNs are the same.
    """
    wide = np.where(np.isnan(values), np.nan, np.ascontiguousarray(values, dtype=np.float64))
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    return narrow if np.array_equal(narrow[narrow == narrow], wide[wide == wide]) else wide


def _rounded_up(budget: np.ndarray) -> np.ndarray:
    """Return the budgets in float32, rounded up, if none of them grows by more than LOOSER."""
    with np.errstate(over="ignore"):
        narrow = budget.astype(np.float32)
    below = narrow < budget
    narrow[below] = np.nextafter(narrow[below], np.float32(np.inf))
    finite = np.isfinite(budget)
    alike = np.array_equal(np.isfinite(narrow), finite)
    if alike and (narrow[finite] <= budget[finite] * (1 + LOOSER)).all():
        return narrow
    return np.ascontiguousarray(budget, dtype=np.float64)
