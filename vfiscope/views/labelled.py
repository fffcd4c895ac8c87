"""The table of a batch: jobs of one label are a method, and what they are compared with are the
scenes."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vfiscope.documents import MAX_JOBS, DocumentError, json_of, read_text
from vfiscope.errors import StoreError, UsageError
from vfiscope.printable import printable
from vfiscope.store import Run
from vfiscope.views.comparable import kind_of, partial_runs, reference_of, unranked_by
from vfiscope.views.scene_scores import Scene
from vfiscope.views.table import Choice, Table
from vfiscope.views.tabulate import table_of_scenes

__all__ = ["METHODS_FILE", "table_of_folder", "table_of_results"]

RESULTS = "results.json"
MAX_RESULTS_BYTES = MAX_JOBS * 2**15
"""Room for the results of the largest batch: that of a pair of images takes 4 to 7 kB, that of a
video with roles 20 kB."""
METHODS_FILE = "methods.csv"
"""File in the folder of a batch that holds its table by label."""
SHOWN = 3
"""Names in a sentence about scenes."""


class Key(NamedTuple):
    """The properties shared by the jobs of one scene."""

    mode: str
    kind: str
    digest: str
    frames: tuple[Any, ...]
    """start, stop and step."""


@dataclass(frozen=True)
class FoundJobs:
    """Finished jobs by scene and label, and what was left out."""

    scenes: Mapping[Key, Mapping[str, Sequence[str]]]
    """{scene: {label: result files}}"""
    names: Mapping[Key, str]
    methods: tuple[str, ...]
    notes: tuple[str, ...]


def table_of_folder(folder: str | Path, choice: Choice | None = None) -> Table:
    """The table by label of a batch's folder.

    Raises:
        UsageError: it is not a folder of a batch, or fewer than two labels share a scene.
        StoreError: results.json or a result cannot be read.
    """
    path = Path(folder) / RESULTS
    try:
        results = json_of(read_text(path, MAX_RESULTS_BYTES))
    except FileNotFoundError as error:
        raise UsageError(
            f"{folder} is a folder without {RESULTS}: pass the folder of a batch, or results"
        ) from error
    except (OSError, DocumentError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise StoreError(f"{path} holds no list of results: run the batch again")
    return table_of_results([_found_in(folder, result) for result in results], choice)


def _unreadable(path: Path, error: OSError | DocumentError) -> StoreError:
    reason, remedy = str(error), "run the batch again"
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        if error.errno == errno.EFBIG:
            remedy = "run it in several folders, or pass the results of one table"
    return StoreError(f"{path} cannot be read ({reason}): {remedy}")


def _found_in(folder: str | Path, result: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result, with its file in the folder itself if it is no longer where it was made."""
    out = result.get("out")
    moved = isinstance(out, str) and not Path(out).exists()
    return {**result, "out": str(Path(folder) / Path(str(out)).name)} if moved else result


def table_of_results(results: Sequence[Mapping[str, Any]], choice: Choice | None = None) -> Table:
    """The table by label over all scenes that every label has.

    Where no scene has all labels, the label that lacks the most scenes is left out, and so on until
    one has.

    Args:
        results: the entries of results.json; of these ``id``, ``label`` and ``out`` are used, and
            ``ref`` or ``source`` to name a scene. Jobs without label, result or something to be
            compared with are left out.
        choice: which metrics, frames and order.

    Raises:
        UsageError: there are fewer than two labels, or no scene that all have and in which they are
            comparable.
        StoreError: a result cannot be read.
    """
    found = _sorted_out(results)
    if len(found.methods) < 2:
        why = "no two labels have jobs against the same file"
        raise UsageError(
            f"there is no table by label: {why}{_because(found.notes)}; label the jobs by method"
        )
    scenes: list[Scene] = []
    reasons: dict[str, str] = {}
    warnings, notes = [], list(found.notes)
    complete = [key for key, jobs in found.scenes.items() if len(jobs) == len(found.methods)]
    notes += _missing(found, complete)
    for key in complete:
        name = found.names[key] if len(found.scenes) > 1 else ""
        try:
            scene, more, partial = _scene(found.scenes[key], found.methods, name)
        except UsageError as error:
            notes.append(f"left out {found.names[key]}: {error}")
            continue
        scenes.append(scene)
        reasons |= more
        warnings += [f"{name}: {sentence}" if name else sentence for sentence in partial]
    if not scenes:
        methods = ", ".join(found.methods)
        raise UsageError(f"there is no scene in which {methods} can be compared{_because(notes)}")
    table = table_of_scenes(scenes, found.methods, choice, reasons, warnings)
    return replace(table, notes=(*table.notes, *notes))


def _sorted_out(results: Sequence[Mapping[str, Any]]) -> FoundJobs:
    scenes: dict[Key, dict[str, list[str]]] = {}
    names: dict[Key, str] = {}
    failed, alone = [], []
    labelled = [result for result in results if result.get("label")]
    for result in labelled:
        identity, label = (printable(str(result.get(key))) for key in ("id", "label"))
        out = str(result.get("out"))
        if not result.get("out"):
            failed.append(identity)
            continue
        with Run(out) as run:
            key = _key(run)
        if key is None:
            alone.append(identity)
            continue
        scenes.setdefault(key, {}).setdefault(label, []).append(out)
        names.setdefault(key, _name(result, identity))
    names = _short_names(names)
    labels = [printable(str(result["label"])) for result in labelled]
    methods, lacking = _complete(
        scenes, [label for label in dict.fromkeys(labels) if _has(scenes, label)]
    )
    notes = [f"left out {_listed(failed)}: no result"] * bool(failed)
    notes += [f"left out {_listed(alone)}: compared with nothing that other jobs share"] * bool(
        alone
    )
    for label, keys in lacking.items():
        notes.append(
            f"left out the label {label}: no job against {_listed([names[key] for key in keys])}"
        )
    kept = {
        key: {m: outs for m, outs in jobs.items() if m in methods} for key, jobs in scenes.items()
    }
    return FoundJobs(
        {key: jobs for key, jobs in kept.items() if jobs}, names, tuple(methods), tuple(notes)
    )


def _has(scenes: Mapping[Key, Mapping[str, Any]], label: str) -> bool:
    return any(label in jobs for jobs in scenes.values())


def _complete(
    scenes: Mapping[Key, Mapping[str, Any]], labels: Sequence[str]
) -> tuple[list[str], dict[str, list[Key]]]:
    """Labels that some scene has all of, none where no two share one; and those left out, with
    scenes that they lack.

    Scenes count that two labels or more share. One remains at every step: only without a label that
    is in all of them could none remain, and such a label lacks none.
    """
    kept, lacking = list(labels), dict[str, list[Key]]()
    while shared := {
        key: found for key, jobs in scenes.items() if len(found := jobs.keys() & set(kept)) > 1
    }:
        if any(len(found) == len(kept) for found in shared.values()):
            return kept, lacking
        lacks = {
            label: [key for key, found in shared.items() if label not in found] for label in kept
        }
        worst = max(reversed(kept), key=lambda label: len(lacks[label]))
        kept.remove(worst)
        lacking[worst] = lacks[worst]
    return [], lacking


def _key(run: Run) -> Key | None:
    reference = reference_of(run)
    if reference is None:
        return None
    return Key(
        run.mode,
        kind_of(run),
        reference[1],
        tuple(run.config.get(key) for key in ("start", "stop", "step")),
    )


def _name(result: Mapping[str, Any], identity: str) -> str:
    """The name of a scene: the file that its first job was compared with."""
    path = result.get("ref") or result.get("source")
    return printable(str(path)) if isinstance(path, str) else identity


def _short_names(names: Mapping[Key, str]) -> dict[Key, str]:
    """Names without the folders that all share; numbered where two are the same."""
    parts = [Path(name).parts for name in names.values()]
    shared = 0
    while (
        parts
        and all(len(each) > shared + 1 for each in parts)
        and len({each[shared] for each in parts}) == 1
    ):
        shared += 1
    short = ["/".join(each[shared:]) for each in parts]
    numbered = [
        f"{n}: {name}" if short.count(name) > 1 else name for n, name in enumerate(short, start=1)
    ]
    return dict(zip(names, numbered, strict=True))


def _missing(found: FoundJobs, complete: Sequence[Key]) -> Iterator[str]:
    """A sentence about the scenes that some label lacks, for each such label."""
    for method in found.methods:
        if lacking := [
            found.names[key] for key, jobs in found.scenes.items() if method not in jobs
        ]:
            yield f"left out {_listed(lacking)}: no job with the label {method}"


def _scene(
    jobs: Mapping[str, Sequence[str]], methods: Sequence[str], name: str
) -> tuple[Scene, dict[str, str], list[str]]:
    """A scene, why metrics are not comparable in it, and which of its runs are partial."""
    for label, outs in jobs.items():
        if len(outs) > 1:
            raise UsageError(f"{len(outs)} jobs have the label {label}: give each its own")
    runs: list[Run] = []
    try:
        runs += (Run(jobs[method][0]) for method in methods)
        return (
            Scene.of(runs, methods, name),
            unranked_by(runs, methods),
            partial_runs(runs, methods),
        )
    finally:
        for run in runs:
            run.close()


def _because(notes: Sequence[str]) -> str:
    return f" ({'; '.join(notes)})" if notes else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return f"{', '.join(names[:SHOWN])}{f' and {more} more' if more > 0 else ''}"
