"""Try a port on the vectors: ``python numpy_consumer.py DIR [MODULE:CLASS]``. It needs NumPy alone."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any, Counter, Dict, Optional

import numpy as np

Json = Dict[str, Any]


class Vectors:
    """The files of a directory of vectors."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.table = self.load("arrays.json")
        if self.load("manifest.json")["format"] != 1:
            sys.exit(f"{folder}: this consumer reads vectors of format 1")
        self.pools = {name: np.load(str(self.folder / f"{name}.npy")) for name in ("float32", "float64")}

    def load(self, name: str) -> Any:
        """Return the contents of a JSON file."""
        return json.loads((self.folder / name).read_text())

    def array(self, number: int, part: str = "values") -> np.ndarray:
        """Return the values or the budget of an array; of a large one, those at its points."""
        entry = self.table["arrays"][number]
        shape = [len(self.table["points"][entry["points"]])] if "points" in entry else entry["shape"]
        pool, start = entry[part]
        values: np.ndarray = self.pools[pool][start : start + int(np.prod(shape))]
        return values.reshape(shape).astype(np.float64)

    def wrong(self, name: str, want: Any, got: Any) -> Optional[str]:
        """Say what is wrong with what a port shows under a name; None if nothing is."""
        if want is None or got is None or name == "num_batches_tracked":
            return None if want == got else f"is {got} instead of {want}"
        entry, got = self.table["arrays"][want], np.asarray(got, np.float64)
        if list(got.shape) != entry["shape"]:
            return f"is of shape {got.shape} instead of {entry['shape']}"
        if "points" in entry:
            got = got.reshape(-1)[self.table["points"][entry["points"]]]
        value, budget = self.array(want), self.array(want, "budget")
        conforms = (got == value) | (np.isnan(got) & np.isnan(value)) | (budget == np.inf)
        for at in map(tuple, np.argwhere(~(conforms | (np.abs(got - value) <= budget)))):
            return f"has {got[at]:.9g} instead of {value[at]:.9g} within {budget[at]:.3g}"
        return None


def perform(step: Json, number: int, port: Any, saved: Any, vectors: Vectors, dtype: str) -> Any:
    """Perform a step and return the arrays that the port returns, by name."""
    if step["do"] == "forward":
        x = vectors.array(step["input"]).astype(step.get("dtype", dtype))
        output, saved[number] = port.forward(x)
        return {"output": output}
    if step["do"] == "backward":
        return port.backward(saved[step["of"]], vectors.array(step["upstream"]))
    if step["do"] == "set":
        value = step["value"]  # a number that is not finite is a text
        setattr(port, step["name"], float(value) if isinstance(value, str) else value)
    elif step["do"] == "assign":
        for name, content in step["state"].items():
            plain = content is None or name == "num_batches_tracked"
            setattr(port, name, content if plain else vectors.array(content).astype(port.dtype))
    elif step["do"] != "construct":
        getattr(port, step["do"])()  # reset_running_stats, reset_parameters
    return {}


def try_case(test: Json, group: Json, port_class: Any, vectors: Vectors) -> Any:
    """Return the flag that ends the case early, or None, and what is wrong, or None."""
    port, saved, state = None, {}, {}  # type: Any, Json, Json
    for number, step in enumerate(test["steps"]):
        lacks = port_class.lacks & {*test["flags"], *step.get("flags", ())}
        if lacks:
            return min(lacks), None
        port = port or port_class(group["config"], group["dtype"])
        try:
            returned, raised = perform(step, number, port, saved, vectors, group["input_dtype"]), None
        except Exception as error:  # a port may raise anything
            returned, raised = {}, repr(error)
        if (raised is None) == ("raises" in step):
            return None, f"step {number} ({step['do']}): raised {raised} instead of {step.get('raises')}"
        state.update(step.get("state", {}))
        shown = {**{name: getattr(port, name) for name in state}, **returned}
        for name, want in {**state, **step.get("returns", {})}.items():
            wrong = vectors.wrong(name, want, shown.get(name))
            if wrong:
                return None, f"step {number} ({step['do']}): {name} {wrong}; flags {step.get('flags')}"
    return None, None


@np.errstate(all="ignore")
def try_port(folder: str, port_class: Any) -> int:
    """Try a port on every case, print what is wrong and what was left out; return how many cases fail."""
    vectors, passed, failed = Vectors(folder), 0, 0
    ended: Counter[str] = Counter()
    for name in vectors.load("manifest.json")["cases"]:
        for group in vectors.load(name)["testGroups"]:
            for test in group["tests"]:
                flag, wrong = try_case(test, group, port_class, vectors)
                passed, failed = passed + (flag is wrong is None), failed + (wrong is not None)
                ended.update([flag] if flag else [])
                if wrong:
                    print(f"FAILED {test['id']}\n  {wrong}")
    print(f"{passed} passed, {failed} failed, {sum(ended.values())} ended early by what the port lacks:")
    print("".join(f"  {count} {flag}\n" for flag, count in sorted(ended.items())), end="")
    return failed


if __name__ == "__main__":
    module, _, name = (sys.argv[2] if len(sys.argv) > 2 else "numpy_port:BatchNorm2d").partition(":")
    sys.exit(try_port(sys.argv[1], getattr(importlib.import_module(module), name)) > 0)
