"""The exceptions of vfiscope.

::

    VfiscopeError            base of all; the command line prints the message on one line
      UsageError             an option or argument is wrong, or two do not go together
      SourceError            an input cannot be read at all
        FormatError          a package is needed to read its format (a MissingPackageError too)
      PairingError           test and reference do not fit together
      EmbedderError          an embedder, its weights or its device cannot be had
      StoreError             a result file cannot be written, resumed or opened
        LockedError          another process is writing the same result
        OutputExistsError    the result already exists and overwriting was not asked for
        ResumeError          unfinished work was made from other inputs or settings
        DiskFullError        the result does not fit on the disk
      MissingPackageError    an optional package is needed for this

    Interrupted              Ctrl-C stopped work; the message says what is kept
    Terminated               the same for a requested exit, such as by SIGTERM

Every message names the thing, shows the value and says what to do.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "DiskFullError",
    "EmbedderError",
    "FormatError",
    "Interrupted",
    "LockedError",
    "MissingPackageError",
    "OutputExistsError",
    "PairingError",
    "ResumeError",
    "SourceError",
    "StoreError",
    "Terminated",
    "UsageError",
    "VfiscopeError",
    "interruption",
    "optional_import",
]


class VfiscopeError(Exception):
    """Base of every error that a user can cause or fix."""


class UsageError(VfiscopeError):
    """An option or argument is wrong, or two of them do not go together."""


class SourceError(VfiscopeError):
    """An input cannot be read at all."""


class PairingError(VfiscopeError):
    """Test and reference do not fit together."""


class EmbedderError(VfiscopeError):
    """An embedder, its weights or its device cannot be had."""


class StoreError(VfiscopeError):
    """A result file cannot be written, resumed or opened."""


class LockedError(StoreError):
    """Another process is writing the same result."""


class OutputExistsError(StoreError):
    """The result already exists and overwriting was not asked for."""


class ResumeError(StoreError):
    """Unfinished work was made from other inputs or settings."""


class DiskFullError(StoreError):
    """The result does not fit on the disk."""


class MissingPackageError(VfiscopeError):
    """An optional package is needed for this."""


class FormatError(SourceError, MissingPackageError):
    """An input cannot be read without an optional package."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped work; ``message`` says what of it is kept, ``kept`` is the number of
    rows."""

    def __init__(self, message: str, kept: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.kept = kept


class Terminated(SystemExit):
    """A requested exit, such as by SIGTERM, stopped work; ``code`` is its exit code."""

    def __init__(self, message: str, kept: int = 0, code: object = None) -> None:
        super().__init__(code)
        self.message = message
        self.kept = kept


def interruption(error: BaseException, message: str, kept: int = 0) -> BaseException:
    """The exception to raise instead of an interrupt, with a message; any other error unchanged."""
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(message, kept)
    return Terminated(message, kept, error.code) if isinstance(error, SystemExit) else error


def optional_import(module: str, extra: str) -> ModuleType:
    """Import an optional package, or say which extra installs it.

    Args:
        module: name as in ``import module``.
        extra: the extra of vfiscope that installs it.

    Raises:
        MissingPackageError: the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingPackageError(
            f"the package {error.name!r} is not installed: pip install 'vfiscope[{extra}]'"
        ) from error
