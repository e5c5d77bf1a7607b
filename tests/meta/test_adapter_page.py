"""The page about adapters is whole, and its beginning becomes an adapter."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from reports.rows import PROMISES
from tests.meta.command import run
from tests.subject import adapted
from tests.subject.adapter import WORDS

PAGE = Path(adapted.__file__).with_name("README.md")


def test_the_page_has_every_word_and_every_promise() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not [word for word in (*WORDS, *PROMISES) if f"`{word}`" not in page]
    quoted = set(re.findall(r"^\| ((?:`[a-z_0-9:]+` ?)+)\|", page, re.MULTILINE))
    words = {word for line in quoted for word in re.findall(r"`([^`]+)`", line)}
    assert words == {*WORDS, *PROMISES}


def test_the_links_of_the_page_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target


def test_the_beginning_on_the_page_becomes_an_adapter(tmp_path: Path) -> None:
    """A newcomer fills in five lines, and has a subject that is green."""
    page = PAGE.read_text(encoding="utf-8")
    code = textwrap.dedent(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    filled = {
        "self.layer = ...": "self.layer = BatchNorm(num_features, eps, momentum, dtype)",
        "return dx, dweight, dbias": "return self.layer.backward(gradient)",
        "return np.asarray(...)": "return getattr(self.layer, NAMES[name])",
        "        ...\n": "        setattr(self.layer, NAMES[name], values.astype('float32'))\n",
    }
    for gap, line in filled.items():
        assert code.count(gap) == 1, gap
        code = code.replace(gap, line)
    names = "from tests.subject.adapters.numpy_port import NAMES, BatchNorm\n"
    (tmp_path / "mine.py").write_text(names + code, encoding="utf-8")
    ran = run("--subject", "mine:Mine", "-k", "edge and (eps or backward_program)", path=str(tmp_path))
    assert ran.status == 0, ran.output
    assert "myframework 1.0 | promise values" in ran.output
