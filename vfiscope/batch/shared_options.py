"""Options that a batch has for all of its jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vfiscope.errors import UsageError
from vfiscope.options import FIGURE_NAMES, Declared, declared
from vfiscope.regions import METHODS
from vfiscope.registry import suggest

__all__ = ["checked", "inherited", "shared_options"]

OF_ONE_JOB = frozenset({"mode", "test", "out"})
NOT_NEEDED = frozenset({"overwrite"})
"""A batch replaces a result that was made with other settings by itself."""
LEAVES_OUT = {
    "embedder": ("weights", "lora_alpha"),
    "register": ("register_weights",),
    "ref": ("source",),
    "source": ("ref",),
    "golden": ("lag",),
    "lag": ("golden",),
}
"""{option of a job: the shared options that belong to another value of it, or exclude it}"""


def shared_options(among: Iterable[Declared] | None = None) -> dict[str, Declared]:
    """Every option that a batch takes for all jobs, by name: of those declared, with the ones of
    installed packages where nothing else is passed."""
    return {
        told.name: told
        for told in (declared().values() if among is None else among)
        if told.option.verbs and told.name not in OF_ONE_JOB | NOT_NEEDED
    }


def checked(options: Mapping[str, Any], *, drawn: bool) -> dict[str, Any]:
    """Shared options, validated before any job runs.

    Raises:
        UsageError: an option is not one that jobs can share, has an invalid value, names no
            method for regions, or says how to draw figures that are not drawn.
    """
    known = shared_options()
    for name in options:
        if name in FIGURE_NAMES and not drawn:
            raise UsageError(
                f"{name} is for figures, and none are drawn: pass --visualize, or leave it out"
            )
        if name not in known:
            raise UsageError(f"a batch has no option {name!r}: {suggest(name, known)}")
    values = {name: known[name].validated(value) for name, value in options.items()}
    if (method := values.get("regions")) not in (None, "none"):
        METHODS.named(str(method))
    return values


def inherited(mode: str, own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """The shared options that a job of this mode takes over: those that its mode has, and that are
    neither set by the job itself nor belong to another value of what it sets."""
    known = declared()
    taken = {*own, *(other for name in own for other in LEAVES_OUT.get(name, ()))}
    return {
        name: value
        for name, value in shared.items()
        if mode in known[name].option.verbs and name not in taken
    }
