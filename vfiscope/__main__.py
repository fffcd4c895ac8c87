"""``python -m vfiscope``."""

from vfiscope.cli.program import main

main()
