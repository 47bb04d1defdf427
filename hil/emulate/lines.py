"""Lines of a file descriptor that another thread can stop waiting for."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator

_PIECE = 4096


class StoppableLines:
    """The lines of `descriptor` until its end or `stop`, without their line ends.

    Python's own `sys.stdin` cannot be left in the middle of a read, and would hold up the end of the process.

    Args:
        descriptor: Never closed here.
        prompt: Called before each line is awaited.
    """

    def __init__(self, descriptor: int, prompt: Callable[[], None] = lambda: None) -> None:
        self._descriptor = descriptor
        self._prompt = prompt
        self._wake_reader, self._wake_writer = os.pipe()

    def __iter__(self) -> Iterator[str]:
        rest = b""
        while True:
            self._prompt()
            while b"\n" not in rest:
                readable, _, _ = select.select([self._descriptor, self._wake_reader], [], [])
                if self._wake_reader in readable:
                    return
                piece = os.read(self._descriptor, _PIECE)
                if not piece:
                    if rest:
                        yield os.fsdecode(rest)
                    return
                rest += piece
            line, _, rest = rest.partition(b"\n")
            yield os.fsdecode(line)

    def stop(self) -> None:
        """End the iteration, whichever thread is in it; may be called more than once."""
        os.write(self._wake_writer, b"x")
