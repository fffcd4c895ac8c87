"""A configuration with everything in it opened and chosen."""

from __future__ import annotations

import platform
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import reduce
from importlib.metadata import PackageNotFoundError, version
from operator import or_

import torch

from vfiscope import registration as spatial
from vfiscope.alignment import ShiftCheck
from vfiscope.config import MAX_LAG_BYTES, RunConfig
from vfiscope.embedders import Embedder, choose, open_embedder
from vfiscope.errors import UsageError
from vfiscope.metrics import patches
from vfiscope.models import resolve_device
from vfiscope.scoring.checks import Inputs, open_checked
from vfiscope.scoring.inputs import Stamp, identity
from vfiscope.scoring.score import Plan
from vfiscope.segments import parse_rule
from vfiscope.segments.detectors import DETECTORS
from vfiscope.signals import Sight, choose_signals
from vfiscope.sources import Source
from vfiscope.store import Header
from vfiscope.types import MetricSpec, Needs

__all__ = ["OpenJob", "open_job"]

PACKAGES = (
    "vfiscope",
    "av",
    "h5py",
    "kornia",
    "numba",
    "numpy",
    "opencv-python-headless",
    "timm",
    "torch",
)


EMBEDDING = ("weights", "size", "pool", "aspect", "precise")
"""Options of the embedder."""
DEFAULT_CONFIG = RunConfig("scan", None)
MATCHING = frozenset({"mismatch", *(each.spec.name for each in (*patches.MAPS, *patches.FIELDS))})
"""What is computed from matches of patches."""


@dataclass(frozen=True)
class OpenJob:
    """A configuration with everything in it opened and chosen."""

    config: RunConfig
    plan: Plan
    sources: dict[str, Source]
    """By role, in the order test, then ref, source or golden where there is one."""
    embedder: Embedder | None
    device: torch.device
    register: spatial.Register | None
    """How test frames are brought onto their partners; None where they are taken as they are."""
    header: Header
    stamps: dict[str, Stamp]
    """Of the files of every source, before they were read."""
    check: ShiftCheck

    @property
    def test(self) -> Source:
        return self.sources["test"]

    @property
    def policy(self) -> str:
        """How test frames get what they are compared with: golden, lag, source, neighbours, map,
        shift or row."""
        if self.config.mode == "scan":
            return "golden" if "golden" in self.sources else "lag"
        if "ref" not in self.sources:
            return "source" if "source" in self.sources else "neighbours"
        if self.config.align == "none":
            return "row"
        return "map" if self.config.align == "auto" else "shift"

    @property
    def shift(self) -> int | None:
        """How many rows later the reference frames are; None where pairs are not made by rows."""
        if isinstance(self.config.align, int):
            return self.config.align
        return 0 if self.policy == "row" else None

    @property
    def lag(self) -> int:
        return self.config.lag or 1

    @property
    def unused(self) -> list[str]:
        """Sentences about options on which no score depends, if any were given."""
        found = _unembedded(self.config, self.plan), _untoned(self.config, self.sources)
        return [each for each in found if each is not None]


def open_job(config: RunConfig, stack: ExitStack, inputs: Inputs | None = None) -> OpenJob:
    """Open what a configuration names, but for inputs that are open already.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    plan = _with_signals(Plan.of(config.metrics, config.maps, config.fields), config)
    _check_rules(config, plan)
    _check_needs(config, plan)
    device = resolve_device(config.device)
    inputs = inputs or open_checked(config, stack)
    sources = inputs.sources
    embedder = _open_embedder(config, device) if plan.needs_features else None
    if config.lag is not None:
        _check_lag(config.lag, sources["test"], embedder)
    register = _open_register(config, device)
    header = _header(config, plan, sources, embedder, device)
    return OpenJob(
        config, plan, sources, embedder, device, register, header, inputs.stamps, ShiftCheck()
    )


def _with_signals(plan: Plan, config: RunConfig) -> Plan:
    """The plan with the signals that are asked for, or the usual ones and those that detectors
    need."""
    has = {
        Sight.BEFORE: config.mode != "compare",
        Sight.EMBEDDING: plan.needs_features,
        Sight.SHIFT: config.register != "none" or "motion" in plan.fields,
    }
    offered = reduce(or_, (part for part, there in has.items() if there), Sight.NOTHING)
    wanted = {name for detector in DETECTORS.values() for name in detector.needs}
    return replace(plan, signals=choose_signals(config.signals, offered, wanted))


def _check_lag(lag: int, test: Source, embedder: Embedder | None) -> None:
    """Refuse a lag whose frames, held with their features (float32) until their turn comes, need
    too much memory."""
    height, width = test.size
    size = 3 * height * width * (1 if test.info.bit_depth == 8 else 2)
    if embedder is not None:
        size += 4 * embedder.floats(height, width)
    if lag * size > MAX_LAG_BYTES:
        raise UsageError(
            f"lag {lag} holds {lag} frames of {width}x{height} with their features,"
            f" {lag * size / 2**30:.1f} GiB, and {MAX_LAG_BYTES / 2**30:g} GiB is the limit: give"
            f" --lag {MAX_LAG_BYTES // size} or less, or --step N, with which a lag counts every"
            " N-th frame"
        )


def _unembedded(config: RunConfig, plan: Plan) -> str | None:
    """A sentence about options of embedding or matching where nothing is embedded or matched."""
    options = [name for name in EMBEDDING if getattr(config, name) != getattr(DEFAULT_CONFIG, name)]
    options = [] if plan.needs_features else options
    if config.window is not None and not MATCHING & {*plan.metrics, *plan.maps, *plan.fields}:
        options.append("window")
    if not options:
        return None
    given = " and ".join(f"--{name}" for name in options)
    reason = "are matched" if plan.needs_features else "are embedded"
    return f"no score depends on {given}: with these metrics, maps and fields no patches {reason}"


def _untoned(config: RunConfig, sources: dict[str, Source]) -> str | None:
    """A sentence about a tone map that no source has a use for; ``none`` is what becomes of SDR
    anyway."""
    if config.tonemap in (None, "none") or any(
        "tonemap" in source.info.color for source in sources.values()
    ):
        return None
    who = (
        f"neither {' nor '.join(sources)} is"
        if len(sources) > 1
        else f"{next(iter(sources))} is not"
    )
    return f"no score depends on --tonemap {config.tonemap}: {who} HDR"


def _check_rules(config: RunConfig, plan: Plan) -> None:
    """Refuse a rule that cannot work before a frame is decoded for it."""
    specs = {name: metric.spec for name, metric in plan.metrics.items()}
    rules = {text: parse_rule(text, specs=specs) for text in (*config.flag, *config.fail_on)}
    for text in config.flag:
        rules[text].check_marks_frames()
    for rule in rules.values():
        rule.check_role(_roles(config, specs[rule.check(specs)]))


def _roles(config: RunConfig, spec: MetricSpec) -> tuple[str, ...]:
    """The roles of the frames that a metric is defined for; none where frames are not told
    apart."""
    if config.source is None and config.multiplier is None:
        return ()
    if Needs.NEIGHBOURS in spec.needs:
        return ("synthesised",)
    return ("passed",) if config.source is not None else ("synthesised", "passed")


def _check_needs(config: RunConfig, plan: Plan) -> None:
    """Refuse a metric or map that no frame of this mode could have a value of."""
    for part in plan.parts:
        name, needs = part.spec.name, part.spec.needs
        if Needs.NEIGHBOURS in needs and config.mode != "score":
            raise UsageError(
                f"{name} needs the real frames around a frame, which {config.mode} has not: use"
                " score"
            )
        if (
            Needs.REF in needs
            and config.mode == "score"
            and config.ref is None
            and (config.source is None or Needs.NEIGHBOURS in needs)
        ):
            raise UsageError(f"{name} needs the ground truth: add --ref, or choose other metrics")


def _open_embedder(config: RunConfig, device: torch.device) -> Embedder:
    """The embedder that a configuration names, with its options.

    Raises:
        EmbedderError: it, its weights or one of its options cannot be used.
    """
    name, _ = choose(config.embedder, config.weights)
    return open_embedder(
        name,
        weights=config.weights,
        size=config.size,
        aspect=config.aspect,
        pool=config.pool,
        precise=config.precise,
        device=device,
    )


def _open_register(config: RunConfig, device: torch.device) -> spatial.Register | None:
    if config.register == "none":
        return None
    return spatial.open_register(config.register, weights=config.register_weights, device=device)


def _header(
    config: RunConfig,
    plan: Plan,
    sources: dict[str, Source],
    embedder: Embedder | None,
    device: torch.device,
) -> Header:
    test = sources["test"]
    return Header(
        mode=config.mode,
        config={**config.to_dict(), "device": str(device)},
        sources=[identity(role, source) for role, source in sources.items()],
        embedder=None if embedder is None else embedder.describe(*test.size),
        register=(
            None
            if config.register == "none"
            else spatial.describe(config.register, config.register_weights)
        ),
        versions=_versions(),
        metrics={name: metric.spec for name, metric in plan.metrics.items()},
        maps={name: metric.spec for name, metric in plan.maps.items()},
        fields={name: metric.spec for name, metric in plan.fields.items()},
        signals={name: signal.spec for name, signal in plan.signals.items()},
        grids=plan.grids(test.size, None if embedder is None else embedder.grid(*test.size)),
        size=test.size,
        time_base=test.info.time_base,
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
