"""The program that a script is written for, and the texts of its batches, tensors and calls."""

from __future__ import annotations

from typing import Collection, List, Mapping, NamedTuple, Optional, Tuple

from cases.attributes import COUNTER
from cases.case import Case
from cases.derivatives import CALLING, ON_OUTPUTS
from cases.inputs import Batch, attached, batch, upstream
from cases.state_dicts import TABLE
from cases.steps import CONVERSIONS, WITH_GRADIENT, Convert, Forward, LoadStateDict, forwards
from cases.variants import ATTACHED_COUNT
from tests.failure import literals
from tests.failure.phrases import LAYOUTS, OVERWRITING, WITHOUT

MOST = 512
"""The largest number of values that the batches of a script may have written out, together."""


class Unwritable(Exception):
    """No script can be written; the message says why: too large, or nothing that can be printed."""


class Writing(NamedTuple):
    """The program that the lines are written for.

    ``texts``: maps a batch name to its text, for batches that have a short one. ``raising``: the numbers
    of the steps that raise. ``number``: the step that is written.
    """

    case: Case
    texts: Mapping[str, str]
    raising: Collection[int] = ()
    number: int = 0

    def batch(self, name: str) -> str:
        """Return the text of the batch called ``name``, in its layout; raises Unwritable."""
        return self._text(batch(self.case.variant, name), self.texts.get(name.partition(".")[0]))

    def upstream(self, name: str, earlier: int = 0) -> str:
        """Return the text of an upstream gradient of the last or earlier forward; raises Unwritable."""
        given = (self.returned()[earlier:] if earlier else self.differentiated_inputs())[0]
        return self._text(upstream(self.case.variant, given, name))

    def _text(self, given: Batch, short: Optional[str] = None) -> str:
        text = short or literals.batch_text(given.values, given.dtype, MOST)
        if text is None:
            raise Unwritable(f"the batch {given.name} has {given.values.size:,} values")
        return LAYOUTS[given.layout].format(x=text, shape=list(given.values.shape))

    def returned(self) -> Tuple[Batch, ...]:
        """Return the inputs of the forwards before the step that return something, the last first."""
        steps = enumerate(self.case.steps[: self.number - 1], 1)
        kept = [step for n, step in steps if n not in self.raising and not isinstance(step, CALLING)]
        names = [each.batch for step in kept for each in forwards(step)]
        return tuple(batch(self.case.variant, name) for name in reversed(names))

    def differentiated_inputs(self) -> Tuple[Batch, ...]:
        """Return the input of the forward that the step differentiates, if there is one."""
        step = self.case.steps[self.number - 1]
        if isinstance(step, CALLING):
            return (batch(self.case.variant, step.batch),)
        return self.returned()[:1]

    @property
    def differentiated(self) -> bool:
        """Whether a step on an output follows, so that forwards keep their inputs and outputs."""
        return any(isinstance(step, ON_OUTPUTS) for step in self.case.steps[self.number :])

    @property
    def dtype(self) -> str:
        """The dtype of the module before the step."""
        dtype = self.case.variant.module_dtype
        for number, step in enumerate(self.case.steps[: self.number - 1], 1):
            if isinstance(step, Convert):
                dtype = CONVERSIONS[step.how] or dtype
            elif isinstance(step, LoadStateDict) and number not in self.raising:
                contents = TABLE[step.what]
                dtype = (contents.assign and contents.entries[0].dtype) or dtype
        return dtype

    def new_tensor(self, name: str) -> str:
        """Return the text of a tensor that is attached or loaded."""
        if name == COUNTER:
            return f"torch.tensor({ATTACHED_COUNT})"
        values = literals.listed(attached(name, self.case.config.num_features), "float64")
        return f"torch.tensor({values}{literals.keyword(self.dtype)})"


def called(step: Forward, given: str) -> str:
    """Return the line that calls the module with the text ``given``."""
    if step.way == "hooked":
        return f"y, text = hooked(m, {given})"
    if step.way in WITHOUT:
        return f"y = {WITHOUT[step.way]}({given})"
    leaf = ".requires_grad_()" if step.way in WITH_GRADIENT else ""
    return f"y = m({_handed(step).format(given + leaf)})"


def recorded(step: Forward, given: str) -> List[str]:
    """Return the lines of a forward before a backward; ``graphs`` keeps the data of the last three."""
    leaf = ".requires_grad_()" if step.way in WITH_GRADIENT else ""
    call = f"{WITHOUT.get(step.way, 'm')}({_handed(step).format('x')})"
    call = "hooked(m, x)[0]" if step.way == "hooked" else call
    lines = [
        f"x = {given}{leaf}",
        f"graphs = [((x, m.weight, m.bias), {call}), *graphs[:2]]",
        "y = graphs[0][1]",
    ]
    return [*lines, OVERWRITING[step.way]] if step.way in OVERWRITING else lines


def _handed(step: Forward) -> str:
    """Return the text that makes the input out of the tensor {}."""
    return {"view": "(lambda x: x.view_as(x))({})", "detached": "({}).detach()"}.get(step.way, "{}")
