"""A job: a configuration with its inputs and models opened, chosen and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import methodcaller, or_

from vfiscope import registration as spatial
from vfiscope.comparisons import Comparison, Streams, WrapDecoding, choose_comparison
from vfiscope.config import MAX_LAG_BYTES, RunConfig
from vfiscope.embedders import Identity
from vfiscope.embedders.embed_once import embed_once
from vfiscope.errors import UsageError
from vfiscope.metric_names import chosen
from vfiscope.regions.normal_size import check_normal_size
from vfiscope.regions.regions_stage import check_regions
from vfiscope.scoring.checks import Inputs, open_checked
from vfiscope.scoring.fitting import has_other_place
from vfiscope.scoring.page_panels import with_panels
from vfiscope.scoring.portions import Portions
from vfiscope.scoring.provenance import identity, versions
from vfiscope.scoring.score import Plan
from vfiscope.scoring.session import Models, Session
from vfiscope.segments import Gate, check_kind, parse_rule
from vfiscope.segments.causes import BY_PLACES, LOW_SCORE
from vfiscope.segments.detectors import DETECTORS, detectors_of
from vfiscope.segments.placed import PART_SIGNALS
from vfiscope.signals import FAULT_MAPS, SIGNALS, Sight, choose_signals
from vfiscope.sources import Source
from vfiscope.stage_clock import StageClock
from vfiscope.store import Header
from vfiscope.types import Features, Frames, MetricSpec, Needs, Pairs, SignalSpec
from vfiscope.types.segment_kinds import SEGMENT_KINDS

__all__ = ["Job", "open_job", "pairs_of", "read_for", "streams_of"]

SMALL_ENOUGH_KINDS = frozenset({"cut", "fade", "flash"})
"""Kinds that are told from scaled frames as well. Black is told by the brightest pixels, which
means of several pixels hide."""
SMALL_ENOUGH_PX = 320
"""Width up to which frames are read for these kinds. Of frames of 160 px dissolves are lost."""
SMALL_BATCH = 32
"""Frames of that size that are read together at least."""
NEAR_CUTS = {"shot_step": "cut_step", "shot_residual": "cut_residual"}
"""{signal: what says the same to the detectors of these kinds, in less time}"""


@dataclass(frozen=True)
class Job:
    """What is computed, from which inputs, by which comparison and with which models."""

    config: RunConfig
    plan: Plan
    comparison: Comparison
    inputs: Inputs
    models: Models
    header: Header
    clock: StageClock
    """Runs from when the inputs are open."""

    @property
    def has_small_frames(self) -> bool:
        """Whether it reads frames scaled down, each of which takes a moment only."""
        return _has_small_frames(self.config)


def _has_small_frames(config: RunConfig) -> bool:
    return 0 < (config.max_width or 0) <= SMALL_ENOUGH_PX


def open_job(
    config: RunConfig,
    stack: ExitStack,
    session: Session | None = None,
    *,
    load: bool = True,
    also: Needs = Needs.NOTHING,
) -> Job:
    """Open the job of a configuration, models last, so that whatever can be refused without them is
    refused at once.

    Args:
        config: the job.
        stack: closes the inputs.
        session: its models are shared.
        load: False if only the header is needed: no model is loaded, and the header lacks the
            report on the tensors of the weights.
        also: needs besides those of the metrics.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    config = _with_small_frames(with_panels(config))
    plan = Plan.of(config.metrics, config.maps, config.fields)
    if not plan.metrics and not config.kinds:
        kinds = ", or pass --kinds to look for segments" if config.mode == "scan" else ""
        raise UsageError(f"metrics is none, and nothing is left to compute: name some{kinds}")
    plan = _with_signals(plan, config)
    comparison = choose_comparison(config)(config, plan.needs)
    _check_rules(config, plan)
    check_regions(config)
    _check_needs(comparison, plan)
    inputs = open_checked(config, stack)
    plan = _with_packets(plan, config, inputs.sources["test"])
    plan = _with_dated(plan, config, inputs.sources["test"])
    _check_told(config, plan)
    if plan.signals:
        inputs.sources["test"].ask_for_luma()
    check_normal_size(config.normal, inputs.sources["test"].size)
    session, needs = session or Session(), plan.needs | also
    models = session.models(config, needs) if load else session.identify(config, needs)
    if config.lag is not None:
        _check_lag(config.lag, inputs.sources["test"], models.identity)
    header = _header(config, plan, inputs.sources, models)
    return Job(config, plan, comparison, inputs, models, header, _started(inputs.sources))


def _started(sources: Mapping[str, Source]) -> StageClock:
    """A clock for the reading of these sources, and for all that follows."""
    clock = StageClock()
    for role, source in sources.items():
        source.time_reading(clock, f"read {role}")
    return clock


def _with_small_frames(config: RunConfig) -> RunConfig:
    """The configuration with small frames where they are enough for all that it asks for.

    Raises:
        UsageError: it asks for a kind that nothing flags.
    """
    known = [k for each in DETECTORS.values() for k in each.kinds]
    chosen("kind", dict.fromkeys((*SEGMENT_KINDS, *known)), config.kinds)
    more = (config.metrics, config.maps, config.fields, config.signals)
    alone = not any(set(names) - {"none"} for names in more) and config.golden is None
    # Values that a rule measures are those of whole frames; a gate asks for segments only.
    alone &= all(isinstance(parse_rule(rule), Gate) for rule in (*config.flag, *config.fail_on))
    enough = alone and _are_of_shots(config.kinds)
    if not enough or config.max_width or config.region_method != "none":
        return config
    return config.replace(max_width=SMALL_ENOUGH_PX, batch=max(config.batch, SMALL_BATCH))


def _are_of_shots(kinds: Sequence[str]) -> bool:
    return bool(kinds) and set(kinds) <= SMALL_ENOUGH_KINDS


def _with_signals(plan: Plan, config: RunConfig) -> Plan:
    """The plan with the chosen signals, or the default ones and those that detectors need; and with
    those that rules need."""
    in_order = config.mode != "compare" and not config.independent
    has = {
        Sight.BEFORE | Sight.AFTER | Sight.PAST | Sight.COMING | Sight.NEAR: in_order,
        Sight.PACKETS: config.mode != "compare",
        Sight.EMBEDDING: plan.needs_features,
        Sight.GOLDEN: config.golden is not None,
        Sight.FAULTS: config.mode == "score"
        and (config.ref is not None or any(name in plan.maps for name in FAULT_MAPS)),
        Sight.SHIFT: has_other_place(config)
        or config.register != "none"
        or "motion" in plan.fields,
    }
    offered = reduce(or_, (part for part, there in has.items() if there), Sight.NOTHING)
    wanted = read_for(config.kinds) if config.kinds or not config.signals else set()
    if _has_small_frames(config) and not config.signals and _are_of_shots(config.kinds):
        wanted = {NEAR_CUTS.get(name, name) for name in wanted}
    wanted |= set(PART_SIGNALS) if config.kinds else set()
    wanted -= {name for name, signal in SIGNALS.items() if signal.dated}
    for rule in (*config.flag, *config.fail_on):  # of its words those that name a signal count
        wanted |= set(re.findall(r"\w+", rule.lower()))
    chosen = choose_signals(config.signals, offered, wanted, usual=not config.kinds)
    return replace(plan, signals=chosen)


def read_for(kinds: Sequence[str]) -> set[str]:
    """The scores and signals that the detectors of these kinds read; of all where there are
    none."""
    return {name for each in detectors_of(kinds) for name in (*each.needs, *each.reads)}


def _with_packets(plan: Plan, config: RunConfig, test: Source) -> Plan:
    """The plan for the test: without the signals of packets where it is no video.

    Raises:
        UsageError: one was asked for, or a rule is about one.
    """
    if test.info.kind == "video":
        return plan
    kept = plan.without_packets()
    _check_rules(config, kept)
    for name in config.signals:
        if name in plan.signals and name not in kept.signals:
            raise UsageError(
                f"{name} is about the packets of a video, and {test.info.path} is none: leave it"
                " out of --signals"
            )
    return kept


def _with_dated(plan: Plan, config: RunConfig, test: Source) -> Plan:
    """The plan with the default signals of a time-lapse, where the photos tell when they were
    taken."""
    if config.mode == "compare" or config.independent or config.signals or not test.info.times_from:
        return plan
    needed = read_for(config.kinds) if config.kinds else SIGNALS
    dated = {n: each for n, each in SIGNALS.items() if each.dated and n in needed}
    return replace(plan, signals={**plan.signals, **dated})


def _check_lag(lag: int, test: Source, embedder: Identity | None) -> None:
    """Refuse a lag whose frames, held in memory with their features (float32), need too much of
    it."""
    height, width = test.size
    size = 3 * height * width * (1 if test.info.bit_depth == 8 else 2)
    if embedder is not None:
        size += 4 * embedder.floats(height, width)
    if lag * size > MAX_LAG_BYTES:
        raise UsageError(
            f"lag {lag} holds {lag} frames of {width}x{height} with their features,"
            f" {lag * size / 2**30:.1f} GiB, and {MAX_LAG_BYTES / 2**30:g} GiB is the limit: pass"
            f" --lag {MAX_LAG_BYTES // size} or less, or --step N, so that a lag counts every N-th"
            " frame"
        )


def _check_rules(config: RunConfig, plan: Plan) -> None:
    """Refuse a rule that cannot work before any frame is decoded."""
    specs: dict[str, MetricSpec | SignalSpec] = {
        **{name: metric.spec for name, metric in plan.metrics.items()},
        **{name: signal.spec for name, signal in plan.signals.items() if name not in plan.metrics},
    }
    rules = {text: parse_rule(text, specs=specs) for text in (*config.flag, *config.fail_on)}
    for text in config.flag:
        rules[text].check_marks_frames()
    for rule in rules.values():
        if isinstance(rule, Gate):
            check_kind(rule, config.kinds, bool(config.flag))
            rule.check_sought(config.region_method != "none", "add --regions auto")
            continue
        if config.independent:
            rule.check_single()
        rule.check_role(_roles(config, specs[rule.check(specs)]))


def _check_told(config: RunConfig, plan: Plan) -> None:
    """Refuse a kind of which no detector has what it needs."""
    placed = config.source is not None or config.ref is not None
    there = {*plan.metrics, *plan.signals, *([BY_PLACES] if placed else [])}
    there |= {name for name, instead in NEAR_CUTS.items() if instead in there}
    if LOW_SCORE in config.kinds and not plan.metrics:
        raise UsageError(
            f"{LOW_SCORE} is about scores, and --kinds computes none: name some in --metrics, or"
            f" leave {LOW_SCORE} out of --kinds"
        )
    for kind in config.kinds:
        lacking = [each.lacks(kind, there) for each in DETECTORS.values() if each.flags([kind])]
        if not all(lacking):
            continue
        if "none" in config.signals:
            raise UsageError(
                f"nothing tells {kind} without signals, and --signals none keeps none: leave {kind}"
                " out of --kinds, or none out of --signals"
            )
        fewest = min(lacking, key=len)
        name = min(fewest)
        dated = name in SIGNALS and SIGNALS[name].dated
        why = "only photos that tell when they were taken have" if dated else "is not computed here"
        raise UsageError(
            f"nothing tells {kind}, which needs {name}, and that {why}: leave {kind} out of --kinds"
        )


def _roles(config: RunConfig, spec: MetricSpec | SignalSpec) -> tuple[str, ...]:
    """The roles of the frames that a metric or signal is defined for; none where roles are
    unknown."""
    if config.source is None and config.multiplier is None:
        return ()
    held = ("held",) if config.source is not None else ()
    if isinstance(spec, SignalSpec) or spec.needs == Needs.NOTHING:
        return ("synthesised", "passed", *held)
    if Needs.NEIGHBOURS in spec.needs:
        return ("synthesised", *held)
    return ("passed",) if config.source is not None else ("synthesised", "passed")


def _check_needs(comparison: Comparison, plan: Plan) -> None:
    """Refuse a metric, map or field that could not have a value for any frame."""
    for spec in (part.spec for part in plan.parts):
        if comparison.allows(spec.needs):
            continue
        mode = comparison.config.mode
        if Needs.NEIGHBOURS in spec.needs and Needs.NEIGHBOURS not in comparison.offers:
            lacks = f"{mode} mode" if mode != "score" else f"the comparison {comparison.name!r}"
            remedy = "use score" if mode != "score" else "choose other metrics"
            raise UsageError(
                f"{spec.name} needs neighbouring source frames, which {lacks} does not have;"
                f" {remedy}"
            )
        raise UsageError(f"{spec.name} needs the ground truth: add --ref, or choose other metrics")


def _header(
    config: RunConfig,
    plan: Plan,
    sources: dict[str, Source],
    models: Models,
) -> Header:
    test = sources["test"]
    embedder = models.identity if Needs.FEATURES in plan.needs else None
    return Header(
        mode=config.mode,
        config={**config.to_dict(), "device": models.device},
        sources=[identity(role, source) for role, source in sources.items()],
        embedder=None if embedder is None else (models.embedder or embedder).describe(*test.size),
        register=(
            None
            if config.register == "none"
            else spatial.describe(config.register, config.register_weights)
        ),
        versions=versions(),
        metrics={name: metric.spec for name, metric in plan.metrics.items()},
        maps={name: metric.spec for name, metric in plan.maps.items()},
        fields={name: metric.spec for name, metric in plan.fields.items()},
        signals={name: signal.spec for name, signal in plan.signals.items()},
        grids=plan.grids(test.size, None if embedder is None else embedder.grid(*test.size)),
        size=test.size,
        time_base=test.info.time_base,
    )


def streams_of(job: Job, reading: WrapDecoding | None = None) -> Streams:
    """The inputs of a job as streams of frames.

    Args:
        job: what is scored.
        reading: wraps the passes that are made before scoring.
    """
    # Registered frames are embedded after registration; with a lag they are partners too.
    registered = job.models.register is not None and len(job.inputs.sources) > 1
    return Streams(
        job.inputs.sources,
        depth=job.config.prefetch,
        embed=_embedding(job),
        move=None if job.models.device == "cpu" else methodcaller("to", job.models.device),
        bare=frozenset({"test"} if registered else ()),
        reading=reading,
    )


def _embedding(job: Job) -> Callable[[Frames], Features] | None:
    """Computes the features of frames; None where no metric needs them."""
    embedder, portions = job.models.embedder, Portions()
    if embedder is None:
        return None
    embed = job.clock.calling("embed", partial(embed_once, embedder.embed))
    return lambda frames: portions.features(frames, embed)


def pairs_of(job: Job, comparison: Comparison, streams: Streams, done: int) -> Iterator[Pairs]:
    """The pairs of a job from row ``done`` on, registered if the job registers.

    Every source is read to the end of its selection, so that its counts are complete; frames that
    no pair needs are decoded but not embedded.
    """
    pairs: Iterator[Pairs] = (
        replace(each, window=job.config.window)
        for each in job.clock.timed("pair", comparison.pairs(streams, done))
    )
    if job.models.register is not None:
        registered = spatial.register_pairs(pairs, job.models.register, _embedding(job))
        pairs = job.clock.timed("register", registered)
    yield from pairs
    streams.drain()
