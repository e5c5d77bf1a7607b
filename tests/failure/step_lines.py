"""The lines of a script that perform one step: a table from step type to lines."""

from __future__ import annotations

from typing import Callable, Collection, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

import numpy as np

from cases.attributes import FLOATING
from cases.case import Case
from cases.inputs import Batch, attached, batch, preset, upstream
from cases.state_dicts import TABLE, Entry
from cases.steps import (
    CONVERSIONS,
    UNSAVED,
    Alias,
    Attach,
    Backward,
    Convert,
    Copy,
    Count,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Overwrite,
    Preset,
    RequireGrad,
    Reset,
    SetAttribute,
    Show,
    Step,
    forwards,
)
from cases.variants import ATTACHED_COUNT
from tests.failure import literals
from tests.failure.phrases import COPIES, FORMS, LAYOUTS, SHOWN

MOST = 512
"""The numbers that the batches of a script may have written out, together."""

EXPANDED = 4
"""Series of up to this many forwards have a line for each."""


class Unwritable(Exception):
    """A batch is too large for a script; the message says which."""


class Writing(NamedTuple):
    """The program that the lines are written for.

    ``texts``: the texts of batches that have a short one, by name. ``raising``: the numbers of the
    steps that raise. ``number``: the step that is written.
    """

    case: Case
    texts: Mapping[str, str]
    raising: Collection[int] = ()
    number: int = 0

    def batch(self, name: str) -> str:
        """The text of the batch called ``name``, in its layout; raises Unwritable."""
        return self._text(batch(self.case.variant, name), self.texts.get(name.partition(".")[0]))

    def upstream(self, step: Backward) -> str:
        """The text of an upstream gradient; raises Unwritable."""
        given = self.returned()[int(step.earlier)]
        return self._text(upstream(self.case.variant, given, step.upstream))

    def _text(self, given: Batch, short: Optional[str] = None) -> str:
        text = short or literals.batch_text(given.values, given.dtype, MOST)
        if text is None:
            raise Unwritable(f"the batch {given.name} has {given.values.size:,} values")
        return LAYOUTS[given.layout].format(x=text, shape=list(given.values.shape))

    def returned(self) -> Tuple[Batch, ...]:
        """The inputs of the forwards before the step that return something, the last first."""
        steps = enumerate(self.case.steps[: self.number - 1], 1)
        names = [each.batch for n, step in steps if n not in self.raising for each in forwards(step)]
        return tuple(batch(self.case.variant, name) for name in reversed(names))

    @property
    def differentiated(self) -> bool:
        """Whether a backward follows, so that forwards keep their inputs and outputs."""
        return any(isinstance(step, Backward) for step in self.case.steps[self.number :])

    @property
    def dtype(self) -> str:
        """The dtype of the module before the step."""
        dtype = self.case.variant.module_dtype
        for number, step in enumerate(self.case.steps[: self.number - 1], 1):
            if isinstance(step, Convert):
                dtype = CONVERSIONS[step.how]
            elif isinstance(step, LoadStateDict) and number not in self.raising:
                contents = TABLE[step.what]
                dtype = (contents.assign and contents.entries[0].dtype) or dtype
        return dtype

    def new_tensor(self, name: str) -> str:
        """The text of a tensor that is attached or loaded."""
        if name == "num_batches_tracked":
            return f"torch.tensor({ATTACHED_COUNT})"
        values = literals.listed(attached(name, self.case.config.num_features), "float64")
        return f"torch.tensor({values}{literals.keyword(self.dtype)})"


def called(step: Forward, given: str) -> str:
    """The line that calls the module with the text ``given``."""
    if step.grad == "hooked":
        return f"y, text = hooked(m, {given})"
    if step.grad == "no_grad":
        return f"y = torch.no_grad()(m.__call__)({given})"
    return f"y = m({given}{'.requires_grad_()' if step.grad == 'input_grad' else ''})"


def recorded(step: Forward, given: str) -> List[str]:
    """The lines of a forward that a backward follows; ``graphs`` keeps what the last two were given."""
    leaf = ".requires_grad_()" if step.grad == "input_grad" else ""
    call = "torch.no_grad()(m.__call__)(x)" if step.grad == "no_grad" else "m(x)"
    call = "hooked(m, x)[0]" if step.grad == "hooked" else call
    return [
        f"x = {given}{leaf}",
        f"graphs = [((x, m.weight, m.bias), {call}), *graphs[:1]]",
        "y = graphs[0][1]",
    ]


def _forward(writing: Writing, step: Forward) -> List[str]:
    given = writing.batch(step.batch)
    return recorded(step, given) if writing.differentiated else [called(step, given)]


def _forwards(writing: Writing, step: Forwards) -> List[str]:
    """A line for each forward, or a loop over all but the last where their batches are alike."""
    texts = [writing.batch(each.batch) for each in forwards(step)]
    if writing.differentiated:
        return [line for each, text in zip(forwards(step), texts) for line in recorded(each, text)]
    lines = [called(each, text) for each, text in zip(forwards(step), texts)]
    if len(lines) > EXPANDED and len(set(lines)) == 1:
        return [f"for _ in range({len(lines) - 1}): {lines[0]}", lines[-1]]
    return lines


def _backward(writing: Writing, step: Backward) -> List[str]:
    """``gradients`` holds the gradient of each leaf that has one, by the leaf's identity."""
    options = f"retain_graph={step.retain}, allow_unused=True"
    return [
        f"leaves, output = graphs[{int(step.earlier)}]",
        f"given = {writing.upstream(step)}",
        "wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]",
        f"found = torch.autograd.grad(output, wanted or leaves[:1], given, {options})",
        "gradients = dict(zip(map(id, wanted), found))",
    ]


def _mode(writing: Writing, step: Mode) -> List[str]:
    return ["m.train()" if step.training else "m.eval()"]


def _set_attribute(writing: Writing, step: SetAttribute) -> List[str]:
    return [f"m.{step.name} = {step.value!r}"]


def _drop(writing: Writing, step: Drop) -> List[str]:
    return [f"m.{step.name} = None"]


def _attach(writing: Writing, step: Attach) -> List[str]:
    kind = step.kind.partition(".")[0]
    tensor = FORMS[step.form].format(x=writing.new_tensor(step.name), n=writing.case.config.num_features)
    if kind == UNSAVED:
        return [f"m.register_buffer({step.name!r}, {tensor}, persistent=False)"]
    if kind != "tensor":
        tensor = f"torch.nn.Parameter({tensor}, requires_grad={kind == 'trainable'})"
    return [f"m.{step.name} = {tensor}"]


def _preset(writing: Writing, step: Preset) -> List[str]:
    return _written(writing, preset)


def _overwrite(writing: Writing, step: Overwrite) -> List[str]:
    return _written(writing, attached)


def _written(writing: Writing, values: Callable[..., np.ndarray]) -> List[str]:
    """Lines that write values into every floating-point tensor."""
    channels = writing.case.config.num_features
    pairs = [f"({name!r}, {literals.listed(values(name, channels), 'float64')})" for name in FLOATING]
    return [
        f"for name, values in [{', '.join(pairs)}]:",
        "    if getattr(m, name) is not None: getattr(m, name).data.copy_(torch.tensor(values))",
    ]


def _count(writing: Writing, step: Count) -> List[str]:
    return [f"m.num_batches_tracked.fill_({step.value})"]


def _reset(writing: Writing, step: Reset) -> List[str]:
    return [f"m.{step.method}()"]


def _copy(writing: Writing, step: Copy) -> List[str]:
    return [f"m = {COPIES[step.how]}"]


def _load_state_dict(writing: Writing, step: LoadStateDict) -> List[str]:
    """Lines that build the state dict as ``tests.subject.state_dicts`` does; the last one loads it."""
    contents = TABLE[step.what]
    pairs = [f"{each.name!r}: {_entry(writing, each)}" for each in contents.entries]
    fitting = "" if contents.whole else " if key in own"
    prefix = f"{contents.prefix!r} + key" if contents.prefix else "key"
    lines = [
        f"own, new = m.state_dict(), {{{', '.join(pairs)}}}",
        f"state = type(own)(({prefix}, new[key]) for key in new{fitting})",
    ]
    lines += [f"state[{contents.prefix + name!r}] = torch.zeros(1)" for name in contents.others]
    if contents.version is not None:
        lines.append(f"state._metadata = {{{contents.prefix[:-1]!r}: {{'version': {contents.version}}}}}")
    if contents.emptied:
        lines += ["m.to('meta')", "m.to_empty(device='cpu')"]
    target = "torch.nn.Sequential(m)" if contents.parent else "m"
    options = ("" if contents.strict else ", strict=False") + (", assign=True" if contents.assign else "")
    return [*lines, f"found = {target}.load_state_dict(state{options})"]


def _entry(writing: Writing, entry: Entry) -> str:
    """The text of one entry of a state dict."""
    if entry.name == "num_batches_tracked":
        count = entry.number if entry.fraction else int(entry.number)
        return f"torch.full({entry.shape}, {count}, dtype=torch.{entry.dtype or 'int64'})"
    text = writing.new_tensor(entry.name)
    if entry.longer:
        text = f"torch.cat([{text}, torch.zeros({entry.longer})])"
    return f"{text}.to(torch.{entry.dtype})" if entry.dtype else text


def _show(writing: Writing, step: Show) -> List[str]:
    return [f"text = {SHOWN[step.what]}"]


def _convert(writing: Writing, step: Convert) -> List[str]:
    moved = f"to(torch.{CONVERSIONS[step.how]})" if step.how.startswith("to_") else f"{step.how}()"
    return [f"m.{moved}"]


def _require_grad(writing: Writing, step: RequireGrad) -> List[str]:
    return [f"m.requires_grad_({step.value})"]


def _alias(writing: Writing, step: Alias) -> List[str]:
    return [f"m.{step.name} = m.{step.source}"]


LINES: Dict[Type[Step], Callable[..., List[str]]] = {
    Forward: _forward,
    Backward: _backward,
    Forwards: _forwards,
    Mode: _mode,
    SetAttribute: _set_attribute,
    Drop: _drop,
    Attach: _attach,
    Preset: _preset,
    Count: _count,
    Reset: _reset,
    Copy: _copy,
    LoadStateDict: _load_state_dict,
    Show: _show,
    Convert: _convert,
    RequireGrad: _require_grad,
    Alias: _alias,
    Overwrite: _overwrite,
}
"""Type of a step to what writes its lines."""


def lines(writing: Writing, number: int) -> List[str]:
    """The lines that perform the step with this number; raises Unwritable."""
    step = writing.case.steps[number - 1]
    return LINES[type(step)](writing._replace(number=number), step)
