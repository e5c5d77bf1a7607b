"""The known defects of torch: where a release differs from what is right, and exactly how.

A defect is described by the circumstances in which it shows. ``oracle.deviations`` has a function of the
same name that turns what is right into what is seen instead. In these circumstances a case must show the
defect, exactly, and is reported as a known defect, never as a pass; a defect that is gone, or has
changed, fails the run. Where several defects show at one step, they are applied in the order of the list.
Plain data: this module imports no NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from oracle.switch import Release, within


@dataclass(frozen=True)
class Defect:
    """One known defect.

    ``first``, ``last``: releases, both included, None for the ends of the table. ``circumstances``:
    when it shows. ``instead``: what torch does. ``source``: an issue, or "found by this suite".
    ``avoid``: what a user can do. ``opens``: torch goes on where it must raise, so
    defects can show that cannot show without this one.
    """

    name: str
    first: Optional[Release]
    last: Optional[Release]
    circumstances: str
    instead: str
    source: str
    avoid: str
    opens: bool = False

    def on(self, release: Release) -> bool:
        """Whether the release has this defect."""
        return within(release, self.first, self.last)


DEFECTS: Tuple[Defect, ...] = (
    Defect(
        "expanded_buffer_written",
        None,
        None,
        "a train-mode forward of a module whose running_mean or running_var is expanded, so that several "
        "channels lie in one place of memory",
        "The forward writes every channel's average into the one place, channel after channel, where "
        "every other operation in place raises RuntimeError. With several threads the order is open.",
        "found by this suite",
        "Attach a clone of the expanded tensor.",
        opens=True,
    ),
    Defect(
        "assign_marks_metadata",
        (2, 1),
        None,
        "load_state_dict(..., assign=True) of a state dict that has metadata",
        "It writes assign_to_params_buffers=True into the metadata of the state dict that it is given. A "
        "later load of the same state dict without assign assigns as well, and two modules share their "
        "tensors.",
        "#188166",
        "Call load_state_dict(dict(state), assign=True): a plain dict has no metadata.",
    ),
    Defect(
        "empty_input_unchecked",
        None,
        None,
        "an input without elements whose number of channels is not the module's",
        "The input is accepted whatever its number of channels, and is counted.",
        "#72821",
        "Check x.shape[1] == module.num_features before an input that may be empty.",
        opens=True,
    ),
    Defect(
        "empty_output_widened",
        (1, 5),
        None,
        "an input without elements, where the weight or bias has the shape (1, C): one of width 1, and "
        "one of a narrower dtype than the module's",
        "The output has the width C, and an upstream gradient in the shape of the input is refused; and "
        "the output has the dtype of the module.",
        "found by this suite",
        "Give weight and bias the shape (C,).",
    ),
    Defect(
        "zero_features_raise",
        (1, 5),
        None,
        "BatchNorm2d(0)",
        "It can be constructed, but a forward counts and then raises IndexError.",
        "#72821, found by this suite to begin with 1.5",
        "Leave the layer out when there are no channels.",
    ),
    Defect(
        "channels_last_plain_sums",
        (1, 10),
        None,
        "batch statistics and gradients of an input that is channels_last or has one pixel per image, "
        "any dtype; it shows where the values of a channel are many and nearly equal, and depends on "
        "the number of threads",
        "Each thread sums in the input's dtype value by value: over 102,400 times 0.3 in float32 the "
        "mean comes out as about 0.3003, thousands of ulps from the contiguous result, which is right "
        "to the last bit.",
        "found by this suite",
        "Call .contiguous() before a large channels_last input in train mode. Where images have one "
        "pixel, compute in float64.",
    ),
    Defect(
        "contiguous_float64_plain_sums",
        (1, 10),
        None,
        "batch statistics of a contiguous float64 input; it shows where the values of a channel are "
        "many and equal",
        "The kernel sums in float64 value by value: over 4,096 times 101.1 the mean is off by 70 units "
        "in the last place. In float32 it sums in float64, and is right to the last bit.",
        "found by this suite",
        "Nothing to do: the relative error stays below 1e-13.",
    ),
    Defect(
        "contiguous_float64_plain_sums",
        None,
        (1, 8),
        "batch statistics of a float64 input of any layout; it shows where the values of a channel are "
        "many and equal",
        "As on 1.10 and later; 1.9 alone is right.",
        "found by this suite",
        "Nothing to do: the relative error stays below 1e-13.",
    ),
    Defect(
        "eval_backward_reads_current_buffers",
        None,
        None,
        "an eval-mode forward, a train-mode forward of the same module or a write through .data of its "
        "running buffers, then the backward of the first, also if the module has dropped them since; up "
        "to 1.4 also a forward, a state dict that is loaded, then the backward",
        "The train-mode forward updates the running buffers in place, which autograd does not see; the "
        "backward normalises with the buffers as they are by then, and gives wrong gradients.",
        "#13402",
        "Call backward before the next train-mode forward, or rebind the buffers to clones before it.",
    ),
    Defect(
        "double_backward_needs_weight",
        (1, 10),
        None,
        "a double backward of a module with a bias and without a weight",
        "It raises RuntimeError from an internal check. Where the input requires no gradient, that of "
        "the bias is taken for a constant of the upstream gradient, without a message.",
        "found by this suite",
        "Use a weight of ones that does not require a gradient.",
    ),
    Defect(
        "third_derivative_of_constant_statistics",
        None,
        (2, 13),
        "a third derivative with respect to the input, where batch statistics normalise",
        "The second derivative is differentiated as if the batch's mean and deviation did not depend on "
        "the input, so the terms through them are missing, without a message. The third derivatives with "
        "respect to weight and upstream gradient are right.",
        "#186256; PR #186779",
        "Compute the statistics by x.mean and x.var, and normalise with operations of one's own.",
    ),
    Defect(
        "derivative_of_tangent_of_constant_statistics",
        (1, 11),
        None,
        "the derivative of a forward-mode derivative, torch.func.jvp of jvp, torch.func.vjp of jvp or "
        "autograd.grad of a tangent, where batch statistics normalise",
        "The tangent is differentiated as if the batch's mean and deviation did not depend on the input, "
        "so the terms through them are missing, without a message. A jvp of a vjp is right, and so is a "
        "double backward.",
        "#196699",
        "Take the second derivative by a double backward, or by torch.func.jvp of torch.func.vjp.",
    ),
    Defect(
        "windows_overwrite_tangent",
        (1, 11),
        None,
        "a forward-mode derivative by an input whose rows overlap in memory, as unfold makes them, with "
        "a tangent of other strides",
        "The tangent is copied to strides like the input's, so that its numbers overwrite each other, "
        "and the derivative is taken in another direction. For an expanded input it raises "
        "RuntimeError.",
        "found by this suite",
        "Pass input.clone().",
    ),
    Defect(
        "backward_misreads_ambiguous_layout",
        (1, 10),
        None,
        "the backward, where input or upstream gradient is channels_last only because N, H or W is 1, "
        "and its strides are not those that .contiguous(memory_format=torch.channels_last) gives (a "
        "permuted tensor of one image or one row, a view of a channels_last image, x[0][None], or "
        "x.transpose(1, 2).unsqueeze(-1)), while the other is contiguous",
        "The memory of the gradient is read in the memory format of the input, so all three gradients "
        "are wrong, without a message.",
        "found by this suite",
        "Call .contiguous() on the gradient, or on the input before the layer.",
    ),
    Defect(
        "channels_last_backward_misreads_weight",
        (1, 10),
        None,
        "the backward of a channels_last input with a channels_last upstream gradient, where the weight "
        "is strided or expanded",
        "The weight is read from consecutive places in memory, past its stride and past its end, so the "
        "gradient of the input is wrong in every channel but the first, without a message.",
        "found by this suite",
        "Make the weight contiguous: module.weight = torch.nn.Parameter(weight.contiguous()).",
    ),
    Defect(
        "channels_last_backward_misreads_statistics",
        (1, 10),
        None,
        "the backward of an eval-mode forward, where input and upstream gradient are channels_last, and "
        "running_mean or running_var is strided or expanded",
        "It reads memory that is not that of the statistic: the gradients that depend on it, of the "
        "weight and, for running_var, of the input, change from call to call, without a message.",
        "found by this suite",
        "Make the buffer contiguous: module.running_mean = running_mean.contiguous().",
    ),
    Defect(
        "one_channel_permuted_misplaced",
        (1, 5),
        (1, 5),
        "a permuted input of one channel: its output, and its gradient in train mode; a permuted "
        "upstream gradient of one channel: the gradient of the input in eval mode",
        "The numbers are right and stand in the wrong places, in the order of the permuted memory.",
        "found by this suite",
        "Call .contiguous() on the input, and on the gradient.",
    ),
    Defect(
        "rows_misread",
        None,
        (1, 8),
        "a forward of a module whose weight or bias has the shape (1, C), where batch statistics "
        "normalise or the input is neither contiguous nor channels_last",
        "The weight or bias is read by the stride of its one row, past its end, so the output is wrong "
        "in every channel but the first, without a message.",
        "found by this suite",
        "Give weight and bias the shape (C,).",
    ),
    Defect(
        "mixed_bfloat16_layout_raises",
        (1, 12),
        (1, 12),
        "a bfloat16 input of a float32 module that is neither contiguous nor channels_last",
        "The forward counts, updates the running buffers and then raises RuntimeError from an internal "
        "assertion.",
        "found by this suite; PR #84410",
        "Call .contiguous() on the input.",
    ),
    Defect(
        "narrow_arithmetic",
        (1, 12),
        None,
        "a float16 or bfloat16 module: batch statistics, and every layout but contiguous and "
        "channels_last; any float16 or bfloat16 input: the backward, unless input and upstream gradient "
        "are both contiguous or both channels_last, second derivatives, and the tangent of the output",
        "Mean and inverse deviation are rounded to 16 bits before they normalise, so an input whose mean "
        "is large beside its spread loses its digits; in the other layouts every operation rounds to "
        "16 bits. The backward rounds the two sums of the gradient to 16 bits, also for a float32 "
        "module; for a float16 module with 65,520 values a channel or more it loses the part of the "
        "input's gradient along x - mean, because it divides by a float16 infinity. Second derivatives "
        "and tangents round every operation to 16 bits; where a float32 tensor of the module takes part "
        "in a tangent, that is float32, beside an output of 16 bits. Up to 2.5 a float16 "
        "module sums in float16; the suite leaves its numbers undetermined.",
        "found by this suite; #140112 for batch statistics, #147303 for the sums of the backward",
        "Keep the module in float32 (mixed precision), and call .contiguous() on input and gradient.",
    ),
    Defect(
        "overflowing_variance_zeroes_output",
        (1, 10),
        None,
        "batch statistics of a channel where n times the variance exceeds the largest number of the "
        "dtype that is computed in; float32 and float64 inputs that are contiguous or channels_last, "
        "float16 and bfloat16 of any layout; torch.func.jvp of torch.func.vjp in every layout",
        "The output of the channel is the bias alone, and a momentum of 0 makes its running_var NaN. "
        "torch.func.jvp of torch.func.vjp gives NaN.",
        "#162489, PR #178123",
        "Scale inputs down, or normalise in float64.",
    ),
    Defect(
        "overflowing_variance_zeroes_output",
        None,
        (1, 8),
        "batch statistics of a channel whose variance exceeds the dtype's largest number",
        "As on 1.10 and later; 1.9 alone is right.",
        "#162489, found by this suite to be right on 1.9",
        "Scale inputs down, or normalise in float64.",
    ),
)
