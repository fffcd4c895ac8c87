"""A session opens each model once, and holds the last two."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from helpers.media import noise
from helpers.networks import shallow, write_weights

import vfiscope as vs
from vfiscope.errors import EmbedderError
from vfiscope.options import RunConfig
from vfiscope.scoring.session import Session
from vfiscope.types import Needs


def asking(**options: object) -> RunConfig:
    return RunConfig("compare", "a.png", "b.png", **options)


def test_jobs_that_ask_for_the_same_share_it() -> None:
    with Session() as session:
        first = session.models(asking(embedder="dsift", register="sift"), Needs.FEATURES)
        again = session.models(asking(embedder="dsift", register="sift"), Needs.FEATURES)
        other = session.models(asking(embedder="dsift", size=70), Needs.FEATURES)
        assert again.embedder is first.embedder
        assert again.register is first.register
        assert other.embedder is not first.embedder
        assert other.register is None
        assert session.models(asking(embedder="dsift"), Needs.REF).embedder is None


def test_the_least_recently_used_makes_room() -> None:
    session = Session()

    def opened(size: int) -> object:
        return session.models(asking(embedder="dsift", size=size), Needs.FEATURES).embedder

    a, b = opened(70), opened(84)
    assert opened(70) is a
    opened(98)  # in place of b, which was used before a
    assert opened(70) is a
    assert opened(84) is not b
    session.close()
    assert opened(70) is not a


def test_weights_that_changed_are_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow(monkeypatch)
    weights = write_weights("dinov2-small", tmp_path / "a.pt")
    config = asking(embedder="dinov2-small", weights=str(weights))
    session = Session()
    assert session.identify(config, Needs.FEATURES).embedder is None
    first = session.models(config, Needs.FEATURES).embedder
    assert session.models(config, Needs.FEATURES).embedder is first
    write_weights("dinov2-small", weights, value=0.5)
    assert session.models(config, Needs.FEATURES).embedder is not first
    weights.unlink()
    with pytest.raises(EmbedderError, match="do not exist"):
        session.models(config, Needs.FEATURES)


@pytest.mark.slow
def test_the_verbs_of_a_session_give_the_runs_of_the_functions(tmp_path: Path) -> None:
    frames = noise(3, 42, 56)
    options = {"embedder": "dsift", "size": 70, "metrics": ["cosine"], "maps": [], "fields": []}
    with vs.Session() as session:
        runs = [
            (session.score(frames, ref=frames[::-1], **options), vs.score),
            (session.scan(frames, golden=0, **options), vs.scan),
            (session.compare(frames[0], frames[1], **options), vs.compare),
        ]
    given = [
        ((frames,), {"ref": frames[::-1]}),
        ((frames,), {"golden": 0}),
        (tuple(frames[:2]), {}),
    ]
    for (run, function), (inputs, more) in zip(runs, given, strict=True):
        with run, function(*inputs, **more, **options) as alone:
            assert np.array_equal(run.scores["cosine"], alone.scores["cosine"])
            assert run.mode == alone.mode
        method = getattr(vs.Session, function.__name__)
        shown = list(inspect.signature(method).parameters)
        assert shown == ["self", *inspect.signature(function).parameters]
