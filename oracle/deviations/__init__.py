"""The known defects of releases, as functions that turn what is right into what is seen.

The defects themselves, with their releases, circumstances and sources, stand in ``oracle.defects``.
"""

from typing import Dict

from oracle.deviations.backward import (
    double_backward_needs_weight,
    eval_backward_reads_current_buffers,
)
from oracle.deviations.inputs import (
    empty_input_unchecked,
    overflowing_variance_zeroes_output,
    zero_features_raise,
)
from oracle.deviations.layouts import (
    backward_misreads_ambiguous_layout,
    channels_last_backward_misreads_weight,
    mixed_bfloat16_layout_raises,
    one_channel_permuted_misplaced,
)
from oracle.deviations.loading import assign_marks_metadata
from oracle.deviations.memory import expanded_buffer_written
from oracle.deviations.narrow import narrow_arithmetic
from oracle.deviations.situation import Deviation, Situation
from oracle.deviations.sums import channels_last_plain_sums, contiguous_float64_plain_sums

__all__ = ["DEVIATIONS", "Deviation", "Situation"]

DEVIATIONS: Dict[str, Deviation] = {
    each.__name__: each
    for each in (
        empty_input_unchecked,
        zero_features_raise,
        overflowing_variance_zeroes_output,
        channels_last_plain_sums,
        contiguous_float64_plain_sums,
        eval_backward_reads_current_buffers,
        double_backward_needs_weight,
        backward_misreads_ambiguous_layout,
        channels_last_backward_misreads_weight,
        mixed_bfloat16_layout_raises,
        one_channel_permuted_misplaced,
        narrow_arithmetic,
        expanded_buffer_written,
        assign_marks_metadata,
    )
}
"""Maps the name of a defect to its deviation."""
