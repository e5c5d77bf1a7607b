"""Every path is really taken, and takes with it what it promises."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any, Dict, Tuple

import pytest
import torch

from cases import catalogue, paths
from cases.construction import Config
from cases.errors import CaseError
from cases.paths import EAGER, PATHS
from cases.spelling import parse_program
from cases.variants import Variant
from oracle.paths import stepping
from oracle.semantics import RELEASES, semantics
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, PASS
from tests.meta.sources import ROOT
from tests.subject.module import LiveModule, eager
from tests.subject.paths import load, taken, unoffered
from tests.subject.paths.clauses import CONTRACTS
from tests.subject.paths.path import Path, PathError
from tests.verdict.verdict import adjudicate

new = pytest.mark.skipif(
    torch.__version__ < "2.13", reason="paths are specified for torch 2.13 and newer; install one"
)
HEAD = "steps-affine-track-momentum_0.1-bounded-n8-float32"
RULES = semantics(RELEASES[-1])


def driven(path: str, program: str, factory: Any = torch.nn.BatchNorm2d) -> Any:
    """Return a live module on the path after the steps of a program, none of which may raise."""
    way = load(path)
    variant = Variant("bounded", "n8", "float32")
    live = LiveModule(way.factory(factory), Config(11), variant, path=way)
    for step in (None, *parse_program(program)):
        seen = live.perform(step)
        assert seen.raised is None, seen.raised
    return live


def outcome(case_id: str) -> Tuple[str, str]:
    """Return the outcome of a case, and its clause."""
    case = catalogue.find(case_id)
    subject = eager(torch.nn.BatchNorm2d)
    subject = subject if case.path == EAGER else taken(subject, case.path)
    decided = adjudicate(case, subject, RULES.of_subject(subject.sums_exactly), strict_defects=False)
    return decided.outcome, decided.clause.name if decided.clause else decided.explanation


# --- names and tables ----------------------------------------------------------------------------


def test_every_name_has_a_class_a_model_and_clauses() -> None:
    for name, entry in PATHS.items():
        assert entry.module in CONTRACTS
        assert callable(stepping(name))
        if not entry.needs:
            assert issubclass(load(name), Path)
    clauses = [each.name for group in CONTRACTS.values() for each in group]
    shared = {each.name for each in CONTRACTS["compile"]} & {each.name for each in CONTRACTS["export"]}
    assert len(clauses) - len(shared) == len(set(clauses))


def test_an_id_alone_rebuilds_its_case_with_the_path() -> None:
    for plain in (f"{HEAD}-forward:b0", next(iter(catalogue.ids("matrix", "smoke"))) + "-seed7"):
        case = catalogue.find(f"{plain}-path_jit.script")
        assert (case.path, case.plain_id) == ("jit.script", plain)
        assert case.steps == catalogue.find(plain).steps
        assert case.on(EAGER) == catalogue.find(plain)


def test_an_unknown_path_is_refused_in_one_line() -> None:
    with pytest.raises(CaseError, match=r"'jit\.scrip' is no path; accepted: functional, "):
        catalogue.find(f"{HEAD}-forward:b0-path_jit.scrip")


def test_eager_runs_load_no_path() -> None:
    program = (
        "import sys, pytest\n"
        "pytest.main(['-q', '-p', 'no:cacheprovider', '--case', 'edge-eps-eps_0.0_untracked'])\n"
        "print([m for m in sys.modules if m.startswith(('tests.subject.paths.', 'oracle.paths.'))"
        " and not m.endswith('walk')])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stdout[-500:]


def test_lacking_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = PATHS["fx"]._replace(needs=("nowhere_to_be_found",))
    monkeypatch.setitem(paths.PATHS, "fx", entry)
    with pytest.raises(PathError, match="needs nowhere_to_be_found; run: pip install nowhere_to_be_found"):
        taken(eager(torch.nn.BatchNorm2d), "fx")


# --- each path is taken --------------------------------------------------------------------------

TRAIN = "preset,forward:b0,forward:b1"


def test_functional_calls_the_function_and_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    class Uncalled(torch.nn.BatchNorm2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise AssertionError("called")

    driven("functional", TRAIN, Uncalled)


class _Noting(torch.nn.BatchNorm2d):
    """Notes what each call of its forward looks like."""

    notes: Dict[str, Any]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.notes = {
            "parameter": isinstance(self.weight, torch.nn.Parameter),
            "stacked": torch._C._functorch.is_batchedtensor(x),
            "stacked weight": torch._C._functorch.is_batchedtensor(self.weight),
            "recorded": torch.is_grad_enabled(),
            "inference": torch.is_inference_mode_enabled(),
            "autocast": torch.is_autocast_enabled("cpu"),
        }
        _Noting.calls += 1
        return super().forward(x)

    calls = 0


@new
@pytest.mark.parametrize(
    ("path", "note", "value"),
    [
        ("functional_call", "parameter", False),
        ("vmap", "stacked", True),
        ("ensemble", "stacked weight", True),
        ("no_grad", "recorded", False),
        ("inference_mode", "inference", True),
        ("autocast", "autocast", True),
        ("checkpoint_reentrant", "recorded", False),
    ],
)
def test_the_call_is_the_path_s(path: str, note: str, value: bool) -> None:
    live = driven(path, "preset,eval,forward:b0", _Noting)
    assert live.module.notes[note] is value


@new
@pytest.mark.parametrize("path", ["checkpoint", "checkpoint_reentrant"])
def test_a_checkpoint_calls_the_module_again(path: str) -> None:
    _Noting.calls = 0
    live = driven(path, "preset,input_grad:b0,accumulate:ones", _Noting)
    assert _Noting.calls == 2
    assert int(live.module.num_batches_tracked) == 2


@new
def test_torchscript_runs() -> None:
    made = driven("jit.script", TRAIN).path.made
    assert isinstance(made, torch.jit.ScriptModule)
    assert "batch_norm" in made.code
    traced = driven("jit.trace", TRAIN).path.made
    assert isinstance(traced, torch.jit.TopLevelTracedModule)
    frozen = driven("jit.freeze", "preset,eval,forward:b0,forward:b1").path.made
    assert not list(frozen.parameters())
    assert "aten::batch_norm" in str(frozen.graph)


@new
def test_graphs_are_compiled() -> None:
    live = driven("dynamo", TRAIN)
    assert live.path.graphs == 1
    live.perform(parse_program("eval")[0])
    live.perform(parse_program("forward:b0")[0])
    assert live.path.graphs == 2


@pytest.mark.long
@new
@pytest.mark.parametrize("path", [name for name, each in PATHS.items() if each.module == "compile"])
def test_every_backend_compiles(path: str) -> None:
    assert driven(path, TRAIN).path.graphs >= 1


@new
@pytest.mark.parametrize("path", ["export", "export_dynamic", "export_decomposed"])
def test_a_program_is_exported(path: str) -> None:
    way = driven(path, TRAIN).path
    targets = {str(node.target) for node in way.program.graph.nodes if node.op == "call_function"}
    assert any("batch_norm" in each for each in targets)


def test_wrappers_wrap() -> None:
    live = driven("fx", TRAIN)
    assert isinstance(live.path.made, torch.fx.GraphModule)
    assert [node.op for node in live.path.made.graph.nodes] == ["placeholder", "call_module", "output"]
    assert isinstance(driven("data_parallel", TRAIN).path.made, torch.nn.DataParallel)


def test_another_module_is_there() -> None:
    assert isinstance(driven("sync", TRAIN).module, torch.nn.SyncBatchNorm)
    lazy = driven("lazy", TRAIN)
    assert type(lazy.module) is torch.nn.BatchNorm2d
    fused = driven("fused", "preset,eval,forward:b0").path.made
    assert isinstance(fused, torch.nn.Conv2d)
    assert fused.bias is not None


def test_cudnn_needs_a_device() -> None:
    if torch.cuda.is_available():
        taken(eager(torch.nn.BatchNorm2d), "cudnn_off")
    else:
        with pytest.raises(PathError, match="cuDNN needs a CUDA device"):
            taken(eager(torch.nn.BatchNorm2d), "cudnn_off")


# --- what was made is kept -----------------------------------------------------------------------


@new
def test_nothing_is_made_anew_unless_the_module_is_a_copy() -> None:
    live = driven("jit.script", TRAIN)
    made = live.path.made
    for word in ("eval", "set:momentum:0.5", "forward:b1", "convert:double"):
        live.perform(parse_program(word)[0])
    assert live.path.made is made
    live.perform(parse_program("deepcopy")[0])
    assert live.path.made is None


# --- the contract is strict ----------------------------------------------------------------------

SHOWN = {
    "no_grad": ("forward:b0", CONTRACT, "records_nothing"),
    "checkpoint": ("input_grad:b0,backward:ones", CONTRACT, "recomputes"),
    "vmap": ("forward:b0", CONTRACT, "vmap_update"),
    "jit.trace": ("forward:b0,set:momentum:0.5,forward:b1", CONTRACT, "trace_constants"),
    "jit.script": ("forward:b0,drop:weight,forward:b1", CONTRACT, "jit_none"),
    "jit.freeze": ("forward:b0", CONTRACT, "freeze_eval"),
    "fused": ("forward:b0", CONTRACT, "fused_eval"),
    "sync": ("drop:num_batches_tracked,forward:b0", CONTRACT, "sync_counter"),
    "fx": ("forward:b0,eval,forward:b1", PASS, ""),
}


@new
@pytest.mark.parametrize("path", SHOWN)
def test_a_clause_is_seen_where_it_applies(path: str) -> None:
    program, expected, clause = SHOWN[path]
    assert outcome(f"{HEAD}-preset,{program}-path_{path}") == (expected, clause)


@new
@pytest.mark.parametrize("path", [name for name, each in SHOWN.items() if each[1] == CONTRACT])
def test_a_clause_that_does_not_show_is_a_finding(path: str) -> None:
    """A subject that is called as usual does not show what the contract of the path says."""
    program = SHOWN[path][0]
    case = catalogue.find(f"{HEAD}-preset,{program}-path_{path}")
    subject = taken(eager(torch.nn.BatchNorm2d), path)
    usual = eager(torch.nn.BatchNorm2d)

    pretended = dataclasses.replace(subject, observe=lambda case: usual.observe(case.on(EAGER)))
    assert adjudicate(case, pretended, RULES, strict_defects=False).outcome == FINDING


def test_a_fault_is_reported_as_known_defect() -> None:
    case_id = "matrix-no_affine-no_track-momentum_1.0-alternating-no_mutation-never-bounded-n8-float32-path_lazy"
    found = outcome(case_id)
    assert found[0] == KNOWN_DEFECT
    assert "never learns num_features" in found[1]


def test_the_page_lists_every_path_and_clause() -> None:
    page = (ROOT / "tests" / "subject" / "paths" / "README.md").read_text(encoding="utf-8")
    names = [*PATHS, *(each.name for group in CONTRACTS.values() for each in group)]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize(
    ("steps", "number", "reason"),
    [
        ("jvp:b0:ordinary", 1, "calls the module itself"),
        ("input_grad:b0,triple:ones:offset:ones", 2, "third derivatives"),
        ("attach:weight:trainable.row,forward:b0", 1, "shape (1, C)"),
    ],
)
def test_steps_that_take_no_path_are_not_offered(steps: str, number: int, reason: str) -> None:
    case = catalogue.find(f"steps-affine-track-momentum_0.1-bounded-n8-float32-{steps}-path_fx")
    found = unoffered(case)
    assert found is not None
    assert found.step == number
    assert reason in found.reason
