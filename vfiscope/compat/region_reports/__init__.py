"""Regions of a pair of frames in the JSON of other systems, with exactly their keys::

    from vfiscope.compat.region_reports import PairReport, write_report

    write_report(PairReport(regions, answer, test, ref), "trackshift-hybrid", "report.json")

These systems know no sequences: a report is of one test frame and its reference.
"""

from __future__ import annotations

from vfiscope.compat.region_reports.of_a_run import check_report, other_method, report_pair
from vfiscope.compat.region_reports.pair_report import PairReport
from vfiscope.compat.region_reports.schemas import REPORTS, Schema, report_of, write_report

__all__ = [
    "REPORTS",
    "PairReport",
    "Schema",
    "check_report",
    "other_method",
    "report_of",
    "report_pair",
    "write_report",
]
