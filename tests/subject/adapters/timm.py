"""timm's BatchNormAct2d without its activation, a drop-in that promises all that a module shows.

Source: https://github.com/huggingface/pytorch-image-models/blob/main/timm/layers/norm_act.py. It has no
``bias`` argument.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any

from timm.layers import BatchNormAct2d

Timm: Any = partial(BatchNormAct2d, apply_act=False)
Timm.implementation = f"timm {version('timm')} BatchNormAct2d"
Timm.sums_exactly = True
