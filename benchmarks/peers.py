"""One peer scoring one pair of videos with PSNR and SSIM, in a process of its own.

    python benchmarks/peers.py NAME TEST REF PAIRS

prints one JSON object: pairs scored, seconds from the first packet to the last score (imports are
not counted), peak memory in MB, and the mean scores. Every peer decodes both videos itself.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice

import av
import numpy as np

Scores = tuple[float, float]


def decoded(path: str, pairs: int, form: str = "rgb24") -> Iterator[np.ndarray]:
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in islice(container.decode(stream), pairs):
            yield frame.to_ndarray(format=form)


def with_vfiscope(test: str, ref: str, pairs: int) -> Iterator[Scores]:
    import vfiscope as vs

    with vs.score(test, ref=ref, metrics=["psnr", "ssim"], stop=pairs) as run:
        yield from zip(run.scores["psnr"].tolist(), run.scores["ssim"].tolist(), strict=True)


def with_skimage(test: str, ref: str, pairs: int) -> Iterator[Scores]:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    luma = np.array([0.299, 0.587, 0.114])
    for a, b in zip(decoded(test, pairs), decoded(ref, pairs), strict=True):
        psnr = peak_signal_noise_ratio(b, a, data_range=255)
        ssim = structural_similarity(
            a @ luma,
            b @ luma,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        yield float(psnr), float(ssim)


def with_kornia(test: str, ref: str, pairs: int) -> Iterator[Scores]:
    import torch
    from kornia.metrics import psnr, ssim

    luma = torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)
    with torch.inference_mode():
        for frames in zip(decoded(test, pairs), decoded(ref, pairs), strict=True):
            a, b = (torch.from_numpy(f).permute(2, 0, 1)[None].float() / 255 for f in frames)
            ya, yb = (a * luma).sum(1, keepdim=True), (b * luma).sum(1, keepdim=True)
            yield float(psnr(a, b, 1.0)), float(ssim(ya, yb, 11, eps=0.0, padding="valid").mean())


def with_ffmpeg(test: str, ref: str, pairs: int) -> Iterator[Scores]:
    """FFmpeg's psnr and ssim filters. Its SSIM is another metric (8x8 blocks, on Y'CbCr): only its
    speed compares."""
    graph = av.filter.Graph()
    with av.open(test) as first, av.open(ref) as second:
        streams = [container.streams.video[0] for container in (first, second)]
        for stream in streams:
            stream.thread_type = "AUTO"
        inputs = [graph.add_buffer(template=stream) for stream in streams]
        splits = [graph.add("split", "2") for _ in inputs]
        filters = [graph.add("psnr"), graph.add("ssim")]
        sinks = [graph.add("buffersink") for _ in filters]
        for side, (source, split) in enumerate(zip(inputs, splits, strict=True)):
            source.link_to(split)
            for output, measure in enumerate(filters):
                split.link_to(measure, output, side)
        for measure, sink in zip(filters, sinks, strict=True):
            measure.link_to(sink)
        graph.configure()
        for a, b in islice(
            zip(first.decode(streams[0]), second.decode(streams[1]), strict=True), pairs
        ):
            inputs[0].push(a)
            inputs[1].push(b)
            psnr, ssim = (sink.pull().metadata for sink in sinks)
            yield float(psnr["lavfi.psnr.psnr_avg"]), float(ssim["lavfi.ssim.All"])


PEERS: dict[str, Callable[[str, str, int], Iterator[Scores]]] = {
    "vfiscope": with_vfiscope,
    "scikit-image": with_skimage,
    "kornia": with_kornia,
    "FFmpeg filters": with_ffmpeg,
}


def main() -> None:
    name, test, ref, pairs = sys.argv[1:]
    list(PEERS[name](test, ref, 2))  # imports, compiled kernels and caches are not what is measured
    began = time.perf_counter()
    scores = list(PEERS[name](test, ref, int(pairs)))
    seconds = time.perf_counter() - began
    psnr, ssim = np.mean(scores, axis=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"pairs": len(scores), "seconds": seconds, "peak_mb": peak, "psnr": psnr, "ssim": ssim}
        )
    )


if __name__ == "__main__":
    main()
