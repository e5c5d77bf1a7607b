"""The lines of a script that let a module describe itself."""

from __future__ import annotations

from typing import Dict, Tuple

_SAME = "text = ' '.join(name for name in same if same[name])"
_COPY = ("c, seen = copy.deepcopy(m), []", "c.forward = lambda x: 2 * x")

DESCRIBED: Dict[str, Tuple[str, ...]] = {
    "repr": ("text = repr(m).partition('(')[2]",),
    "keys": ("text = ' '.join(sorted(m.state_dict()))",),
    "parent": (
        "entries = torch.nn.Sequential(m).state_dict()",
        "text = ' '.join(sorted(entries)) + f\"; version {entries._metadata['0']['version']}\"",
    ),
    "version": ("text = str(m.state_dict()._metadata['']['version'])",),
    "extra_repr": ("text = m.extra_repr()",),
    "order": (
        "named = (dict(m.named_parameters()), dict(m.named_buffers()), m.state_dict())",
        "text = '; '.join(' '.join(each) for each in named)",
    ),
    "entries": (
        "entries, kept, lines = m.state_dict(prefix='layer.'), m.state_dict(keep_vars=True), []",
        "place = lambda tensor: getattr(tensor, 'untyped_storage', tensor.storage)().data_ptr()",
        "for key in sorted(entries):",
        "    entry, name = entries[key], key[len('layer.'):]",
        "    own = getattr(m, name)",
        "    others = [place(each) for each in entries.values() if each.data_ptr() != entry.data_ptr()]",
        "    lines.append(",
        "        f'{key} {str(entry.dtype)[6:]} {list(entry.shape)} grad {entry.requires_grad} '",
        "        f'own {entry is own} shared {entry.data_ptr() == own.data_ptr()} '",
        "        f'kept {kept.get(name) is own} alone {place(entry) not in others}'",
        "    )",
        "text = '; '.join(lines)",
    ),
    "methods": (
        "c = copy.deepcopy(m)",
        "same = {name: getattr(c, name)() is c for name in ('half', 'float', 'double', 'cpu')}",
        "same['type'] = c.type(torch.float32) is c",
        "same['requires_grad_'] = c.requires_grad_(False) is c",
        _SAME,
    ),
    "made": (
        "c = type(m)(3, device='meta', dtype=torch.float64)",
        "named = (*c.named_parameters(), *c.named_buffers())",
        "lines = sorted(f'{name} {str(each.dtype)[6:]} {each.device}' for name, each in named)",
        "torch.set_default_dtype(torch.float64)",
        "lines.append('by default ' + str(type(m)(3).weight.dtype)[6:])",
        "torch.set_default_dtype(torch.float32)",
        "text = '; '.join(lines)",
    ),
    "returns": (
        "mode = m.training",
        "same = {'train': m.train(bool(mode)) is m, 'eval': m.eval() is m, 'to': m.to('cpu') is m}",
        "m.train(bool(mode))",
        "m.training = mode",
        _SAME,
    ),
    "hooks": (
        *_COPY,
        "for n in (1, 2):",
        "    c.register_forward_pre_hook(lambda *_, n=n: seen.append(f'pre-hook {n}'))",
        "    c.register_forward_hook(lambda *_, n=n: seen.append(f'hook {n}'))",
        "c._register_state_dict_hook(lambda *_: seen.append('saved'))",
        "c._register_load_state_dict_pre_hook(lambda *_: seen.append('loaded'))",
        "lines = []",
        "for each in (c, copy.deepcopy(c)):",
        "    each(torch.ones(2, 1, 1, 1)), each.state_dict(), each.load_state_dict({}, strict=False)",
        "    lines.append(', '.join(seen))",
        "    seen.clear()",
        "text = '; '.join(lines)",
    ),
    "backward_hooks": (
        *_COPY,
        "for n in (1, 2):",
        "    c.register_full_backward_hook(lambda *_, n=n: seen.append(f'backward hook {n}'))",
        "c(torch.ones(2, 1, 1, 1, requires_grad=True)).sum().backward()",
        "text = ', '.join(seen)",
    ),
    "visits": (
        "named = [m.named_parameters('layer'), m.named_buffers('layer')]",
        "named.append(m.named_modules(prefix='layer'))",
        "lines, seen = [' '.join(dict(each)) for each in named], []",
        "returned = m.apply(seen.append)",
        "lines.append(f'applied {[each is m for each in seen]} {returned is m}')",
        "text = '; '.join(lines)",
    ),
}
"""Maps a word of ``cases.steps.SHOWN`` or TRIED to the lines, the last of which sets ``text``."""
