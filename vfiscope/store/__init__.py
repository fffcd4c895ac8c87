"""The HDF5 file: written so that a crash loses no finished work, read without torch."""

from vfiscope.store.amend import amend
from vfiscope.store.compare import differences
from vfiscope.store.pools import POOLS, ROLES, headline_role, pool, rows_of, worst_row
from vfiscope.store.run import LazyArray, Run
from vfiscope.store.schema import Ending, Header
from vfiscope.store.stage_tables import StageRecord, StageResult, Table
from vfiscope.store.verdict import Judgement, causes_of, judge
from vfiscope.store.writer import Writer

__all__ = [
    "POOLS",
    "ROLES",
    "Ending",
    "Header",
    "Judgement",
    "LazyArray",
    "Run",
    "StageRecord",
    "StageResult",
    "Table",
    "Writer",
    "amend",
    "causes_of",
    "differences",
    "headline_role",
    "judge",
    "pool",
    "rows_of",
    "worst_row",
]
