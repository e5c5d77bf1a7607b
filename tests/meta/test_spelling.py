"""The spelling of steps: each is written in one way and read back; other text is refused in one line."""

from __future__ import annotations

import time
from typing import Set, get_args

import pytest

from cases import catalogue, spelling, states
from cases.construction import Config
from cases.errors import CaseError
from cases.inputs import batch
from cases.programs.alphabet import ALPHABET
from cases.spelling import parse_program, parse_step, spell, token
from cases.steps import SetAttribute, Step, forwards
from cases.variants import SHAPES, Variant

BEGINNING = "steps-affine-track-momentum_0.1-bounded-n8-float32"
MANY = "7" * 5000
SECONDS = 2.0


def steps() -> Set[Step]:
    """Return every step of the gate, of the states and of the exploration."""
    gate = (each for family in catalogue.FAMILIES for each in catalogue.ids(family, "gate"))
    used = {step for case_id in gate for step in catalogue.find(case_id).steps}
    return used | set(states.OPERATIONS) | set(ALPHABET)


# --- the two tables ---------------------------------------------------------------------------


def test_every_step_type_is_written() -> None:
    assert set(spelling._WRITERS) == set(get_args(Step))


def test_every_step_type_is_read() -> None:
    assert {type(parse_step(token(step))) for step in steps()} == set(get_args(Step))


def test_every_verb_is_written() -> None:
    assert {token(step).partition(":")[0] for step in steps()} == set(spelling._READERS)


def test_every_step_comes_back() -> None:
    for step in steps():
        assert parse_step(token(step)) == step
    print(f"{len(steps())} different steps")


def test_different_steps_are_written_differently() -> None:
    assert len({token(step) for step in steps()}) == len(steps())


def test_a_program_comes_back() -> None:
    for case_id in catalogue.ids("state", "gate"):
        program = catalogue.find(case_id).steps
        assert parse_program(spell(program)) == program


def test_forwards_lists_the_batches_of_a_series() -> None:
    series = forwards(parse_step("forwards:b:3"))
    assert series == parse_program("forward:b0,forward:b1,forward:b2")
    assert forwards(parse_step("no_grad:b1")) == (parse_step("no_grad:b1"),)
    assert forwards(parse_step("train")) == ()


# --- equality ---------------------------------------------------------------------------------

UNEQUAL = [1, 1.0, True, "1", None, 0.0, -0.0, False, float("nan"), float("inf")]


@pytest.mark.parametrize("name", ["momentum", "eps"])
def test_a_value_of_another_type_makes_another_step(name: str) -> None:
    assert len({SetAttribute(name, value) for value in UNEQUAL}) == len(UNEQUAL)
    assert SetAttribute(name, float("nan")) == SetAttribute(name, float("nan"))


@pytest.mark.parametrize("name", ["momentum", "eps"])
def test_a_value_of_another_type_makes_another_configuration(name: str) -> None:
    assert len({Config(11, **{name: value}) for value in UNEQUAL}) == len(UNEQUAL)
    assert Config(11, **{name: float("nan")}) == Config(11, **{name: float("nan")})
    assert Config(11) != SetAttribute("num_features", 11)


# --- text that writes nothing -----------------------------------------------------------------


def refusal(case_id: str) -> str:
    """Return the message for an id that names nothing, which must come quickly and in one short line."""
    began = time.perf_counter()
    with pytest.raises(CaseError) as raised:
        catalogue.find.__wrapped__(case_id)
    assert time.perf_counter() - began < SECONDS
    message = str(raised.value)
    assert "\n" not in message
    assert len(message) < 700
    return message


@pytest.mark.parametrize("name", ["set:eps", "set:momentum", "count"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_that_nothing_can_hold_is_refused(name: str, sign: str) -> None:
    """An id can have the largest accepted number; ten times as much is refused."""
    largest = 2**63 - 1 if name == "count" else 10**308
    assert catalogue.find(f"{BEGINNING}-{name}:{sign}{largest},forward:b0").steps
    message = refusal(f"{BEGINNING}-{name}:{sign}{largest * 10},forward:b0")
    assert f"'{name}' takes whole numbers of up to" in message


@pytest.mark.parametrize(
    ("program", "accepted"),
    [
        ("count:{}", "'count' takes whole numbers of up to 9.22e+18"),
        ("count:-{}", "'count' takes whole numbers of up to 9.22e+18"),
        ("set:eps:{}", "'set:eps' takes whole numbers of up to 1.8e+308"),
        ("set:eps:1e{}", "'set:eps' takes none, true, false, a number or a word"),
        ("set:eps:0.{}", "'set:eps' takes none, true, false, a number or a word"),
        ("set:momentum:{}x", "'set:momentum' takes none, true, false, a number or a word"),
        ("forward:b{}", "accepted: b0 to b9999, random0 to random9999, one_value"),
        ("input_grad:random{}", "accepted: b0 to b9999, random0 to random9999, one_value"),
        ("forwards:b:{}", "a series has 1 to 9999 batches"),
        ("forward:b0.{}", "accepted: contiguous, channels_last"),
        ("set:{}:1", "accepted: num_features, eps"),
        ("drop:{}", "accepted: weight, bias"),
        ("attach:weight:{}", "accepted: tensor, parameter"),
        ("load:{}", "accepted: legacy, empty"),
        ("show:{}", "accepted: repr, keys"),
        ("{}", "accepted: forward|no_grad|input_grad|"),
        ("forward:b0-seed{}", "a seed of at most 9223372036854775807 is written seed1, seed2"),
    ],
)
def test_thousands_of_digits_are_refused_in_one_line(program: str, accepted: str) -> None:
    for digits in (MANY, MANY * 500):
        assert accepted in refusal(f"{BEGINNING}-{program.format(digits)}")


@pytest.mark.parametrize("family", [*catalogue.FAMILIES, "steps", ""])
def test_a_long_id_of_every_family_is_refused_in_one_line(family: str) -> None:
    for rest in (MANY, "-".join(MANY), "\n" + MANY):
        assert refusal(f"{family}-{rest}").startswith("unknown case id '")


def test_an_unknown_shape_is_refused_in_one_line() -> None:
    """There are too many shapes for one line, so the most similar ones are named."""
    message = refusal(BEGINNING.replace("-n8-", "-n8_one_rows-") + "-forward:b0")
    assert f"'n8_one_rows' is no shape; {len(SHAPES)} are accepted, among them n8_one_row, " in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train:", "must read train"),
        ("set:eps", "must read set:<attribute>:<value>"),
        ("set:eps:0.5:1", "must read set:<attribute>:<value>"),
        ("set:eps:1e999", "is spelled 'set:eps:inf'"),
        ("set:eps:1e5", "is spelled 'set:eps:100000.0'"),
        ("set:eps:+1", "is spelled 'set:eps:1.0'"),
        ("set:momentum:Text", "none, true, false, a number or a word of lowercase letters"),
        ("set:momentum:text-seed7", "none, true, false, a number or a word of lowercase letters"),
        ("count:07", "is spelled 'count:7'"),
        ("count:--1", "'count' takes whole numbers"),
        ("count:1.0", "'count' takes whole numbers"),
        ("forwards:b:0", "a series has 1 to 9999 batches"),
        ("forwards:b:03", "is spelled 'forwards:b:3'"),
        ("attach:num_batches_tracked:trainable", "cannot require a gradient"),
        ("Train", "'Train' is no step; accepted: "),
        ("", "'' is no step; accepted: "),
    ],
)
def test_text_that_no_step_writes_is_refused(text: str, message: str) -> None:
    with pytest.raises(CaseError) as raised:
        parse_step(text)
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["b10000", "b01", "b-1", "b", "random10000", "b0.", "b0.b1", ""])
def test_another_name_is_no_batch(name: str) -> None:
    with pytest.raises(CaseError, match="accepted: "):
        batch(Variant(), name)


def test_the_last_batches_exist() -> None:
    assert batch(Variant(), "b9999").values.shape == SHAPES["n8"]
    assert batch(Variant(), "random9999").values.shape == (20, 3, 1, 1)
