"""The two images of one page, as the inputs of a comparison."""

from __future__ import annotations

from contextlib import ExitStack

from vfiscope.config import RunConfig
from vfiscope.regions.panels import find_panels
from vfiscope.scoring.inputs import open_inputs
from vfiscope.types import Box

__all__ = ["with_panels"]


def with_panels(config: RunConfig) -> RunConfig:
    """The configuration with the two images that its page holds as test and reference.

    Args:
        config: without ``panels``, or with the images already found, it is returned as it is.

    Raises:
        SourceError: the page cannot be read.
        UsageError: it does not hold two images of like size.
    """
    if not config.panels or config.crop_ref is not None:
        return config
    with ExitStack() as stack:
        alone = config.replace(panels=False, ref=config.test)
        page = open_inputs(alone, stack)["test"]
        (single,) = page.singles([0])
    test, ref = find_panels(single.shown)
    return config.replace(ref=config.test, crop=_text(test), crop_ref=_text(ref))


def _text(box: Box) -> str:
    return ",".join(str(value) for value in box)
