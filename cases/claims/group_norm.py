"""The statements of the text about substituting group norm with batch norm."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS
from cases.claims.checks import Changed, HasKeys, Near, Prints
from cases.claims.claim import Claim
from cases.construction import Config

MATANI = "forwards:random:2000"

CLAIMS: Tuple[Claim, ...] = (
    Claim(
        "buffer_names", "group_norm", 45,
        "The buffers are running_mean, running_var and num_batches_tracked.",
        "confirmed", Config(3, affine=False), "forward:random0", (HasKeys(0, BUFFERS),),
    ),
    Claim(
        "buffers_without_backward", "group_norm", 17,
        "No backward pass is needed to update the buffers: the forward does it.",
        "confirmed", Config(3), "forward:random0", (Changed(1, 0, BUFFERS),),
    ),
    Claim(
        "thousand_batches", "group_norm", 5, "We take 1000 batches.",
        "refuted", Config(3), MATANI,
        (Prints(1, "num_batches_tracked", ("2000",)),),
        "The code below that sentence takes 2000, and prints 40000 rows of 20.",
    ),
    Claim(
        "near_the_mean", "group_norm", 57,
        "running_mean is close to the mean of all data: 0.06 away on average.",
        "refined", Config(3), MATANI,
        (Near(1, "running_mean", "mean of all data", 1e-3, 0.26),),
        "Near, not at: an average with factor 0.1 sees about 20 batches, so its standard deviation is "
        "sqrt(0.1/1.9/20) = 0.05 however many batches follow; 0.26 is five of them.",
    ),
    Claim(
        "near_the_variance", "group_norm", 57,
        "running_var is close to the variance of all data: 0.06 away on average.",
        "refined", Config(3), MATANI,
        (Near(1, "running_var", "variance of all data", 1e-3, 0.37),),
        "Near, not at, for the same reason; 0.37 is five times sqrt(2/19 * 0.1/1.9).",
    ),
)  # fmt: skip
