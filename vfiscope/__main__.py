"""``python -m vfiscope``."""

from vfiscope.cli import main

main()
