"""How a module is constructed: the arguments of BatchNorm2d and the words that name them in ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple, Union

Momentum = Union[None, int, float]


@dataclass(frozen=True)
class Config:
    """The constructor's arguments.

    ``bias`` is ``None`` when the keyword is not passed at all: releases before 2.13 do not have it.
    """

    num_features: int
    eps: float = 1e-5
    momentum: Momentum = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: Optional[bool] = None


AFFINE: Dict[str, Tuple[bool, Optional[bool]]] = {
    "affine": (True, None),
    "no_affine": (False, None),
    "no_bias": (True, False),
}
"""Word to the pair (affine, bias keyword)."""

TRACK: Dict[str, bool] = {"track": True, "no_track": False}

MOMENTUM: Dict[str, Momentum] = {
    "momentum_none": None,
    "momentum_0.0": 0.0,
    "momentum_0.1": 0.1,
    "momentum_0.5": 0.5,
    "momentum_int_1": 1,
    "momentum_1.0": 1.0,
    "momentum_1.5": 1.5,
    "momentum_minus_0.5": -0.5,
}
"""1.5 and -0.5 lie outside [0, 1]; torch has never validated momentum (pytorch #127736)."""


def config(affine: str, track: str, momentum: str, num_features: int) -> Config:
    """The configuration that three axis words and a channel count name."""
    has_affine, bias = AFFINE[affine]
    return Config(
        num_features=num_features,
        momentum=MOMENTUM[momentum],
        affine=has_affine,
        track_running_stats=TRACK[track],
        bias=bias,
    )
