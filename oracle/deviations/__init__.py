"""The known defects of releases, as functions that turn what is right into what is seen.

The defects themselves, with their releases, circumstances and sources, stand in ``oracle.defects``.
"""

from typing import Dict

from oracle.deviations.backward import (
    derivative_of_tangent_of_constant_statistics,
    double_backward_needs_weight,
    eval_backward_reads_current_buffers,
    third_derivative_of_constant_statistics,
)
from oracle.deviations.inputs import (
    empty_input_unchecked,
    empty_output_widened,
    overflowing_variance_zeroes_output,
    variance_overflows_anew,
    zero_features_raise,
)
from oracle.deviations.layouts import (
    backward_misreads_ambiguous_layout,
    channels_last_backward_misreads_statistics,
    channels_last_backward_misreads_weight,
    mixed_bfloat16_layout_raises,
    one_channel_permuted_misplaced,
    rows_misread,
)
from oracle.deviations.loading import assign_marks_metadata
from oracle.deviations.narrow import narrow_arithmetic, narrow_tangents
from oracle.deviations.overlaps import expanded_buffer_written, windows_overwrite_tangent
from oracle.deviations.situation import Deviation, Situation
from oracle.deviations.sums import (
    about_another_mean,
    channels_last_plain_sums,
    contiguous_float64_plain_sums,
)

__all__ = ["CALLED", "DEVIATIONS", "Deviation", "Situation"]

DEVIATIONS: Dict[str, Deviation] = {
    each.__name__: each
    for each in (
        empty_input_unchecked,
        empty_output_widened,
        zero_features_raise,
        overflowing_variance_zeroes_output,
        channels_last_plain_sums,
        contiguous_float64_plain_sums,
        eval_backward_reads_current_buffers,
        double_backward_needs_weight,
        third_derivative_of_constant_statistics,
        derivative_of_tangent_of_constant_statistics,
        backward_misreads_ambiguous_layout,
        channels_last_backward_misreads_weight,
        channels_last_backward_misreads_statistics,
        mixed_bfloat16_layout_raises,
        one_channel_permuted_misplaced,
        rows_misread,
        narrow_arithmetic,
        expanded_buffer_written,
        windows_overwrite_tangent,
        assign_marks_metadata,
    )
}
"""Maps the name of a defect to its deviation."""

CALLED: Dict[str, Deviation] = {
    "overflowing_variance_zeroes_output": variance_overflows_anew,
    "channels_last_plain_sums": about_another_mean,
    "contiguous_float64_plain_sums": about_another_mean,
    "narrow_arithmetic": narrow_tangents,
    "derivative_of_tangent_of_constant_statistics": derivative_of_tangent_of_constant_statistics,
    "windows_overwrite_tangent": windows_overwrite_tangent,
}
"""Maps the name of a defect to its deviation in a step of ``cases.derivatives.CALLING``, beside those of
the forward and the backward that are part of such a step."""
