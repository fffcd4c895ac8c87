"""A position in the text of a rule, and errors that name it."""

from __future__ import annotations

import re
from typing import NoReturn

from vfiscope.errors import UsageError

__all__ = ["EXAMPLES", "Scanner"]

EXAMPLES = "'ssim < 0.9 for 3 frames', 'mean(psnr) < 30 dB' or 'any(freeze) for 1 s'"


class Scanner:
    """A position in a rule's text, and errors that name it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.token = 0
        """Position at which the last token began."""
        self.at = 0
        self.skip("")

    def sees(self, pattern: str) -> bool:
        return re.compile(pattern, re.IGNORECASE).match(self.text, self.at) is not None

    def skip(self, pattern: str) -> str | None:
        """The next token in lower case and the spaces after it, where it fits the pattern."""
        match = re.compile(rf"({pattern})\s*", re.IGNORECASE).match(self.text, self.at)
        if match is None:
            return None
        self.token, self.at = match.start(), match.end()
        return match.group(1).lower()

    def take(self, pattern: str, wanted: str) -> str:
        token = self.skip(pattern)
        return self.fail(wanted) if token is None else token

    def fail(self, wanted: str, *, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        found = re.compile(r"\w+|\S|$").search(self.text, at)
        seen = repr(found.group()) if found and found.group() else "the end"
        raise UsageError(
            f"rule {self.text!r}: expected {wanted} at position {at + 1}, found {seen}: write it as"
            f" {EXAMPLES}"
        )
