"""A new axis is a word at the end of an id, absent by default: existing ids keep their meaning."""

from __future__ import annotations

import hashlib
from itertools import product
from typing import List, NamedTuple, Optional, Tuple

import pytest

from cases import catalogue, suffixes, variants
from cases.errors import CaseError
from cases.inputs.upstream import UPSTREAM
from cases.matrix import rows
from cases.programs import spelled
from cases.suffixes import PROGRAM, Suffix


class Wider(NamedTuple):
    """A variant with two made-up axes, a numbered one and one of plain words."""

    lane: str = "bounded"
    shape: str = "n8"
    dtype: str = "float32"
    seed: int = 0
    threads: int = 1
    autocast: str = "off"
    given: Tuple[variants.Given, ...] = ()

    @property
    def channels(self) -> int:
        """C, as in Variant."""
        return variants.SHAPES[self.shape][1]

    @property
    def input_dtype(self) -> str:
        """As in Variant."""
        return variants.Variant(dtype=self.dtype).input_dtype


def _read_threads(word: str) -> Optional[int]:
    return int(word[len("threads") :]) if word.startswith("threads") else None


def _read_autocast(word: str) -> Optional[str]:
    return word if word in ("lukewarm", "hot") else None


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(suffixes.SUFFIXES, "threads", Suffix(_read_threads, "threads{}".format))
    monkeypatch.setitem(suffixes.SUFFIXES, "autocast", Suffix(_read_autocast, str))
    monkeypatch.setattr(rows, "Variant", Wider)
    monkeypatch.setattr(spelled, "Variant", Wider)


def ids() -> List[str]:
    """Return every third id of the gate, and some with a seed, with a program, and of the full tier."""
    gate = [each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate")][::3]
    matrix = list(catalogue.ids("matrix", "smoke"))
    program = "steps-affine-track-momentum_0.1-bounded-n8-float32-preset,set:eps:1e-12,forward:b0"
    full = [each for place, each in enumerate(catalogue.ids("matrix", "full")) if place % 997 == 0]
    return gate + full + [f"{each}-seed7" for each in matrix] + [program, f"{program}-seed7"]


def digest() -> str:
    """Return a hash of all ids and the cases that they name, without the fields of the made-up axes."""
    text = hashlib.sha256()
    for case_id in ids():
        case = catalogue.find.__wrapped__(case_id)
        assert case.id == case_id
        text.update(repr((case_id, case.config, case.steps, tuple(case.variant)[:4])).encode())
    return text.hexdigest()


def test_ids_keep_their_meaning_when_an_axis_is_added(request: pytest.FixtureRequest) -> None:
    before = digest()
    request.getfixturevalue("made_up")
    assert digest() == before


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("", (0, 1, "off")),
        ("-threads4", (0, 4, "off")),
        ("-lukewarm", (0, 1, "lukewarm")),
        ("-seed7-threads4", (7, 4, "off")),
        ("-seed7-hot", (7, 1, "hot")),
        ("-seed7-threads4-lukewarm", (7, 4, "lukewarm")),
    ],
)
def test_the_new_words_stand_in_matrix_and_spelled_out_ids(words: str, values: object) -> None:
    program = "steps-affine-track-momentum_0.1-bounded-n8-float32-set:momentum:text,forward:b0"
    for plain in (next(catalogue.ids("matrix", "gate")), program):
        case = catalogue.find.__wrapped__(plain + words)
        assert (case.id, case.variant[3:6]) == (plain + words, values)


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    "words",
    [
        "-threads4-seed7",
        "-seed7-seed8",
        "-lukewarm-lukewarm",
        "-lukewarm-threads4",
        "-seed0-lukewarm",
        "-off",
    ],
)
def test_another_order_is_no_id(words: str) -> None:
    plain = next(catalogue.ids("matrix", "gate"))
    with pytest.raises(CaseError, match="unknown case id"):
        catalogue.find.__wrapped__(plain + words)


def test_every_suffix_is_a_field_with_a_default() -> None:
    assert set(suffixes.SUFFIXES) <= set(variants.Variant._field_defaults)


# --- axes of the program ----------------------------------------------------------------------


def test_words_of_the_program_come_back() -> None:
    for words in product(*PROGRAM.values()):
        written = suffixes.write_program(words)
        assert suffixes.read_program(written) == words
        assert not {axis[0] for axis in PROGRAM.values()} & set(written)


def test_the_axes_of_the_program_have_the_words_of_inputs() -> None:
    layouts = [word.partition("_")[2] for word in PROGRAM["layout"]]
    upstreams = [word.partition("_")[2] for word in PROGRAM["upstream"][1:]]
    gradients = [word.partition("_")[2] for word in PROGRAM["gradient_layout"]]
    assert tuple(layouts) == variants.LAYOUTS
    assert tuple(upstreams) == tuple(UPSTREAM)
    assert tuple(gradients) == variants.GRADIENT_LAYOUTS


@pytest.mark.parametrize(
    "words", ["gl_sliced", "g_ones-x_sliced", "x_sliced-x_sliced", "x_scalar", "g_none", "x_contiguous"]
)
def test_other_words_of_the_program_are_refused(words: str) -> None:
    plain = next(catalogue.ids("matrix", "gate"))
    with pytest.raises(CaseError, match="unknown case id"):
        catalogue.find.__wrapped__(f"{plain}-{words}")


def test_a_seed_stands_after_the_words_of_the_program() -> None:
    plain = next(catalogue.ids("matrix", "gate")) + "-x_sliced-g_ones"
    case = catalogue.find.__wrapped__(plain + "-seed7")
    assert (case.id, case.variant.seed) == (plain + "-seed7", 7)
    assert case.steps == catalogue.find.__wrapped__(plain).steps


def test_a_spelled_out_id_has_no_words_of_the_program() -> None:
    program = "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b0"
    for word in ("x_sliced", "g_ones"):
        with pytest.raises(CaseError, match="unknown case id"):
            catalogue.find.__wrapped__(f"{program}-{word}")
