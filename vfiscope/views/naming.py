"""Names of runs and metrics in figures, and warnings about runs that are not comparable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.printable import printable
from vfiscope.registry import suggest
from vfiscope.store import headline_role
from vfiscope.types import MetricSpec, Needs, Role

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = [
    "EMBEDDER_KEYS",
    "choose",
    "embedder_groups",
    "heading",
    "informative",
    "labels_for",
    "labels_of",
    "metrics_of",
    "of_passed",
    "overlay_warnings",
    "signed",
    "title",
    "unit_of",
]

CUT = "cut"
"""Marks frames rather than measuring them: drawn as lines across the other panels."""
ACRONYMS = frozenset({"psnr", "ssim", "mse", "gmsd", "vfi"})
TITLES = {
    "psnr_y": "PSNR (luma)",
    "ssim_rgb": "SSIM (RGB)",
    "ms_ssim": "MS-SSIM",
    "psnr_div": "PSNR by divergence",
    "absdiff": "Absolute difference",
    "cosine": "Cosine distance",
    "cosine_before": "Cosine to frame before",
    "cosine_after": "Cosine to frame after",
    "midpoint_px": "Midpoint offset",
    "visible_both": "Visible in both",
    "visible_one": "Visible in one",
    "visible_none": "Visible in none",
    "error_both": "Error, visible in both",
    "error_one": "Error, visible in one",
    "error_none": "Error, visible in none",
}
MAX_LABEL_CHARACTERS = 48
"""Characters of a label."""
EMBEDDER_KEYS = (
    "name",
    "version",
    "weights_digest",
    "size",
    "aspect",
    "pool",
    "precision",
    "patch",
    "dim",
)


def overlay_warnings(
    runs: Sequence[Run], metrics: Sequence[str] | None = None, labels: Sequence[str] | None = None
) -> list[str]:
    """Warnings, one sentence each, about scores in one panel that are not comparable; empty if
    there are none.

    Scores that need features (cosine, mismatch) compare only where the embedder is the same: its
    name, version, weights, input size and aspect, pooling, precision, patch size and dimension.

    Args:
        runs: the runs to overlay.
        metrics: the scores to be drawn; all where None.
        labels: names of the runs; :func:`labels_of` where None.
    """
    sentences: dict[str, list[str]] = {}
    for metric, listed in embedder_groups(runs, labels or labels_of(runs)).items():
        if metrics is None or metric in metrics:
            sentences.setdefault(listed, []).append(metric)
    return [
        f"{', '.join(affected)}: different embedders, not comparable between these runs ({listed})"
        for listed, affected in sentences.items()
    ]


def embedder_groups(runs: Sequence[Run], labels: Sequence[str]) -> dict[str, str]:
    """{metric: its embedders, with the runs of each}, for those that different embedders made."""
    found = {}
    for metric in metrics_of(runs):
        using = [
            n
            for n, run in enumerate(runs)
            if metric in run.scores and Needs.FEATURES in run.specs[metric].needs
        ]
        embedders = _embedders([runs[n] for n in using])
        groups = {
            each: [labels[n] for n, e in zip(using, embedders, strict=True) if e == each]
            for each in embedders
        }
        if len(groups) > 1:
            found[metric] = "; ".join(
                f"{embedder}: {', '.join(names)}" for embedder, names in groups.items()
            )
    return found


def _embedders(runs: Sequence[Run]) -> list[str]:
    """A name for each run's embedder, with whatever distinguishes it from the others."""
    about = [
        {key: printable(str((run.embedder or {}).get(key))) for key in EMBEDDER_KEYS}
        for run in runs
    ]
    apart = [key for key in EMBEDDER_KEYS[1:] if len({each[key] for each in about}) > 1]
    if len({each["name"] for each in about}) == len({tuple(each.values()) for each in about}):
        apart = []
    return [
        " ".join(
            [each["name"], *(f"{key} {each[key].removeprefix('sha256:')[:12]}" for key in apart)]
        )
        for each in about
    ]


def metrics_of(runs: Sequence[Run]) -> list[str]:
    """Every metric that some run has, in the order of the runs."""
    return list(dict.fromkeys(name for run in runs for name in run.scores))


def choose(runs: Sequence[Run], metrics: Sequence[str] | None) -> list[str]:
    """The metrics to draw, one panel each: those asked for, or all but the cuts, those of passed
    frames alone last.

    Faults of one kind that no run has, whose panels would be flat, are drawn only where they are
    asked for.

    Raises:
        UsageError: there is no run, or none of them has such a metric.
    """
    if not runs:
        raise UsageError("there is no run to draw: pass one or more results")
    known = metrics_of(runs)
    for name in metrics or ():
        if name not in known:
            raise UsageError(f"no run has the metric {name!r}: {suggest(name, known)}")
    usual = [name for name in known if name != CUT and not all(absent(run, name) for run in runs)]
    names = list(dict.fromkeys(metrics)) if metrics else usual or known
    if not metrics:  # what only originals have values of is about a codec, and comes last
        names.sort(key=lambda name: all(of_passed(run, name) for run in runs if name in run.scores))
    if not names:
        raise UsageError(f"{runs[0].path} holds no scores: score again with some metrics")
    return names


def absent(run: Run, metric: str) -> bool:
    """True if a metric is one kind of fault and has no value worth flagging in a run."""
    if metric not in run.scores:
        return True
    spec, values = run.specs[metric], run.scores[metric]
    one_kind = not spec.ranks and not informative(spec)
    return bool(one_kind and not (np.abs(values - spec.identity) >= spec.floor).any())


def of_passed(run: Run, metric: str) -> bool:
    """True if only passed-through frames have values of a metric, where a run knows roles."""
    defined = run.frames.role[~np.isnan(run.scores[metric])]
    told = headline_role(run.frames) != "all"
    return bool(told and len(defined) and (defined == Role.PASSED).all())


def title(spec: MetricSpec, *, absolute: bool = False) -> str:
    """Name, unit and direction of a metric, each once: "PSNR [dB] ↑" is better the higher it is.

    With ``absolute`` a signed metric stands between bars, for the distance from its identity.
    """
    name = spec.name.upper() if spec.name in ACRONYMS else spec.name.replace("_", " ").capitalize()
    name = TITLES.get(spec.name, name)
    unit = f" [{unit_of(spec)}]" if unit_of(spec) else ""
    better = " ↓" if spec.lower_is_better else " ↑"
    if signed(spec):
        name, better = (f"|{name}|", " ↓") if absolute else (name, " (0 is best)")
    return f"{name}{unit}{'' if informative(spec) else better}"


def unit_of(spec: MetricSpec) -> str:
    """The unit of a metric as it is shown; "" where it has none."""
    return "" if spec.unit == "1" else spec.unit.replace("^2", "²")


def signed(spec: MetricSpec) -> bool:
    """True if departures to both sides are bad."""
    return spec.low < spec.identity < spec.high


def informative(spec: MetricSpec) -> bool:
    """True if the metric describes the material and not its quality: no departure is worth
    flagging."""
    return spec.floor >= spec.high - spec.low


def labels_of(runs: Sequence[Run]) -> list[str]:
    """Short names that tell the runs apart: result files, else test files, else results with their
    folders."""
    schemes = [
        [run.path.stem for run in runs],
        [_source(run, "test") for run in runs],
        [f"{run.path.parent.name}/{run.path.stem}" for run in runs],
    ]
    for names in schemes:
        shown = [_short(name) for name in names]
        if len(set(shown)) == len(runs) and all(shown):
            return shown
    return [f"{number} {_short(run.path.stem)}" for number, run in enumerate(runs, start=1)]


def labels_for(runs: Sequence[Run], labels: Sequence[str] | None) -> list[str]:
    """The labels of the runs, or without any those of :func:`labels_of`.

    Raises:
        UsageError: there is not one for each run; one is empty, too long or not printable; or two
            are the same.
    """
    if not labels:
        return labels_of(runs)
    given = [label.strip() for label in labels]
    if len(given) != len(runs):
        raise UsageError(
            f"{_many(len(given), 'label')} for {_many(len(runs), 'run')}: pass one for each run, in"
            " order"
        )
    for label in given:
        if not label or not label.isprintable() or len(label) > MAX_LABEL_CHARACTERS:
            raise UsageError(
                f"the label {label!r} is not a name: use 1 to {MAX_LABEL_CHARACTERS} printable"
                " characters"
            )
        if given.count(label) > 1:
            raise UsageError(f"the label {label!r} is used for two runs: give each its own")
    return given


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def heading(runs: Sequence[Run]) -> str:
    tests = [_source(run, "test") for run in runs]
    partners = [_partner(run) for run in runs]
    what = _short(tests[0]) if len(set(tests)) == 1 else f"{len(runs)} runs"
    return f"{what} {partners[0]}".strip() if len(set(partners)) == 1 else what


def _partner(run: Run) -> str:
    """What the test was compared with, in words."""
    for role in ("ref", "source", "golden"):
        if name := _source(run, role):
            own = f"frame {run.config.get('golden')}" if role == "golden" else "itself"
            return f"against {own if name == _source(run, 'test') else _short(name)}"
    lag = run.pairing.get("lag")
    return f"against itself {lag} frame{'s' * (lag > 1)} before" if lag else ""


def _source(run: Run, role: str) -> str:
    """The file name of a source; a glob or pattern with its folder; "" where there is none."""
    path = next((str(source["path"]) for source in run.sources if source.get("role") == role), "")
    parts = Path(path).parts
    return "/".join(parts[-2:] if any(mark in path for mark in "*?[%") else parts[-1:])


def _short(name: str) -> str:
    shown = printable(name)
    return shown if len(shown) <= MAX_LABEL_CHARACTERS else f"{shown[:26]}…{shown[-21:]}"
