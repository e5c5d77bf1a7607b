"""Edges with parameters and buffers that are not dense in memory."""

from __future__ import annotations

from typing import Iterator, Tuple

from cases.attributes import FLOATING, PARAMETERS, STATISTICS
from cases.construction import CUMULATIVE, NO_AFFINE, TRACKED, UNTRACKED, Config
from cases.edges.edge import Edge
from cases.variants import DTYPES, Variant

GROUP = "memory"

_N30 = Variant("bounded", "n30", "float32")
_BACKWARD = "input_grad:b0,backward:ordinary"


def _attached(form: str) -> Iterator[Tuple[str, str]]:
    """Maps the name of a tensor to the step that attaches it in a form."""
    for name in FLOATING:
        kind = "tensor" if name in STATISTICS else "trainable"
        yield name, f"attach:{name}:{kind}.{form}"


def _forms() -> Iterator[Edge]:
    for name, attach in _attached("strided"):
        program = f"preset,{attach},{_BACKWARD},forward:b1.channels_last,eval,{_BACKWARD},preset,"
        program += "forward:b2"
        yield Edge(f"strided_{name}", GROUP, program, "every second value of a larger tensor")
    every = ",".join(attach for _, attach in _attached("strided"))
    program = f"{every},forward:b0.channels_last,forward:b1,deepcopy,eval,forward:b0.channels_last"
    yield Edge("strided_all", GROUP, program, "every second value of a larger tensor", TRACKED, _N30)
    for name, attach in _attached("shifted"):
        note = "it begins in the middle of its storage, as a part of one flat tensor of all parameters"
        program = f"preset,{attach},{_BACKWARD},forward:b1.channels_last,eval,{_BACKWARD},preset,"
        program += "forward:b2,deepcopy,forward:b0,load:plain,no_grad:b1"
        yield Edge(f"shifted_{name}", GROUP, program, note)
    for name, attach in _attached("expanded"):
        note = "one value for all channels: #28318; a write in place must be refused"
        program = f"preset,{attach},eval,{_BACKWARD},reset_parameters,preset,overwrite,load:plain,"
        program += "forward:b1"
        yield Edge(f"expanded_{name}_eval", GROUP, program, note)
        program = f"preset,{attach},{_BACKWARD},forward:b1,eval,forward:b0"
        yield Edge(f"expanded_{name}_train", GROUP, program, note)
    for name in STATISTICS:
        program = (
            f"preset,attach:{name}:tensor.row,forward:b0,eval,forward:b0,set:track_running_stats:false,"
            "train,forward:b0,load:plain,state_dict"
        )
        yield Edge(f"row_{name}", GROUP, program, "of shape (1, C): refused where it is used")


def _aliases() -> Iterator[Edge]:
    note = "torch updates the buffers first, and reads weight and bias then"
    for name, source in (("running_mean", "bias"), ("running_var", "weight")):
        program = f"preset,requires_grad:false,alias:{name}:{source},{_BACKWARD},forward:b1,show:order,"
        program += f"eval,{_BACKWARD},preset,deepcopy,train,forward:b2,reset_parameters,pickle,forward:b0"
        yield Edge(f"{name}_is_{source}", GROUP, program, note)
        program = f"preset,requires_grad:false,alias:{name}:{source},forward:b0.channels_last,forward:b1"
        yield Edge(f"{name}_is_{source}_channels_last", GROUP, program, note, CUMULATIVE, _N30)
        program = f"preset,alias:{name}:{source},forward:b0,eval,forward:b0"
        yield Edge(f"{name}_is_trainable_{source}", GROUP, program, "a statistic must not be trained")
    program = "preset,alias:running_var:running_mean,forward:b0,forward:b1,show:order,deepcopy,"
    program += "forward:b2,reset_running_stats,load:plain,forward:b0,state_dict,forward:b1"
    yield Edge("one_statistic", GROUP, program, "the mean is updated first")
    program = "alias:running_var:running_mean,convert:double,forward:wrong_float,forward:wrong_float"
    yield Edge("one_statistic_converted", GROUP, program, "a conversion makes two of one")


def _unseen() -> Iterator[Edge]:
    note = "a write through data, which no version counter sees"
    program = "preset,eval,forward:b0,overwrite,forward:b1,train,forward:b0,overwrite,forward:b2"
    yield Edge("overwritten", GROUP, program, note)
    program = "preset,input_grad:b0,overwrite,backward:ordinary"
    yield Edge("overwritten_between_train", GROUP, program, note + ": the backward reads the new weight")
    program = "preset,eval,input_grad:b0,overwrite,backward:ordinary"
    yield Edge("overwritten_between_eval", GROUP, program, note + ": #13402")
    yield Edge("overwritten_between_eval_no_affine", GROUP, program, note + ": #13402", NO_AFFINE)
    yield Edge("overwritten_between_untracked", GROUP, program, note, UNTRACKED)
    program = "preset,input_grad:b0,attach:weight:trainable,overwrite,backward:ordinary"
    yield Edge("overwritten_rebound", GROUP, program, "the forward's weight is no longer the module's")


def _switched() -> Iterator[Edge]:
    note = "requires_grad changes between a forward and its backward"
    for mode, enter in (("train", ""), ("eval", "eval,")):
        program = f"preset,{enter}input_grad:b0,requires_grad:false,retain:ordinary,requires_grad:true,"
        program += "backward:ordinary"
        yield Edge(f"frozen_between_{mode}", GROUP, program, note)
        program = f"preset,requires_grad:false,{enter}input_grad:b0,requires_grad:true,backward:ordinary"
        yield Edge(f"trainable_between_{mode}", GROUP, program, note)
    program = "preset,forward:b0,requires_grad:false,backward:ordinary,requires_grad:true,"
    program += "backward:ordinary"
    yield Edge("frozen_between_alone", GROUP, program, "nothing is left to differentiate")
    program = "preset,input_grad:b0,attach:weight:trainable,requires_grad:false,backward:ordinary"
    yield Edge("frozen_between_rebound", GROUP, program, "the forward's weight is no longer the module's")
    for name, step in (("accumulated", "accumulate:ordinary"), ("twice", "double:ordinary:ordinary")):
        program = f"preset,input_grad:b0,requires_grad:false,{step}"
        yield Edge(f"frozen_between_{name}", GROUP, program, note)


def _strided_weights() -> Iterator[Edge]:
    note = "the backward reads the weight by its stride"
    for layout in ("contiguous", "channels_last", "permuted"):
        passes = f"input_grad:b1.{layout},backward:ordinary.{layout}".replace(".contiguous", "")
        program = f"attach:weight:trainable.strided,preset,{passes},eval,{passes}"
        yield Edge(f"strided_weight_backward_{layout}", GROUP, program, note)


def _strided_statistics() -> Iterator[Edge]:
    note = "the backward reads the running statistics by their stride"
    for name in STATISTICS:
        for form in ("strided", "expanded"):
            attach = f"preset,eval,attach:{name}:tensor.{form}"
            for layout in ("contiguous", "channels_last"):
                passes = f"input_grad:b1.{layout},backward:ordinary.{layout}".replace(".contiguous", "")
                yield Edge(f"{form}_{name}_backward_{layout}", GROUP, f"{attach},{passes}", note)
        program = f"eval,attach:{name}:tensor.strided,input_grad:b0,backward:ordinary"
        variant = Variant("exact", "n2", "float32")
        yield Edge(f"strided_{name}_one_pixel", GROUP, program, note, TRACKED, variant)
        note_dropped = "#13402: a written buffer is read after the module has dropped it"
        program = f"preset,eval,input_grad:b0,overwrite,drop:{name},backward:ordinary"
        yield Edge(f"overwritten_{name}_dropped", GROUP, program, note_dropped)
    program = "preset,eval,input_grad:b0,train,no_grad:b1,deepcopy,earlier:ordinary"
    yield Edge("updated_then_copied", GROUP, program, "#13402: the copy has other buffers")


def _forms_elsewhere() -> Iterator[Edge]:
    note = "tensors that are not dense, in the other dtypes and without running statistics"
    for form in ("strided", "shifted"):
        for name, attach in _attached(form):
            program = f"preset,{attach},{_BACKWARD},eval,{_BACKWARD},forward:b1.channels_last,no_grad:b0"
            for dtype in DTYPES[1:]:
                variant = Variant("bounded", "n30", dtype)
                yield Edge(f"{form}_{name}_{dtype}", GROUP, program, note, TRACKED, variant)
            if name in PARAMETERS:
                yield Edge(f"{form}_{name}_untracked", GROUP, program, note, UNTRACKED)
            one = Variant("bounded", "n8_one_channel", "float32")
            yield Edge(f"{form}_{name}_one_channel", GROUP, program, note, Config(1), one)
            laid_out = program.replace("b0", "b0.permuted")
            yield Edge(f"{form}_{name}_permuted", GROUP, laid_out, note)


def _rows() -> Iterator[Edge]:
    note = "of shape (1, C): a forward takes it, a backward does not"
    for name in PARAMETERS:
        for layout in ("contiguous", "channels_last", "permuted"):
            passes = f"input_grad:b1.{layout},backward:ordinary.{layout}".replace(".contiguous", "")
            program = f"attach:{name}:trainable.row,preset,{passes},eval,{passes},forward:no_batch"
            yield Edge(f"row_{name}_backward_{layout}", GROUP, program, note)
        program = f"attach:{name}:parameter.row,preset,input_grad:b1,backward:ordinary,state_dict"
        yield Edge(f"row_{name}_frozen", GROUP, program, note)


def _one_parameter() -> Iterator[Edge]:
    note = "one tensor is weight and bias: its gradients add up"
    for name, source in (PARAMETERS, PARAMETERS[::-1]):
        passes = "input_grad:b1,retain:ordinary,double:ordinary:offset,accumulate:ones"
        program = f"preset,alias:{name}:{source},{passes},eval,{passes},show:order,zero_grad,forward:b0"
        yield Edge(f"{name}_is_{source}", GROUP, program, note)
    program = "preset,alias:bias:weight,input_grad:b1,jvp:b1:ordinary,reset_parameters,deepcopy,"
    program += "forward:b0,load:plain,state_dict,requires_grad:false,forward:b0"
    yield Edge("one_parameter", GROUP, program, "what is written as weight is read as bias")
    for name, source in (("running_mean", "bias"), ("running_var", "weight")):
        program = f"preset,forward:b0,accumulate:ones,alias:{name}:{source},forward:b0,"
        program += "requires_grad:false,forward:b1,zero_grad,forward:b0"
        yield Edge(f"{name}_is_{source}_with_grad", GROUP, program, "the .grad belongs to the tensor")


def _rows_of_nothing() -> Iterator[Edge]:
    note = "of shape (1, C): a row of it is broadcast against an empty input"
    passes = "input_grad:no_batch,backward:ordinary"
    for name in PARAMETERS:
        program = f"attach:{name}:trainable.row,preset,{passes},eval,{passes},accumulate:ones,"
        program += "forward:no_height,forward:no_width,forward:b1"
        variant = Variant("exact", "n2", "float32")
        yield Edge(f"row_{name}_empty", GROUP, program, note, TRACKED, variant)
        variant = Variant("exact", "n8_one_channel", "float32")
        yield Edge(f"row_{name}_empty_one_channel", GROUP, program, note, Config(1), variant)
        variant = Variant("exact", "n36_3x4x3x4", "float32")
        yield Edge(f"row_{name}_empty_wide", GROUP, program, note, Config(4), variant)


EDGES: Tuple[Edge, ...] = (
    *_forms(),
    *_aliases(),
    *_unseen(),
    *_switched(),
    *_strided_weights(),
    *_strided_statistics(),
    *_rows(),
    *_one_parameter(),
    *_rows_of_nothing(),
    *_forms_elsewhere(),
)
