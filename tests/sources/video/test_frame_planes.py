from __future__ import annotations

from fractions import Fraction

import av.filter
import numpy as np
from helpers.media import from_planes

from vfiscope.sources.video.frame_planes import lines_of


def test_lines_that_are_stored_from_the_bottom_up_come_from_the_top() -> None:
    lines = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    frame = from_planes([lines], "gray")
    graph = av.filter.Graph()
    source = graph.add_buffer(width=16, height=12, format=frame.format, time_base=Fraction(1, 25))
    flip, sink = graph.add("vflip"), graph.add("buffersink")
    source.link_to(flip)
    flip.link_to(sink)
    graph.configure()
    graph.push(frame)
    flipped = graph.vpull()
    assert flipped.planes[0].line_size < 0
    assert np.array_equal(lines_of(flipped.planes[0])[:, :16], lines[::-1])
