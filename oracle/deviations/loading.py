"""The deviation of a load that leaves a mark in the state dict it is given."""

from __future__ import annotations

import dataclasses

from cases.state_dicts import TABLE
from cases.steps import LoadStateDict
from oracle.deviations.situation import Situation
from oracle.state import Expected


def assign_marks_metadata(right: Expected, situation: Situation) -> Expected:
    """The metadata of the state dict says afterwards that it is to be assigned."""
    if not isinstance(situation.step, LoadStateDict):
        return right
    contents = TABLE[situation.step.what]
    if not contents.assign or contents.version is None:
        return right
    return dataclasses.replace(right, input_changed=True)
