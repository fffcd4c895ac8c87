"""Text for people: progress and messages on stderr, the summary on stdout."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vfiscope.cli.terminal import CleanFormatter
from vfiscope.printable import printable
from vfiscope.types import Code, Note, counted, date, duration

if TYPE_CHECKING:
    from vfiscope.inspection.doctor import Diagnosis
    from vfiscope.sources import Source
    from vfiscope.types import Frames, Scores

__all__ = [
    "describe",
    "describe_diagnosis",
    "log_to_stderr",
    "plain",
    "progress",
    "reading",
    "rows_read",
]

MOST_GAPS = 2
"""More gaps between photos than these, such as nights, are one line."""
MOST_RANGES = 200
"""Flagged ranges of frames that are listed."""
Row = TypeVar("Row")
Batch = TypeVar("Batch", bound="Frames | Scores")
PROGRESS_BAR_FORMAT = (
    "{l_bar}{bar}| {n:.1f}/{total:.1f} s of video [{elapsed} + {remaining}{postfix}]"
)
DATED_BAR_FORMAT = "{l_bar}{bar}| [{elapsed} + {remaining}{postfix}]"
"""Of photos, between which days may pass."""
OTHER_ROLES = {"passed": "passed through", "held": "between frames of the same drawing"}
"""{role beside the synthesised one: words for its frames}"""
OUTCOMES = {
    "partner_unreadable": "without a readable partner",
    "corrupt": "in a pair with a corrupt frame",
}
"""Words for the counts of frames whose names say too little."""


def log_to_stderr(quiet: bool) -> None:
    log = logging.getLogger("vfiscope")
    handler = logging.StreamHandler()
    handler.setFormatter(CleanFormatter("vfiscope: %(message)s"))
    log.handlers = [handler]
    log.setLevel(logging.ERROR if quiet else logging.INFO)


def progress(scores: Iterable[Scores], test: Source, done: int) -> Iterator[Scores]:
    """A bar on stderr, by seconds of the test scored; silent where stderr is not a terminal."""
    return _bar(((batch, batch.frames.time_s) for batch in scores), test, done)


def reading(frames: Iterable[Frames], source: Source, what: str) -> Iterator[Frames]:
    """A bar on stderr, by seconds of a source read, removed at the end; silent where stderr is not
    a terminal."""
    return _bar(((batch, batch.time_s) for batch in frames), source, 0, desc=what, leave=False)


def rows_read(rows: Iterable[Row], total: int) -> Iterable[Row]:
    """A bar on stderr over rows of a run that are read again, removed at the end; silent where
    stderr is not a terminal."""
    from tqdm import tqdm

    made: Iterable[Row] = tqdm(rows, "regions", total, disable=None, leave=False, unit=" frames")
    return made


def _bar(
    timed: Iterable[tuple[Batch, Any]], source: Source, done: int, **look: Any
) -> Iterator[Batch]:
    """The batches, unchanged; each comes with the times of its rows, and the total is the selected
    part of the source."""
    from tqdm import tqdm

    start, stop = source.span_s
    total = None if stop is None or stop <= start else stop - start
    look_of_bar = DATED_BAR_FORMAT if source.info.times_from else PROGRESS_BAR_FORMAT
    with tqdm(
        total=total,
        disable=None,
        bar_format=look_of_bar if total else None,
        unit="s",
        **look,
    ) as bar:
        frames, first = 0, None
        for batch, times in timed:
            yield batch
            if first is None:
                # Rows done in an earlier call do not count towards the speed.
                first = float(times[0]) - start
                bar.initial = bar.n = bar.last_print_n = min(max(0.0, first), bar.total or first)
                bar.unpause()
            frames += len(batch)
            reached = float(times[-1]) - start
            bar.update((min(reached, bar.total) if bar.total else reached) - bar.n)
            bar.set_postfix_str(f"{done + frames} frames", refresh=False)
        # The claimed duration is not always there, and the last frame begins before the end.
        bar.total = bar.n or bar.total


def describe(summary: dict[str, Any], heading: str = "") -> str:
    """The summary as text for people, headed by what was done to how many frames."""
    frames = summary["frames"]
    heading = heading or ("{} compared" if summary["mode"] == "compare" else "{} scored")
    rest = ", ".join(
        f"{number} {OUTCOMES.get(what, what)}"
        for what, number in frames.items()
        if what not in ("scored", "total") and number
    )
    lines = [
        (
            f"{_short(summary['out'])}:"
            f" {heading.format(_count(frames['scored']))}{', ' + rest if rest else ''}"
        ),
        "",
    ]
    if summary.get("taken"):
        lines[1:] = [str(Note(Code.TAKEN, summary["taken"])), ""]
    if summary["mode"] == "compare" and frames["unpaired"] == frames["total"]:
        lines = [f"{_short(summary['out'])}: {_count(frames['total'])} without a reference"]
    elif summary["mode"] == "compare":
        lines += [f"{name:<13} {_single(pooled)}" for name, pooled in summary["metrics"].items()]
    elif summary.get("kinds") and not summary["metrics"]:
        found = len(summary["segments"])
        lines += [f"looked for {', '.join(summary['kinds'])}: {counted(found, 'segment')}"]
    else:
        lines += [f"{_about(summary)}:", *_table(summary["metrics"])]
    for role, words in OTHER_ROLES.items():
        if group := summary["roles"].get(role):
            lines += ["", f"{_count(group['frames'])} {words}, {_means(group['metrics'])}"]
    for role in dict.fromkeys(segment["role"] for segment in summary["segments"]):
        mine = [segment for segment in summary["segments"] if segment["role"] == role]
        which = "(frames, half-open)" if role == "all" else f"of {role} frames (half-open)"
        if summary.get("independent"):
            lines += ["", "flagged images:", *_images(mine)]
            continue
        lines += ["", f"flagged segments {which}:", *_ranges(mine)]
    return "\n".join([*lines, *_verdict(summary)])


def _means(metrics: dict[str, Any]) -> str:
    means = ", ".join(_mean(name, pooled) for name, pooled in metrics.items() if pooled["defined"])
    return f"mean: {means}" if means else "not judged"


def _verdict(summary: dict[str, Any]) -> list[str]:
    """The verdict on a run without ground truth; nothing where there is none."""
    return ["", f"verdict: {summary['verdict']['sentence']}"] if summary.get("verdict") else []


def _about(summary: dict[str, Any]) -> str:
    """The frames that the numbers are about and, where originals may be among them, the option that
    states it."""
    role, total = summary["role"], summary["frames"]["total"]
    defined = max((pooled["defined"] for pooled in summary["metrics"].values()), default=0)
    if role != "all":
        frames = summary["roles"][role]["frames"]
        which = f"the {frames}" if defined == frames else f"{defined} of the {frames}"
        return f"over {which} {role} frames of {total}"
    which = f"all {_count(total)}" if defined == total else f"{defined} of {_count(total)}"
    advice = (
        ""
        if summary["mode"] != "score" or total == 1 or summary.get("independent")
        else "; if originals were passed through, state --multiplier M"
    )
    if summary.get("independent"):
        which = which.replace("frame", "independent image")
    return f"over {which}{advice}"


def _table(metrics: dict[str, Any]) -> Iterator[str]:
    """A heading and a line for each metric; a signed one also has the mean of its absolute values,
    which do not cancel out."""
    if not metrics:
        yield "no metric has a value for any of them"
        return
    wide = max(
        12, *(len(name) + (3 if "mean_abs" in pooled else 1) for name, pooled in metrics.items())
    )
    yield (
        f"{'metric':<{wide}}{'mean':>10} {'p5':>10} {'p50':>10} {'p95':>10} {'worst':>10}  at frame"
    )
    for name, pooled in metrics.items():
        cells = " ".join(f"{_number(pooled[key]):>10}" for key in ("mean", "p5", "p50", "p95"))
        extra = f"  ({pooled['infinite']} identical)" if pooled["infinite"] else ""
        where = (
            "-"
            if pooled["worst_index"] is None
            else f"{pooled['worst_index']}  {printable(pooled.get('worst_name', ''))}"
        )
        if pooled.get("worst_at"):
            where += f", {date(pooled['worst_at'])}"
        yield f"{name:<{wide}}{cells} {_number(pooled['worst']):>10}  {where.rstrip()}{extra}"
        if "mean_abs" in pooled:
            yield f"{f'|{name}|':<{wide}}{_number(pooled['mean_abs']):>10}"


def _ranges(segments: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line for each range of frames that the same rule found, with its metrics, and below it the
    evidence of the surest of them."""
    from vfiscope.views.places import range_place  # imports h5py, which help does not need

    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for s in segments:
        found.setdefault((s["start"], s["stop"], s["kind"], s["rule"]), []).append(s)
    gaps = [s for s in segments if s["kind"] == "gap"]
    if len(gaps) > MOST_GAPS:
        listed = ", ".join(str(s["start"]) for s in gaps[:MOST_RANGES])
        longest = max(gaps, key=lambda s: float(s["peak"]))
        yield f"  {len(gaps)} gaps, before frames {listed}; the longest: {longest['evidence']}"
        found = {key: same for key, same in found.items() if key[2] != "gap"}
    for (start, stop, kind, rule), same in islice(found.items(), MOST_RANGES):
        peaks = ", ".join(f"{s['metric']} {_number(s['peak'])} at {_peak(s)}" for s in same)
        by = f"rule {rule!r}" if rule else f"confidence {max(s['confidence'] for s in same):.2f}"
        yield f"  [{start}, {stop})  {range_place(same[0])}  {kind}  {peaks}  {by}"
        surest = max(same, key=lambda s: float(s["confidence"]))
        if surest["evidence"]:
            yield f"      {surest['evidence']}"
    if len(found) > MOST_RANGES:
        yield f"  and {len(found) - MOST_RANGES} more, all in --json"


def _images(segments: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A line for each image that a rule flagged: its name, or its number where it has none."""
    for s in islice(segments, MOST_RANGES):
        name = printable(str(s.get("start_name", s["start"])))
        yield f"  {name}  {s['metric']} {_number(s['peak'])}  rule {s['rule']!r}"


def _peak(segment: dict[str, Any]) -> str:
    """The number of the worst frame; of dated images with its name and date, unless the segment is
    of this one alone."""
    number = str(segment["peak_index"])
    if segment.get("peak_at") is None or segment["stop"] - segment["start"] == 1:
        return number
    return f"{number} ({printable(segment['peak_name'])}, {date(segment['peak_at'])})"


def describe_diagnosis(diagnosis: Diagnosis) -> str:
    """A diagnosis as text for people: the media, and a line or two for each finding."""
    lines = []
    for role, found in diagnosis.media.items():
        info = found.info
        length = "" if found.timing is None else f" in {found.timing.duration_s:.4g} s"
        if info.times_from and info.duration_s is not None:
            length = f" in {duration(info.duration_s)}"
        what = (
            f"{info.width}x{info.height}, {', '.join(found.formats)} in"
            f" {found.container.split(',')[0]}"
        )
        read_as = f"{info.color['matrix']} {info.color['range']} ({info.color['decided_by']})"
        lines.append(
            f"{role}: {_short(info.path)}: {what}, {found.frames} frames{length}, read as {read_as}"
        )
    for finding in diagnosis.findings:
        where = f"{finding.where}: " if len(diagnosis.media) > 1 else ""
        lines.append(f"  {finding.severity:<8}{where}{finding.what}: {finding.detail}")
        if finding.remedy:
            lines.append(f"          -> {finding.remedy}")
    return "\n".join(lines if diagnosis.findings else [*lines, "  nothing unusual"])


def _short(path: str) -> str:
    """A path, relative to the current folder where it is inside it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _count(frames: int) -> str:
    return f"{frames} frame{'s' * (frames != 1)}"


def _mean(name: str, pooled: dict[str, Any]) -> str:
    """The mean of a metric; of a signed one, whose values would cancel out, the mean of the
    absolute values."""
    if "mean_abs" in pooled:
        return f"|{name}| {_number(pooled['mean_abs'])}"
    return (
        f"{name} {_single(pooled)}"
        if pooled["mean"] is None
        else f"{name} {_number(pooled['mean'])}"
    )


def _single(pooled: dict[str, Any]) -> str:
    """The one value of a compared pair, or of frames that are all identical to their partners."""
    return "identical" if pooled["infinite"] else _number(pooled["mean"])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(part)}" for key, part in value.items())
    if isinstance(value, list):
        return "; ".join(plain(part) for part in value) or "none"
    return "unknown" if value is None else str(value)
