"""A short script that performs a program on the subject and prints one finding, got and expected.

A script needs torch and the subject, and NumPy where it rebuilds one of the suite's large batches.
"""

from __future__ import annotations

import re
from typing import Collection, Dict, List, Mapping, NamedTuple, Sequence

from cases.attributes import TENSORS
from cases.case import Case
from cases.construction import Config
from cases.derivatives import CALLING, DIFFERENTIATING, GRADIENTS, ON_OUTPUTS
from cases.inputs import batch
from cases.steps import Convert, Copy, Forward, Forwards, LoadStateDict, forwards
from oracle.expected_derivatives import DERIVATIVES
from tests.comparison.step import SHARED
from tests.failure.phrases import GRAD, GRADIENT, GRADS, HOOKED, LOADED, OUTPUT, SOURCE, TENSOR
from tests.failure.rebuilding import BELL
from tests.failure.step_lines import lines
from tests.failure.writing import MOST, Unwritable, Writing, called
from tests.verdict.result import Finding

THREADED = 4096
"""The number of values in a batch from which on torch's number of threads matters."""

CONVERTED = (
    "    [new.to(each.dtype) for each in old.state_dict().values() if each.is_floating_point()]"
)
"""The line that gives a new module the dtypes of a converted one."""

LONGEST = 60
"""The largest number of lines of a script."""


class FailingProgram(NamedTuple):
    """A program that ends with a finding, and the data that a script of it needs.

    ``raising``: the numbers of the steps that raise or must raise. ``texts``: maps a batch name to the
    text that makes its values, for batches that have a short one.
    """

    case: Case
    finding: Finding
    raising: Collection[int]
    texts: Mapping[str, str]


def constructor(config: Config, dtype: str, subject: str) -> str:
    """Return the call that constructs the module; ``subject``: as given to --subject."""
    words = [str(config.num_features)]
    for name, value in config.passed():
        words.append(repr(value) if config.call == "positional" else f"{name}={value!r}")
    if config.call == "dtype":
        words.append(f"dtype=torch.{dtype}")
    converted = "" if dtype == "float32" or config.call == "dtype" else f".to(torch.{dtype})"
    return f"{subject.replace(':', '.')}({', '.join(words)}){converted}"


def _gradient(name: str) -> str:
    """Return the expression for the gradient of the input, the weight or the bias."""
    return f"gradients.get(id(leaves[{GRADIENTS.index(name)}]))"


def _element(source: str, index: Sequence[int]) -> str:
    """Return the expression for one number of the tensor ``source``."""
    return f"{source}[{', '.join(map(str, index))}].item()"


def _grad(name: str, aspect: str, index: Sequence[int]) -> str:
    """Return the expression for an element or an aspect of a ``.grad``."""
    leaf = "graphs[0][0][0]" if name == "input.grad" else f"m.{name.partition('.')[0]}"
    if index:
        return _element(f"{leaf}.grad", index)
    return GRAD[aspect].format(f"{leaf}.grad", leaf)


def _derivative(quantity: str, index: Sequence[int]) -> str:
    """Return the expression for an element or aspect of a further derivative."""
    name = next(each for each in DERIVATIVES if quantity.startswith(each))
    derivative = f"derivatives[{name!r}]"
    if index:
        return _element(derivative, index)
    return GRAD[quantity.rpartition(" ")[2]].format(derivative)


WHOLE: Dict[str, str] = {
    **OUTPUT,
    "output present": "y is not None",
    "gradients present": "gradients is not None",
    "derivatives present": "tuple(derivatives)",
    "grads present": GRADS.format(TENSORS),
    "text": "repr(text)",
    SHARED: (
        f"tuple(name for name in {TENSORS} if getattr(m, name) is not None and "
        "getattr(m, name).data_ptr() == getattr(old, name).data_ptr())"
    ),
}
"""Maps a quantity of a step as a whole to the expression that is printed."""

OF_A_LOAD: Dict[str, str] = {"input_changed": f"{SOURCE} != before", "text": LOADED.format(names=TENSORS)}
"""Maps a quantity of a step that loads a state dict to the expression that is printed instead."""


def _printed(failing: FailingProgram) -> str:
    """Return the expression that is printed as got."""
    mismatch = failing.finding.mismatch
    quantity, index = mismatch.quantity, mismatch.index
    name, _, aspect = quantity.partition(" ")
    step = failing.case.steps[-1] if failing.case.steps else None
    if isinstance(step, LoadStateDict) and quantity in OF_A_LOAD:
        return OF_A_LOAD[quantity]
    if isinstance(step, DIFFERENTIATING) and quantity == "input_changed":
        return OUTPUT[quantity].replace("x", "given")
    if quantity in WHOLE:
        return WHOLE[quantity]
    if name.endswith(".grad"):
        return _grad(name, aspect, index)
    if quantity.startswith(DERIVATIVES):
        return _derivative(quantity, index)
    if index:
        source = "y" if quantity == "output" else f"m.{quantity}"
        return _element(_gradient(name) if aspect == "gradient" else source, index)
    if aspect.startswith("gradient "):
        last = any(each.layout == "channels_last" for each in _writing(failing).differentiated_inputs())
        memory_format = "memory_format=torch.channels_last" if last and name == "input" else ""
        return GRADIENT[aspect.partition(" ")[2]].format(_gradient(name), memory_format)
    if name in TENSORS:
        return f"m.{name}" if mismatch.got == "None" else TENSOR[aspect].format(name)
    return f"repr(m.{name})"


def _writing(failing: FailingProgram) -> Writing:
    return Writing(failing.case, failing.texts, failing.raising, failing.finding.step)


def _kept(finding: Finding) -> List[str]:
    """Return the lines that keep, before the last step, what that step may change."""
    quantity = finding.mismatch.quantity
    name, _, aspect = quantity.partition(" ")
    if quantity == "input_changed":
        return ["before = x.detach().double().numpy().tobytes()"]
    if quantity == "earlier_output_changed":
        return ["earlier = y.detach()", "before = earlier.double().numpy().tobytes()"]
    if aspect == "is the same object":
        return [f"before = m.{name}" if finding.step else "before = None"]
    if quantity == SHARED:
        return ["old = m"]
    if quantity.endswith("shares memory"):
        return ["others = [given, *globals().get('gradients', {}).values()]"]
    if quantity in ("gradients present", "derivatives present"):
        return ["gradients = None", "derivatives = {}"]
    return ["y = None"] if quantity == "output present" else []


def suppressed(body: List[str]) -> List[str]:
    """Return the lines of a step that raises, as it should."""
    head = "with contextlib.suppress(Exception):"
    if len(body) == 1 and not body[0].startswith("for "):
        return [f"{head} {body[0]}"]
    return [head, *(f"    {line}" for line in body)]


def caught(body: List[str]) -> List[str]:
    """Return the lines of a step, which print the exception that it raises."""
    return [
        "try:",
        *(f"    {line}" for line in body),
        "    print('got     ', 'no exception')",
        "except Exception as error:",
        "    print('got     ', f'{type(error).__name__}: {str(error).strip()}')",
    ]


def _last(failing: FailingProgram, body: List[str], raises: bool) -> List[str]:
    """Return the lines of the step with the finding, and those that print what was got."""
    finding = failing.finding
    if finding.mismatch.quantity == "exception":
        return caught(body)
    kept = _kept(finding)
    step = failing.case.steps[finding.step - 1] if finding.step else None
    first: List[str] = []
    if isinstance(step, (Forward, Forwards)):
        last = forwards(step)[-1]
        first = [*body[:-1], f"x = {_writing(failing).batch(last.batch)}"]
        body = [called(last, "x")]
    elif isinstance(step, (*DIFFERENTIATING, *CALLING)):
        first, body = body[:2], body[2:]
        if isinstance(step, DIFFERENTIATING) and finding.mismatch.quantity == "input_changed":
            kept = [line.replace("x.", "given.") for line in kept]
    elif isinstance(step, LoadStateDict):
        first, body = body[:-1], body[-1:]
        if finding.mismatch.quantity == "input_changed":
            kept = [f"before = {SOURCE}"]
    body = suppressed(body) if raises else body
    done = [*kept, *body] if finding.step else [*body, *kept]
    return [*first, *done, f"print('got     ', {_printed(failing)})"]


def _imports(text: str, subject: str) -> List[str]:
    found = [name for name in ("contextlib", "copy", "pickle") if f"{name}." in text]
    names = [name for name in ("inf", "nan") if re.search(rf"(?<![\w.']){name}\b", text)]
    made = [f"from math import {', '.join(names)}"] if names else []
    made.append("import " + ", ".join([*found, "torch"]))
    if "np." in text:
        made.append("import numpy as np")
    package = subject.partition(":")[0]
    if package not in ("torch", "torch.nn"):
        made.append(f"import {package}")
    return made


def _settings(failing: FailingProgram, threads: int, surroundings: Collection[str]) -> List[str]:
    """Return the lines that give a fresh process the settings of this one, where they matter."""
    steps = [each for step in failing.case.steps for each in forwards(step)]
    sizes = [batch(failing.case.variant, each.batch).values.size for each in steps]
    set_threads = threads != 1 or max(sizes, default=0) >= THREADED
    return [*surroundings, *([f"torch.set_num_threads({threads})"] if set_threads else [])]


def script(
    failing: FailingProgram, subject: str, threads: int = 1, surroundings: Collection[str] = ()
) -> str:
    """Return the script; raises Unwritable where it would be too long.

    ``threads``: torch's number of threads. ``surroundings``: lines that set other unusual settings.
    """
    case, finding = failing.case, failing.finding
    writing = _writing(failing)
    made = constructor(case.config, case.variant.module_dtype, subject)
    text: List[str] = []
    if any(isinstance(step, Copy) and step.how == "state_dict" for step in case.steps):
        text += [
            "def fresh(old):",
            f"    new = {made}",
            *([CONVERTED] if any(isinstance(step, Convert) for step in case.steps) else []),
            "    new.load_state_dict(old.state_dict())",
            "    new.train(bool(old.training)).training = old.training",
            "    return new",
        ]
    if any(each.way == "hooked" for step in case.steps for each in forwards(step)):
        text += HOOKED
    needed = any(isinstance(step, ON_OUTPUTS) for step in case.steps)
    if needed or finding.mismatch.quantity == "grads present":
        text.append("graphs = []")
    bodies = [[f"m = {made}"], *(lines(writing, number + 1) for number in range(finding.step))]
    for number, body in enumerate(bodies[:-1]):
        text += suppressed(body) if number in failing.raising else body
    text += _last(failing, bodies[-1], finding.step in failing.raising)
    text.append(f"print('expected', {finding.mismatch.expected!r})")
    text = _settings(failing, threads, surroundings) + text
    if any("bell(" in line for line in text):
        text = BELL + text
    text = _imports("\n".join(text), subject) + text
    written = "\n".join(text) + "\n"
    if len(text) > LONGEST or written.count(",") > 2 * MOST:
        raise Unwritable(f"the script would have {len(text)} lines of {len(written):,} characters")
    return written
