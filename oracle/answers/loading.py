"""Answers about state dicts and checkpoints: missing and unexpected keys, sizes, old files, copies."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, FLOATING, STATISTICS, TENSORS
from oracle.answers.answer import Answer, Proof, Sentence, proved
from oracle.answers.checks import (
    Changed,
    Counts,
    Dtypes,
    Moves,
    NormalisesBy,
    Raises,
    Returns,
    Says,
    Shares,
    Unchanged,
)

ANSWERS: Tuple[Answer, ...] = (
    Answer(
        "old-checkpoint",
        'Missing key(s) in state_dict: "bn.num_batches_tracked": how do I load an old checkpoint?',
        (
            "missing key num_batches_tracked", "PyTorch 0.3", "PyTorch 0.4", "state_dict version",
            "_metadata",
        ),
        (
            Sentence(
                "A state dict from before torch 0.4.1 has no `num_batches_tracked` and no version of the "
                "layer in its `_metadata`. It loads strictly, and nothing is missing.",
                proved("edge-load-legacy", Returns(3), Changed(3, 2, FLOATING), Says(3, "missing;")),
            ),
            Sentence(
                "The counter of the module keeps its value then.",
                proved("edge-load-legacy", Counts(2, 7), Counts(3, 7)),
            ),
            Sentence(
                "The counter is set to 0 then.",
                proved("edge-load-legacy", Counts(2, 7), Counts(3, 0)),
                past=True,
            ),
            Sentence(
                "A state dict that says version 2 and lacks the counter raises RuntimeError \"Missing "
                "key(s)\".",
                proved("edge-load-no_counter", Raises(3, "RuntimeError", "Missing key")),
            ),
            Sentence(
                "A state dict without `_metadata`, such as one that was copied into a plain `dict`, "
                "counts as old: it may have the counter or not.",
                (Proof("edge-load-plain", (Returns(3),)), Proof("edge-load-legacy", (Returns(3),))),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1)
state = m.state_dict(); del state["num_batches_tracked"]
print(m.load_state_dict(dict(state)))
print(m.load_state_dict(state, strict=False))
""",
        """\
<All keys matched successfully>
_IncompatibleKeys(missing_keys=['num_batches_tracked'], unexpected_keys=[])
""",
        (
            "https://github.com/pytorch/pytorch/issues/8430",
            "https://github.com/pytorch/pytorch/issues/110361",
        ),
    ),
    Answer(
        "unexpected-keys",
        'Unexpected key(s) in state_dict: "running_mean", "running_var", "num_batches_tracked"',
        ("unexpected key", "strict=False", "load_state_dict", "track_running_stats=False checkpoint"),
        (
            Sentence(
                "The module was built with `track_running_stats=False`, or its buffers are None, and the "
                "file has buffers: RuntimeError.",
                (
                    Proof("edge-load-whole_untracked", (Raises(2, "RuntimeError", "Unexpected key"),)),
                    Proof("edge-load-whole_dropped", (Raises(4, "RuntimeError", "Unexpected key"),)),
                ),
            ),
            Sentence(
                "With `strict=False` the rest is loaded, the buffers are left out, and the returned "
                "value names them.",
                proved(
                    "edge-load-whole_loose_untracked", Returns(2), Changed(2, 1, ("weight", "bias")),
                    Says(2, "unexpected num_batches_tracked running_mean running_var"),
                ),
            ),
            Sentence(
                "A strict load that raises has loaded all the same what fits.",
                proved(
                    "edge-load-other_names", Raises(2, "RuntimeError", "Missing key"),
                    Changed(2, 1, ("bias", "running_var")), Unchanged(2, 1, ("weight", "running_mean")),
                ),
            ),
        ),
        """\
import torch
state = torch.nn.BatchNorm2d(1).state_dict()
m = torch.nn.BatchNorm2d(1, track_running_stats=False)
print(m.load_state_dict(state, strict=False))
""",
        """\
_IncompatibleKeys(missing_keys=[], unexpected_keys=['running_mean', 'running_var', 'num_batches_tracked'])
""",
        ("https://github.com/pytorch/pytorch/issues/12528",),
    ),
    Answer(
        "dataparallel-prefix",
        'Missing key(s) "weight", Unexpected key(s) "module.weight": the checkpoint of a wrapped model',
        ("DataParallel", "module. prefix", "DistributedDataParallel", "size mismatch for running_mean"),
        (
            Sentence(
                "Every key of the file begins with `module.`, so all are missing and all are unexpected. "
                "Nothing is loaded.",
                proved(
                    "edge-load-wrapped", Raises(2, "RuntimeError", 'Unexpected key'),
                    Unchanged(2, 1, TENSORS),
                ),
            ),
            Sentence(
                "With `strict=False` nothing is raised, and still nothing is loaded.",
                proved("edge-load-wrapped_loose", Returns(2), Unchanged(2, 1, TENSORS)),
            ),
            Sentence(
                "An entry of another size raises \"size mismatch\" even with `strict=False`; the other "
                "entries are loaded.",
                proved(
                    "edge-load-longer_loose", Raises(2, "RuntimeError", "size mismatch for"),
                    Unchanged(2, 1, ("running_mean",)), Changed(2, 1, ("weight", "bias", "running_var")),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1)
state = {"module." + key: value + 1 for key, value in m.state_dict().items()}
m.load_state_dict(state, strict=False); print(m.weight.item())
m.load_state_dict({key[7:]: value for key, value in state.items()}); print(m.weight.item())
""",
        """\
1.0
2.0
""",
    ),
    Answer(
        "what-a-checkpoint-holds",
        "What of a BatchNorm2d is in its state dict? What must I save for inference or export?",
        ("save and load", "state_dict keys", "inference checkpoint", "export", "eval only"),
        (
            Sentence(
                "`weight`, `bias`, `running_mean`, `running_var` and `num_batches_tracked`, as far as "
                "they are not None.",
                (
                    Proof(
                        "edge-text-tracked",
                        (Says(2, "bias num_batches_tracked running_mean running_var weight"),),
                    ),
                    Proof("edge-text-tracked", (Says(13, "num_batches_tracked running_var weight"),)),
                ),
            ),
            Sentence(
                "Not `eps`, `momentum`, `affine`, `track_running_stats` and not the mode: construct the "
                "module with the same arguments and call `eval()`.",
                proved(
                    "edge-text-tracked", Says(7, "eps=0.5, momentum=0.25"),
                    Says(13, "running_var weight"),
                ),
            ),
            Sentence(
                "Loading copies the numbers in the module's own dtype: a float16 file leaves a float32 "
                "module float32.",
                proved("edge-load-float16", Dtypes(2, "", "float32"), Changed(2, 1, FLOATING)),
            ),
            Sentence(
                "With `assign=True` the tensors of the state dict themselves take the place of the "
                "module's.",
                proved(
                    "edge-load-assigned_plain",
                    Says(2, "shared bias num_batches_tracked running_mean running_var weight"),
                ),
            ),
        ),
        """\
import torch
m = torch.nn.BatchNorm2d(1, eps=0.5, momentum=None).eval()
print(list(m.state_dict()))
m.running_var = None
print(list(m.state_dict()))
""",
        """\
['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
['weight', 'bias', 'running_mean', 'num_batches_tracked']
""",
        ("https://github.com/pytorch/pytorch/pull/102212",),
    ),
    Answer(
        "copies",
        "Does a copy of the module share its running statistics? (copy, deepcopy, EMA model)",
        ("copy.deepcopy", "copy.copy", "EMA", "teacher student", "clone a module"),
        (
            Sentence(
                "`copy.deepcopy` and pickling give a module with tensors of its own and the same "
                "numbers.",
                (
                    Proof("edge-accumulation-deepcopy", (Shares(4, ()), Unchanged(4, 3, TENSORS))),
                    Proof("edge-accumulation-pickle", (Shares(4, ()), Unchanged(4, 3, TENSORS))),
                ),
            ),
            Sentence(
                "`copy.copy` shares all five tensors: a forward of the copy updates the original.",
                proved("edge-protocol-copy", Shares(2, TENSORS), Changed(3, 2, BUFFERS)),
            ),
            Sentence(
                "`new.load_state_dict(old.state_dict())` copies the numbers and shares nothing.",
                proved("edge-accumulation-state_dict", Shares(4, ()), Unchanged(4, 3, TENSORS)),
            ),
        ),
        """\
import copy, torch
m, x = torch.nn.BatchNorm2d(1), torch.arange(4.0).reshape(1, 1, 2, 2)
shallow, deep = copy.copy(m), copy.deepcopy(m)
shallow(x)
print(int(m.num_batches_tracked), int(deep.num_batches_tracked))
""",
        """\
1 0
""",
    ),
    Answer(
        "set-by-hand",
        "Can I set running_mean and running_var by hand, for instance from TensorFlow or Keras weights?",
        ("moving_mean", "moving_variance", "convert weights", "m.running_mean = tensor", "copy_"),
        (
            Sentence(
                "Yes. Numbers that are copied into the buffers normalise in eval mode.",
                proved("edge-autograd-no_grad", Changed(1, 0, FLOATING), NormalisesBy(6, "running")),
            ),
            Sentence(
                "A module that was built with `track_running_stats=False` takes tensors, too, and uses "
                "them in eval mode; in train mode it leaves them as they are.",
                proved(
                    "edge-backward-statistics_attached", NormalisesBy(9, "running"),
                    NormalisesBy(12, "batch"),
                    Unchanged(12, 8, STATISTICS),
                ),
            ),
            Sentence(
                "Assigning a tensor raises TypeError \"cannot assign ... as parameter 'running_mean'\".",
                proved("edge-backward-statistics_attached", Raises(7, "TypeError", "cannot assign")),
                past=True,
            ),
            Sentence(
                "With `track_running_stats = True` as well, a forward in train mode updates them, and "
                "counts nothing where there is no counter.",
                proved(
                    "edge-backward-statistics_attached_and_tracked", Moves(13, 0.1), Counts(13, None),
                ),
            ),
            Sentence(
                "A weight or a bias must be a Parameter: a plain tensor raises TypeError.",
                proved("edge-attach-weight_tensor", Raises(1, "TypeError", "cannot assign"), Returns(2)),
            ),
        ),
        """\
import torch
m, x = torch.nn.BatchNorm2d(1).eval(), torch.full((1, 1, 1, 1), 7.0)
m.running_mean.fill_(5.0)
m.running_var = torch.full((1,), 4.0)
print(round(m(x).item(), 4))
""",
        """\
1.0
""",
    ),
)  # fmt: skip
