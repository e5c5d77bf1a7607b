"""Files of ``--input``: nothing is unpickled, nothing is left out, and no file asks for endless memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conformance import own_input

BATCH = np.arange(24.0).reshape(2, 3, 2, 2)


class Trap:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("trap",)


def test_an_array_of_objects_is_refused_and_not_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("trap.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(own_input.InputError, match="not an array of numbers; accepted is"):
        own_input.read("trap.npy")
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("dtype", [">f8", "<f2", ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_any_kind_and_order_are_read(dtype: str, order: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.asarray(BATCH, dtype=dtype, order=order))
    read = own_input.read(str(tmp_path / "own.npy"))
    assert read.dtype == np.float64
    assert np.array_equal(read, BATCH)


def test_a_second_array_in_the_file_is_not_silently_left_out(tmp_path: Path) -> None:
    with open(tmp_path / "own.npy", "wb") as file:
        np.save(file, BATCH)
        np.save(file, BATCH)
    with pytest.raises(own_input.InputError, match="something follows the array; accepted is"):
        own_input.read(str(tmp_path / "own.npy"))


def test_an_empty_batch_of_billions_of_channels_is_refused(tmp_path: Path) -> None:
    """It has no bytes, but its module would have as many weights."""
    path = tmp_path / "own.npy"
    np.save(path, np.zeros((0, 2_000_000_000, 1, 1)))
    with pytest.raises(own_input.InputError, match="2,000,000,000 channels are too many; accepted is"):
        own_input.read(str(path))
