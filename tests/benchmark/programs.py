"""What the benchmark runs in processes of their own, as templates for ``str.format``."""

from __future__ import annotations

NO_OPS = """
import pytest
import torch

@pytest.mark.parametrize("number", range({count}))
def test_nothing(number):
    pass
"""

INSIDE = """
import sys, time
sys.path.insert(0, {root!r})
import torch
from cases import catalogue, inputs
from oracle.semantics import parse_release, semantics
from tests import forecast, lockstep, verdict
from tests.conformance.protocol import spare_the_collector
torch.set_num_threads(1)
spent = dict.fromkeys(("forward", "oracle", "inputs", "cases"), 0.0)
within = [0.0]

def timed(function, name):
    # Without what is timed under a name of its own.
    def wrapper(*arguments):
        within.append(0.0)
        start = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            whole = time.perf_counter() - start
            spent[name] += whole - within.pop()
            within[-1] += whole
    return wrapper

class Subject(torch.nn.BatchNorm2d):
    __call__ = timed(torch.nn.BatchNorm2d.__call__, "forward")

inputs._named = timed(inputs._named, "inputs")
catalogue.find = timed(catalogue.find, "cases")
lockstep._compared = timed(lockstep._compared, "oracle")
lockstep._expected = timed(lockstep._expected, "oracle")
rules = semantics(parse_release(torch.__version__))
ids = [i for f in {families!r} for i in catalogue.select(f, {tier!r}, (1, {every}))]
ahead = forecast.Forecast(rules)
ahead.of = timed(ahead.of, "oracle")
spare_the_collector()  # as a run of pytest does
start, checked = time.perf_counter(), 0
for place, each in enumerate(ids):
    case, foreseen = ahead.of(each, ids[place + 1 : place + 1 + forecast.CASES])
    checked += verdict.adjudicate(case, Subject, rules, foreseen=foreseen).result.forwards
total = time.perf_counter() - start - spent["inputs"]  # which are made once, however many cases
print(spent["forward"], spent["oracle"], total / len(ids), checked)
"""

MODULE_TESTS = """
import atexit
from copy import deepcopy
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests
from torch.testing._internal.common_modules import module_db, modules
from torch.testing._internal.common_utils import TestCase, freeze_rng_state, gradcheck

calls = []
torch.nn.modules.module.register_module_forward_hook(lambda *_: calls.append(1))
atexit.register(lambda: print("forwards checked", len(calls)))
ENTRIES = [info for info in module_db if info.module_cls is torch.nn.BatchNorm2d]


def entries(info, training, dtype, grad):
    given = {{"device": "cpu", "dtype": dtype, "requires_grad": grad, "training": training}}
    for each in info.module_inputs_func(info, **given):
        made = each.constructor_input
        module = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
        yield module, each.forward_input.args[0]


class TestBatchNorm2d(TestCase):
    @modules(ENTRIES)
    def test_forward(self, device, dtype, module_info, training):
        with freeze_rng_state():
            for module, x in entries(module_info, training, dtype, False):
                self.assertEqual(module(x).shape, x.shape)

    @modules(ENTRIES)
    def test_non_contiguous_tensors(self, device, dtype, module_info, training):
        with freeze_rng_state():
            for module, x in entries(module_info, training, dtype, True):
                other = torch.stack([x.detach()] * 2, -1)[..., 0].requires_grad_()
                mine, theirs = deepcopy(module)(x), module(other)
                self.assertEqual(mine, theirs)
                mine.sum().backward()
                theirs.sum().backward()
                self.assertEqual(x.grad, other.grad)

    @modules(ENTRIES, allowed_dtypes=[torch.double])
    def test_grad(self, device, dtype, module_info, training):
        for module, x in entries(module_info, training, dtype, True):
            self.assertTrue(gradcheck(module, (x,)))


instantiate_device_type_tests(TestBatchNorm2d, globals(), only_for="cpu")
"""
