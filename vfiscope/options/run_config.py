"""The configuration of a run: every option, validated, as one immutable value."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict

from vfiscope.errors import UsageError
from vfiscope.options.figure_options import FigureOptions
from vfiscope.options.option import GROUPS, Declared
from vfiscope.registry import suggest

__all__ = [
    "RunConfig",
    "declared",
    "default_out",
    "not_identity",
    "not_stored",
    "sections",
    "stored_defaults",
]

JSON_SCALARS = (str, int, float, bool)
ORDER = (
    "Inputs",
    "Scores, maps and fields",
    "Pairing",
    "Frames",
    "Embedding",
    "Result",
    "Regions",
    "Figures",
)


class RunConfig(FigureOptions):
    """What to compare and how: one field per option of ``score``, ``scan`` and ``compare``; options
    of installed packages are further attributes."""

    model_config = ConfigDict(extra="allow")
    heading: ClassVar[str] = "Run"

    def __init__(self, mode: str, test: Any, ref: Any = None, **options: Any) -> None:
        """Validate options by name.

        Raises:
            UsageError: an option does not exist or has an invalid value, or two options do not go
            together.
        """
        values = {"mode": mode, "test": test, "ref": ref, **options}
        super().__init__(**_with_added(values))

    @classmethod
    def from_options(cls, mode: str, options: Mapping[str, Any]) -> Self:
        """A configuration from option names and values, as in a job file.

        A comma-separated text is read as a list where a list of names is declared.

        Raises:
            UsageError: an option does not exist, or has an invalid value.
        """
        values = {key.replace("-", "_"): value for key, value in options.items()}
        for name in values:  # before they become keywords: a job may hold "self"
            if name not in _open_names():
                raise UsageError(f"there is no option {name!r}: {suggest(name, _open_names())}")
        if values.get("test") is None:
            raise UsageError("test is missing: pass the video, folder or image to score")
        config = cls(mode, **values)
        for name in ("metrics", "kinds"):
            if (named := values.get(name)) is not None and not str(named).strip(", ()[]"):
                raise UsageError(f"{name} is empty: name at least one, or leave {name} out")
        return config

    def to_dict(self) -> dict[str, Any]:
        """Every option that can change what a run holds, as JSON-able values; arrays become
        ``"array"``."""
        return {
            name: _jsonable(getattr(self, name))
            for name, told in declared().items()
            if told.option.stored
        }

    def replace(self, **changes: Any) -> RunConfig:
        """A copy with some options changed; defaults of the mode follow the mode of the copy."""
        usual = {name: () for name, names in self.usual().items() if getattr(self, name) == names}
        return RunConfig(**{**dict(self), **usual, **changes})


def declared() -> dict[str, Declared]:
    """Every option by name, those of installed packages last.

    Raises:
        UsageError: an installed package declares an option that already exists.
    """
    found = {told.name: told for told in RunConfig.declared()}
    for name, group in GROUPS.items():
        for told in group.declared():
            if told.name in found:
                raise UsageError(
                    f"the option {told.name!r} of the group {name!r} already exists: rename it, or"
                    " uninstall the package that declares it"
                )
            found[told.name] = told
    return found


def sections(options: Iterable[Declared]) -> dict[str, list[Declared]]:
    """Options by the title of their group, in the order of help and docs."""
    found: dict[str, list[Declared]] = {title: [] for title in ORDER}
    for told in options:
        found.setdefault(told.heading, []).append(told)
    return found


def not_stored() -> frozenset[str]:
    """Options that never change what a run holds."""
    return frozenset(name for name, told in declared().items() if not told.option.stored)


def not_identity() -> frozenset[str]:
    """Options that may differ when unfinished work is continued: those not stored; inputs, which
    are identified by path and digest however they are spelled; and rules, applied at the end."""
    return not_stored() | {name for name, told in declared().items() if not told.option.identifies}


def stored_defaults() -> dict[str, Any]:
    """The defaults of stored options; a run that predates an option has its default."""
    return {
        name: _jsonable(told.default) for name, told in declared().items() if told.option.stored
    }


def default_out(test: Any) -> str:
    """The default name of the result: after the test, in the current folder."""
    parts = [part for part in Path(str(test)).parts if not any(mark in part for mark in "*?[%")]
    return f"{Path(parts[-1]).stem if parts and parts[-1].strip('/.') else 'vfiscope'}.h5"


def _open_names() -> list[str]:
    """The options that a user may pass by name."""
    return sorted(set(declared()) - {"mode"})


def _with_added(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with those of groups from installed packages validated by their groups.

    Raises:
        UsageError: an option is not declared anywhere.
    """
    rest = {name: value for name, value in values.items() if name not in RunConfig.model_fields}
    own = {name: value for name, value in values.items() if name in RunConfig.model_fields}
    for group in GROUPS.values():
        given = {name: rest.pop(name) for name in group.model_fields if name in rest}
        added = group(**given)
        for told in group.declared():
            told.check_mode(str(values.get("mode")), getattr(added, told.name))
        own |= dict(added)
    for name in rest:
        raise UsageError(f"there is no option {name!r}: {suggest(name, _open_names())}")
    return own


def _jsonable(value: Any) -> Any:
    if isinstance(value, tuple) and all(isinstance(each, JSON_SCALARS) for each in value):
        return list(value)
    if value is None or isinstance(value, JSON_SCALARS):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return "array"
