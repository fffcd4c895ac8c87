"""Where the program begins: an interrupt is one line from the first instant on.

Almost nothing is imported before an interrupt is caught. While libraries are imported, and while
the interpreter ends, an interrupt would come out of their code as a traceback, or be lost in it:
the program ends at once instead. In between, work is put away first.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

__all__ = ["INTERRUPTED", "catch", "main"]

INTERRUPTED = 130
"""Exit code: 128 and the number of the signal, as shells say it."""


def main() -> None:
    """Entry point of ``vfiscope`` and ``python -m vfiscope``."""
    catch(signal.SIGINT, _end)
    from vfiscope.cli import program

    try:
        program.main()
    except SystemExit as done:
        catch(signal.SIGINT, _end)
        if done.code == INTERRUPTED:
            _leave()  # large libraries take seconds to end
        raise
    except KeyboardInterrupt:  # one more, while the first was being told
        _leave()


def catch(number: signal.Signals, handler: Callable[..., object]) -> None:
    """Handle a signal, unless the program was started to ignore it: a script ignores interrupts for
    what it runs in the background, as ``nohup`` and ``trap ''`` do for other signals."""
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, handler)


def _end(_number: int, _frame: object) -> None:
    os.write(2, b"vfiscope: interrupted\n")
    os._exit(INTERRUPTED)


def _leave() -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(INTERRUPTED)
