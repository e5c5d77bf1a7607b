"""The construction of a module: the arguments of BatchNorm2d and the words that name them in ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple, Union

Momentum = Union[None, int, float]

Construction = Tuple[str, str, str]
"""The words for affine, track and momentum that name a configuration in an id."""


@dataclass(frozen=True, eq=False)
class Config:
    """The constructor's arguments.

    ``bias`` is ``None`` when the keyword is not passed: releases before 2.12 do not have it. ``call``
    says how the arguments are passed, one of CALLS.

    Equality and hash distinguish 1, 1.0 and True, because the oracle remembers a construction by
    equality, and the type of a flag is part of the outcome.
    """

    num_features: int
    eps: float = 1e-5
    momentum: Momentum = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: Optional[bool] = None
    call: str = "needed"

    def passed(self) -> Tuple[Tuple[str, Momentum], ...]:
        """The name and value of every argument after num_features that the call passes, in order."""
        values: Dict[str, Momentum] = {name: getattr(self, name) for name in DEFAULTS}
        if self.call in ("needed", "dtype"):
            values = {
                name: value
                for name, value in values.items()
                if value != DEFAULTS[name] or type(value) is not type(DEFAULTS[name])
            }
        if self.bias is not None:
            values["bias"] = self.bias
        return tuple(values.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


DEFAULTS: Dict[str, Momentum] = {
    "eps": 1e-5,
    "momentum": 0.1,
    "affine": True,
    "track_running_stats": True,
}
"""The documented defaults, in the order of the arguments."""

CALLS = ("needed", "keywords", "positional", "dtype")
"""needed: the call passes only the arguments that differ from the documented defaults, by keyword.
keywords: it passes all four by keyword. positional: it passes all four by position. dtype: as needed, and
the dtype by its keyword. With every call but dtype, the module is converted to the variant's dtype
afterwards."""

AFFINE: Dict[str, Tuple[bool, Optional[bool]]] = {
    "affine": (True, None),
    "no_affine": (False, None),
    "no_bias": (True, False),
}
"""Maps a word to the pair (affine, bias keyword)."""

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
"""Maps a word to a momentum. 1.5 and -0.5 lie outside [0, 1]; torch does not validate momentum (pytorch
#127736)."""


def config(affine: str, track: str, momentum: str, num_features: int) -> Config:
    """Return the configuration that three words name, for ``num_features`` channels."""
    has_affine, bias = AFFINE[affine]
    return Config(
        num_features=num_features,
        momentum=MOMENTUM[momentum],
        affine=has_affine,
        track_running_stats=TRACK[track],
        bias=bias,
    )


TRACKED = Config(11)
UNTRACKED = Config(11, track_running_stats=False)
NO_AFFINE = Config(11, affine=False)
NO_BIAS = Config(11, bias=False)
BARE = Config(11, affine=False, track_running_stats=False)
CUMULATIVE = Config(11, momentum=None)
"""The configurations that most edges and claims have."""
