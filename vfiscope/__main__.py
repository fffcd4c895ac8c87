"""``python -m vfiscope``."""

from vfiscope.cli.entry import main

main()
