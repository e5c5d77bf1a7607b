"""Writes a short script that needs torch alone and prints the disagreement of one finding."""

from __future__ import annotations

import re
from typing import Collection, List, Tuple

import numpy as np

from cases.attributes import BUFFERS, FLOATING, PARAMETERS
from cases.case import Case
from cases.inputs import attached, batch, preset
from cases.steps import (
    Attach,
    Copy,
    Count,
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
    forwards,
)
from cases.variants import ATTACHED_COUNT
from tests.failure.phrases import LAYOUTS, OUTPUT, SHARED, SHOWN, TENSOR
from tests.verdict.result import Finding

ELEMENTS = 512
"""Inputs up to this many elements are written out; larger ones have random numbers in their place."""

def _number(value: float, dtype: str) -> str:
    """The shortest text that torch reads back as this number of this dtype."""
    if dtype == "float32" and np.isfinite(value):
        text = repr(float(str(np.float32(value))))
        if np.float32(float(text)) == np.float32(value):
            return text
    return repr(value)


def _literal(values: np.ndarray) -> str:
    dtype = str(values.dtype)
    return "[" + ", ".join(_number(value, dtype) for value in values.reshape(-1).tolist()) + "]"


def _dtype(dtype: str) -> str:
    return "" if dtype == "float32" else f", dtype=torch.{dtype}"


class _Writer:
    """The lines of one script. ``narrow``: the channel alone that is kept, None to keep all."""

    def __init__(self, case: Case, finding: Finding, narrow: bool) -> None:
        self.case = case
        self.finding = finding
        index = finding.mismatch.index
        self.channel = index[1] if len(index) == 4 else index[0] if index else 0
        self.narrow = narrow
        self.steps = case.steps[: finding.step]

    def tensor(self, name: str) -> str:
        """The batch that a forward is given."""
        given = batch(self.case.variant, name)
        values = given.values
        if self.narrow and values.ndim == 4 and values.shape[1] == self.case.config.num_features:
            values = values[:, self.channel : self.channel + 1]
        shape, dtype = list(values.shape), _dtype(str(values.dtype))
        flat = values.reshape(-1)
        if flat.size and (flat == flat[0]).all():
            text = f"torch.full({shape}, {_number(flat[0].item(), str(flat.dtype))}{dtype})"
        elif flat.size <= ELEMENTS:
            text = f"torch.tensor({_literal(flat)}{dtype}).reshape({shape})"
        else:
            spread, middle = float(np.nanstd(flat)), float(np.nanmean(flat))
            text = f"torch.randn({shape}{dtype}).mul({spread:.6g}).add({middle:.6g})"
        return text + LAYOUTS[given.layout].format(shape=shape)

    def vector(self, values: np.ndarray) -> str:
        """Numbers for a parameter or buffer."""
        return _literal(values[self.channel : self.channel + 1] if self.narrow else values)

    def attached(self, name: str) -> str:
        """A tensor that is attached or loaded."""
        if name == "num_batches_tracked":
            return f"torch.tensor({ATTACHED_COUNT})"
        values = self.vector(attached(name, self.case.config.num_features))
        return f"torch.tensor({values}{_dtype(self.case.variant.dtype)})"

    def step(self, step: Step) -> List[str]:
        """The lines that perform a step, a forward's input inline."""
        if isinstance(step, (Forward, Forwards)):
            return [self._called(each, self.tensor(each.batch)) for each in forwards(step)]
        if isinstance(step, Mode):
            return ["m.train()" if step.training else "m.eval()"]
        if isinstance(step, SetAttribute):
            return [f"m.{step.name} = {step.value!r}"]
        if isinstance(step, Drop):
            return [f"m.{step.name} = None"]
        if isinstance(step, Attach):
            tensor = self.attached(step.name)
            if step.kind != "tensor":
                tensor = f"torch.nn.Parameter({tensor}, requires_grad={step.kind == 'trainable'})"
            return [f"m.{step.name} = {tensor}"]
        if isinstance(step, Preset):
            return self._preset()
        if isinstance(step, Count):
            return [f"m.num_batches_tracked.fill_({step.value})"]
        if isinstance(step, Reset):
            return [f"m.{step.method}()"]
        if isinstance(step, Copy):
            copies = {
                "deepcopy": "copy.deepcopy(m)",
                "pickle": "pickle.loads(pickle.dumps(m))",
                "state_dict": "fresh(m)",
            }
            return [f"m = {copies[step.how]}"]
        if isinstance(step, Show):
            return [f"shown = {SHOWN[step.what]}"]
        return self._load(step)

    @staticmethod
    def _called(step: Forward, given: str) -> str:
        if step.grad == "no_grad":
            return f"y = torch.no_grad()(m.__call__)({given})"
        return f"y = m({given}{'.requires_grad_()' if step.grad == 'input_grad' else ''})"

    def _preset(self) -> List[str]:
        channels = self.case.config.num_features
        pairs = (f"({name!r}, {self.vector(preset(name, channels))})" for name in FLOATING)
        return [
            f"for name, values in [{', '.join(pairs)}]:",
            "    if getattr(m, name) is not None: getattr(m, name).data.copy_(torch.tensor(values))",
        ]

    def _load(self, step: LoadStateDict) -> List[str]:
        if step.what == "empty":
            return ["m.load_state_dict({}, strict=False)"]
        new = ", ".join(f"{name!r}: {self.attached(name)}" for name in FLOATING)
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

    def constructor(self, subject: str) -> str:
        """``subject``: as given to --subject."""
        config = self.case.config
        features = 1 if self.narrow else config.num_features
        dtype = self.case.variant.dtype
        words = [str(features)]
        for name, value in config.passed():
            words.append(repr(value) if config.call == "positional" else f"{name}={value!r}")
        if config.call == "dtype":
            words.append(f"dtype=torch.{dtype}")
        double = ".double()" if dtype == "float64" and config.call != "dtype" else ""
        return f"{subject.replace(':', '.')}({', '.join(words)}){double}"

    def last(self, body: List[str]) -> List[str]:
        """The step with the finding: what must be kept from before it, the step, what it printed."""
        quantity = self.finding.mismatch.quantity
        if quantity == "exception":
            return [
                "try:",
                *(f"    {line}" for line in body),
                "    print('got     ', 'no exception')",
                "except Exception as error:",
                "    print('got     ', f'{type(error).__name__}: {str(error).strip()}')",
            ]
        name, _, aspect = quantity.partition(" ")
        kept = []
        if quantity == "input_changed":
            kept = ["before = x.detach().numpy().tobytes()"]
        elif quantity == "earlier_output_changed":
            kept = ["earlier = y.detach()", "before = earlier.numpy().tobytes()"]
        elif aspect == "is the same object":
            kept = [f"before = m.{name}"] if self.steps else ["before = None"]
        elif quantity == SHARED:
            kept = ["old = m"]
        if not self.steps:
            return [*body, *kept, self._print()]
        step = self.steps[-1]
        if isinstance(step, (Forward, Forwards)):
            last = forwards(step)[-1]
            body[-1:] = [f"x = {self.tensor(last.batch)}", *kept, self._called(last, "x")]
            return [*body, self._print()]
        return [*kept, *body, self._print()]

    def _print(self) -> str:
        mismatch = self.finding.mismatch
        quantity = mismatch.quantity
        name, _, aspect = quantity.partition(" ")
        if mismatch.index:
            index = list(mismatch.index)
            if self.narrow:
                index[1 if len(index) == 4 else 0] = 0
            source = "y" if quantity == "output" else f"m.{quantity}"
            shown = f"{source}[{', '.join(map(str, index))}].item()"
        elif quantity in OUTPUT:
            shown = OUTPUT[quantity]
        elif quantity == SHARED:
            shown = (
                f"tuple(name for name in {PARAMETERS + BUFFERS} if getattr(m, name) is not None and "
                "getattr(m, name).data_ptr() == getattr(old, name).data_ptr())"
            )
        elif name in PARAMETERS + BUFFERS:
            shown = TENSOR[aspect].format(name)
        elif quantity == "text":
            shown = "repr(shown)"
        elif quantity == "output present":
            shown = "y is not None"
        else:
            shown = f"repr(m.{name})"
        return f"print('got     ', {shown})"


def _imports(text: str, subject: str) -> List[str]:
    found = [name for name in ("contextlib", "copy", "pickle") if f"{name}." in text]
    lines = ["import " + ", ".join([*found, "torch"])]
    names = [name for name in ("inf", "nan") if re.search(rf"(?<![\w.']){name}\b", text)]
    if names:
        lines.insert(0, f"from math import {', '.join(names)}")
    package = subject.partition(":")[0]
    if package not in ("torch", "torch.nn"):
        lines.append(f"import {package}")
    if "torch.randn" in text:
        lines.append("torch.manual_seed(0)  # the suite's input is too large to be written out")
    return lines


def can_be_narrowed(case: Case, finding: Finding) -> bool:
    """Whether one channel may show what all of them do: nothing here speaks of their number."""
    quantity = finding.mismatch.quantity
    if case.config.num_features < 2 or quantity in ("exception", "num_features", "text"):
        return False
    if quantity.endswith("shape"):
        return False
    given = [each.batch for step in case.steps[: finding.step] for each in forwards(step)]
    shapes = (batch(case.variant, name).values.shape for name in given)
    return all(len(shape) == 4 and shape[1] == case.config.num_features for shape in shapes)


def standalone(
    case: Case,
    finding: Finding,
    subject: str = "torch.nn:BatchNorm2d",
    narrow: bool = True,
    raising: Collection[int] = (),
    threads: int = 1,
) -> str:
    """The script. ``raising``: numbers of earlier steps that raise, as they should.

    ``narrow``: keep only the channel of the finding, where that can be. ``threads``: of torch, where
    the run had more than one.
    """
    writer = _Writer(case, finding, narrow and can_be_narrowed(case, finding))
    made = writer.constructor(subject)
    lines: List[str] = []
    if any(isinstance(step, Copy) and step.how == "state_dict" for step in writer.steps):
        lines += [
            "def fresh(old):",
            f"    new = {made}",
            "    new.load_state_dict(old.state_dict())",
            "    return new.train(old.training)",
        ]
    bodies: List[Tuple[int, List[str]]] = [(0, [f"m = {made}"])]
    bodies += [(number, writer.step(step)) for number, step in enumerate(writer.steps, 1)]
    for number, body in bodies[:-1]:
        if number in raising:
            suppressed = "with contextlib.suppress(Exception):"
            longer = [suppressed, *(f"    {line}" for line in body)]
            body = [f"{suppressed} {body[0]}"] if len(body) == 1 else longer
        lines += body
    lines += writer.last(bodies[-1][1])
    lines.append(f"print('expected', {finding.mismatch.expected!r})")
    if threads != 1:
        lines.insert(0, f"torch.set_num_threads({threads})")
    return "\n".join(_imports("\n".join(lines), subject) + lines) + "\n"
