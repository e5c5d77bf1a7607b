"""The values that a case runs on: lane, shape, dtype and seed, and the words that name them in ids."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

Shape = Tuple[int, int, int, int]

SHAPES: Dict[str, Shape] = {
    "n2": (2, 11, 1, 1),
    "n8": (2, 11, 2, 2),
    "n30": (5, 11, 2, 3),
    "n256": (4, 11, 8, 8),
    "n102400": (4, 3, 160, 160),
    "n8_one_row": (1, 11, 1, 8),
    "n8_one_column": (1, 11, 8, 1),
    "n8_one_channel": (2, 1, 2, 2),
    "n8_67_channels": (2, 67, 2, 2),
    "n134_67_images": (67, 11, 1, 2),
    "n4096": (4, 11, 32, 32),
    "n8_one_image": (1, 11, 2, 4),
    "n8_height_1": (2, 11, 1, 4),
    "n8_width_1": (2, 11, 4, 1),
    "n8_images_alone": (8, 11, 1, 1),
    "n8_one_channel_row": (1, 1, 1, 8),
    "n16384": (4, 3, 64, 64),
    "n204800": (8, 3, 160, 160),
}
"""Maps a word to (N, C, H, W). The number in the word is N*H*W, the number of values in a channel."""

EXTENTS = (31, 33, 61, 64, 65, 127, 128, 129, 251, 255, 257, 1021, 1024, 1025, 2053)
"""Sizes at, below and above the usual numbers of values in a block, and primes near them."""


def _long(size: int) -> Dict[str, Shape]:
    """Map the name of a dimension to a shape in which it has the size and all others are small."""
    return {
        "channels": (2, size, 1, 3),
        "images": (size, 3, 1, 3),
        "wide": (3, 3, 1, size),
        "tall": (3, 3, size, 1),
    }


LONG_SHAPES: Dict[str, Shape] = {
    f"n{shape[0] * shape[2] * shape[3]}_{size}_{dimension}": shape
    for size in EXTENTS + (4099,)
    for dimension, shape in _long(size).items()
    if size in EXTENTS or dimension == "channels"
}
"""The shapes in which one dimension alone is long."""

SHAPES.update(LONG_SHAPES)

_PLANES: Tuple[Shape, ...] = (
    *((2, 3, 1, 1), (3, 4, 1, 1), (5, 2, 1, 1), (7, 8, 1, 1), (9, 5, 1, 1), (16, 10, 1, 1)),
    *((1, 2, 1, 2), (1, 4, 2, 1), (1, 6, 1, 3), (1, 5, 3, 1), (1, 7, 1, 5), (1, 1, 2, 1)),
    *((1, 1, 3, 2), (3, 1, 5, 4), (2, 2, 4, 3), (3, 4, 3, 4), (6, 5, 3, 3), (4, 6, 7, 7), (3, 8, 5, 4)),
    *((2, 9, 3, 5), (7, 10, 4, 2), (5, 12, 3, 2), (2, 13, 6, 5), (16, 16, 4, 4), (32, 7, 2, 3)),
    *((10, 17, 5, 3), (1, 24, 9, 7), (12, 32, 3, 3), (2, 48, 6, 8), (1, 64, 14, 14), (2, 96, 20, 18)),
    *((1, 128, 3, 2), (2, 256, 4, 3), (2, 512, 7, 7), (1, 520, 2, 2), (12, 1, 2, 1)),
    *((65537, 2, 1, 1), (2, 8209, 1, 1), (1, 2, 1, 5003), (5, 1, 1, 1)),
)
"""Shapes of ordinary feature maps, and small ones: numbers of channels, images, rows and columns that
kernels treat in a way of their own, such as powers of two, multiples of four, more rows than columns."""


def _plain(shape: Shape) -> str:
    images, channels, height, width = shape
    return f"n{images * height * width}_{images}x{channels}x{height}x{width}"


PLANE_SHAPES: Dict[str, Shape] = {_plain(shape): shape for shape in _PLANES}
"""Maps a word that writes its dimensions, as in ``n24_2x2x4x3``, to the shape."""

SHAPES.update(PLANE_SHAPES)

_NETWORKS: Tuple[Shape, ...] = (
    *((16, 64, 8, 8), (2, 16, 64, 64), (16, 128, 1, 1), (128, 24, 1, 1), (16, 1, 28, 28)),
    *((16, 3, 16, 16), (5, 8, 15, 17), (2, 512, 8, 8), (1, 3, 224, 224), (4, 16, 72, 72)),
)
NETWORK_SHAPES: Dict[str, Shape] = {_plain(shape): shape for shape in _NETWORKS}
"""As PLANE_SHAPES, but images, channels and pixels are many at once, as in training."""

SHAPES.update(NETWORK_SHAPES)

MATRIX_SHAPES = (
    *("n2", "n8", "n30", "n256", "n102400"),
    *("n6_129_channels", "n387_129_images", "n771_257_wide", "n195_65_tall"),
)
"""The shapes of the matrix: five ordinary ones, and one of each kind of LONG_SHAPES. Edges and
spelled-out programs have the others: large ones (n4096 has more than 2**15 values, which torch splits
between threads), shapes that are extreme in one dimension (67 is a prime, larger than two vectors of 32),
PLANE_SHAPES and NETWORK_SHAPES."""

LARGE_SHAPES = ("n102400", "n4096", "n16384", "n204800")
"""The shapes so large that computing takes longer than the overhead of calling the module."""

REMAINDER: Dict[str, Shape] = {"n102400": (5, 3, 2, 3), "n204800": (5, 3, 2, 3)}
"""Maps a shape word to the shape of the batches after the first, b0, where that shape differs. A module
must not remember the size of an earlier batch, and checking 10^5 values in every forward would take too
long."""

LANES = ("exact", "bounded", "nonfinite")
"""exact: dyadic values whose statistics have no rounding error in any order of summation.
bounded: one numerical regime per channel.
nonfinite: as bounded, but every second batch has a NaN in one channel and an infinity in another."""

DTYPES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
"""The dtype of module and input. mixed: a float32 module and an input of the narrow dtype, as in mixed
precision."""

WIDE = DTYPES[:2]
"""The dtypes of both storage and arithmetic. Third derivatives, and the second derivatives of ``Nested``,
are specified for these alone."""

NARROW = ("float16", "bfloat16")
"""The dtypes that are stored in 16 bits and computed with in float32."""

LAYOUTS = ("contiguous", "channels_last", "permuted", "sliced", "expanded", "shifted")
"""The ways in which a batch may lie in memory. shifted: contiguous, but not from the start of its
storage."""

GRADIENT_LAYOUTS = LAYOUTS + ("scalar",)
"""The ways in which an upstream gradient may lie in memory. scalar: one number, expanded in all four
dimensions."""

CUT_LAYOUTS = ("cropped", "channel_part", "channel_step", "image_step", "channel_rest", "image_rest")
"""The ways to be a part of a larger contiguous tensor. cropped: without its last row and column.
channel_part, channel_rest: the first or second half of its channels. channel_step, image_step: every
second channel or image. image_rest: all images but the first."""

EXPANDED_LAYOUTS = ("image", "one_row", "one_channel")
"""The ways to repeat numbers, other than ``expanded``. image: one number for each image and channel.
one_row: one row. one_channel: one channel."""

CUT_CHANNELS_LAST = tuple(f"channels_last_{each}" for each in CUT_LAYOUTS)
"""The ways to be a part of a larger channels_last tensor."""

EVERY_LAYOUT = (
    *(*GRADIENT_LAYOUTS, "transposed", "swapped", *CUT_LAYOUTS, *EXPANDED_LAYOUTS),
    *(*CUT_CHANNELS_LAST, "windows", "unsqueezed"),
)
"""Every word for how a tensor lies in memory; edges and spelled-out programs use those that are no
GRADIENT_LAYOUTS. transposed: height and width have changed places in memory. swapped: images and
channels have. windows: each row is the row above it moved by one number, and they share their memory.
unsqueezed: channels_last, but a width of 1 is a dimension that ``unsqueeze(-1)`` has added."""

ATTACHED_COUNT = 5
"""The value of a counter that ``Attach`` attaches."""


class Given(NamedTuple):
    """Values that replace those of a named batch: plain data, so that a variant can be hashed.

    ``name``: the batch's name without a layout. ``data``: the bytes of the values in C order.
    """

    name: str
    shape: Tuple[int, ...]
    dtype: str
    data: bytes


class Variant(NamedTuple):
    """Lane, shape word, dtype word and input seed of a case, and batches that are given by value.

    No id writes ``given``: it comes from a user's file, or from the search for a smaller input.
    """

    lane: str = "bounded"
    shape: str = "n8"
    dtype: str = "float32"
    seed: int = 0
    given: Tuple[Given, ...] = ()

    @property
    def input_dtype(self) -> str:
        """The dtype of the inputs."""
        return self.dtype.replace("mixed_", "")

    @property
    def module_dtype(self) -> str:
        """The dtype of parameters and running statistics."""
        return "float32" if self.dtype.startswith("mixed_") else self.dtype

    @property
    def channels(self) -> int:
        """C, the module's num_features."""
        return SHAPES[self.shape][1]


REGIMES: Dict[str, str] = {
    "normal": "bell-shaped, mean and spread about 1",
    "offset_1e3": "mean 1e3, spread 1",
    "offset_1e6": "mean 1e6, spread 1: most of the significand is mean",
    "small": "about 1e-3: eps and the variance are of one size",
    "tiny": "about 1e-18: the variance vanishes beside eps",
    "huge": "about 1e12: eps vanishes beside the variance",
    "constant": "every value 100.1: the variance is 0",
    "outlier": "spread 0.01 and one value of 100",
    "alternating": "1 to 2 in size, sign alternating",
    "subnormal": "below the smallest normal number",
    "signed_zeros": "+0 and -0",
}
"""Maps the word of a numerical regime to its meaning. Channel i of a bounded batch has regime i
modulo 11; a batch of three channels has LARGE_REGIMES."""

LARGE_REGIMES = ("normal", "offset_1e3", "outlier")
"""The regimes of a batch of three channels, as of n102400. With a mean of 1e6 and 1e5 values in a
channel, some orders of summation leave no correct digit in float32, and there would be nothing to
check."""


def regimes(variant: Variant) -> Tuple[str, ...]:
    """Return the regime of each channel of the variant's batches."""
    if variant.lane == "exact":
        return ("dyadic",) * variant.channels
    if variant.channels == len(LARGE_REGIMES):
        return LARGE_REGIMES
    words = tuple(REGIMES)
    return tuple(words[channel % len(words)] for channel in range(variant.channels))


def nan_channel(channels: int) -> int:
    """Return the channel that has a NaN in batches of the nonfinite lane."""
    return 36 if channels == 67 else channels // 3  # regime "small" of 11 and of 67 channels


def inf_channel(channels: int) -> int:
    """Return the channel that has an infinity in batches of the nonfinite lane."""
    return {11: 8, 67: 63}.get(channels, channels - 1)  # regime "alternating" of 11 and of 67 channels
