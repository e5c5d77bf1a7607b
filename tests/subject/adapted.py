"""Makes the subject of an adapter class, or says in one line why it cannot be one. Needs no torch."""

from __future__ import annotations

from functools import partial
from typing import Optional, Type

import numpy as np

from cases.attributes import FLAGS, FLOATING
from cases.case import Case
from cases.construction import Config
from cases.inputs.storage import numpy_dtype
from cases.variants import DTYPES, Variant
from reports.rows import MODULE, STATE, VALUES
from tests.subject.adapter import WORDS, Adapter
from tests.subject.driven import construct, drive
from tests.subject.errors import SubjectError
from tests.subject.foreign import said
from tests.subject.offers import unoffered
from tests.subject.subject import Subject

STATES_NEED = ("train", "eval", "counter")
"""The words without which there is no promise of state."""


def load(name: str, adapter: Type[Adapter], promise: Optional[str]) -> Subject:
    """Return the subject; raises SubjectError for an adapter that offers less than the minimum.

    ``promise``: one of PROMISES; None for the adapter's own.
    """
    claimed = promise or adapter.promise
    _check_words(name, adapter, claimed)
    _try(name, adapter, claimed)
    return subject(adapter, name, claimed)


def subject(adapter: Type[Adapter], name: Optional[str] = None, promise: str = VALUES) -> Subject:
    """Return the subject of an adapter class that is known to work."""
    return Subject(
        name=name or f"{adapter.__module__}:{adapter.__qualname__}",
        observe=partial(drive, adapter=adapter, flags=promise == STATE),
        promise=promise,
        contract=adapter.contract,
        sums_exactly=adapter.sums_exactly,
        offers=partial(unoffered, offers=frozenset(adapter.offers)),
        implementation=adapter.implementation or adapter.__name__,
        shares_defects=False,
        adapts=True,
    )


def _check_words(name: str, adapter: Type[Adapter], promise: str) -> None:
    """Raise SubjectError for unknown words, and for a promise that needs more of them."""
    for word in sorted(adapter.offers):
        if word not in WORDS:
            raise SubjectError(f"subject {name!r}: offers {word!r}; accepted are {', '.join(WORDS)}")
    if promise == MODULE:
        raise SubjectError(
            f"subject {name!r}: an adapter promises {VALUES} or {STATE}; {MODULE} is what torch's own "
            "objects show"
        )
    if promise == STATE:
        missing = [word for word in STATES_NEED if word not in adapter.offers]
        if missing:
            words = ", ".join(missing)
            raise SubjectError(f"subject {name!r}: the promise {STATE!r} needs these offers: {words}")


def _first_dtype(adapter: Type[Adapter]) -> Optional[str]:
    return next((dtype for dtype in DTYPES if dtype in adapter.offers), None)


def _try(name: str, adapter: Type[Adapter], promise: str) -> None:
    """Raise SubjectError for an adapter below the minimum, naming the first thing that it cannot do.

    The minimum: it is constructed with eps and momentum; running statistics, weight and bias are written
    and read back; and a forward in one of the modes returns an output of the input's shape.
    """
    dtype = _first_dtype(adapter)
    modes = [mode for mode in ("train", "eval") if mode in adapter.offers]
    if dtype is None or not modes:
        needed = " or ".join(DTYPES) if dtype is None else "train or eval"
        raise SubjectError(f"subject {name!r}: it offers next to nothing: {needed} is missing in offers")
    case = Case("", "", Config(3), (), Variant(dtype=dtype))
    doing = "constructed with num_features=3, eps=1e-5, momentum=0.1"
    try:
        layer = construct(adapter, case)
        for each in FLOATING:
            doing = f"asked to write {each!r} and to read it back"
            layer.write(each, np.full(3, 0.5))
            values = layer.read(each)
            if values is None or np.shape(values) != (3,) or not np.allclose(values, 0.5):
                raise ValueError(f"it reads {values!r} where 0.5 in 3 channels was written")
        for mode in modes:
            doing = f"called for an ordinary batch of shape (2, 3, 2, 2), {mode}"
            x = np.arange(24).reshape(2, 3, 2, 2).astype(numpy_dtype(case.variant.input_dtype))
            shape = np.shape(layer.forward(x, mode == "train"))
            if shape != x.shape:
                raise ValueError(f"the output has shape {shape}")
        for flag in FLAGS if promise == STATE else ():
            doing = f"asked for the flag {flag!r}"
            if flag != "training":
                layer.flag(flag)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # this is foreign code, which may even exit
        raise SubjectError(
            f"subject {name!r}: the adapter offers less than the minimum: it cannot be {doing} "
            f"({said(error)})"
        ) from error
