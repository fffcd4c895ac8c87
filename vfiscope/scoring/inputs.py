"""The sources of a job: which there are, whether they fit together, and what identifies them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from vfiscope.config import RATE_TOLERANCE, RunConfig
from vfiscope.errors import PairingError, SourceError, UsageError
from vfiscope.sources import Source, digest, note_on_gaps, open_source
from vfiscope.types import Code, Note, sentence

__all__ = [
    "Stamp",
    "changed",
    "check_out",
    "disagreements",
    "golden_index",
    "identity",
    "numbering",
    "open_inputs",
    "stamp_files",
    "with_counts",
]

Size = tuple[int, int]
Stamp = Mapping[str, tuple[int, int]]
"""{file: (size in bytes, time of the last change in ns)}"""
COLOR_PROPERTIES = ("matrix", "range", "primaries", "transfer")


def open_inputs(config: RunConfig, stack: ExitStack) -> dict[str, Source]:
    """Open what a configuration names, by role: test, and ref, source or golden where it has a
    partner.

    Args:
        config: with ``resize``, the test is brought to the partner's size, and every frame of a
            source of mixed sizes to the size of its first; without it, other sizes are refused.
        stack: closes the sources.

    Raises:
        SourceError: an input cannot be read.
        PairingError: test and partner differ in size, or are videos of different rates that nothing
            aligns.
        UsageError: a partner is missing, or a comparison of two images was asked for something
        else.
    """
    if config.mode == "compare" and config.ref is None:
        raise UsageError(f"compare needs a reference: add the image to compare {config.test} with")
    partner = _open_partner(config.replace(time_from=None), stack)
    if partner is None:
        return {"test": _open_alike(config, config.test, stack)}
    role, other = partner
    if config.resize is None:
        test = _open(config, config.test, stack)
        _check_sizes(test, other, role)
    else:
        test = _open(config, config.test, stack, size=other.size)
    if role == "ref" and config.mode == "score" and config.align == "none":
        _check_rates(test, other)
    if config.mode == "compare":
        _check_still(test)
        _check_still(other)
    return {"test": test, role: other}


def _open_partner(config: RunConfig, stack: ExitStack) -> tuple[str, Source] | None:
    if config.mode == "score" and config.ref is None:
        if config.source is None:
            return None
        # The test's frames are chosen; where they lie in the source is found among all of its
        # frames.
        whole = config.replace(start=None, stop=None, stream=None)
        return "source", _open_alike(whole, config.source, stack)
    if config.mode != "scan":
        return "ref", _open_alike(config.replace(stream=None), config.ref, stack)
    if config.golden is None:
        return None
    index = golden_index(config.golden)
    if index is not None and index < 0:
        raise UsageError(
            f"golden is {config.golden}: give an image, or the number of a frame, counted from 0"
        )
    if index is None:
        source = stack.enter_context(open_source(config.golden, batch=1, tonemap=config.tonemap))
        if source.info.kind != "video" and source.info.frames_expected == 1:
            return "golden", source
        raise UsageError(
            f"golden {source.info.path} is not one image: give an image, or the number of a frame"
        )
    chosen = config.replace(start=index, stop=index + 1, step=1)
    return "golden", _open_alike(chosen, config.test, stack)


def _open(config: RunConfig, target: Any, stack: ExitStack, size: Size | None = None) -> Source:
    source = open_source(
        target,
        start=config.start,
        stop=config.stop,
        step=config.step,
        batch=config.batch,
        fps=config.fps,
        resize=None if size is None or config.resize is None else (*size, config.resize),
        tonemap=config.tonemap,
        time_from=config.time_from,
        stream=config.stream,
        deinterlace=config.deinterlace,
    )
    return stack.enter_context(source)


def _open_alike(config: RunConfig, target: Any, stack: ExitStack) -> Source:
    """With ``resize``, every frame has the size of the source's first."""
    source = _open(config, target, stack)
    return source if config.resize is None else _open(config, target, stack, size=source.size)


def golden_index(golden: Any) -> int | None:
    """The ordinal of a golden frame that is named by number, None where it is a file or an
    array."""
    if isinstance(golden, int) or (
        isinstance(golden, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", golden)
    ):
        return int(golden)
    return None


def check_out(out: str | None, sources: Mapping[str, Source], *weights: str | None) -> None:
    """Refuse an output that is one of the inputs."""
    if out is None or not os.path.exists(out):
        return
    inputs = [
        file for source in sources.values() for file in (source.info.path, *source.info.files)
    ]
    for path in [*inputs, *(file for file in weights if file is not None)]:
        if os.path.exists(path) and os.path.samefile(path, out):
            raise UsageError(f"the output {out} is an input of the same run: give another --out")


def _check_sizes(test: Source, other: Source, role: str) -> None:
    if test.size != other.size:
        raise PairingError(
            f"sizes differ: test {test.info.path} is {test.size[1]}x{test.size[0]}, {role}"
            f" {other.info.path} is {other.size[1]}x{other.size[0]}: give --resize FILTER to bring"
            " the test to that size"
        )


def _check_rates(test: Source, ref: Source) -> None:
    """Refuse to pair by rows what was not shown at the same pace."""
    rates = [source.info.rate if source.info.kind == "video" else None for source in (test, ref)]
    if rates[0] is None or rates[1] is None or abs(rates[0] / rates[1] - 1) <= RATE_TOLERANCE:
        return
    raise PairingError(
        f"rates differ: test {test.info.path} has {float(rates[0]):.6g} frames a second, ref"
        f" {ref.info.path} {float(rates[1]):.6g}: give --align auto, or --align 0 to pair them row"
        " by row"
    )


def _check_still(source: Source) -> None:
    info = source.info
    if info.kind == "video" or info.frames_expected != 1:
        what = "a video" if info.kind == "video" else f"{info.frames_expected} frames"
        raise UsageError(
            f"compare takes two images, but {info.path} is {what}: choose mode score "
            '(vfiscope score TEST --ref REF; "mode": "score" in a job list)'
        )


def identity(role: str, source: Source) -> dict[str, Any]:
    """What a run stores of a source, and compares before it resumes."""
    info = source.info
    return {
        "role": role,
        "path": info.path,
        "kind": info.kind,
        "size_bytes": info.size_bytes,
        "digest": digest(info),
        "width": info.width,
        "height": info.height,
        "bit_depth": info.bit_depth,
        "decoder": info.decoder,
        "color": dict(info.color),
        "frames_expected": info.frames_expected,
    }


def stamp_files(source: Source) -> Stamp:
    """What tells cheaply whether the files of a source change while it is read; empty for arrays.

    A file that cannot be looked at is stamped (-1, -1).
    """
    info = source.info
    return (
        {} if info.kind == "array" else {file: _stat(file) for file in info.files or (info.path,)}
    )


def changed(source: Source, before: Stamp) -> list[Note]:
    """A note on what happened to the files of a source since they were stamped; none where nothing
    did."""
    files = [file for file, old in before.items() if _stat(file) != old]
    listed = _listed(source) if source.info.kind == "images" and not files else None
    if listed is not None and listed != tuple(source.info.files):
        return [Note(Code.OTHER_FILES_THAN_BEFORE, {"path": source.info.path})]
    if not files:
        return []
    return [Note(Code.FILES_CHANGED, {"file": files[0], "others": len(files) - 1})]


def _stat(file: str) -> tuple[int, int]:
    try:
        found = os.stat(file)
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _listed(source: Source) -> tuple[str, ...]:
    try:
        with open_source(source.info.path) as again:
            return tuple(again.info.files)
    except SourceError:
        return ()


def disagreements(sources: Mapping[str, Source]) -> list[Note]:
    """How test and partner were interpreted differently.

    Matrix and range are compared where both are YUV or gray, transfer and primaries where both are
    known.
    """
    infos = [(role, source.info) for role, source in sources.items()]
    if len(infos) < 2:
        return []
    (role, test), (other, partner) = infos[0], infos[1]
    roles = {"role": role, "other": other}
    found = []
    for key in COLOR_PROPERTIES:
        one, two = test.color[key], partner.color[key]
        both = (
            "rgb" not in (test.color["matrix"], partner.color["matrix"])
            if key in ("matrix", "range")
            else True
        )
        if both and one != two and "unknown" not in (one, two):
            values = {"what": key, "value": one, "decided_by": test.color["decided_by"]}
            others = {"other_value": two, "other_decided_by": partner.color["decided_by"]}
            found.append(Note(Code.COLOR_DIFFERS, {**roles, **values, **others}))
    if test.bit_depth != partner.bit_depth:
        bits = {"bits": test.bit_depth, "other_bits": partner.bit_depth}
        found.append(Note(Code.DEPTH_DIFFERS, {**roles, **bits}))
    if test.color.get("tonemap") != partner.color.get("tonemap"):
        transfer, other_transfer = test.color["transfer"], partner.color["transfer"]
        transfers = {"transfer": transfer, "other_transfer": other_transfer}
        found.append(Note(Code.ONE_IS_HDR, {**roles, **transfers}))
    return found


def numbering(sources: Mapping[str, Source], *, shift: int | None) -> tuple[list[Note], list[Note]]:
    """What gaps in the numbering of images mean for a run.

    A gap that one of two sides has puts all pairs behind it off, where they are made by rows; one
    that both have at the same place does nothing to them, and none does where partners are found
    from the pictures.

    Args:
        sources: by role.
        shift: how many rows later the reference frames are, None where pairs are not made by rows.

    Returns:
        Warnings, and notes.
    """
    infos = {role: sources[role].info for role in ("test", "ref", "source") if role in sources}

    def on_gaps(code: Code) -> list[Note]:
        return [
            Note(code, {"role": role, "path": info.path, "gaps": note_on_gaps(info.gaps)})
            for role, info in infos.items()
            if info.gaps
        ]

    if "ref" not in infos:
        return on_gaps(Code.GAPS_IN_SEQUENCE), []
    if shift is None:
        return [], on_gaps(Code.GAPS_IN_SOURCE)
    places = {
        role: {(gap.row - late, gap.missing): gap for gap in infos[role].gaps}
        for role, late in (("test", 0), ("ref", shift))
    }
    warnings = []
    for role, other in (("test", "ref"), ("ref", "test")):
        if own := [gap for place, gap in places[role].items() if place not in places[other]]:
            values = {"role": role, "path": infos[role].path, "gaps": note_on_gaps(own)}
            others = {"other": other, "other_path": infos[other].path}
            off = {"missing": own[0].missing}
            warnings.append(Note(Code.GAPS_PUT_PAIRS_OFF, {**values, **others, **off}))
    return warnings, [] if warnings else on_gaps(Code.GAPS_IN_BOTH)


def with_counts(stored: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """An identity with what was counted and noticed while the source was read."""
    counts = source.counts
    return {
        **stored,
        "frames_decoded": counts.decoded,
        "frames_delivered": counts.delivered,
        "frames_corrupt": counts.corrupt,
        "frames_unreadable": counts.unreadable,
        "frames_undecodable": counts.undecodable,
        "frames_skipped": counts.skipped,
        "frames_lost": counts.lost,
        "frames_notes": [sentence(note) for note in source.info.notes],
        "frames_coded_notes": [note.to_dict() for note in source.info.notes],
    }
