"""Where a run starts: what can be refused without torch is refused before it is imported."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from vfiscope.config import RunConfig
from vfiscope.scoring.checks import open_checked

if TYPE_CHECKING:
    from vfiscope.scoring.pipeline import WrapDecoding, WrapScoring
    from vfiscope.store import Run

__all__ = ["run"]


def run(
    config: RunConfig, *, watch: WrapScoring | None = None, reading: WrapDecoding | None = None
) -> Run:
    """Do what a configuration says and open the result, see :func:`vfiscope.scoring.pipeline.run`.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    with ExitStack() as stack:
        inputs = open_checked(config, stack)
        from vfiscope.scoring import pipeline

        return pipeline.run(config, inputs=inputs, watch=watch, reading=reading)
