"""The cases of each test module: ordinary parametrised pytest tests, one for each case."""

from __future__ import annotations

import re
from typing import Any, Iterable, List, Tuple

from cases import catalogue, paths
from cases.paths import EAGER

PART = 500
"""The number of random programs in one test."""


def case_ids(family: str, option: Any) -> List[str]:
    """Return the ids of a family that the options ask for."""
    chosen = dict.fromkeys(option.path or [EAGER])
    if option.case:
        asked = dict.fromkeys(on for each in option.case for on in _on_paths(each, chosen))
        return [each for each in asked if catalogue.family_of(each) == family]
    suffix = f"-seed{option.seed}" if option.seed and family == "matrix" else ""
    return [
        each + suffix + paths.write(path)
        for path in chosen
        for each in catalogue.select(family, option.tier, option.shard or (1, paths.every(path)))
    ]


def _on_paths(case_id: str, chosen: Iterable[str]) -> List[str]:
    """Return the id alone if it names a path, otherwise the id on each of the chosen paths."""
    if paths.split(case_id)[1] != EAGER:
        return [case_id]
    return [case_id + paths.write(path) for path in chosen]


def searches(option: Any) -> List[Tuple[int, str]]:
    """Return the searches of ``--explore N``: a number of programs and a seed for each part."""
    if option.case:
        return []
    number, of = option.shard or (1, 1)
    parts = list(range(0, option.explore, PART))[number - 1 :: of]
    return [
        (min(PART, option.explore - start), f"{option.explore_seed}.{start // PART}")
        for start in parts
    ]


def parameters(module: Any, option: Any) -> Tuple[str, List[Any], List[str]]:
    """Return the name of the parameter of a test module, its values and their ids."""
    if hasattr(module, "FAMILY"):
        ids = case_ids(module.FAMILY, option)
        return "case_id", ids, ids
    found = searches(option)
    return "search", found, [f"{count}-seed{seed}" for count, seed in found]


_MODULE = re.compile(r"(^|/)tests/conformance/test_(?!exploration)\w+\.py::")


def is_case(nodeid: str) -> bool:
    """Whether a node id is that of a case's test."""
    return _MODULE.search(nodeid) is not None


def case_in(nodeid: str) -> str:
    """Return the case's id in the node id of its test, with any addition of a plugin."""
    return nodeid.partition("[")[2][:-1] or nodeid
