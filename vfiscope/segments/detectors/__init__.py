"""Segment detectors, one file each, and the table of them.

Another package adds a detector from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.segments.detectors import DETECTORS, Detector

    DETECTORS.add("dim", Detector("dim", ["luma_mean"], detect))
"""

from __future__ import annotations

from collections.abc import Collection

from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.registry import Registry
from vfiscope.segments.causes import (
    BY_PLACES,
    CAUSE_KINDS,
    LIKE_TWO_SHOTS,
    METRIC_OF_CAUSE,
    TRANSITIONS,
)
from vfiscope.segments.detector import Columns, Detector
from vfiscope.segments.detectors import (
    black,
    blur,
    bump,
    change,
    corruption,
    cut,
    drop,
    duplicate,
    exposure,
    exposure_step,
    fade,
    flash,
    flicker,
    ghosts,
    gradual,
    growth,
    jump,
    light_flicker,
    low_score,
    misfit,
    mixed,
    odd_exposure,
    onsets,
    photo_gap,
    photo_light,
    regular,
    shift,
    shot_cut,
    slip,
    static,
    torn,
    warp,
)
from vfiscope.segments.evidence.damaged_rows import DAMAGE_SIGNALS
from vfiscope.segments.evidence.echoes import ECHOES
from vfiscope.segments.evidence.held import TURN_SIGNALS
from vfiscope.segments.evidence.leaps import LEAP_SIGNALS
from vfiscope.segments.evidence.light_changes import LIGHT_CHANGE_SIGNALS
from vfiscope.segments.evidence.repeats import REPEAT_SIGNALS
from vfiscope.segments.evidence.torn_paces import PACE_SIGNALS
from vfiscope.segments.photo_curves import PHOTO_SIGNALS

__all__ = ["DETECTORS", "Columns", "Detector", "detectors_of"]

DAMAGE_READS = (*DAMAGE_SIGNALS, "keyframe", *LEAP_SIGNALS, *REPEAT_SIGNALS, *TURN_SIGNALS)
FAULT_READS = (
    *(*DAMAGE_READS, *shift.SHIFT_SIGNALS, *torn.TEAR_SIGNALS, *PACE_SIGNALS),
    *(*ECHOES, "moving_detail"),
)
"""What tells damage, bumps, tears, echoes and cadences of fields, each of which may look like
another one."""
SLIP_KINDS = ("cadence", "drop", "duplicate", "freeze")
DETECTORS: Registry[Detector] = Registry("detector")
"""All detectors, in the order in which they run."""
for _detector in (
    Detector(
        "low_score",
        (),
        low_score.detect,
        ["low_score", *CAUSE_KINDS],
        reads=(*REPEAT_SIGNALS, *TURN_SIGNALS),
        needs_of=METRIC_OF_CAUSE,
    ),
    Detector("cut", ("cut",), cut.detect),
    Detector("change", ("changed_area",), change.detect),
    Detector("exposure", exposure.LIGHT_SIGNALS, exposure.detect),
    Detector("odd_exposure", ("luma_mean",), odd_exposure.detect, ["overexposed", "underexposed"]),
    Detector(
        "slip",
        (),
        slip.detect,
        SLIP_KINDS,
        reads=TURN_SIGNALS,
        needs_of=dict.fromkeys(SLIP_KINDS, BY_PLACES),
    ),
    Detector("cadence", REPEAT_SIGNALS, regular.detect, reads=TURN_SIGNALS),
    Detector(
        "duplicate",
        REPEAT_SIGNALS,
        duplicate.detect,
        ["duplicate", "freeze"],
        ["corruption"],
        (*TURN_SIGNALS, "sharpness"),
    ),
    Detector(
        "drop",
        (*REPEAT_SIGNALS, *drop.DROP_SIGNALS),
        drop.detect,
        reads=(*drop.DROP_READS, *TURN_SIGNALS),
    ),
    Detector(
        "static",
        (*REPEAT_SIGNALS, *static.STATIC_SIGNALS),
        static.detect,
        reads=(*TURN_SIGNALS, *onsets.ONSET_SIGNALS),
    ),
    Detector("flicker", LEVEL_METRICS, flicker.detect),
    Detector(
        "blur", blur.BLUR_SIGNALS, blur.detect, reads=(*FAULT_READS, *ghosts.GHOSTING_SIGNALS)
    ),
    Detector("corruption", DAMAGE_SIGNALS, corruption.detect, reads=DAMAGE_READS),
    Detector("ghosting", ghosts.GHOSTING_SIGNALS, ghosts.detect, reads=FAULT_READS),
    Detector("mixed", mixed.MIX_SIGNALS, mixed.detect, ["ghosting"]),
    Detector(
        "shift",
        shift.SHIFT_SIGNALS,
        shift.detect,
        gives_way_to=("ghosting",),
        reads=FAULT_READS,
    ),
    Detector("tearing", torn.TEAR_SIGNALS, torn.detect, reads=FAULT_READS),
    Detector(
        "warp",
        warp.WARP_SIGNALS,
        warp.detect,
        gives_way_to=("cut", "fade"),
        reads=(*FAULT_READS, *ghosts.GHOSTING_SIGNALS),
    ),
    Detector(
        "onset", onsets.ONSET_SIGNALS, onsets.detect, ["change"], onsets.EXPLAINED_BY, TURN_SIGNALS
    ),
    Detector("photo_gap", ("photo_back",), photo_gap.detect, ["gap"]),
    Detector("misfit", misfit.MISFIT_SIGNALS, misfit.detect, ["blur", "change"]),
    Detector("bump", bump.BUMP_SIGNALS, bump.detect, ["shift"]),
    Detector("photo_light", PHOTO_SIGNALS, photo_light.detect, ["exposure", "flicker"]),
    Detector("jump", ("photo_back", "changed_step"), jump.detect, ["change"]),
    Detector("growth", ("photo_back", *growth.GREEN_SIGNALS), growth.detect, ["change", "growth"]),
    Detector("shot_cut", shot_cut.SHOT_SIGNALS, shot_cut.detect, ["cut"], reads=["keyframe"]),
    Detector("fade", fade.FADE_SIGNALS, fade.detect),
    Detector("black", black.BLACK_SIGNALS, black.detect),
    Detector("flash", flash.FLASH_SIGNALS, flash.detect),
    Detector(
        "exposure_step",
        exposure_step.EXPOSURE_SIGNALS,
        exposure_step.detect,
        ["exposure"],
        reads=DAMAGE_READS,
    ),
    Detector("light_flicker", LIGHT_CHANGE_SIGNALS, light_flicker.detect, ["flicker"]),
    Detector(
        "gradual", gradual.GRADUAL_SIGNALS, gradual.detect, ["cut", "fade"], reads=["keyframe"]
    ),
):
    DETECTORS.add(_detector.name, _detector)


def detectors_of(kinds: Collection[str]) -> list[Detector]:
    """Those that flag one of these kinds, and those of kinds to which one of them gives way or by
    which it is explained; all where no kind is named."""
    everything = list(DETECTORS.values())
    if not kinds:
        return everything
    others = [kind for each in everything if each.flags(kinds) for kind in each.gives_way_to]
    others += TRANSITIONS if not LIKE_TWO_SHOTS.isdisjoint(kinds) else ()
    return [each for each in everything if each.flags({*kinds, *others})]
