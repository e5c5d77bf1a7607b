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

SHOWN: Dict[str, str] = {
    "repr": "repr(m).partition('(')[2]",
    "keys": "' '.join(sorted(m.state_dict()))",
    "parent": (
        "(lambda s: ' '.join(sorted(s)) + f\"; version {s._metadata['0']['version']}\")"
        "(torch.nn.Sequential(m).state_dict())"
    ),
    "version": "str(m.state_dict()._metadata['']['version'])",
    "extra_repr": "m.extra_repr()",
    "order": (
        "'; '.join(' '.join(each) for each in (dict(m.named_parameters()), dict(m.named_buffers()), "
        "m.state_dict()))"
    ),
    "entries": (
        "(lambda h, s, k: '; '.join(f'{n} {str(s[n].dtype)[6:]} {list(s[n].shape)} "
        "grad {s[n].requires_grad} own {s[n] is getattr(m, n[6:])} "
        "shared {s[n].data_ptr() == getattr(m, n[6:]).data_ptr()} "
        "kept {k.get(n[6:]) is getattr(m, n[6:])} "
        "alone {h(s[n]) not in [h(o) for o in s.values() if o.data_ptr() != s[n].data_ptr()]}' "
        "for n in sorted(s)))(lambda t: getattr(t, 'untyped_storage', t.storage)().data_ptr(), "
        "m.state_dict(prefix='layer.'), m.state_dict(keep_vars=True))"
    ),
    "methods": (
        "(lambda c: ' '.join(n for n, got in ((n, getattr(c, n)(*given)) for n, given in (('half', ()), "
        "('float', ()), ('double', ()), ('cpu', ()), ('type', (torch.float32,)), "
        "('requires_grad_', (False,)))) if got is c))(copy.deepcopy(m))"
    ),
    "made": (
        "(lambda c: '; '.join([*sorted(f'{n} {str(t.dtype)[6:]} {t.device}' for n, t in "
        "[*c.named_parameters(), *c.named_buffers()]), 'by default ' + str((torch.set_default_dtype("
        "torch.float64), type(m)(3), torch.set_default_dtype(torch.float32))[1].weight.dtype)[6:]]))"
        "(type(m)(3, device='meta', dtype=torch.float64))"
    ),
    "returns": (
        "(lambda mode: ' '.join(name for name, each in (('train', m.train(bool(mode))), "
        "('eval', m.eval()), ('to', m.to('cpu')), ('', m.train(bool(mode))), "
        "('', setattr(m, 'training', mode))) if name and each is m))(m.training)"
    ),
    "visits": (
        "(lambda seen: '; '.join([*(' '.join(dict(each)) for each in (m.named_parameters('layer'), "
        "m.named_buffers('layer'), m.named_modules(prefix='layer'))), "
        "(lambda got: f'applied {[each is m for each in seen]} {got is m}')(m.apply(seen.append))]))([])"
    ),
    "backward_hooks": (
        "(lambda c, seen: (setattr(c, 'forward', lambda x: 2 * x), "
        "[c.register_full_backward_hook(lambda *_, n=n: seen.append(f'backward hook {n}')) "
        "for n in (1, 2)], "
        "c(torch.ones(2, 1, 1, 1, requires_grad=True)).sum().backward(), ', '.join(seen))[-1])"
        "(copy.deepcopy(m), [])"
    ),
    "hooks": (
        "(lambda c, seen: (setattr(c, 'forward', lambda x: 2 * x), "
        "[register(lambda *_, n=n: seen.append(n)) for n, register in (('pre-hook 1', "
        "c.register_forward_pre_hook), ('pre-hook 2', c.register_forward_pre_hook), "
        "('hook 1', c.register_forward_hook), ('hook 2', c.register_forward_hook), "
        "('saved', c._register_state_dict_hook), ('loaded', c._register_load_state_dict_pre_hook))], "
        "'; '.join([(each(torch.ones(2, 1, 1, 1)), each.state_dict(), "
        "each.load_state_dict({}, strict=False), ', '.join(seen), seen.clear())[-2] "
        "for each in (c, copy.deepcopy(c))]))[-1])(copy.deepcopy(m), [])"
    ),
}
"""Maps a word of ``cases.steps.SHOWN`` or TRIED to the expression for its text."""

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
_REVERSE = (
    "_, pulled_back, y = torch.func.vjp(inner, x, has_aux=True)",
    "found = pulled_back(given)[0]",
)
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
