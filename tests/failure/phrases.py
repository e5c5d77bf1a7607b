"""Phrases of the standalone scripts: what to print for a quantity, how to get an input's strides."""

from __future__ import annotations

from typing import Dict

LAYOUTS: Dict[str, str] = {
    "contiguous": "",
    "channels_last": ".contiguous(memory_format=torch.channels_last)",
    "permuted": ".permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2)",
    "sliced": ".repeat_interleave(2, -1)[..., ::2]",
    "expanded": "[:1].expand({shape})",
    "shifted": "[None].repeat_interleave(2, 0)[1]",
}
"""How a contiguous tensor gets the strides of each of ``cases.inputs.LAYOUTS``."""

OUTPUT: Dict[str, str] = {
    "output_dtype": "repr(str(y.dtype)[6:])",
    "output_shape": "tuple(y.shape)",
    "output_strides contiguous": "y.is_contiguous()",
    "output_strides channels_last": "y.is_contiguous(memory_format=torch.channels_last)",
    "output_shares_input": "y.data_ptr() == x.data_ptr()",
    "output_requires_grad": "y.requires_grad",
    "input_changed": "x.detach().numpy().tobytes() != before",
    "earlier_output_changed": "earlier.numpy().tobytes() != before",
}
"""What to print for a quantity of a forward."""

TENSOR: Dict[str, str] = {
    "present": "m.{0} is not None",
    "is the same object": "m.{0} is before",
    "has a grad_fn": "m.{0}.grad_fn is not None",
    "requires_grad": "m.{0}.requires_grad",
    "dtype": "repr(str(m.{0}.dtype)[6:])",
    "shape": "tuple(m.{0}.shape)",
    "": "m.{0}.tolist()",
}
"""What to print for an aspect of a parameter or buffer."""

SHARED = "memory shared with the original"
SHOWN: Dict[str, str] = {
    "repr": "repr(m).partition('(')[2]",
    "keys": "' '.join(sorted(m.state_dict()))",
    "version": "str(m.state_dict()._metadata['']['version'])",
}
"""How to get what a step asks the module to show."""
