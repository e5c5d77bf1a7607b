"""Liars about pairs of circumstances of which each alone is right, and about old state dicts."""

from __future__ import annotations

from typing import Any, Dict

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Operands, Tensor, followed
from tests.meta.liars.planes import WrongWhere
from tests.meta.liars.registry import liar


@liar("planes", "n5_5x1x1x1_float32", through="output")
class OnePixelOfOneChannelWrong(WrongWhere):
    """Is wrong for images of one channel and one pixel."""

    def there(self, x: Tensor) -> bool:
        return x[0].numel() == 1


class _OtherFactor(HonestBatchNorm2d):
    """Averages by 0.1 where ``there`` returns True."""

    def there(self, x: Tensor, factor: float) -> bool:
        raise NotImplementedError

    def batch_norm(
        self, x: Tensor, operands: Operands, from_batch: bool, factor: float, eps: float
    ) -> Tensor:
        factor = 0.1 if self.there(x, factor) else factor
        return super().batch_norm(x, operands, from_batch, factor, eps)


@liar("tangent", "momentum", through="running_mean")
class UsualMomentumBesideTangents(_OtherFactor):
    """Averages by 0.1, whatever momentum is, where the input has a tangent."""

    def there(self, x: Tensor, factor: float) -> bool:
        return self.momentum is not None and followed(x)


@liar("momentum", "extremes_n8", through="running_mean")
class FullMomentumLostInInference(_OtherFactor):
    """Averages by 0.1 in inference mode where momentum is 1."""

    def there(self, x: Tensor, factor: float) -> bool:
        return factor == 1 and torch.is_inference_mode_enabled()


@liar("momentum", "extremes_n8", through="running_var")
class ZeroMomentumLostUnrecorded(_OtherFactor):
    """Averages by 0.1 under torch.no_grad() where momentum is 0."""

    def there(self, x: Tensor, factor: float) -> bool:
        return not factor and not torch.is_grad_enabled()


@liar("momentum", "extremes_n8_one_image", through="running_mean")
class FullMomentumOfOneImageLost(_OtherFactor):
    """Averages by 0.1 where momentum is 1 and the batch is one image."""

    def there(self, x: Tensor, factor: float) -> bool:
        return factor == 1 and x.shape[0] == 1 and self.momentum is not None


@liar("momentum", "extremes_n8_one_channel", through="running_mean")
class ZeroMomentumOfOneChannelLost(_OtherFactor):
    """Averages by 0.1 where momentum is 0 and there is one channel."""

    def there(self, x: Tensor, factor: float) -> bool:
        return not factor and x.shape[1] == 1


# --- versions of state dicts -----------------------------------------------------------------------------


class _Versioned(HonestBatchNorm2d):
    """Completes the state dicts of which ``old`` returns True."""

    def old(self, version: int) -> bool:
        raise NotImplementedError

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        if self.old(local_metadata.get("version", 1)):
            self.complete_legacy(state_dict, prefix + "num_batches_tracked")
        torch.nn.Module._load_from_state_dict(self, state_dict, prefix, local_metadata, *rest)


@liar("load", "versions", through="exception")
class LaterVersionIsOld(_Versioned):
    """Takes a state dict of a version after its own for one from before the counter."""

    def old(self, version: int) -> bool:
        return version != 2


@liar("load", "versions", through="exception")
class VersionZeroIsNotOld(_Versioned):
    """Takes a state dict of version 0 for a new one."""

    def old(self, version: int) -> bool:
        return version == 1


# --- a flag that is a number ------------------------------------------------------------------------------


@liar("protocol", "affine_is_a_number", through="weight")
class AffineComparedWithTrue(HonestBatchNorm2d):
    """Leaves weight and bias out of reset_parameters where ``affine`` is 1."""

    def reset_parameters(self) -> None:
        if self.affine is True:
            super().reset_parameters()
        else:
            self.reset_running_stats()
