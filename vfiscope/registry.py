"""Tables of named things that other packages may add to.

A package names one of its modules under the entry point group ``vfiscope.plugins``; the module
calls :meth:`Registry.add` when it is imported::

    # pyproject.toml of the package
    [project.entry-points."vfiscope.plugins"]
    mine = "my_package.my_signal"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TypeVar

from vfiscope.errors import UsageError

__all__ = ["ENTRY_POINTS", "Registry", "load_plugins", "near_name", "suggest"]

ENTRY_POINTS = "vfiscope.plugins"
NEAR = 2 / 3
"""Share of letters that two names have in common, in order, for one to be taken for the other."""
T = TypeVar("T")
_loaded = False
_failed: str | None = None


class Registry(Mapping[str, T]):
    """{name: thing} in the order in which they were added; plugins are loaded at the first lookup.

    Args:
        kind: the singular noun for messages: "signal", "detector".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Add a thing under a name and return it.

        Raises:
            UsageError: the name is taken.
        """
        if name in self._things:
            raise UsageError(f"there is a {self.kind} {name!r} already: choose another name")
        self._things[name] = thing
        return thing

    def named(self, name: str) -> T:
        """The thing that a user named.

        Raises:
            UsageError: the name is unknown; the message suggests another.
        """
        if name not in self:
            raise UsageError(f"there is no {self.kind} {name!r}: {suggest(name, self)}")
        return self._things[name]

    def __getitem__(self, name: str) -> T:
        load_plugins()
        return self._things[name]

    def __contains__(self, name: object) -> bool:
        load_plugins()
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(dict(self._things))

    def __len__(self) -> int:
        load_plugins()
        return len(self._things)


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: "did you mean 'x'?", else a list of all known names."""
    known = list(known)
    if (near := near_name(name, known)) is not None:
        return f"did you mean {near!r}?"
    return f"choose from {', '.join(known) or 'none at all'}"


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that may have been meant by an unknown one, if any is near."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=NEAR)), None)


def load_plugins() -> None:
    """Import every module that an installed package names under ``vfiscope.plugins``, once.

    Raises:
        UsageError: one cannot be imported.
    """
    global _loaded, _failed
    if _failed is not None:  # every look fails: none computes without the plugin
        raise UsageError(_failed)
    if _loaded:
        return
    _loaded = True  # set first, because plugins look into tables while they are imported
    for point in entry_points(group=ENTRY_POINTS):
        try:
            point.load()
        except Exception as error:
            _failed = (
                f"the plugin {point.name} ({point.value}) cannot be loaded:"
                f" {type(error).__name__}: {error}: fix or uninstall it"
            )
            raise UsageError(_failed) from error
