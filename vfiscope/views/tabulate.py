"""The numbers of a table: what is compared over which frames, and what is best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.registry import suggest
from vfiscope.types import Float64, MetricSpec, Role
from vfiscope.views.comparable import partial_runs, unranked_by
from vfiscope.views.intervals import FEWEST, block_length, draws, interval
from vfiscope.views.naming import CUT, labels_for, signed
from vfiscope.views.scene_scores import Scene
from vfiscope.views.table import Choice, Column, Lead, Table, Worst

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["table_of", "table_of_scenes"]

HINT = "passed ones may be among them: score with --multiplier M to tell them apart"


def table_of(
    runs: Sequence[Run], labels: Sequence[str] | None = None, choice: Choice | None = None
) -> Table:
    """Put runs of the same frames by several methods side by side.

    Args:
        runs: one for each method, scored against the same reference.
        labels: what the methods are called; the names of the result files where None.
        choice: which metrics, frames and order.

    Raises:
        UsageError: the runs are not comparable, or a label, metric or role cannot be used.
    """
    if not runs:
        raise UsageError("there is no run to put into a table: pass one or more results")
    paths = [run.path.resolve() for run in runs]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(f"{path} is passed twice: pass each result once")
    methods = labels_for(runs, labels)
    scene = Scene.of(runs, methods)
    return table_of_scenes(
        [scene], methods, choice, unranked_by(runs, methods), partial_runs(runs, methods)
    )


def table_of_scenes(
    scenes: Sequence[Scene],
    methods: Sequence[str],
    choice: Choice | None = None,
    reasons: Mapping[str, str] | None = None,
    warnings: Sequence[str] = (),
) -> Table:
    """The table over the frames of one scene or more, each by the same methods.

    Args:
        scenes: one or more.
        methods: labels in their order.
        choice: which metrics, frames and order.
        reasons: {metric: why it is not comparable between these runs}.
        warnings: what is wrong with single runs, one sentence each.

    Raises:
        UsageError: a metric or role cannot be used, or nothing is comparable.
    """
    choice = choice or Choice()
    role = _role(scenes, choice.role)
    rows = [_rows(scene, role) for scene in scenes]
    lacking: dict[str, list[str]] = {}
    columns = []
    for metric in _chosen(scenes, choice):
        values = [
            _stacked(scene, metric, methods)[:, mine]
            for scene, mine in zip(scenes, rows, strict=True)
        ]
        reason = _unranked(scenes, metric, methods, reasons or {}) or _without(values, methods)
        if column := _column(scenes, rows, values, metric, methods, reason, choice.worst):
            columns.append(column)
        for sentence in _left_out(values, methods, role):
            lacking.setdefault(sentence, []).append(metric)
    said = [f"{', '.join(metrics)}: {sentence}" for sentence, metrics in lacking.items()]
    _check_any(columns, reasons or {}, said)
    sizes = max((column.sizes for column in columns if column.ranked), key=sum, default=None)
    sizes = sizes or max((column.sizes for column in columns), key=sum)
    return Table(
        heading=_heading(scenes, sum(sizes), role, choice.role),
        role=role,
        frames=sum(sizes),
        methods=_ordered(methods, columns, choice.sort),
        columns=tuple(columns),
        scenes=tuple(scene.name for scene in scenes),
        drawn=_drawn(sizes, alone=all(scene.independent for scene in scenes)),
        notes=(
            *_mixed(scenes, role, choice.role),
            *dict.fromkeys(n for scene in scenes for n in scene.notes),
            *said,
        ),
        warnings=tuple(warnings),
    )


# --------------------------------------------------------------------------------------- which rows


def _role(scenes: Sequence[Scene], asked: str | None) -> str:
    told = [scene.told_apart for scene in scenes]
    if asked == "synthesised" and not all(told):
        raise UsageError(
            "role is 'synthesised', but not all runs know which frames are: score with"
            " --multiplier M"
        )
    return asked or ("synthesised" if all(told) else "all")


def _rows(scene: Scene, role: str) -> NDArray[np.int64]:
    """Rows of a scene that are of the role."""
    return (
        np.flatnonzero(scene.role == Role.SYNTHESISED)
        if role == "synthesised"
        else np.arange(len(scene))
    )


def _mixed(scenes: Sequence[Scene], role: str, asked: str | None) -> Iterator[str]:
    told = sum(scene.told_apart for scene in scenes)
    if role == "all" and asked is None and told:
        yield (
            f"synthesised frames are known in {told} of {len(scenes)} scenes only: over all frames"
        )


def _heading(scenes: Sequence[Scene], frames: int, role: str, asked: str | None) -> str:
    """The frames that a table is about, in words."""
    total = sum(map(len, scenes))
    where = f", in {len(scenes)} scenes" if len(scenes) > 1 else ""
    if role == "synthesised":
        return f"synthesised frames: {frames} in all methods, of {total}{where}"
    apart = any(scene.told_apart for scene in scenes)
    alone = all(scene.independent for scene in scenes)
    stated = (
        asked is None
        and not apart
        and not alone
        and total > len(scenes)
        and scenes[0].kind in ("ref", "source", "neighbours")
    )
    hint = f" ({HINT})" if stated else " (passed ones among them)" if apart else ""
    which = f"all {total}" if frames == total else f"{frames} of {total}"
    what = "independent image" if alone else "frame"
    return f"{which} {what}{'s' * (total != 1)}{where}{hint}"


def _drawn(sizes: Sequence[int], *, alone: bool) -> str:
    """What the bootstrap draws of scenes of these lengths, in words."""
    sizes = [size for size in sizes if size]
    unit = draws(sizes)
    if alone:
        few = f"no intervals: fewer than {FEWEST} images"
        return few if unit is None else f"bootstrap over {len(sizes)} images"
    if unit is None:
        few = (
            f"fewer than {FEWEST} scenes, not all of {FEWEST} frames or more"
            if len(sizes) > 1
            else ""
        )
        return f"no intervals: {few or f'fewer than {FEWEST} frames'}"
    if unit == "scenes":
        return f"bootstrap over {len(sizes)} scenes"
    lengths = sorted({block_length(size) for size in sizes})
    said = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    where = f" within each of these {len(sizes)} scenes" if len(sizes) > 1 else ""
    return f"circular block bootstrap{where}, blocks of {said} frame{'s' * (lengths[-1] != 1)}"


# ------------------------------------------------------------------------------------------ columns


def _chosen(scenes: Sequence[Scene], choice: Choice) -> list[str]:
    """The metrics of the columns."""
    known = list(dict.fromkeys(metric for scene in scenes for metric in scene.scores))
    for name in (*(choice.metrics or ()), *([choice.sort] if choice.sort else [])):
        if name not in known:
            raise UsageError(f"no run has the metric {name!r}: {suggest(name, known)}")
    if choice.metrics and choice.sort and choice.sort not in choice.metrics:
        raise UsageError(
            f"sort is {choice.sort!r}, which is not one of the metrics shown: add it to them"
        )
    return (
        list(dict.fromkeys(choice.metrics))
        if choice.metrics
        else [name for name in known if name != CUT]
    )


def _check_any(columns: Sequence[Column], reasons: Mapping[str, str], said: Sequence[str]) -> None:
    """Refuse a table in which nothing could be compared."""
    names = [column.spec.name for column in columns]
    if all(name in reasons for name in names):
        why = [*(f"{name}: {reasons[name]}" for name in names), *said] or ["they hold no scores"]
        raise UsageError(
            f"no score of these runs is comparable ({'; '.join(why)}): score all alike"
        )


def _spec(scenes: Sequence[Scene], metric: str) -> MetricSpec:
    return next(scene.specs[metric] for scene in scenes if metric in scene.specs)


def _stacked(scene: Scene, metric: str, methods: Sequence[str]) -> Float64:
    """(methods, M) values, NaN where a method has none; of a signed metric distances from its
    identity."""
    own = scene.scores.get(metric, {})
    values = np.stack([own.get(method, np.full(len(scene), np.nan)) for method in methods])
    spec = scene.specs.get(metric)
    return np.abs(values - spec.identity) if spec is not None and signed(spec) else values


def _unranked(
    scenes: Sequence[Scene], metric: str, methods: Sequence[str], reasons: Mapping[str, str]
) -> str:
    """The reason why a metric is not ranked; "" where it is."""
    if not _spec(scenes, metric).ranks:
        return "one kind of fault each, or a fact about the material"
    if metric in reasons:
        return reasons[metric]
    held = {label for scene in scenes for label in scene.scores.get(metric, {})}
    if missing := [method for method in methods if method not in held]:
        return f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no such score"
    apart = [scene for scene in scenes if scene.told_apart]
    made = [_stacked(scene, metric, methods)[:, _rows(scene, "synthesised")] for scene in apart]
    if made and not any(np.isfinite(values).any() for values in made):
        return "of frames passed through only: it tells about the codec"
    return "" if len(methods) > 1 else "there is one method"


def _without(values: Sequence[Float64], methods: Sequence[str]) -> str:
    """Which methods have no finite value to be ranked by, and why; "" where all have."""
    joined = np.concatenate(values, axis=1)
    lacking = np.asarray(~np.isfinite(joined).any(axis=1))
    infinite = np.asarray(np.isinf(joined).any(axis=1))
    if perfect := [m for n, m in enumerate(methods) if lacking[n] and infinite[n]]:
        return (
            f"{', '.join(perfect)} {'is' if len(perfect) == 1 else 'are'} identical to the"
            " reference in every frame"
        )
    missing = [m for n, m in enumerate(methods) if lacking[n]]
    return (
        f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no value" if missing else ""
    )


def _column(
    scenes: Sequence[Scene],
    rows: Sequence[NDArray[np.int64]],
    values: Sequence[Float64],
    metric: str,
    methods: Sequence[str],
    reason: str,
    worst: int,
) -> Column | None:
    """A column of (methods, M) values for each scene; None where no frame has a value of all
    methods that have any."""
    spec = _spec(scenes, metric)
    there = np.asarray(np.isfinite(np.concatenate(values, axis=1)).any(axis=1))
    kept = [part[:, np.asarray(np.isfinite(part[there]).all(axis=0))] for part in values]
    if all(scene.independent for scene in scenes):  # each image is a scene of its own
        kept = [part[:, n : n + 1] for part in kept for n in range(part.shape[1])]
    sizes = tuple(part.shape[1] for part in kept)
    if not there.any() or not sum(sizes):
        return None
    joined = np.concatenate(kept, axis=1)
    means = {m: float(joined[n].mean()) if there[n] else None for n, m in enumerate(methods)}
    ends = {
        m: interval([part[n] for part in kept]) if there[n] else None for n, m in enumerate(methods)
    }
    sign = -1.0 if spec.lower_is_better or signed(spec) else 1.0
    lead = None if reason else _lead([sign * part for part in kept], methods)
    return Column(
        spec=spec,
        sizes=sizes,
        values=means,
        low={m: None if end is None else end.low for m, end in ends.items()},
        high={m: None if end is None else end.high for m, end in ends.items()},
        wins={} if reason else _wins(sign * np.concatenate(values, axis=1), methods),
        worst={
            m: _worst(scenes, rows, [sign * part[n] for part in values], sign, m, worst)
            for n, m in enumerate(methods)
        },
        reason=reason,
        best=None if lead is None else lead[0],
        lead=None if lead is None else lead[1],
    )


def _lead(goodness: Sequence[Float64], methods: Sequence[str]) -> tuple[str, Lead] | None:
    """The best method and its lead over the second, in (methods, M) values for each scene of which
    more is better; None where the two are equal."""
    means = np.concatenate(goodness, axis=1).mean(axis=1)
    first, second = np.argsort(-means, kind="stable")[:2]
    ahead = [part[first] - part[second] for part in goodness]
    mean = float(np.concatenate(ahead).mean())
    if not mean > 0:
        return None
    ends = interval(ahead)
    low, high = (None, None) if ends is None else ends
    return methods[first], Lead(methods[second], mean, low, high)


def _wins(goodness: Float64, methods: Sequence[str]) -> dict[str, float]:
    """{label: share of frames in which it is best}; equals share a frame, and infinite values
    count."""
    known = goodness[:, ~np.isnan(goodness).any(axis=0)]
    best = known == known.max(axis=0, initial=-np.inf)
    shares = best / np.maximum(best.sum(axis=0), 1)
    return {m: float(shares[n].mean()) if shares.shape[1] else 0.0 for n, m in enumerate(methods)}


def _worst(
    scenes: Sequence[Scene],
    rows: Sequence[NDArray[np.int64]],
    goodness: Sequence[Float64],
    sign: float,
    method: str,
    count: int,
) -> tuple[Worst, ...]:
    """The worst frames of a method, the worst first; of equals the earlier one."""
    found = [
        (float(value), n, int(row))
        for n, (part, mine) in enumerate(zip(goodness, rows, strict=True))
        for value, row in zip(*_lowest(part, mine, count), strict=True)
    ]
    return tuple(
        Worst(
            frame=int(scenes[n].index[row]),
            time_s=float(scenes[n].time_s[row]),
            value=sign * value,
            scene=scenes[n].name,
            file=scenes[n].files[method][row] if method in scenes[n].files else "",
        )
        for value, n, row in sorted(found)[:count]
    )


def _lowest(
    values: Float64, rows: NDArray[np.int64], count: int
) -> tuple[Float64, NDArray[np.int64]]:
    """The lowest finite values and their rows."""
    finite = np.flatnonzero(np.isfinite(values))
    order = finite[np.argsort(values[finite], kind="stable")[:count]]
    return values[order], rows[order]


def _left_out(values: Sequence[Float64], methods: Sequence[str], role: str) -> Iterator[str]:
    """Notes on frames that are left out of the means of a metric."""
    joined = np.concatenate(values, axis=1)
    there = np.isfinite(joined).any(axis=1)
    total = joined.shape[1]
    if np.isinf(joined).any() and not there.any():
        yield "all methods are identical to the reference: left out"
        return
    if not there.any():
        yield f"no value in {'synthesised ' * (role == 'synthesised')}frames: left out"
        return
    kept = np.isfinite(joined[there]).all(axis=0)
    if not kept.any():
        yield "no frame has a value of all methods: left out"
        return
    for found, words in (
        (np.isinf(joined[there]), "infinite"),
        (np.isnan(joined[there]), "no value"),
    ):
        if count := int(found.any(axis=0).sum()):
            which = np.asarray(methods)[there][np.asarray(found.any(axis=1))]
            yield (
                f"{count} of {total} frames left out for all methods: {words} in {', '.join(which)}"
            )


def _ordered(
    methods: Sequence[str], columns: Sequence[Column], sort: str | None
) -> tuple[str, ...]:
    """The methods, the best by a metric first where one is named; those without a value last."""
    if sort is None:
        return tuple(methods)
    column = next((column for column in columns if column.spec.name == sort), None)
    if column is None:
        raise UsageError(
            f"sort is {sort!r}, which has no value in the frames of the table: choose another"
        )
    sign = 1.0 if column.spec.lower_is_better or signed(column.spec) else -1.0
    means = column.values
    return tuple(sorted(methods, key=lambda m: (means[m] is None, sign * (means[m] or 0.0))))
