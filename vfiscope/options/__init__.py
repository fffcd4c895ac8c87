"""Every option of vfiscope, declared once.

The command line, TOML and job files, the signatures of the Python functions and the page of options
in the docs are generated from the fields of :class:`RunConfig` and the :class:`Option` of each.
"""

from vfiscope.options.figure_options import FIGURE_NAMES
from vfiscope.options.option import GROUPS, VERBS, Declared, Group, Names, Option, Texts
from vfiscope.options.reading_options import ReadOptions
from vfiscope.options.run_config import (
    RunConfig,
    declared,
    default_out,
    not_identity,
    not_stored,
    sections,
    stored_defaults,
)

__all__ = [
    "FIGURE_NAMES",
    "GROUPS",
    "VERBS",
    "Declared",
    "Group",
    "Names",
    "Option",
    "ReadOptions",
    "RunConfig",
    "Texts",
    "declared",
    "default_out",
    "not_identity",
    "not_stored",
    "sections",
    "stored_defaults",
]
