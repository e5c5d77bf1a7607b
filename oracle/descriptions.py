"""The texts by which a module describes itself: its repr, the names of its tensors, its hooks."""

from __future__ import annotations

from typing import Callable, Dict, List, Type

from cases.attributes import BUFFERS, FLOATING
from cases.steps import Show, Step
from cases.variants import Variant
from oracle import refusals
from oracle.semantics import Rules
from oracle.state import Expected, Meaning, State, Tensor

HOOKS = "pre-hook 1, pre-hook 2, hook 1, hook 2, saved, loaded"
"""The hooks in the order in which a call, then a state dict, then a load call them."""

TENSORS_OF_ANOTHER = (
    "lists weight bias, running_mean running_var num_batches_tracked, weight bias, "
    "running_mean running_var num_batches_tracked; dense True; modes [False, True, False]; converts "
    "torch.float64 torch.float64 torch.float64 torch.float64 TypeError; shares True; "
    "copies [1e-05, True]; saves OrderedDict; loads ['extra']; keeps []"
)
"""How other modules list their tensors, whether each is alone in dense memory, the modes that ``train``
sets, the dtypes and the refusal of conversions, whether ``share_memory`` shares all; that a copy has an
eps of its own and the same table of parameters; what a state dict is, and what an ordinary dictionary has
that is not expected; and that what is deleted is gone."""

CALLS_OF_ANOTHER = f"{2 * 'Tensor True True True True '}0 True 5 torch.float32 AttributeError"
"""In both modes: the type of an output, whether its memory is dense and its own, whether two outputs of
one input are apart, whether an output may be changed in place before the backward, and whether one that
is not recorded may be recorded later. Then the number of warnings, whether no random numbers of Python
and NumPy were drawn, the counter, the dtype in mixed precision, and the refusal of an array."""

HABITS = (
    "attributes []; process True; frees True; apart True; unknown TypeError; eighth TypeError; "
    "placed True; module True; numbers True; keys [[], []]; functions True"
)
"""The attributes that calls add; whether they leave the settings of the process alone, keep no input, and
put output and gradients in memory of their own; how an unknown keyword and an eighth argument by position
are refused; whether device and dtype by position do as by keyword; whether modes and registrations are as
in any module, and numbers of NumPy as Python's; what a load of its own state dict misses; and whether
torch.func differentiates by the parameters."""


def _show(state: State, step: Show, variant: Variant, rules: Rules) -> Expected:
    """Return the text by which the module describes its present state."""
    return Expected(state, text=_TEXTS[step.what](state, rules))


def _extra_repr(state: State, rules: Rules) -> str:
    """List the present values of the attributes, and whether there is a bias."""
    bias = "" if rules.holds("repr_without_bias") else f", bias={state.bias is not None}"
    return (
        f"{state.num_features}, eps={state.eps}, momentum={state.momentum}, affine={state.affine}"
        f"{bias}, track_running_stats={state.track_running_stats}"
    )


def _order(state: State, rules: Rules) -> str:
    """List parameters before buffers. A tensor with two names is listed once, but saved twice."""
    there = state.present()
    parameters = [name for name in state.parameters if name in there]
    buffers = [name for name in BUFFERS if name in there and name not in parameters]
    saved = [name for name in (*parameters, *buffers) if name not in state.unsaved]
    named = [_once(state, names) for names in (parameters, buffers)]
    return "; ".join(" ".join(each) for each in (*named, saved))


def _entries(state: State, rules: Rules) -> str:
    """List what is in a state dict: detached tensors that share the memory of the module's.

    alone: no part of another tensor's memory, unless it is the same tensor under another name.
    """
    lines = []
    for name in sorted(state.keys()):
        entry = state.entry(name)
        facts = "int64 []"
        if isinstance(entry, Tensor):
            channels = entry.numbers.channels
            facts = f"{entry.dtype or state.dtype} {[1, channels] if entry.form == 'row' else [channels]}"
        lines.append(f"layer.{name} {facts} grad False own False shared True kept True alone True")
    return "; ".join(lines)


def _made(state: State, rules: Rules) -> str:
    """List the tensors of a module made with keywords, and those of one made by default in float64."""
    if rules.holds("no_dtype_keyword"):
        raise refusals.unknown_keyword("device")
    dtypes = {**dict.fromkeys(FLOATING, "float64"), "num_batches_tracked": "int64"}
    meta, cpu = ([f"{name} {dtypes[name]} {each}" for name in sorted(dtypes)] for each in ("meta", "cpu"))
    return "; ".join([*meta, "by default", *cpu])


def _visits(state: State, rules: Rules) -> str:
    """List the names under which a parent knows the tensors, and what apply does."""
    parameters, buffers = (each.split() for each in _order(state, rules).split("; ")[:2])
    named = (" ".join(map("layer.{}".format, names)) for names in (parameters, buffers))
    return "; ".join([*named, "layer", "applied [True] True"])


def _backward_hooks(state: State, rules: Rules) -> str:
    """List the hooks of one backward."""
    if rules.holds("no_full_backward_hooks"):
        raise refusals.Refusal("LookupError", "the release has no full backward hooks")
    return "backward hook 1, backward hook 2"


def _once(state: State, names: List[str]) -> List[str]:
    """Return the first name of each tensor."""
    first: Dict[int, str] = {}
    for name in names:
        first.setdefault(id(getattr(state.entry(name), "identity", None)), name)
    return list(first.values())


_TEXTS: Dict[str, Callable[[State, Rules], str]] = {
    "repr": lambda state, rules: _extra_repr(state, rules) + ")",
    "keys": lambda state, rules: " ".join(sorted(state.keys())),
    "parent": lambda state, rules: " ".join(sorted(map("0.{}".format, state.keys()))) + "; version 2",
    "version": lambda state, rules: "2",
    "extra_repr": _extra_repr,
    "order": _order,
    "returns": lambda state, rules: "train eval to",
    "entries": _entries,
    "methods": lambda state, rules: "half float double cpu type requires_grad_",
    "made": _made,
    "hooks": lambda state, rules: "; ".join(2 * [HOOKS]),
    "backward_hooks": _backward_hooks,
    "visits": _visits,
    "tensors": lambda state, rules: TENSORS_OF_ANOTHER,
    "calls": lambda state, rules: CALLS_OF_ANOTHER,
    "habits": lambda state, rules: HABITS,
}
"""Maps a word of ``Show`` to the text."""


DESCRIPTION_STEPS: Dict[Type[Step], Meaning] = {Show: _show}
"""Maps the type of a step to its meaning."""
