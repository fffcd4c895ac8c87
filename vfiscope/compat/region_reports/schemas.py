"""The reports by name, and the file that they are written to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vfiscope.compat.region_reports import other_reports, trackshift_reports
from vfiscope.compat.region_reports.pair_report import PairReport
from vfiscope.files import replacing
from vfiscope.registry import Registry

__all__ = ["REPORTS", "Schema", "report_of", "write_report"]


@dataclass(frozen=True)
class Schema:
    """How a system writes its report."""

    make: Callable[[PairReport], Any]
    """The JSON value."""
    file_name: str
    """As the system names the file; as we do where it writes none."""
    methods: Collection[str] = ()
    """Whose regions the system reports; the first reproduces what it published."""
    indent: int = 2


REPORTS: Registry[Schema] = Registry("schema for reports of regions")
"""{name: schema}"""
for _name, _schema in {
    "trackshift-hybrid": Schema(
        trackshift_reports.hybrid_report,
        "anomaly_report_sam.json",
        ("hybrid-legacy", "hybrid"),
        indent=4,
    ),
    "trackshift-fusion": Schema(
        trackshift_reports.hybrid_report,
        "anomaly_report_sam.json",
        ("fusion-legacy", "fusion"),
        indent=4,
    ),
    "trackshift-ensemble": Schema(
        trackshift_reports.ensemble_report,
        "ensemble_results.json",
        ("ensemble-legacy", "ensemble"),
    ),
    "trackshift-dinov3": Schema(
        trackshift_reports.dinov3_report, "results.json", ("semantic-legacy", "semantic")
    ),
    "trackshift-patchcore": Schema(
        trackshift_reports.peaks_report, "report.json", ("patchcore-legacy", "patchcore")
    ),
    "frameshift": Schema(
        other_reports.frameshift_report,
        "frameshift_v3_report.json",
        ("patchcore-legacy", "patchcore", "frameshift-legacy"),
    ),
    "tblip2": Schema(
        other_reports.cluster_info, "cluster_info.json", ("clusters-legacy", "clusters")
    ),
    "spotter": Schema(
        other_reports.spotter_table, "differences.json", ("spotter-legacy", "spotter")
    ),
}.items():
    REPORTS.add(_name, _schema)


def report_of(report: PairReport, schema: str) -> Any:
    """The JSON value of a report.

    Args:
        report: a pair of frames and its regions.
        schema: one of :data:`REPORTS`.

    Raises:
        UsageError: there is no such schema.
        StoreError: the mask of a region cannot be read.
    """
    return REPORTS.named(schema).make(report)


def write_report(
    report: PairReport, schema: str, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a report as JSON and return its path.

    Raises:
        UsageError: there is no such schema.
        OutputExistsError: the file exists and ``overwrite`` is False.
        StoreError: the file cannot be written, or the mask of a region cannot be read.
    """
    value, path = report_of(report, schema), Path(path)
    text = json.dumps(value, indent=REPORTS[schema].indent, allow_nan=False)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
