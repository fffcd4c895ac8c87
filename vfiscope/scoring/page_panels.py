"""The two images of one page, as the inputs of a comparison."""

from __future__ import annotations

from contextlib import ExitStack

from vfiscope.config import RunConfig
from vfiscope.errors import SourceError
from vfiscope.regions.panels import find_panels
from vfiscope.scoring.inputs import open_inputs
from vfiscope.types import Box, Status

__all__ = ["with_panels"]


def with_panels(config: RunConfig) -> RunConfig:
    """The configuration with the two images that its page holds as test and reference.

    Args:
        config: without ``panels``, it is returned as it is.

    Raises:
        SourceError: the page cannot be read.
        UsageError: it does not hold two images of like size.
    """
    if not config.panels:
        return config
    alone = config.replace(panels=False, ref=config.test)
    with ExitStack() as stack:
        page = open_inputs(alone, stack)["test"]
        (single,) = page.singles([0])
    if single.status == Status.UNREADABLE:
        raise SourceError(f"{config.test} cannot be read: it is damaged or cut short")
    test, ref = find_panels(single.shown)
    return alone.replace(crop=_text(test), crop_ref=_text(ref))


def _text(box: Box) -> str:
    return ",".join(str(value) for value in box)
