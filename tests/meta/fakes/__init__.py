"""Wrong BatchNorm2d modules for the tests of the suite's own machinery; torch is all they need.

The registry of liars (``tests.meta.liars``) measures what the suite catches. These modules exist so that
the verdict, the explanation, the script and the command line have a finding to show.
"""

from __future__ import annotations

import torch

from tests.meta.fakes.early_returns import (
    InfinityEverywhere,
    NaNEverywhere,
    ReturnsCopy,
    ReturnsEmpty,
    ReturnsInput,
    ReturnsNothing,
    ReturnsText,
    ReturnsZeros,
)
from tests.meta.fakes.late_writes import (
    WritesToEarlierInputs,
    WritesToEarlierOutputs,
)
from tests.meta.fakes.modes import (
    ActsTraining,
    DeafToModes,
    SaysTraining,
)
from tests.meta.fakes.numbers import (
    AlwaysFails,
    BuffersReplaced,
    ForgetsFlags,
    HealsBuffers,
    LeaksNaN,
    LegacyCounterLost,
    MomentumSwapped,
    NoEps,
    NotCounted,
    Nudged,
    OverwritesInput,
    SaysCommands,
    SharesMemory,
    UnbiasedNormalisation,
    WideBuffers,
    WrongDtype,
    WrongException,
    WrongStrides,
)
from tests.meta.fakes.unusable import (
    NOT_CALLABLE,
    CannotBeMade,
    DiesInForward,
    DiesLater,
    ExitsInForward,
    ExitsWhenMade,
    NoModule,
    NotOnTheCPU,
    OwnArguments,
    PrintsAndLies,
    SkipsInForward,
    Unreadable,
    Wordless,
    WrongAtEps1,
    WrongOnce,
)

Base = torch.nn.BatchNorm2d

__all__ = [
    "NOT_CALLABLE",
    "ActsTraining",
    "AlwaysFails",
    "Base",
    "BuffersReplaced",
    "CannotBeMade",
    "DeafToModes",
    "DiesInForward",
    "DiesLater",
    "ExitsInForward",
    "ExitsWhenMade",
    "ForgetsFlags",
    "HealsBuffers",
    "InfinityEverywhere",
    "LeaksNaN",
    "LegacyCounterLost",
    "MomentumSwapped",
    "NaNEverywhere",
    "NoEps",
    "NoModule",
    "NotCounted",
    "NotOnTheCPU",
    "Nudged",
    "OverwritesInput",
    "OwnArguments",
    "PrintsAndLies",
    "ReturnsCopy",
    "ReturnsEmpty",
    "ReturnsInput",
    "ReturnsNothing",
    "ReturnsText",
    "ReturnsZeros",
    "SaysCommands",
    "SaysTraining",
    "SharesMemory",
    "SkipsInForward",
    "UnbiasedNormalisation",
    "Unreadable",
    "WideBuffers",
    "Wordless",
    "WritesToEarlierInputs",
    "WritesToEarlierOutputs",
    "WrongAtEps1",
    "WrongDtype",
    "WrongException",
    "WrongOnce",
    "WrongStrides",
]
