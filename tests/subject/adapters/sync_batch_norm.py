"""torch's SyncBatchNorm without processes to synchronise with: it promises all that a module shows.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

Sync: Any = partial(torch.nn.SyncBatchNorm)
Sync.implementation = f"torch {torch.__version__.partition('+')[0]} SyncBatchNorm"
Sync.sums_exactly = True
