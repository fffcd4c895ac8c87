"""The command line in this process."""

from __future__ import annotations

import pytest

from vfiscope.cli.program import main

QUICK = ["--metrics", "psnr", "--maps", "none", "--fields", "none", "--quiet"]


def call(*arguments: object) -> int:
    """Run the program in this process and give its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)
