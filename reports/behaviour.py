"""BEHAVIOUR.md: answers to the questions that people ask, and what every combination does.

The page is a pure function of the records and of what the oracle says, byte for byte. Every sentence and
every line of a table cites cases; one whose cases did not all pass is left out. The oracle needs NumPy,
so it is imported only when the page is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, List, Mapping, NamedTuple, Optional, Sequence

from oracle.semantics import RELEASES
from reports import behaviour_tables, markdown
from reports.proofs import Outcomes, dotted, in_words, passing

if TYPE_CHECKING:
    from oracle.answers import Answer, Sentence

DIRECTORY = Path(__file__).parent / "records"
PAGE = Path(__file__).parent / "BEHAVIOUR.md"

COMMAND = "python -m reports behaviour"

INTRODUCTION = """\
Everyday questions first, in the words of those who ask them, then
[every combination](#every-combination) of construction, later change and mode. Search this page for the
words of an error message or for an attribute.

A sentence without a release holds on every release from {first} to {last}. Below each sentence are the
cases that prove it: the specification expects what the sentence says, and the module did what the
specification expects on each of these releases, as [the records](records) show. Run one, step by step:
`pytest --case ID -v`. A sentence whose cases do not pass is not printed. A test runs every script and
compares what it prints; releases of long ago may lack something that a script uses. Where torch itself is
wrong: [known defects](RELEASES.md#known-defects)."""


class Proved(NamedTuple):
    """A sentence and the releases that prove it, in words."""

    sentence: Sentence
    releases: str


def proved(known: Outcomes, sentence: Sentence) -> Optional[Proved]:
    """Return the sentence and where it holds; None where the records do not prove it.

    A sentence must hold on the newest recorded release, one about the past on any.
    """
    from oracle.answers import holds

    cases = [proof.case for proof in sentence.proofs]
    proving = [each for each in passing(known, cases, RELEASES) if holds(sentence, each)]
    newest = max(known)
    if not proving or (newest not in proving and not sentence.past):
        return None
    return Proved(sentence, in_words(known, proving))


def page(known: Outcomes, topics: Optional[Mapping[str, Sequence[Answer]]] = None) -> str:
    """Return the text of BEHAVIOUR.md; ``topics`` replaces those of the oracle."""
    if topics is None:
        from oracle.answers import TOPICS

        topics = TOPICS
    questions: List[str] = []
    chapters: List[List[str]] = []
    for topic, answers in topics.items():
        found = [(answer, _answer(known, answer)) for answer in answers]
        questions += ["", f"**{topic}**", ""]
        questions += [_entry(answer) for answer, lines in found if lines]
        chapters.append([f"## {topic}"])
        chapters += [lines for _, lines in found if lines]
    parts = [_head(known), ["## Questions", *questions], *chapters, behaviour_tables.section(known)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _head(known: Outcomes) -> List[str]:
    introduction = INTRODUCTION.format(first=dotted(min(known)), last=dotted(max(known)))
    return [
        "# What BatchNorm2d does",
        "",
        f"Generated from the specification and the records by `{COMMAND}`; do not edit.",
        "",
        introduction,
    ]


def _entry(answer: Answer) -> str:
    """Return the line of an answer in the list of questions."""
    return f"- [{markdown.flat(answer.question)}](#{answer.name})"


def _answer(known: Outcomes, answer: Answer) -> List[str]:
    """Return the lines of an answer; none where no sentence of it is proved."""
    sentences = [each for each in (proved(known, each) for each in answer.sentences) if each is not None]
    if not sentences:
        return []
    lines = [f'<a id="{answer.name}"></a>', "", f"### {markdown.flat(answer.question)}", ""]
    for each in sentences:
        lines += _sentence(each)
    lines += ["", "```python", answer.script.rstrip("\n"), "```", ""]
    lines += ["```text", answer.prints.rstrip("\n"), "```", ""]
    lines.append(f"People also search for: {markdown.flat(', '.join(answer.words))}.")
    if answer.sources:
        lines[-1] += f" See {', '.join(map(_source, answer.sources))}."
    return lines


def _sentence(found: Proved) -> List[str]:
    cases = dict.fromkeys(proof.case for proof in found.sentence.proofs)
    when = f"**{found.releases[0].upper()}{found.releases[1:]}:** " if found.releases else ""
    text = markdown.flat(found.sentence.text)
    return [f"- {when}{text}", f"  <br>Proved by {', '.join(map(markdown.code, cases))}."]


def _source(place: str) -> str:
    """Return an address or the path of a page as a link."""
    return f"<{place}>" if ":" in place else f"[{place}]({place})"
