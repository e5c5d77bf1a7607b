"""A second process that says in which case the process of the run ended.

Compiled code of a subject can end the process, or hang and keep Python's lock, and a signal can kill
it. No Python code of the run can then report anything. The run therefore writes to a pipe what the
subject is doing; when the pipe ends, the witness checks whether the process has ended, too.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

ENDING = 1.0
"""The seconds that an ending process may take from closing its pipe until it is gone."""


class Witness:
    """Starts the second process, which writes its line to the file descriptor ``errors``."""

    def __init__(self, errors: int) -> None:
        # Isolated and without site packages it starts in 20 ms. A session of its own spares it a Ctrl-C.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )

    def note(self, doing: str) -> None:
        """Tell what the subject is doing, the empty text between cases.

        Nothing happens if a subject has closed the pipe.
        """
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(OSError):
                os.write(pipe.fileno(), doing.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        """End the second process."""
        self.note("")
        with contextlib.suppress(OSError):
            self._process.communicate()


def main(run: int) -> None:
    """Read what the subject is doing, and report it if the process ``run`` ends in the middle of it."""
    doing = b""
    for line in sys.stdin.buffer:
        doing = line.rstrip(b"\n")
    by = time.monotonic() + ENDING
    while doing and os.getppid() == run and time.monotonic() < by:
        time.sleep(0.01)
    if doing and os.getppid() != run:
        sys.stderr.buffer.write(
            b"\nERROR: the process ended in the middle of " + doing + b", by compiled code or a signal, "
            b"so there is no record; run that alone with -s to see why, or all cases with -n 1\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]))
