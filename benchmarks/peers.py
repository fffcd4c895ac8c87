"""One program scoring one pair of videos, in a process of its own.

    python benchmarks/peers.py NAME METRICS TEST REF PAIRS

prints one JSON object: pairs scored, processor seconds of all threads and wall seconds from the
first packet to the last score (imports and the first compilation are not counted; of another
program all is), peak memory in MB, and the mean of each score. Everybody decodes both videos. Peers
whose scores are defined as ours compute the same numbers; FFmpeg's and piq's SSIM are other
metrics, shown for their speed alone.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

LUMA = (0.299, 0.587, 0.114)
FFMPEG_SCORES = {"psnr": "psnr_avg", "ssim": "All"}
"""What FFmpeg calls its scores."""
Row = Sequence[float]
OWN, PROGRAMS = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


def frames(path: str, pairs: int) -> Iterator[np.ndarray]:
    """RGB as PyAV makes it by default."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in islice(container.decode(stream), pairs):
            yield frame.to_ndarray(format="rgb24")


def with_vfiscope(metrics: Sequence[str], test: str, ref: str, pairs: int) -> Iterator[Row]:
    import vfiscope as vs

    with vs.score(test, ref=ref, metrics=metrics, signals=["none"], stop=pairs) as run:
        yield from zip(*(run.scores[name].tolist() for name in metrics), strict=True)


def with_signals(metrics: Sequence[str], test: str, ref: str, pairs: int) -> Iterator[Row]:
    """vfiscope with its default signals and detectors, as from the command line."""
    import vfiscope as vs

    with vs.score(test, ref=ref, metrics=metrics, stop=pairs) as run:
        yield from zip(*(run.scores[name].tolist() for name in metrics), strict=True)


def with_skimage(metrics: Sequence[str], test: str, ref: str, pairs: int) -> Iterator[Row]:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    compute = {
        "psnr": lambda t, r: peak_signal_noise_ratio(r, t, data_range=255),
        "ssim": lambda t, r: structural_similarity(t @ LUMA, r @ LUMA, data_range=255, **gaussian),
    }
    for t, r in zip(frames(test, pairs), frames(ref, pairs), strict=True):
        yield [float(compute[name](t, r)) for name in metrics]


def with_torch(
    library: Callable[[], dict[str, Callable[[Any, Any], Any]]],
    metrics: Sequence[str],
    test: str,
    ref: str,
    pairs: int,
) -> Iterator[Row]:
    """A library of metrics of tensors (1, C, H, W) from 0 to 1; all but PSNR of luma."""
    import torch

    compute, luma = library(), torch.tensor(LUMA).reshape(1, 3, 1, 1)
    with torch.inference_mode():
        for both in zip(frames(test, pairs), frames(ref, pairs), strict=True):
            rgb = [torch.from_numpy(each).permute(2, 0, 1)[None].float() / 255 for each in both]
            gray = [(each * luma).sum(1, keepdim=True) for each in rgb]
            yield [float(compute[name](*(rgb if name == "psnr" else gray))) for name in metrics]


def kornia() -> dict[str, Callable[[Any, Any], Any]]:
    from kornia.metrics import psnr, ssim

    return {
        "psnr": lambda t, r: psnr(t, r, 1.0),
        "ssim": lambda t, r: ssim(t, r, 11, eps=0.0, padding="valid").mean(),
    }


def piq() -> dict[str, Callable[[Any, Any], Any]]:
    import piq

    return {
        "psnr": partial(piq.psnr, data_range=1.0),
        "ssim": partial(piq.ssim, data_range=1.0, downsample=False),
        "ms_ssim": partial(piq.multi_scale_ssim, data_range=1.0),
        "gmsd": partial(piq.gmsd, data_range=1.0),
    }


def pytorch_msssim() -> dict[str, Callable[[Any, Any], Any]]:
    import pytorch_msssim as library

    return {
        "ssim": partial(library.ssim, data_range=1.0),
        "ms_ssim": partial(library.ms_ssim, data_range=1.0),
    }


def with_ffmpeg(metrics: Sequence[str], test: str, ref: str, pairs: int) -> Iterator[Row]:
    """FFmpeg's filters of these names in one graph. They work on Y'CbCr without converting it, and
    its SSIM is that of 8x8 blocks."""
    with ExitStack() as stack:
        containers = [stack.enter_context(av.open(path)) for path in (test, ref)]
        streams = [container.streams.video[0] for container in containers]
        for stream in streams:
            stream.thread_type = "AUTO"
        graph = av.filter.Graph()  # must outlive what belongs to it
        inputs, sinks = filters_in(graph, metrics, streams)
        decoded = (each.decode(one) for each, one in zip(containers, streams, strict=True))
        for pair in islice(zip(*decoded, strict=True), pairs):
            for given, frame in zip(inputs, pair, strict=True):
                given.push(frame)
            told = [sink.pull().metadata for sink in sinks]
            yield [
                float(each[f"lavfi.{name}.{FFMPEG_SCORES[name]}"])
                for name, each in zip(metrics, told, strict=True)
            ]


def filters_in(
    graph: Any, names: Sequence[str], streams: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Two inputs, each given to every filter; an output of each."""
    inputs = [graph.add_buffer(template=stream) for stream in streams]
    filters, sinks = (
        [graph.add(name) for name in kind] for kind in (names, ["buffersink"] * len(names))
    )
    for side, given in enumerate(inputs):
        split = graph.add("split", str(len(names)))
        given.link_to(split)
        for output, each in enumerate(filters):
            split.link_to(each, output, side)
    for each, sink in zip(filters, sinks, strict=True):
        each.link_to(sink)
    graph.configure()
    return inputs, sinks


def with_ffmpeg_program(metrics: Sequence[str], test: str, ref: str, pairs: int) -> Iterator[Row]:
    """The same filters in the program ``ffmpeg``, as they are called from a shell."""
    with tempfile.TemporaryDirectory() as folder:
        kept = [Path(folder) / name for name in metrics]
        splits = "".join(f"[r{number}]" for number in range(len(metrics)))
        graph = [f"[1:v]split={len(metrics)}{splits}"]
        for number, (name, told) in enumerate(zip(metrics, kept, strict=True)):
            source = "[0:v]" if number == 0 else f"[t{number - 1}]"
            graph.append(f"{source}[r{number}]{name}=stats_file={told}[t{number}]")
        output = ["-map", f"[t{len(metrics) - 1}]", "-frames:v", str(pairs), "-f", "null", "-"]
        command = ["ffmpeg", "-v", "error", "-nostdin", "-i", test, "-i", ref]
        subprocess.run([*command, "-lavfi", ";".join(graph), *output], check=True)
        columns = [
            re.findall(rf"{FFMPEG_SCORES[name]}:(\S+)", told.read_text())[:pairs]
            for name, told in zip(metrics, kept, strict=True)
        ]
        yield from ([float(each) for each in row] for row in zip(*columns, strict=True))


PEERS: dict[str, tuple[Callable[..., Iterator[Row]], tuple[str, ...]]] = {
    "vfiscope": (with_vfiscope, ()),
    "vfiscope with signals": (with_signals, ()),
    "FFmpeg filters": (with_ffmpeg, ("psnr", "ssim")),
    "FFmpeg program": (with_ffmpeg_program, ("psnr", "ssim")),
    "scikit-image": (with_skimage, ("psnr", "ssim")),
    "kornia": (partial(with_torch, kornia), ("psnr", "ssim")),
    "piq": (partial(with_torch, piq), ("psnr", "ssim", "ms_ssim", "gmsd")),
    "pytorch-msssim": (partial(with_torch, pytorch_msssim), ("ssim", "ms_ssim")),
}
"""{name: (how it scores, the metrics that it has)}; ours has all."""


def processor_time() -> float:
    """Seconds of this process and of programs that it has run."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (OWN, PROGRAMS))


def main() -> None:
    name, asked, test, ref, pairs = sys.argv[1:]
    metrics, (score, _) = asked.split(","), PEERS[name]
    list(score(metrics, test, ref, 2))  # imports, compiled loops and caches are not measured
    processor, wall = processor_time(), time.perf_counter()
    scores = list(score(metrics, test, ref, int(pairs)))
    processor, wall = processor_time() - processor, time.perf_counter() - wall
    peak = max(resource.getrusage(who).ru_maxrss for who in (OWN, PROGRAMS)) / 1024
    means = dict(zip(metrics, np.mean(scores, axis=0).tolist(), strict=True))
    told = {"pairs": len(scores), "processor": processor, "wall": wall, "peak_mb": peak}
    print(json.dumps({**told, "means": means}))


if __name__ == "__main__":
    main()
