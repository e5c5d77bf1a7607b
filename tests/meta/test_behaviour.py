"""BEHAVIOUR.md: every sentence is proved, every script prints what the page says, the page is up to date."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from pathlib import Path
from typing import Dict, Iterator, Mapping, Tuple

import pytest

from cases import claims
from cases.catalogue import find
from cases.derivatives import GRADIENTS
from oracle import combinations
from oracle.answers import TOPICS, Answer, Proof, Sentence, checks, holds
from oracle.semantics import RELEASES
from oracle.switch import Release
from reports import behaviour, behaviour_tables, markdown
from reports.proofs import Outcomes, in_words, outcomes, passing, read_outcomes
from reports.record import read

NEWEST = RELEASES[-1]
ANSWERS = [answer for answers in TOPICS.values() for answer in answers]
SENTENCES = [(answer.name, each) for answer in ANSWERS for each in answer.sentences]
PAGE = behaviour.PAGE.read_text(encoding="utf-8")


# --- the committed page -----------------------------------------------------------------


def test_the_committed_page_is_what_oracle_and_records_give() -> None:
    assert behaviour.page(read_outcomes(behaviour.DIRECTORY)) == PAGE, f"run: {behaviour.COMMAND}"


def test_every_sentence_is_on_the_page() -> None:
    """None is left out for lack of a proof."""
    assert [(name, each.text) for name, each in SENTENCES if markdown.flat(each.text) not in PAGE] == []


def test_every_case_cited_passes_on_the_newest_release() -> None:
    """A sentence about the past must be proved on old releases, too; ``proved`` looks at that."""
    known = outcomes([read(behaviour.DIRECTORY / "torch-{}.{}.jsonl.gz".format(*NEWEST))])
    cited = set(re.findall(r"`((?:matrix|edge|claim|state)-[^` ]+)`", PAGE))
    assert len(cited) > 100
    assert [case for case in sorted(cited) if known[NEWEST].get(case) != "pass"] == []
    for case in cited:
        assert find(case).id == case


def combination_lines() -> Iterator[Tuple[str, str, str]]:
    """Return (track, change, mode) of every combination that the matrix keeps."""
    for track in combinations.TRACK:
        for change in combinations.CHANGES:
            for mode in combinations.MODES:
                if combinations.intervals(track, change, mode):
                    yield track, change, mode


def test_every_combination_is_on_the_page() -> None:
    """No line of the tables is left out for lack of a proof, and each release has one."""
    chapters = dict(re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for track, change, mode in combination_lines():
        shown = "No change" if change == combinations.NO_MUTATION else f"`{combinations.as_python(change)}`"
        first = f"| {behaviour_tables.TRACK[track]}, {mode} |"
        rows = [line for line in chapters[shown].splitlines() if line.startswith(first)]
        assert len(rows) == len(combinations.intervals(track, change, mode)), (shown, first)


@pytest.mark.parametrize(
    "words",
    [
        "freeze",
        "Expected more than 1 value per channel when training",
        "checkpoint",
        "missing key",
        "Missing key(s)",
        "Unexpected key(s) in state_dict",
        "num_batches_tracked",
        "running_var unbiased",
        "momentum=None",
        "batch of one",
        "track_running_stats",
        "eval gives different results",
        "NaN",
        "half precision",
        "gradient checkpointing",
        "gradient accumulation",
        "weight decay",
        "affine=False",
        "model.train()",
        "deepcopy",
        "empty batch",
        "requires_grad",
        "expected 4D input",
        "mixed dtype",
        "export",
        "weight.grad is None",
        "autocast",
        "running_mean to None",
        "batch size 1",
        "momentum in Keras",
    ],
)
def test_what_people_search_for_is_found(words: str) -> None:
    assert words.lower() in PAGE.lower()


def test_links_lead_somewhere() -> None:
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', PAGE))
    targets = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(targets) > len(ANSWERS)
    for target in targets:
        place, _, anchor = target.partition("#")
        assert (behaviour.PAGE.parent / place).exists() if place else anchor in anchors, target


# --- the answers ------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.name for answer in ANSWERS])
def test_the_script_prints_what_the_page_says(answer: Answer) -> None:
    assert len(answer.script.splitlines()) <= 5
    assert answer.script.startswith("import ")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(answer.script, answer.name, "exec"), {})
    assert printed.getvalue() == answer.prints


def test_names_are_anchors_and_unique() -> None:
    names = [answer.name for answer in ANSWERS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


@pytest.mark.parametrize(("name", "sentence"), SENTENCES, ids=range(len(SENTENCES)))
def test_a_sentence_has_proofs_that_say_something(name: str, sentence: Sentence) -> None:
    """A claim has its own checks; every other case needs some."""
    assert sentence.proofs
    for proof in sentence.proofs:
        assert proof.checks or proof.case in claims.CASES


# --- a proof can fail -------------------------------------------------------------------


def sentence_with(case: str, *wanted: checks.Check) -> Sentence:
    return Sentence("It does.", (Proof(case, wanted),))


STATISTICS = ("running_mean", "running_var")
CASE = "edge-shape-one_value_tracked"  # forward:one_value,eval,forward:one_value,forward:b0
ADDS = "edge-accumulation-train_two_forwards"  # preset,input_grad,accumulate,input_grad,accumulate
PASSES = "edge-backward-forward_all"  # preset,forward,backward,eval,forward,backward


@pytest.mark.parametrize(
    ("case", "true", "untrue"),
    [
        (CASE, checks.Raises(1, "ValueError", "more than 1 value"), checks.Raises(1, "RuntimeError")),
        (CASE, checks.Raises(1, "ValueError"), checks.Raises(1, "ValueError", "less than 1 value")),
        (CASE, checks.Returns(3), checks.Returns(1)),
        (CASE, checks.Unchanged(1, 0, STATISTICS), checks.Unchanged(1, 0, ("num_batches_tracked",))),
        (CASE, checks.Changed(1, 0, ("num_batches_tracked",)), checks.Changed(1, 0, STATISTICS)),
        (CASE, checks.Counts(1, 1), checks.Counts(1, None)),
        (PASSES, checks.NormalisesBy(2, "batch"), checks.NormalisesBy(2, "running")),
        (PASSES, checks.Moves(2, 0.1), checks.Moves(2, 0.2)),
        (PASSES, checks.Gradients(3, ("weight", "bias")), checks.Gradients(3, ("input", "weight", "bias"))),
        (PASSES, checks.Gradients(3, ("weight", "bias")), checks.Gradients(2, ())),
        (ADDS, checks.Grads(2, ()), checks.Grads(3, ())),
        (ADDS, checks.Grads(3, GRADIENTS), checks.Grads(3, ("weight", "bias"))),
        (PASSES, checks.Dtypes(2, "float32", "float32"), checks.Dtypes(2, "float16", "float32")),
        (PASSES, checks.LaidOut(2, "contiguous"), checks.LaidOut(2, "channels_last")),
        ("edge-text-bare", checks.Entries(0, ()), checks.Entries(0, ("weight",))),
        ("edge-nonfinite-nan", checks.NotFinite(2, STATISTICS, 1), checks.NotFinite(2, STATISTICS, 0)),
        ("edge-accumulation-deepcopy", checks.Shares(4, ()), checks.Shares(4, ("weight",))),
        ("edge-text-tracked", checks.Says(7, "eps=0.5"), checks.Says(7, "eps=0.25")),
    ],
)
def test_every_check_tells_true_from_untrue(case: str, true: checks.Check, untrue: checks.Check) -> None:
    assert holds(sentence_with(case, true), NEWEST)
    assert not holds(sentence_with(case, untrue), NEWEST)


def test_a_claim_is_no_proof_where_it_is_refuted() -> None:
    sentence = sentence_with("claim-parameters-track_off_later_eval")
    assert [holds(sentence, release) for release in RELEASES[:4]] == [False, False, True, True]


def known_without(case: str, releases: Tuple[Release, ...]) -> Outcomes:
    """Return outcomes in which every cited case passes, except one on some releases."""
    cited = {proof.case for _, each in SENTENCES for proof in each.proofs}
    found: Dict[Release, Mapping[str, str]] = {}
    for release in RELEASES:
        found[release] = {each: "pass" for each in cited if each != case or release not in releases}
    return found


def test_a_sentence_without_a_passing_case_disappears() -> None:
    [answer] = [each for each in ANSWERS if each.name == "freeze"]
    first = answer.sentences[0]
    [case] = [proof.case for proof in first.proofs]
    whole = behaviour.proved(known_without("", ()), first)
    assert whole is not None
    assert whole.releases == ""
    assert behaviour.proved(known_without(case, (NEWEST,)), first) is None
    shorter = behaviour.proved(known_without(case, RELEASES[:2]), first)
    assert shorter is not None
    assert shorter.releases == "since 1.6"


def test_an_answer_without_sentences_disappears() -> None:
    answer = dataclasses.replace(ANSWERS[0], sentences=(sentence_with(CASE, checks.Returns(1)),))
    page = behaviour.page({NEWEST: {CASE: "pass"}}, {"Topic": [answer]})
    assert answer.question not in page


def test_a_failed_or_missing_case_proves_nothing() -> None:
    known = {NEWEST: {"a": "pass", "b": "known_defect", "c": "finding"}}
    assert passing(known, ["a"], RELEASES) == [NEWEST]
    for case in ("b", "c", "d"):
        assert passing(known, ["a", case], RELEASES) == []


@pytest.mark.parametrize(
    ("proving", "words"),
    [
        ((), ""),
        (RELEASES, ""),
        (RELEASES[2:], "since 1.6"),
        (RELEASES[:2], "up to 1.5"),
        (RELEASES[20:22], "2.10 to 2.11"),
        (RELEASES[3:4], "1.7"),
        (RELEASES[:20] + RELEASES[22:], "up to 2.9, since 2.12"),
    ],
)
def test_releases_in_words(proving: Tuple[Release, ...], words: str) -> None:
    everywhere: Outcomes = {release: {} for release in RELEASES}
    assert in_words(everywhere, proving) == words


# --- the command ------------------------------------------------------------------------


def test_the_folder_of_records_must_hold_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reports.__main__ import main

    assert main(["behaviour", "--records", str(tmp_path), "-o", str(tmp_path / "page.md")]) == 2
    assert "holds no record" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
