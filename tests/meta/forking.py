"""Runs pytest in processes of their own that begin with torch imported.

An import of torch takes longer than most of these runs do without it. One process imports torch, and is
forked for each run, so that nothing of a run remains for the next. It has imported nothing of the suite,
and ends with the tests that started it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, NamedTuple, NoReturn, Tuple

POSSIBLE = hasattr(os, "fork")

IMPORTED = ("pytest", "torch", "torch.fx.experimental.symbolic_shapes")
"""The modules that are imported before a fork. A newer torch imports the last one at its first
backward."""


class Asked(NamedTuple):
    """A run: the arguments of pytest, the whole environment, and the folder in which it starts.

    ``folders``: to import from, the first of them the working directory. ``output``: the file that is
    printed to.
    """

    arguments: List[str]
    environment: Dict[str, str]
    folders: List[str]
    output: str


@lru_cache(maxsize=None)
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).resolve())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run(arguments: List[str], environment: Dict[str, str], folders: List[str]) -> Tuple[int, str]:
    """Return the exit status, negative for a signal, and everything that was printed."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        asked = Asked(arguments, environment, folders, str(output))
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        return status, output.read_text(encoding="utf-8")


def _perform(asked: Asked) -> NoReturn:
    """Act as the process of a run, as ``python -m pytest`` does; it ends as any other."""
    import pytest

    printed = os.open(asked.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (printed, 1), (printed, 2)):
        os.dup2(descriptor, standard)
    os.close(printed)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.folders[0])
    sys.path[:1] = asked.folders[1:] + asked.folders[:1]
    sys.argv[:] = [str(Path(pytest.__file__).with_name("__main__.py")), *asked.arguments]
    raise SystemExit(pytest.main())


def _status(waited: int) -> int:
    """Convert the status of a process as ``subprocess`` does."""
    return -os.WTERMSIG(waited) if os.WIFSIGNALED(waited) else os.WEXITSTATUS(waited)


def serve() -> None:
    """Fork for every line of the standard input, and answer with a status."""
    for name in IMPORTED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            _perform(Asked(*json.loads(line)))
        print(_status(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
