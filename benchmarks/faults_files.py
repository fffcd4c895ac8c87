"""The benchmark's clips as files: codecs of either half, damaged packets, and their list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from faults_place import block_differences, luma
from faults_truth import Pixels, Shots, Truth, truth_of

from vfiscope import synth

LIST = "truth.json"


@dataclass(frozen=True)
class Codec:
    name: str
    encoder: str
    crf: int | None
    options: Mapping[str, str]
    suffix: str = ".mp4"


def _x264(crf: int, preset: str) -> Codec:
    return Codec(f"H.264 {preset} {crf}", "libx264", crf, {"preset": preset})


def _x265(crf: int) -> Codec:
    quiet = {"preset": "superfast", "x265-params": "log-level=error"}
    return Codec(f"HEVC {crf}", "libx265", crf, quiet)


def _vp9(crf: int) -> Codec:
    fast = {"deadline": "realtime", "cpu-used": "6", "b": "0"}
    return Codec(f"VP9 {crf}", "libvpx-vp9", crf, fast, ".mkv")


CODECS = {
    "tuning": (*(_x264(crf, "veryfast") for crf in (18, 23, 28)), _x265(25), _vp9(35)),
    "reported": (
        _x265(22),
        _x264(20, "medium"),
        Codec("AV1 32", "libsvtav1", 32, {"preset": "10"}),
        _vp9(30),
        _x265(28),
        Codec("MPEG-4 1.2 Mbit/s", "mpeg4", None, {"b": "1200000"}),
        _x264(27, "fast"),
    ),
}
DAMAGED_CODECS = {
    "tuning": Codec("H.264, damaged", "libx264", 20, {"preset": "veryfast", "g": "36", "bf": "0"}),
    "reported": Codec("MPEG-4, damaged", "mpeg4", None, {"b": "1500000", "g": "30"}),
}
DAMAGED_BYTES = (12, 60, 400)
"""Of a packet, at the three severities."""
LEAST_SEEN = 6.0
"""Code values in the worst block of a hundred: how much a damaged frame differs."""


@dataclass(frozen=True)
class Entry:
    """A clip of the benchmark."""

    file: str
    half: str
    base: str
    codec: str
    severity: str
    frames: int
    rate: float
    truths: Sequence[Truth]
    purpose: str = "faults"
    """What it is for: faults, joined, cadence, packets, clean; ref, source."""
    against: str = ""
    """The reference or source of ref and source."""
    pts: Sequence[int] = field(default_factory=list)
    """In frame times, where they are not 0, 1, 2, ..."""

    @property
    def minutes(self) -> float:
        return self.frames / self.rate / 60

    def within(self, folder: Path) -> Entry:
        """The same with its files in a folder."""
        against = str(folder / self.against) if self.against else ""
        return replace(self, file=str(folder / self.file), against=against)

    def to_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "truths": [truth.to_dict() for truth in self.truths]}


def write(path: Path, shots: Shots, codec: Codec) -> Path:
    """The clip as a file; ``path`` without ending."""
    pts = shots.pts if shots.waits else None
    rate = Fraction(shots.rate).limit_denominator(1001)
    return synth.write_video(
        path.with_name(path.name + codec.suffix),
        iter(shots.frames),
        rate=rate,
        codec=codec.encoder,
        crf=codec.crf,
        pts=pts,
        options=codec.options,
    )


def save_list(out: Path, entries: Sequence[Entry]) -> None:
    lines = [json.dumps(entry.to_dict()) for entry in entries]
    (out / LIST).write_text("[\n" + ",\n".join(lines) + "\n]\n")


def load_list(out: Path) -> list[Entry]:
    read = json.loads((out / LIST).read_text())
    return [Entry(**{**each, "truths": [truth_of(t) for t in each["truths"]]}) for each in read]


def decoded(path: Path) -> list[Pixels] | None:
    """All frames as FFmpeg conceals them; None where it gives up."""
    frames = []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        packets = container.demux(video=0)
        while True:
            try:
                packet = next(packets)
                frames += [each.to_ndarray(format="rgb24") for each in packet.decode()]
            except StopIteration:
                return frames
            except (av.FFmpegError, av.error.InvalidDataError):
                continue


def damage_packets(path: Path, out: Path, places: Sequence[int], count: int, seed: int) -> None:
    """A copy of a video in which ``count`` bytes of some packets are replaced at random."""
    random = np.random.default_rng(seed)
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is None:
                continue
            if number in places and not packet.is_keyframe:
                packet = _damaged(packet, count, random)
            packet.stream = stream
            target.mux(packet)


def _damaged(packet: av.Packet, count: int, random: np.random.Generator) -> av.Packet:
    payload = bytearray(bytes(packet))
    # The first bytes say how long the slice is and of what kind: those stay.
    for at in random.integers(min(24, len(payload) - 1), len(payload), count):
        payload[at] = int(random.integers(256))
    changed = av.Packet(bytes(payload))
    changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
    changed.duration = packet.duration
    changed.is_keyframe = packet.is_keyframe
    return changed


def damaged_stretches(good: Sequence[Pixels], bad: Sequence[Pixels]) -> list[tuple[int, int]]:
    """The runs of frames that differ enough to be seen."""
    pairs = zip(good, bad, strict=True)
    apart = [np.percentile(block_differences(luma(a), luma(b)), 99) for a, b in pairs]
    rows = np.r_[False, np.array(apart) >= LEAST_SEEN, False].astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(rows) == 1), np.flatnonzero(np.diff(rows) == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))
