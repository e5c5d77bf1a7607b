"""mmengine's BatchNorm, which promises all that a module shows.

revert_sync_batchnorm turns SyncBatchNorm into it. Source:
https://mmengine.readthedocs.io/en/latest/api/generated/mmengine.model.revert_sync_batchnorm.html; it is
"a general BatchNorm layer without input dimension check".
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any

from mmengine.model.utils import _BatchNormXd

MMEngine: Any = partial(_BatchNormXd)
MMEngine.implementation = f"mmengine {version('mmengine')} BatchNormXd"
MMEngine.sums_exactly = True
