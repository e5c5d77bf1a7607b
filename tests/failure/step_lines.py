"""The lines of a script that perform one step: a table from step type to lines."""

from __future__ import annotations

from typing import Callable, Collection, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

from cases.attributes import FLOATING
from cases.case import Case
from cases.inputs import Batch, attached, batch, preset, upstream
from cases.steps import (
    DIFFERENTIATING,
    Accumulate,
    Attach,
    Backward,
    Copy,
    Count,
    Double,
    Drop,
    Forward,
    Forwards,
    LoadStateDict,
    Mode,
    Preset,
    Reset,
    SetAttribute,
    Show,
    Step,
    ZeroGrad,
    forwards,
)
from cases.variants import ATTACHED_COUNT
from tests.failure import literals
from tests.failure.phrases import COPIES, LAYOUTS, SHOWN, WITHOUT

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

    def upstream(self, name: str, earlier: bool = False) -> str:
        """The text of an upstream gradient of the last or the earlier forward; raises Unwritable."""
        given = self.returned()[int(earlier)]
        return self._text(upstream(self.case.variant, given, name))

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
        return any(isinstance(step, DIFFERENTIATING) for step in self.case.steps[self.number :])

    def new_tensor(self, name: str) -> str:
        """The text of a tensor that is attached or loaded."""
        if name == "num_batches_tracked":
            return f"torch.tensor({ATTACHED_COUNT})"
        values = literals.listed(attached(name, self.case.config.num_features), "float64")
        return f"torch.tensor({values}{literals.keyword(self.case.variant.module_dtype)})"


def called(step: Forward, given: str) -> str:
    """The line that calls the module with the text ``given``."""
    if step.grad in WITHOUT:
        return f"y = {WITHOUT[step.grad]}({given})"
    return f"y = m({given}{'.requires_grad_()' if step.grad == 'input_grad' else ''})"


def recorded(step: Forward, given: str) -> List[str]:
    """The lines of a forward that a backward follows; ``graphs`` keeps what the last two were given."""
    leaf = ".requires_grad_()" if step.grad == "input_grad" else ""
    call = f"{WITHOUT.get(step.grad, 'm')}(x)"
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
        f"given = {writing.upstream(step.upstream, step.earlier)}",
        "wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]",
        f"found = torch.autograd.grad(output, wanted or leaves[:1], given, {options})",
        "gradients = dict(zip(map(id, wanted), found))",
    ]


def _accumulate(writing: Writing, step: Accumulate) -> List[str]:
    return [
        "leaves, output = graphs[0]",
        f"given = {writing.upstream(step.upstream)}",
        f"output.backward(given, retain_graph={step.retain})",
    ]


def _double(writing: Writing, step: Double) -> List[str]:
    """``seconds`` holds the second derivatives, by name."""
    names = "('input', 'weight', 'upstream')"
    vectors = f"{writing.new_tensor('weight')}, {writing.new_tensor('bias')}"
    return [
        "leaves, output = graphs[0]",
        f"given = {writing.upstream(step.upstream)}.requires_grad_()",
        f"along = [{writing.upstream(step.direction)}, {vectors}]",
        "wanted = [n for n, leaf in enumerate(leaves) if leaf is not None and leaf.requires_grad]",
        "sources = {n: leaf for n, leaf in enumerate([*leaves[:2], given]) if n == 2 or n in wanted}",
        "found = torch.autograd.grad(output, [leaves[n] for n in wanted], given, create_graph=True)",
        "along, sought = [along[n] for n in wanted], list(sources.values())",
        "found = torch.autograd.grad(found, sought, along, allow_unused=True)",
        "found = [torch.zeros_like(a) if b is None else b for a, b in zip(sought, found)]",
        f"seconds = dict(zip([{names}[n] for n in sources], found))",
    ]


def _zero_grad(writing: Writing, step: ZeroGrad) -> List[str]:
    return ["m.zero_grad()"]


def _mode(writing: Writing, step: Mode) -> List[str]:
    return ["m.train()" if step.training else "m.eval()"]


def _set_attribute(writing: Writing, step: SetAttribute) -> List[str]:
    return [f"m.{step.name} = {step.value!r}"]


def _drop(writing: Writing, step: Drop) -> List[str]:
    return [f"m.{step.name} = None"]


def _attach(writing: Writing, step: Attach) -> List[str]:
    tensor = writing.new_tensor(step.name)
    if step.kind != "tensor":
        tensor = f"torch.nn.Parameter({tensor}, requires_grad={step.kind == 'trainable'})"
    return [f"m.{step.name} = {tensor}"]


def _preset(writing: Writing, step: Preset) -> List[str]:
    channels = writing.case.config.num_features
    pairs = [f"({name!r}, {literals.listed(preset(name, channels), 'float64')})" for name in FLOATING]
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
    """Lines that build the state dict as ``tests.subject.state_dicts`` does, and load it."""
    if step.what == "empty":
        return ["m.load_state_dict({}, strict=False)"]
    new = ", ".join(f"{name!r}: {writing.new_tensor(name)}" for name in FLOATING)
    kept = step.what in ("no_counter", "longer", "version_1")
    lines = [
        f"state, new = {'m.state_dict()' if kept else 'dict(m.state_dict())'}, {{{new}}}",
        "for key in list(state): state.update({key: new[key]} if key in new else {})",
        "state.pop('num_batches_tracked', None)",
    ]
    if step.what in ("plain", "longer"):
        count = f"torch.tensor({ATTACHED_COUNT})"
        lines[-1] = f"if m.num_batches_tracked is not None: state['num_batches_tracked'] = {count}"
    if step.what == "longer":
        longer = "torch.cat([new['running_mean'], new['running_mean'][:1]])"
        lines.append(f"if 'running_mean' in state: state['running_mean'] = {longer}")
    if step.what == "version_1":
        lines.append("state._metadata[''] = {'version': 1}")
    return [*lines, "m.load_state_dict(state)"]


def _show(writing: Writing, step: Show) -> List[str]:
    return [f"text = {SHOWN[step.what]}"]


LINES: Dict[Type[Step], Callable[..., List[str]]] = {
    Forward: _forward,
    Backward: _backward,
    Accumulate: _accumulate,
    Double: _double,
    ZeroGrad: _zero_grad,
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
}
"""Type of a step to what writes its lines."""


def lines(writing: Writing, number: int) -> List[str]:
    """The lines that perform the step with this number; raises Unwritable."""
    step = writing.case.steps[number - 1]
    return LINES[type(step)](writing._replace(number=number), step)
