"""Liars about num_batches_tracked: when it counts, what it counts, and its dtype and shape."""

from __future__ import annotations

from typing import Any, Dict, Optional

import torch

from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.liars.kernel import Tensor
from tests.meta.liars.registry import liar


@liar("track", "train_only", through="num_batches_tracked")
class NeverCounts(HonestBatchNorm2d):
    """Leaves the counter at 0; with momentum None it counts in secret and averages rightly."""

    _secret = 0

    def count(self) -> None:
        self._secret += 1

    def cumulative_factor(self) -> float:
        return 1 / self._secret if self.counts() else 0.0


@liar("track", "eval_only", through="num_batches_tracked")
class CountsInEval(HonestBatchNorm2d):
    """Counts the batches of eval mode as well."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.count()
        return super().forward(x)


@liar("track_off", through="num_batches_tracked")
class CountsUntracked(HonestBatchNorm2d):
    """Goes on counting when track_running_stats has been turned off."""

    def counts(self) -> bool:
        return self.training and self.num_batches_tracked is not None


@liar("track", "train_only", through="num_batches_tracked")
class CountsSamples(HonestBatchNorm2d):
    """Counts samples, not batches."""

    def forward(self, x: Tensor) -> Tensor:
        if self.counts() and x.dim() == 4:
            self.num_batches_tracked.add_(len(x) - 1)  # type: ignore[union-attr]
        return super().forward(x)


@liar("track", "train_only", through="num_batches_tracked")
class CountsTwice(HonestBatchNorm2d):
    """Adds two for a batch."""

    def count(self) -> None:
        super().count()
        super().count()


@liar("track", "train_only", through="num_batches_tracked")
class CountsFirstBatchOnly(HonestBatchNorm2d):
    """Sets the counter to 1 and leaves it there."""

    def count(self) -> None:
        self.num_batches_tracked.fill_(1)  # type: ignore[union-attr]


@liar("track", "train_only", through="num_batches_tracked")
class CounterSaturates(HonestBatchNorm2d):
    """Counts no further than 3."""

    def count(self) -> None:
        super().count()
        self.num_batches_tracked.clamp_(max=3)  # type: ignore[union-attr]


@liar("momentum_none", "track", "train_only", through="running_mean")
class CountsAfterAveraging(HonestBatchNorm2d):
    """With momentum None, counts a batch only after it was averaged: the factor is 1/(k-1)."""

    def cumulative_factor(self) -> float:
        factor = super().cumulative_factor()
        return 1 / max(1.0, 1 / factor - 1) if factor else factor


@liar("track", "alternating", through="num_batches_tracked")
class CounterResetByEval(HonestBatchNorm2d):
    """Counts from 0 again after eval()."""

    def train(self, mode: bool = True) -> Any:
        if not mode and self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()
        super().train(mode)
        return self


@liar("track", "momentum_to_none", through="num_batches_tracked")
class CounterResetByMomentum(HonestBatchNorm2d):
    """Counts from 0 again when momentum is set to None."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        counter: Optional[Tensor] = self.__dict__.get("_buffers", {}).get("num_batches_tracked")
        if name == "momentum" and value is None and counter is not None:
            counter.zero_()


@liar("track", through="num_batches_tracked dtype")
class CounterIsInt32(HonestBatchNorm2d):
    """Makes the counter an int32."""

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked = self.num_batches_tracked.to(torch.int32)


@liar("track", through="num_batches_tracked dtype")
class CounterIsFloat(HonestBatchNorm2d):
    """Makes the counter a float."""

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked = self.num_batches_tracked.to(torch.float32)


@liar("track", through="num_batches_tracked")
class CounterIsVector(HonestBatchNorm2d):
    """Makes the counter a vector of length 1."""

    def make_buffers(self, wanted: bool) -> None:
        super().make_buffers(wanted)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked = self.num_batches_tracked.reshape(1)


@liar("track", "train_only", through="num_batches_tracked is the same object")
class CounterRebound(HonestBatchNorm2d):
    """Binds the counter to a new tensor at every batch."""

    def count(self) -> None:
        self.num_batches_tracked = torch.add(self.num_batches_tracked, 1)  # type: ignore[arg-type]


@liar("reset_running_stats", "track", through="num_batches_tracked")
class CounterNotReset(HonestBatchNorm2d):
    """reset_running_stats leaves the counter alone."""

    def reset_running_stats(self) -> None:
        counter = self.num_batches_tracked
        before = None if counter is None else counter.clone()
        super().reset_running_stats()
        if counter is not None and before is not None:
            counter.copy_(before)


@liar("state_dict", "track", through="num_batches_tracked")
class CounterNotSaved(HonestBatchNorm2d):
    """Leaves the counter out of the state dict and starts from 0 after loading."""

    def _save_to_state_dict(self, destination: Dict[str, Any], *rest: Any) -> None:
        super()._save_to_state_dict(destination, *rest)
        if self.num_batches_tracked is not None:
            destination["num_batches_tracked"] = torch.tensor(0)


@liar("drop_counter", "train_only", through="num_batches_tracked present")
class CounterRecreated(HonestBatchNorm2d):
    """Makes a new counter where it was removed."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.track_running_stats and self.num_batches_tracked is None:
            self.num_batches_tracked = torch.tensor(0)
        return super().forward(x)


@liar("momentum_0.1", "track", "train_only", through="num_batches_tracked")
class CountsForAverageOnly(HonestBatchNorm2d):
    """Counts only when momentum is None, because only then the count is used."""

    def count(self) -> None:
        if self.momentum is None:
            super().count()


@liar("drop_running_stats", "track", "train_only", through="num_batches_tracked")
class CountsWithBuffersOnly(HonestBatchNorm2d):
    """Does not count when running_mean is gone."""

    def counts(self) -> bool:
        return super().counts() and self.running_mean is not None


@liar("track", "before_first_forward", "drop_running_var", through="num_batches_tracked")
class CountedAfterChecks(HonestBatchNorm2d):
    """A forward that raises is not counted."""

    def forward(self, x: Tensor) -> Tensor:
        counter = self.num_batches_tracked
        before = None if counter is None else counter.clone()
        try:
            return super().forward(x)
        except Exception:
            if counter is not None and before is not None:
                counter.copy_(before)
            raise


@liar("edge", "counter", "large", through="num_batches_tracked")
class CounterInSinglePrecision(HonestBatchNorm2d):
    """Counts through float32, which stops at 2**24."""

    def count(self) -> None:
        counter = self.num_batches_tracked
        assert counter is not None
        counter.copy_((counter.to(torch.float32) + 1).to(torch.long))


@liar("edge", "load", "legacy", through="num_batches_tracked")
class CounterResetByLegacyLoad(HonestBatchNorm2d):
    """Loading a state dict from before the counter existed sets it to 0."""

    def complete_legacy(self, state_dict: Dict[str, Any], key: str) -> None:
        if self.track_running_stats:
            state_dict.setdefault(key, torch.tensor(0))


@liar("edge", "empty", "no_batch_cumulative", through="num_batches_tracked")
class EmptyBatchNotCounted(HonestBatchNorm2d):
    """Does not count a batch without values."""

    def count(self) -> None:
        if not self._empty:
            super().count()

    _empty = False

    def forward(self, x: Tensor) -> Tensor:
        self._empty = x.numel() == 0
        return super().forward(x)


@liar("state", "no_counter", through="exception")
class VersionNotSaved(HonestBatchNorm2d):
    """Leaves the version out of a state dict, so that a missing counter is not noticed."""

    _version = None  # type: ignore[assignment]

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        metadata = {"version": local_metadata.get("version") or 1}
        super()._load_from_state_dict(state_dict, prefix, metadata, *rest)


@liar("edge", "endurance", "momentum", through="num_batches_tracked")
class CountsInEightBits(HonestBatchNorm2d):
    """Begins again at 0 after 255 batches."""

    def count(self) -> None:
        super().count()
        self.num_batches_tracked.remainder_(256)  # type: ignore[union-attr]


@liar("edge", "momentum", "counter_of_32_bits", through="num_batches_tracked")
class CountsIn32Bits(HonestBatchNorm2d):
    """Begins again at -2**31 after 2**31 - 1 batches."""

    def count(self) -> None:
        super().count()
        counter = self.num_batches_tracked
        if counter is not None and counter == 2**31:
            counter.fill_(-(2**31))
