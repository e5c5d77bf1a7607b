"""The deviation of a load that changes the metadata of the state dict it is given."""

from __future__ import annotations

import dataclasses

from cases.state_dicts import TABLE
from cases.steps import LoadStateDict
from oracle.deviations.situation import Situation
from oracle.state import Expected


def assign_marks_metadata(right: Expected, situation: Situation) -> Expected:
    """The load adds a mark to the metadata of the state dict: the tensors are to be assigned."""
    if not isinstance(situation.step, LoadStateDict):
        return right
    contents = TABLE[situation.step.what]
    if not contents.assign or contents.version is None:
        return right
    return dataclasses.replace(right, input_changed=True)
