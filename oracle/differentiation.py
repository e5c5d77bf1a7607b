"""The switches about derivatives: gradients, ``.grad`` and the functions that differentiate a module.

``oracle.semantics`` joins them with the others.
"""

from __future__ import annotations

from typing import Tuple

from oracle.switch import Switch

DIFFERENTIATION: Tuple[Switch, ...] = (
    Switch(
        "input_gradient_contiguous",
        None,
        (1, 9),
        "The gradient of a channels_last input is contiguous.",
        "It is channels_last.",
        "PR #59286",
    ),
    Switch(
        "backward_needs_weight",
        None,
        (1, 9),
        "The backward of a forward with a bias and without a weight raises RuntimeError.",
        "It gives the gradients of input and bias.",
        "measured",
    ),
    Switch(
        "no_inference_mode",
        None,
        (1, 8),
        "There is no torch.inference_mode.",
        "A train-mode forward under torch.inference_mode() counts and updates.",
        "PR #58045",
    ),
    Switch(
        "zero_grad_keeps_zeros",
        None,
        (1, 13),
        "zero_grad() puts zeros into the .grad of the parameters.",
        "It makes them None.",
        "#92656; PR #92731",
    ),
    Switch(
        "no_set_to_none_keyword",
        None,
        (1, 6),
        "zero_grad has no set_to_none keyword.",
        "With set_to_none=False it puts zeros into every .grad that there is.",
        "PR #42754; measured",
    ),
    Switch(
        "grad_laid_out_as_computed",
        None,
        (1, 5),
        "The .grad of a channels_last or permuted input is contiguous, as the gradient is computed.",
        "It has the strides of the input.",
        "PR #40358",
    ),
    Switch(
        "third_derivatives_refused",
        (2, 14),
        None,
        "A third derivative raises RuntimeError where batch statistics normalise.",
        "There are third derivatives.",
        "#186256; PR #186779",
    ),
    Switch(
        "no_forward_mode",
        (1, 10),
        (1, 10),
        "A forward whose input has a tangent counts, updates and then raises NotImplementedError.",
        "It gives the tangent of the output.",
        "PR #70355",
        masked_by=("no_forward_ad_module", "tangent_lost", "forward_mode_runtime_error"),
    ),
    Switch(
        "forward_mode_runtime_error",
        (1, 9),
        (1, 9),
        "A forward whose input has a tangent counts, updates and then raises RuntimeError.",
        "It gives the tangent of the output, or raises NotImplementedError, a subclass.",
        "PR #70355; measured",
        masked_by=("no_forward_ad_module", "tangent_lost"),
    ),
    Switch(
        "no_forward_ad_module",
        None,
        (1, 7),
        "There is no torch.autograd.forward_ad.",
        "The module can be called with a dual tensor.",
        "measured",
    ),
    Switch(
        "tangent_lost",
        (1, 8),
        (1, 8),
        "The output of a call with a dual tensor has no tangent, without a message.",
        "It has one, or the call raises.",
        "measured",
        masked_by=("no_forward_ad_module",),
    ),
    Switch(
        "conversion_leaves_saved_weight",
        None,
        (1, 9),
        "A backward reads the weight as it was before the module was converted.",
        "It reads the converted weight, and raises RuntimeError if that has another dtype by then.",
        "measured",
    ),
    Switch(
        "rows_unchecked",
        None,
        (1, 8),
        "A forward takes a weight or bias of shape (1, C), whatever the layout of its input.",
        "It refuses one where the input is neither contiguous nor channels_last.",
        "measured",
    ),
    Switch(
        "train_refuses_rows",
        (1, 9),
        (1, 9),
        "Where batch statistics normalise, a weight or bias of shape (1, C) is refused.",
        "A forward of a dense input takes it.",
        "measured",
        masked_by=("rows_unchecked",),
    ),
    Switch(
        "backward_reads_shape_of_weight",
        None,
        (1, 9),
        "Every backward refuses a weight of shape (1, C) by its shape.",
        "In channels_last the shape of its gradient is refused.",
        "measured",
    ),
    Switch(
        "row_weight_differentiated",
        (1, 10),
        (1, 11),
        "In channels_last the gradient of a weight of shape (1, C) has that shape, too.",
        "It has the shape (C,), and is refused.",
        "measured",
        masked_by=("backward_reads_shape_of_weight",),
    ),
    Switch(
        "no_functional_derivatives",
        None,
        (1, 4),
        "There is no torch.autograd.functional.",
        "Its jvp and vjp call the module, which counts and updates.",
        "PR #34066",
    ),
    Switch(
        "no_torch_func",
        None,
        (1, 13),
        "There is no torch.func.",
        "Its jvp and vjp refuse a module that counts; of others they give the derivatives.",
        "measured",
    ),
)
"""The rules that differ between releases."""
