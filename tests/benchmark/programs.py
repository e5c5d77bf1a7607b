"""Programs that measure inside a process, as templates for ``str.format``; each prints its numbers."""

from __future__ import annotations

CASES = """
import resource, sys, time
sys.path.insert(0, {root!r})
import torch
from cases import catalogue
from oracle.semantics import parse_release, semantics
from tests.conformance.session import freeze_imports
from tests.subject.module import eager
from tests.verdict.verdict import adjudicate
torch.set_num_threads(1)
rules = semantics(parse_release(torch.__version__))
ids = [each for family in {families!r} for each in catalogue.select(family, {tier!r}, (1, {every}))]
freeze_imports()  # as a run of pytest does
start, checked = time.perf_counter(), 0
for each in ids:
    verdict = adjudicate(catalogue.find(each), eager(torch.nn.BatchNorm2d), rules)
    checked += verdict.result.forwards
seconds = time.perf_counter() - start
print(len(ids), checked, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""Judges one in ``every`` cases of a tier; prints cases, forwards, seconds and the peak of memory."""

MODULE_TESTS = """
import time, unittest
from copy import deepcopy
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests
from torch.testing._internal.common_modules import module_db, modules
from torch.testing._internal.common_utils import TestCase, freeze_rng_state, gradcheck

torch.set_num_threads(1)
calls = []
torch.nn.modules.module.register_module_forward_hook(lambda *_: calls.append(1))
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


made = {{"TestBatchNorm2d": TestBatchNorm2d, "__name__": __name__}}
instantiate_device_type_tests(TestBatchNorm2d, made, only_for="cpu")
loader = unittest.defaultTestLoader
suite = unittest.TestSuite(
    loader.loadTestsFromTestCase(each)
    for each in made.values()
    if isinstance(each, type) and each is not TestBatchNorm2d
)
result = unittest.TestResult()
start = time.perf_counter()
suite.run(result)
seconds = time.perf_counter() - start
assert result.testsRun and result.wasSuccessful(), (result.testsRun, result.errors, result.failures)
print(result.testsRun, len(calls), seconds)
"""
"""Runs PyTorch's ModuleInfo entries for BatchNorm2d in its own harness; prints tests, forwards,
seconds."""
