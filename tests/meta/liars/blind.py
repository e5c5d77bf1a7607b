"""What the suite does not look at, each shown by a wrong subject that it takes for a right one.

These are no liars in the sense of the registry: the observation, or the inputs, leave them out. A
blind spot that some case of the gate tier has come to see fails its test, and belongs with the
liars.
"""

from __future__ import annotations

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Statistics, Tensor


class GradientIgnoresStatistics(HonestBatchNorm2d):
    """The gradient takes the batch's mean and variance for constants: no case runs a backward pass."""

    def statistics(self, x: Tensor) -> Statistics:
        return super().statistics(x.detach())


BLIND = (GradientIgnoresStatistics,)
