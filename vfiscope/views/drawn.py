"""Figures in the house style, with or without a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vfiscope.views.export import suffix_of
from vfiscope.views.style import FIGURE_DPI, METADATA, STYLE, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drawn"]


def drawn(
    compose: Callable[[], Figure], out: str | os.PathLike[str] | None, *, overwrite: bool
) -> Figure:
    """A figure, and its file where one is wanted.

    Args:
        compose: makes the figure, bound to no window and no global state.
        out: a .png, .svg or .pdf file; None to only return the figure.
        overwrite: replace a file that exists.

    Raises:
        UsageError: the extension is not supported.
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    import matplotlib

    path = None if out is None else Path(out)
    suffix = "" if path is None else suffix_of(path, tuple(METADATA))
    with matplotlib.rc_context(STYLE):
        figure = compose()
        if path is not None:
            how = {"format": suffix[1:], "dpi": FIGURE_DPI, "metadata": METADATA[suffix]}
            save_figure(figure, path, overwrite=overwrite, **how)
    return figure
