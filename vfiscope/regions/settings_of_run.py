"""The settings of a method, from the options of a run and the parameters of the stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vfiscope.errors import EmbedderError
from vfiscope.options.region_options import RUN_OPTIONS
from vfiscope.regions.settings import Settings
from vfiscope.store import Run

__all__ = ["remedied", "settings_of"]


def settings_of(known: Mapping[str, Any], given: Mapping[str, Any]) -> Settings:
    """The settings of a method.

    Args:
        known: options of the run, by name.
        given: parameters of the stage; an embedder among them comes with its own weights.
    """
    own = given if given.get("embedder") else {**known, **_passed(given)}
    return Settings(
        sensitivity=given.get("sensitivity", "medium"),
        normal=given.get("normal"),
        embedder=str(own.get("embedder") or "auto"),
        weights=own.get("weights"),
        device=str(given.get("device") or known.get("device") or "cpu"),
        sam_weights=given.get("sam_weights"),
    )


@contextmanager
def remedied(run: Run, given: Mapping[str, Any]) -> Iterator[None]:
    """Errors that name the embedder, the weights or the device of a run say that they are the
    run's, and that others can be passed: it may have been made on another machine, and weights are
    relative to the folder that it was made in.

    Args:
        run: a finished run.
        given: parameters of the stage.
    """
    try:
        yield
    except EmbedderError as error:
        left = (name for name in RUN_OPTIONS if given.get(name) is None and run.config.get(name))
        named = {name: run.config[name] for name in left if str(run.config[name]) in str(error)}
        if not named:
            raise
        words = " and ".join(f"{name} {value}" for name, value in named.items())
        flags = " and ".join(f"--{name}" for name in named)
        raise type(error)(
            f"{error}; {run.path} was scored with {words}: pass another {flags} to vfiscope regions"
        ) from error


def _passed(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in RUN_OPTIONS if given.get(name) is not None}
