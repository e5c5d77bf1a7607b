"""Writes a short script that needs torch alone and prints the disagreement of one finding."""

from __future__ import annotations

from typing import List

import numpy as np

from cases.case import Case
from cases.inputs import ATTACHED_COUNT, attached, batch, preset
from cases.steps import (
    Attach,
    Copy,
    Count,
    Drop,
    Forward,
    LoadStateDict,
    Mode,
    Preset,
    Reset,
    SetAttribute,
    Step,
)
from tests.lockstep import Finding

ELEMENTS = 64
"""Inputs up to this many elements are written out in full; of larger ones, one channel."""


def _literal(values: np.ndarray) -> str:
    text = repr(values.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
    return text.replace(" ", "")


def _channel(finding: Finding) -> int:
    index = finding.mismatch.index
    return index[1] if len(index) == 4 else index[0] if index else 0


def _input(case: Case, name: str, channel: int, narrow: bool) -> str:
    given = batch(case.variant, name)
    values = given.values
    if narrow and values.ndim == 4 and values.shape[1] == case.config.num_features:
        values = values[:, channel : channel + 1]
    dtype = f"torch.{values.dtype}"
    flat = values.reshape(-1)
    if flat.size and (flat == flat[0]).all():
        text = f"torch.full({list(values.shape)}, {float(flat[0])!r}, dtype={dtype})"
    elif flat.size <= ELEMENTS * 8:
        text = f"torch.tensor({_literal(flat)}, dtype={dtype}).reshape({list(values.shape)})"
    else:
        text = (
            f"torch.randn({list(values.shape)}, dtype={dtype}) * {float(np.nanstd(flat))!r} + "
            f"{float(np.nanmean(flat))!r}  # stands for {flat.size} values of the suite"
        )
    if given.layout == "channels_last":
        text += ".contiguous(memory_format=torch.channels_last)"
    return text


def _vector(values: np.ndarray, channel: int, narrow: bool) -> str:
    return _literal(values[channel : channel + 1] if narrow else values)


def _step_lines(case: Case, step: Step, channel: int, narrow: bool) -> List[str]:
    channels = case.config.num_features
    if isinstance(step, Forward):
        return [f"x = {_input(case, step.batch, channel, narrow)}", "y = m(x)"]
    if isinstance(step, Mode):
        return ["m.train()" if step.training else "m.eval()"]
    if isinstance(step, SetAttribute):
        return [f"m.{step.name} = {step.value!r}"]
    if isinstance(step, Drop):
        return [f"m.{step.name} = None"]
    if isinstance(step, Attach):
        if step.name == "num_batches_tracked":
            tensor = f"torch.tensor({ATTACHED_COUNT})"
        else:
            values = _vector(attached(step.name, channels), channel, narrow)
            tensor = f"torch.tensor({values}, dtype=torch.{case.variant.dtype})"
        if step.kind != "tensor":
            tensor = f"torch.nn.Parameter({tensor}, requires_grad={step.kind == 'trainable'})"
        return [f"m.{step.name} = {tensor}"]
    if isinstance(step, Preset):
        names = ("weight", "bias", "running_mean", "running_var")
        table = {name: preset(name, channels) for name in names}
        pairs = ", ".join(f"({n!r}, {_vector(v, channel, narrow)})" for n, v in table.items())
        return [
            f"for name, values in [{pairs}]:",
            "    if getattr(m, name) is not None: getattr(m, name).data.copy_(torch.tensor(values))",
        ]
    if isinstance(step, Count):
        return [f"m.num_batches_tracked.fill_({step.value})"]
    if isinstance(step, Reset):
        return [f"m.{step.method}()"]
    if isinstance(step, Copy):
        how = {
            "deepcopy": "copy.deepcopy(m)",
            "pickle": "pickle.loads(pickle.dumps(m))",
            "state_dict": "fresh(m)",
        }
        return [f"m = {how[step.how]}"]
    assert isinstance(step, LoadStateDict)
    if step.what == "empty":
        return ["m.load_state_dict({}, strict=False)"]
    return ["m.load_state_dict({k: v for k, v in m.state_dict().items() if 'num' not in k})"]


def _constructor(case: Case, subject: str, features: int) -> str:
    config = case.config
    name = subject.replace(":", ".")
    bias = "" if config.bias is None else f", bias={config.bias}"
    double = ".double()" if case.variant.dtype == "float64" else ""
    return (
        f"{name}({features}, eps={config.eps!r}, momentum={config.momentum!r}, "
        f"affine={config.affine}, track_running_stats={config.track_running_stats}{bias}){double}"
    )


def standalone(case: Case, finding: Finding, subject: str = "torch.nn:BatchNorm2d") -> str:
    """The script, about 25 lines. Channels are independent, so only the worst one is kept.

    ``subject``: as given to --subject.
    """
    steps = case.steps[: finding.step]
    channel = _channel(finding)
    special = any(
        isinstance(step, Forward) and batch(case.variant, step.batch).values.ndim != 4
        for step in steps
    )
    narrow = bool(finding.mismatch.index) and not special and case.config.num_features > 0
    features = 1 if narrow else case.config.num_features
    lines = ["import copy, pickle, torch"]
    package = subject.partition(":")[0]
    if package.partition(".")[0] != "torch":
        lines.append(f"import {package}")
    made = _constructor(case, subject, features)
    if any(isinstance(step, Copy) and step.how == "state_dict" for step in steps):
        lines += [
            "def fresh(old):",
            f"    new = {made}",
            "    new.load_state_dict(old.state_dict())",
            "    return new.train(old.training)",
        ]
    lines.append(f"m = {made}")
    for number, step in enumerate(steps, 1):
        body = _step_lines(case, step, channel, narrow)
        last = number == len(steps)
        if last and finding.mismatch.quantity == "exception":
            lines += ["try:", *(f"    {line}" for line in body), "    print('no exception')"]
            lines.append("except Exception as error: print(type(error).__name__, error)")
        else:
            lines += body
    lines += _print_lines(finding, narrow)
    return "\n".join(lines) + "\n"


def _print_lines(finding: Finding, narrow: bool) -> List[str]:
    mismatch = finding.mismatch
    lines = []
    name = mismatch.quantity.split()[0]
    if mismatch.index:
        index = list(mismatch.index)
        if narrow:
            index[1 if len(index) == 4 else 0] = 0
        source = "y" if name == "output" else f"m.{name}"
        lines.append(f"print('got     ', {source}[{', '.join(map(str, index))}].item())")
    elif name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
        lines.append(f"print('got     ', m.{name})")
    elif name.startswith("output"):
        lines.append("print('got     ', y.shape, y.dtype, y.stride(), y.requires_grad)")
    elif name != "exception":
        lines.append(f"print('got     ', getattr(m, {name!r}, None))")
    lines.append(f"print('expected', {mismatch.expected!r})")
    return lines
