"""Which runs can be compared in one table: what must be the same, and which metrics are still not
comparable."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vfiscope.errors import UsageError
from vfiscope.printable import printable
from vfiscope.types import Needs
from vfiscope.views.naming import embedder_groups, metrics_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = [
    "check_comparable",
    "kind_of",
    "partial_runs",
    "reference_of",
    "unranked_by",
    "warn_unverified",
]

REFERENCES = ("ref", "source", "golden")
READ_AS = ("matrix", "range", "transfer", "tonemap")
"""The colour properties of a source that change its pixels."""


class Fact(NamedTuple):
    """Something that must be the same of all runs."""

    what: str
    of: Callable[[Run], Hashable]
    remedy: str


def obstacles(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """Why these runs cannot be compared, one sentence each that ends in the remedy; empty where
    they can.

    If a difference follows from another one, only the first is reported.
    """
    found = []
    for fact in FACTS:
        groups = _grouped([fact.of(run) for run in runs], labels)
        if len(groups) > 1:
            found.append(f"different {fact.what} ({_listed(groups)}): {fact.remedy}")
            if fact.what in ROOTS:
                return found
    return found + _other_frames(runs, labels)


def check_comparable(runs: Sequence[Run], labels: Sequence[str]) -> None:
    """Refuse runs of which no number could be compared.

    Raises:
        UsageError: says why, all reasons on one line.
    """
    if found := obstacles(runs, labels):
        raise UsageError(f"these runs are not comparable: {'. '.join(found)}")


def unranked_by(runs: Sequence[Run], labels: Sequence[str]) -> dict[str, str]:
    """{metric: why its values are not comparable between these runs, though others are}."""
    reasons = {
        metric: f"different embedders ({listed})"
        for metric, listed in embedder_groups(runs, labels).items()
    }
    for what, needed, of in METRIC_FACTS:
        groups = _grouped([of(run) for run in runs], labels)
        for metric in metrics_of(runs) if len(groups) > 1 else ():
            if needed in next(run.specs[metric].needs for run in runs if metric in run.specs):
                reasons.setdefault(metric, f"different {what} ({_listed(groups)})")
    return reasons


def partial_runs(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """A sentence for each run that lacks something."""
    return [
        f"{label} is partial: {'; '.join(run.notes) or 'no reason is known'}"
        for label, run in zip(labels, runs, strict=True)
        if run.status != "ok"
    ]


def warn_unverified(runs: Sequence[Run]) -> list[str]:
    """A warning where runs of different files were not compared with anything that they share."""
    tests = {str((_entry(run, "test") or {}).get("digest")) for run in runs}
    if len(tests) < 2 or reference_of(runs[0]) is not None:
        return []
    return ["nothing but their length and size says that these runs are of the same frames"]


def kind_of(run: Run) -> str:
    """What a run compared its frames with: ref, source, golden, lag, or neighbours."""
    roles = {str(source.get("role")) for source in run.sources}
    found = next((role for role in REFERENCES if role in roles), None)
    return found or ("lag" if run.pairing.get("lag") else "neighbours")


def reference_of(run: Run) -> tuple[str, str] | None:
    """(path, digest) of what a run compared its frames with; None where that is the test itself."""
    source = _entry(run, *REFERENCES)
    return None if source is None else (str(source.get("path")), str(source.get("digest")))


def _entry(run: Run, *roles: str) -> Mapping[str, Any] | None:
    return next((source for source in run.sources if source.get("role") in roles), None)


def _mode(run: Run) -> str:
    return run.mode


def _size(run: Run) -> str:
    width, height = _side(_entry(run, "test"))
    return f"{width}x{height}"


def _side(source: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Width and height of a source's frames after cropping."""
    found = source or {}
    crop = found.get("crop")
    return (crop[2], crop[3]) if crop else (found.get("width"), found.get("height"))


def _crop(run: Run) -> str | None:
    """The box of what a run compared its frames with; None for whole frames."""
    crop = (_entry(run, *REFERENCES, "test") or {}).get("crop")
    return None if crop is None else ",".join(str(value) for value in crop)


def _resize(run: Run) -> str | None:
    """The filter that frames were brought to the reference's size with; None where they had it
    already."""
    other = _entry(run, *REFERENCES)
    same = other is None or _side(_entry(run, "test")) == _side(other)
    return None if same else run.config.get("resize")


def _read_as(run: Run) -> tuple[Any, ...]:
    """How the pixels of the reference were read, and whether the test's were tone mapped."""
    reference, test = _entry(run, *REFERENCES) or {}, _entry(run, "test") or {}
    colours = reference.get("color") or {}
    return *(colours.get(key, "-") for key in READ_AS), (test.get("color") or {}).get(
        "tonemap", "-"
    )


def _multiplier(kind: str) -> Callable[[Run], Any]:
    """The stated multiplier of runs of a kind, which says how far the frames are that a frame is
    judged by."""
    return lambda run: run.config.get("multiplier") if kind_of(run) == kind else None


def _content(run: Run) -> Reference | None:
    found = reference_of(run)
    return None if found is None else Reference(*found)


class Reference(NamedTuple):
    """A reference; the same one wherever it lies, and another one where its content is."""

    path: str
    digest: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        return f"{printable(self.path)} with {self.digest[:19]}"


FACTS = (
    Fact("modes", _mode, "compare runs of one mode"),
    Fact(
        "kinds of comparison",
        kind_of,
        "score all with --ref, or all with --source, against the same file",
    ),
    Fact("references", _content, "score all against the same file"),
    Fact("lags", lambda run: run.pairing.get("lag"), "scan all with the same --lag"),
    Fact("multipliers", _multiplier("neighbours"), "score all with the same --multiplier"),
    Fact("sizes of frames", _size, "bring all to the same size before"),
    Fact("crops of the reference", _crop, "score all with the same --crop"),
    Fact("filters of --resize", _resize, "score all with the same --resize"),
    Fact("colours as read", _read_as, "score all with the same --tonemap, and tag the files alike"),
    Fact(
        "registrations",
        lambda run: (run.register or {}).get("method"),
        "score all with the same --register",
    ),
    Fact(
        "deinterlacing",
        lambda run: run.config.get("deinterlace", "none"),
        "score all with the same --deinterlace",
    ),
)
ROOTS = ("modes", "kinds of comparison", "references")
"""Facts from which other differences follow."""
METRIC_FACTS: tuple[tuple[str, Needs, Callable[[Run], Hashable]], ...] = (
    ("windows of the search", Needs.FEATURES, lambda run: run.config.get("window")),
    ("multipliers, and so other neighbours", Needs.NEIGHBOURS, _multiplier("ref")),
)
"""(what differs, metrics of which needs it is about, its value)"""


def _other_frames(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """Whether other frames were chosen; a clip that is merely shorter has its frames in common with
    the others."""
    if len({run.frames.index.tobytes() for run in runs}) == 1:
        return []
    chosen = [tuple(run.config.get(key) for key in ("start", "stop", "step")) for run in runs]
    groups = _grouped(chosen, labels)
    if len(groups) == 1:
        return []
    listed = "; ".join(
        f"{', '.join(names)}: start {_said(start)}, stop {_said(stop)}, step {step}"
        for (start, stop, step), names in groups.items()
    )
    return [f"different frames ({listed}): score all with the same --start, --stop and --step"]


def _grouped(values: Sequence[Hashable], labels: Sequence[str]) -> dict[Any, list[str]]:
    """{value: the labels of the runs that have it}"""
    groups: dict[Any, list[str]] = {}
    for value, label in zip(values, labels, strict=True):
        groups.setdefault(value, []).append(label)
    return groups


def _listed(groups: Mapping[Any, Sequence[str]]) -> str:
    return "; ".join(f"{', '.join(names)}: {_said(value)}" for value, names in groups.items())


def _said(value: Any) -> str:
    if isinstance(value, tuple) and not isinstance(value, Reference):
        return printable(" ".join(map(str, value)))
    return "none" if value is None else printable(str(value))
