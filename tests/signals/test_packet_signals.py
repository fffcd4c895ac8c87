"""Sizes of packets and keyframes, against what PyAV demuxes."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.sources import open_source
from vfiscope.types import PacketIndex

FRAMES = synth.Scene(48, 64, seed=2).clip(14).frames
LEAN = {"metrics": ["psnr"], "signals": "packet_bytes,keyframe"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two groups of pictures, with B-frames: packets are in another order than frames."""
    path = tmp_path_factory.mktemp("packets") / "clip.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"g": "8", "bf": "2", "sc_threshold": "0"}
        for pixels in FRAMES:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def demuxed(path: Path) -> list[tuple[int, int, bool]]:
    """(pts, bytes, keyframe) in presentation order."""
    with av.open(str(path)) as file:
        found = [(each.pts, each.size, each.is_keyframe) for each in file.demux() if each.size]
    return sorted(found)


def test_packets_are_those_of_their_frames(clip: Path) -> None:
    packets = demuxed(clip)
    with vs.scan(clip, batch=4, **LEAN) as run:
        sizes, keys = run.signals["packet_bytes"], run.signals["keyframe"]
    assert sizes.tolist() == [size for _, size, _ in packets]
    assert keys.tolist() == [float(key) for _, _, key in packets]
    assert np.flatnonzero(keys).tolist() == [0, 8]
    with vs.scan(clip, start=5, step=2, **LEAN) as run:
        assert run.signals["packet_bytes"].tolist() == sizes[5::2].tolist()


def test_the_index_of_a_video_is_read_without_decoding(clip: Path) -> None:
    with open_source(clip) as source:
        index = source.packets
        assert source.counts.decoded == 0
    assert index is not None
    assert [index.at(pts) for pts, _, _ in demuxed(clip)] == [
        (size, key) for _, size, key in demuxed(clip)
    ]
    assert index.at(int(index.pts[-1]) + 1) is index.at(1) is None


def test_images_have_no_packets(tmp_path: Path) -> None:
    synth.write_images(tmp_path, FRAMES[:2])
    with open_source(tmp_path) as source:
        assert source.packets is None
    with vs.scan(tmp_path, metrics=["psnr"]) as run:
        assert not {"packet_bytes", "keyframe"} & set(run.signals)
    with pytest.raises(UsageError, match="keyframe is about the packets of a video, and "):
        vs.scan(tmp_path, metrics=["psnr"], signals="keyframe")
    with pytest.raises(UsageError, match="packet_bytes"):
        vs.scan(tmp_path, metrics=["psnr"], flag=["packet_bytes > 3000"])
    with pytest.raises(UsageError, match="compare reads single frames: use scan"):
        vs.compare(FRAMES[0], FRAMES[1], metrics=["psnr"], signals="packet_bytes")


def test_the_columns_of_an_index_belong_together() -> None:
    with pytest.raises(Exception, match="packet index"):
        PacketIndex(np.arange(3), np.arange(2), np.zeros(3, bool))
