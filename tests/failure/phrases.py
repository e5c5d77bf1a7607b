"""Phrases of the scripts: expressions for quantities, and for the strides of a layout."""

from __future__ import annotations

from typing import Dict, Tuple

_LARGER: Dict[str, Tuple[str, str]] = {
    "cropped": ("torch.nn.functional.pad({x}, (0, 1, 0, 1))", "[..., :-1, :-1]"),
    "channel_part": ("torch.stack(2 * [{x}], 1).flatten(1, 2)", "[:, :{shape}[1]]"),
    "channel_step": ("torch.stack(2 * [{x}], 2).flatten(1, 2)", "[:, ::2]"),
    "image_step": ("torch.stack(2 * [{x}], 1).flatten(0, 1)", "[::2]"),
    "channel_rest": ("torch.cat([{x}, {x}], 1)", "[:, {shape}[1]:]"),
    "image_rest": ("torch.cat([{x}[:1], {x}])", "[1:]"),
}
"""Maps a word of ``cases.variants.CUT_LAYOUTS`` to a larger tensor, and to what takes {x} out of it."""

_CHANNELS_LAST = "{x}.contiguous(memory_format=torch.channels_last)"

LAYOUTS: Dict[str, str] = {
    "contiguous": "{x}",
    "channels_last": _CHANNELS_LAST,
    "permuted": "{x}.permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2)",
    "sliced": "torch.nn.functional.pad({x}.unsqueeze(-1), (0, 1)).flatten(-2)[..., ::2]",
    "expanded": "{x}[:1].expand({shape})",
    "shifted": "torch.stack(2 * [{x}])[1]",
    "scalar": "{x}.flatten()[:1].sum().expand({shape})",
    "transposed": "{x}.transpose(2, 3).contiguous().transpose(2, 3)",
    "swapped": "{x}.transpose(0, 1).contiguous().transpose(0, 1)",
    **{word: larger + place for word, (larger, place) in _LARGER.items()},
    **{
        f"channels_last_{word}": _CHANNELS_LAST.replace("{x}", larger) + place
        for word, (larger, place) in _LARGER.items()
    },
    "image": "{x}[:, :, :1, :1].expand({shape})",
    "one_row": "{x}[:, :, :1].expand({shape})",
    "one_channel": "{x}[:, :1].expand({shape})",
    "windows": "torch.cat([{x}[:, :, 0], {x}[:, :, 1:, -1]], 2).unfold(2, {shape}[3], 1)",
    "unsqueezed": "(lambda x: x[..., 0].unsqueeze(-1) if x.shape[3] == 1 else x)(" + _CHANNELS_LAST + ")",
}
"""Maps a word of ``cases.variants.EVERY_LAYOUT`` to the text that gives {x} its strides."""

OUTPUT: Dict[str, str] = {
    "output_dtype": "repr(str(y.dtype)[6:])",
    "output_shape": "tuple(y.shape)",
    "output_strides contiguous": "y.is_contiguous()",
    "output_strides channels_last": "y.is_contiguous(memory_format=torch.channels_last)",
    "output_shares_input": "y.data_ptr() == x.data_ptr()",
    "output_requires_grad": "y.requires_grad",
    "input_changed": "x.detach().double().numpy().tobytes() != before",
    "earlier_output_changed": "earlier.double().numpy().tobytes() != before",
}
"""Maps a quantity of a forward to the expression that is printed. Values are compared in float64,
which holds every dtype exactly, because NumPy lacks bfloat16."""

TENSOR: Dict[str, str] = {
    "present": "m.{0} is not None",
    "is the same object": "m.{0} is before",
    "has a grad_fn": "m.{0}.grad_fn is not None",
    "requires_grad": "m.{0}.requires_grad",
    "dtype": "repr(str(m.{0}.dtype)[6:])",
    "shape": "tuple(m.{0}.shape)",
    "": "m.{0}.tolist()",
}
"""Maps an aspect of a parameter or buffer to the expression that is printed."""

GRADIENT: Dict[str, str] = {
    "present": "{0} is not None",
    "dtype": "repr(str({0}.dtype)[6:])",
    "shape": "tuple({0}.shape)",
    "strides": "{0}.is_contiguous({1})",
    "shares memory": "{0}.data_ptr() in [each.data_ptr() for each in others if each is not None]",
    "requires_grad": "{0}.requires_grad",
}
"""Maps an aspect of the gradient {0} to an expression; {1} is the memory format of the forward's
input."""

SOURCE = "repr((list(state.items()), getattr(state, '_metadata', None)))"
"""The expression for everything in the state dict that is loaded, as a text."""

LOADED = (
    "repr('; '.join(' '.join([word, *sorted(names)]) for word, names in ("
    "('missing', found.missing_keys), ('unexpected', found.unexpected_keys), "
    "('shared', [name for name in {names} if getattr(m, name) is not None and "
    "getattr(m, name).data_ptr() in [each.data_ptr() for each in state.values()]]))))"
)
"""The expression for the text of a load; {names}: the names of the tensors."""

WITHOUT: Dict[str, str] = {
    "no_grad": "torch.no_grad()(m.__call__)",
    "inference": "torch.inference_mode()(m.__call__)",
}
"""Maps the word of a forward that autograd does not record to what is called instead of m."""

OVERWRITING: Dict[str, str] = {
    "output_overwritten": "y.detach().zero_()",
    "input_overwritten": "x.detach().zero_()",
}
"""Maps a word of ``cases.steps.OVERWRITTEN`` to the line after the call."""

GRAD: Dict[str, str] = {
    "dtype": "repr(str({0}.dtype)[6:])",
    "shape": "tuple({0}.shape)",
    "strides": "{0}.stride() == {1}.stride()",
    "requires_grad": "{0}.requires_grad",
}
"""Maps an aspect of the .grad {0} of {1} to the expression that is printed."""

GRADS = (
    "tuple(name for name, each in [*(('input', g[0][0]) for g in graphs[:1]), "
    "*((name, getattr(m, name)) for name in {0})] if getattr(each, 'grad', None) is not None)"
)
"""The expression for the names of those that have a .grad; {0} are the names of all tensors."""

COPIES: Dict[str, str] = {
    "deepcopy": "copy.deepcopy(m)",
    "pickle": "pickle.loads(pickle.dumps(m))",
    "state_dict": "fresh(m)",
    "copy": "copy.copy(m)",
}
"""Maps a word of ``cases.steps.COPIES`` to the expression that copies the module."""

FORMS: Dict[str, str] = {
    "": "{x}",
    "strided": "torch.stack([{x}, {x}], 1).flatten()[::2]",
    "expanded": "{x}[:1].expand({n})",
    "row": "{x}.reshape(1, -1)",
    "shifted": "torch.cat([{x}, {x}])[{n}:]",
}
"""Maps a word of ``cases.steps.FORMS`` to the text that gives a tensor {x} of {n} values that form."""

HOOKED = (
    "def hooked(m, x):",
    "    calls = []",
    "    before = m.register_forward_pre_hook(lambda *_: calls.append('pre-hook'))",
    "    after = m.register_forward_hook(lambda *_: calls.append('hook'))",
    "    y = m(x)",
    "    before.remove(), after.remove()",
    "    return y, ' '.join(calls)",
)
"""The function that calls a module with hooks."""

_NAMED = "derivatives = {{'output tangent': tangent}}"
_GRADIENT = "leaves, gradients = (x, None, None), {{id(x): found.detach()}}"
_DUAL = "y, tangent = mode.unpack_dual(m(mode.make_dual(x, given)))"

_TANGENT = "inner = lambda x: torch.func.jvp(m, (x,), (given,))[::-1]"
_FORWARD = "_, found, y = torch.func.jvp(inner, (x,), (given,), has_aux=True)"
_REVERSE = ("_, pulled_back, y = torch.func.vjp(inner, x, has_aux=True)", "found = pulled_back(given)[0]")
_TWICE = (
    "derivatives = {{'input 2nd gradient': "
    "torch.zeros_like(x) if found is None or getattr(found, '_is_zerotensor', bool)() else found}}"
)

CALLS: Dict[str, Tuple[str, ...]] = {
    "jvp": ("mode = torch.autograd.forward_ad", f"with mode.dual_level(): {_DUAL}", _NAMED),
    "jvp_parameters": (
        "mode, own = torch.autograd.forward_ad, dict(m._parameters)",
        "with mode.dual_level():",
        "    for name, tangent in [{pairs}]:",
        "        if own.get(name) is None: continue",
        "        m._parameters[name] = mode.make_dual(own[name], tangent)",
        "    try:",
        "        y, tangent = mode.unpack_dual(m(mode.make_dual(x, given) if given.ne(0).any() else x))",
        "    finally:",
        "        m._parameters.update(own)",
        _NAMED,
    ),
    "functional_jvp": ("y, tangent = torch.autograd.functional.jvp(m, x, given)", _NAMED),
    "func_jvp": ("y, tangent = torch.func.jvp(m, (x,), (given,))", _NAMED),
    "functional_vjp": ("y, found = torch.autograd.functional.vjp(m, x, given)", _GRADIENT),
    "func_vjp": ("y, pulled_back = torch.func.vjp(m, x)", "found = pulled_back(given)[0]", _GRADIENT),
    "func_jvp_jvp": (_TANGENT, _FORWARD, _TWICE),
    "func_vjp_jvp": (_TANGENT, *_REVERSE, _TWICE),
    "func_jvp_vjp": (
        "def inner(x):",
        "    y, pulled_back = torch.func.vjp(m, x)",
        "    return pulled_back(given)[0], y",
        _FORWARD,
        _TWICE,
    ),
    "grad_jvp": (
        "mode = torch.autograd.forward_ad",
        "x = x.detach().requires_grad_()",
        "with mode.dual_level():",
        f"    {_DUAL}",
        "    options = {{'allow_unused': True}}",
        "    found = tangent.requires_grad and torch.autograd.grad(tangent, x, given, **options)[0]",
        "found = None if found is False else found",
        _TWICE,
    ),
}
"""Maps a word of ``cases.derivatives.JVPS``, VJPS or NESTED to the lines that call the module m with x.
{pairs}: the names and tangents of its parameters."""
