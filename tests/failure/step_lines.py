"""The lines of a script that perform one step, in a table from step type to function."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Type, Union

import numpy as np

from cases.attributes import COUNTER, FLOATING, PARAMETERS
from cases.derivatives import (
    ALONE,
    ASKED,
    CONSTANT,
    DOUBLES,
    GRADIENTS,
    Accumulate,
    Backward,
    Detach,
    Double,
    Jvp,
    Nested,
    Triple,
    Vjp,
    ZeroGrad,
)
from cases.inputs import attached, preset
from cases.state_dicts import TABLE, Entry
from cases.steps import (
    CONVERSIONS,
    UNSAVED,
    Alias,
    Attach,
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
from tests.failure import literals
from tests.failure.descriptions import DESCRIBED
from tests.failure.phrases import CALLS, COPIES, FORMS
from tests.failure.writing import Writing, called, recorded

EXPANDED = 4
"""Series of up to this many forwards have a line for each."""


def _forward(writing: Writing, step: Forward) -> List[str]:
    given = writing.batch(step.batch)
    return recorded(step, given) if writing.differentiated else [called(step, given)]


def _forwards(writing: Writing, step: Forwards) -> List[str]:
    """Return a line for each forward, or a loop over all but the last where their batches are alike."""
    texts = [writing.batch(each.batch) for each in forwards(step)]
    if writing.differentiated:
        return [line for each, text in zip(forwards(step), texts) for line in recorded(each, text)]
    lines = [called(each, text) for each, text in zip(forwards(step), texts)]
    if len(lines) > EXPANDED and len(set(lines)) == 1:
        return [f"for _ in range({len(lines) - 1}): {lines[0]}", lines[-1]]
    return lines


def _backward(writing: Writing, step: Backward) -> List[str]:
    """Return lines after which ``gradients`` maps a leaf's identity to its gradient."""
    options = f"retain_graph={step.retain}, allow_unused=True"
    numbers = [GRADIENTS.index(name) for name in ASKED[step.of]]
    asked = f"leaves[{numbers[0]}:{numbers[-1] + 1}]" if step.of else "leaves"
    nothing = "[leaves[0].detach()]" if step.of else "leaves[:1]"
    return [
        f"leaves, output = graphs[{step.earlier}]",
        f"given = {writing.upstream(step.upstream, step.earlier)}",
        f"wanted = [leaf for leaf in {asked} if leaf is not None and leaf.requires_grad]",
        f"found = torch.autograd.grad(output, wanted or {nothing}, given, {options})",
        "gradients = dict(zip(map(id, wanted), found))",
    ]


def _accumulate(writing: Writing, step: Accumulate) -> List[str]:
    return [
        "leaves, output = graphs[0]",
        f"given = {writing.upstream(step.upstream)}",
        f"output.backward(given, retain_graph={step.retain})",
    ]


def _double(writing: Writing, step: Double) -> List[str]:
    """Return lines after which ``derivatives`` maps a quantity to a second derivative."""
    vectors = f"{writing.new_tensor('weight')}, {writing.new_tensor('bias')}"
    every = DOUBLES["double"]
    numbers = tuple(every.index(name) for name in DOUBLES[step.way])
    chosen = "" if len(numbers) == len(every) else f" and n in {numbers}"
    moving = "" if step.way == CONSTANT else ".requires_grad_()"
    constant = ["pairs = [pair for pair in pairs if pair[0].requires_grad]"]
    asked = "torch.autograd.grad(found, sought, along, allow_unused=True)"
    if step.way == ALONE:
        asked = asked.replace("sought", "leaf").replace("allow", "retain_graph=True, allow")
        asked = f"[{asked}[0] for leaf in sought]"
    return [
        "leaves, output = graphs[0]",
        f"given = {writing.upstream(step.upstream)}{moving}",
        f"along = [{writing.upstream(step.direction)}, {vectors}]",
        "wanted = [n for n, leaf in enumerate(leaves) if leaf is not None and leaf.requires_grad]",
        "sources = {n: leaf for n, leaf in enumerate([*leaves[:2], given])",
        "           if leaf is not None and leaf.requires_grad}",
        "options = {'create_graph': True, 'allow_unused': True}",
        "found = torch.autograd.grad(output, [leaves[n] for n in wanted], given, **options)",
        f"pairs = [(each, along[n]) for n, each in zip(wanted, found) if each is not None{chosen}]",
        *([] if moving else constant),
        "found, along = [each for each, _ in pairs], [each for _, each in pairs]",
        "sought = list(sources.values())",
        f"found = {asked}",
        *_named("2nd"),
    ]


def _named(kind: str) -> List[str]:
    """Return lines that name the derivatives, and take those that torch does not return for zeros."""
    names = f"['input {kind} gradient', 'weight {kind} gradient', 'upstream {kind} gradient']"
    return [
        "found = [torch.zeros_like(a) if b is None else b for a, b in zip(sought, found)]",
        f"derivatives = dict(zip([{names}[n] for n in sources], found))",
    ]


def _triple(writing: Writing, step: Triple) -> List[str]:
    """Return lines after which ``derivatives`` maps a quantity to a third derivative."""
    along = f"[{writing.upstream(step.direction)}, {writing.new_tensor('weight')}]"
    return [
        "leaves, output = graphs[0]",
        f"given = {writing.upstream(step.upstream)}.requires_grad_()",
        f"along, last = {along}, {writing.upstream(step.along)}",
        "wanted = [n for n, leaf in enumerate(leaves[:2]) if leaf is not None and leaf.requires_grad]",
        "sources = {n: leaf for n, leaf in enumerate([*leaves[:2], given]) if n == 2 or n in wanted}",
        "options = {'create_graph': True, 'allow_unused': True}",
        "found = torch.autograd.grad(output, [leaves[n] for n in wanted], given, **options)",
        "wanted, found = zip(*[each for each in zip(wanted, found) if each[1] is not None])",
        "along, sought = [along[n] for n in wanted], list(sources.values())",
        "second = torch.autograd.grad(found, leaves[0], along, **options)[0]",
        "depends = second is not None and second.requires_grad",
        "found = [None] * len(sought)",
        "if depends: found = torch.autograd.grad(second, sought, last, allow_unused=True)",
        *_named("3rd"),
    ]


def _called(writing: Writing, step: Union[Jvp, Vjp, Nested]) -> List[str]:
    """Return lines that call the module in a function which differentiates it."""
    name = step.upstream if isinstance(step, Vjp) else step.tangent
    first = [f"x = {writing.batch(step.batch)}", f"given = {writing.upstream(name)}"]
    pairs = [f"({name!r}, {writing.new_tensor(name)})" for name in PARAMETERS]
    return [*first, *(line.format(pairs=", ".join(pairs)) for line in CALLS[step.way])]


def _attach(writing: Writing, step: Attach) -> List[str]:
    kind = step.kind.partition(".")[0]
    tensor = FORMS[step.form].format(x=writing.new_tensor(step.name), n=writing.case.config.num_features)
    if kind == UNSAVED:
        return [f"m.register_buffer({step.name!r}, {tensor}, persistent=False)"]
    if kind != "tensor":
        tensor = f"torch.nn.Parameter({tensor}, requires_grad={kind == 'trainable'})"
    return [f"m.{step.name} = {tensor}"]


def _written(writing: Writing, values: Callable[..., np.ndarray]) -> List[str]:
    """Return lines that write values into every floating-point tensor."""
    channels = writing.case.config.num_features
    pairs = [f"({name!r}, {literals.listed(values(name, channels), 'float64')})" for name in FLOATING]
    return [
        f"for name, values in [{', '.join(pairs)}]:",
        "    if getattr(m, name) is not None: getattr(m, name).data.copy_(torch.tensor(values))",
    ]


def _load_state_dict(writing: Writing, step: LoadStateDict) -> List[str]:
    """Return lines that build the state dict as ``tests.subject.state_dicts`` does; the last loads it."""
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
        lines += ["for each in m.parameters(): each.grad = None"]
        lines += ["counted = [int(each) for each in m.buffers() if each.dtype == torch.long]"]
        lines += ["m.to('meta')", "m.to_empty(device='cpu')"]
        lines += ["for each in counted: m.num_batches_tracked.fill_(each)"]
    target = "torch.nn.Sequential(m)" if contents.parent else "m"
    options = ("" if contents.strict else ", strict=False") + (", assign=True" if contents.assign else "")
    return [*lines, f"found = {target}.load_state_dict(state{options})"]


def _entry(writing: Writing, entry: Entry) -> str:
    """Return the text of one entry of a state dict."""
    if entry.name == COUNTER:
        count = entry.number if entry.fraction else int(entry.number)
        return f"torch.full({entry.shape}, {count}, dtype=torch.{entry.dtype or 'int64'})"
    text = writing.new_tensor(entry.source)
    text = f"torch.nn.Parameter({text})" if entry.parameter else text
    if entry.longer:
        text = f"torch.cat([{text}, torch.zeros({entry.longer})])"
    return f"{text}.to(torch.{entry.dtype})" if entry.dtype else text


def _convert(writing: Writing, step: Convert) -> List[str]:
    if not step.how.startswith("to_"):
        return [f"m.{step.how}()"]
    dtype = CONVERSIONS[step.how]
    return [f"m.to(torch.{dtype})" if dtype else "m.to(memory_format=torch.channels_last)"]


LINES: Dict[Type[Step], Callable[[Writing, Any], List[str]]] = {
    Forward: _forward,
    Backward: _backward,
    Accumulate: _accumulate,
    Double: _double,
    Triple: _triple,
    Jvp: _called,
    Vjp: _called,
    Nested: _called,
    ZeroGrad: lambda writing, step: [f"m.zero_grad({'set_to_none=False' if step.to_zeros else ''})"],
    Detach: lambda writing, step: ["graphs[0] = graphs[0][0], graphs[0][1].detach()"],
    Forwards: _forwards,
    Mode: lambda writing, step: ["m.train()" if step.training else "m.eval()"],
    SetAttribute: lambda writing, step: [f"m.{step.name} = {step.value!r}"],
    Drop: lambda writing, step: [f"m.{step.name} = None"],
    Attach: _attach,
    Preset: lambda writing, step: _written(writing, preset),
    Count: lambda writing, step: [f"m.num_batches_tracked.fill_({step.value})"],
    Reset: lambda writing, step: [f"m.{step.method}()"],
    Copy: lambda writing, step: [f"m = {COPIES[step.how]}"],
    LoadStateDict: _load_state_dict,
    Show: lambda writing, step: [*DESCRIBED[step.what]],
    Convert: _convert,
    RequireGrad: lambda writing, step: [f"m.requires_grad_({step.value})"],
    Alias: lambda writing, step: [f"m.{step.name} = m.{step.source}"],
    Overwrite: lambda writing, step: _written(writing, attached),
}
"""Maps the type of a step to the function that writes its lines."""


def lines(writing: Writing, number: int) -> List[str]:
    """Return the lines that perform the step with this number; raises Unwritable."""
    step = writing.case.steps[number - 1]
    return LINES[type(step)](writing._replace(number=number), step)
