"""Signals: a number per test frame with a unit and no direction, material for detectors and stages.

Each is a function with a :class:`~vfiscope.types.SignalSpec`, in a file of its own. Another package
adds a signal from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.signals import SIGNALS, Signal
    from vfiscope.types import SignalSpec

    def brightest(frame):
        return float(frame.pixels.max()) * 255 / frame.white

    SIGNALS.add("brightest", Signal(SignalSpec("brightest", "code", "highest value"), brightest))

and ``vfiscope scan SEQ --signals brightest`` stores it. They are computed while the frames are
decoded and scored, one frame after the other, so no value depends on the size of a batch or on
where a run was resumed. What signals look at is :class:`SignalFrame`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vfiscope.errors import UsageError
from vfiscope.registry import Registry
from vfiscope.signals.active_area import ACTIVE_AREA
from vfiscope.signals.blended import BLEND_SIGNALS
from vfiscope.signals.block_difference import DIFFERENCE_P99, DIFFERENCE_RMS
from vfiscope.signals.blockiness import BLOCKINESS
from vfiscope.signals.camera_motion import CAMERA_MOTION
from vfiscope.signals.colour_balance import COLOUR_BALANCE
from vfiscope.signals.colour_share import COLOUR_SHARES
from vfiscope.signals.cut_step import CUT_STEPS
from vfiscope.signals.damage import IMPULSE, SEAM
from vfiscope.signals.echo import ECHO_SIGNALS
from vfiscope.signals.embedding_step import EMBEDDING_STEP
from vfiscope.signals.even_step import EVEN_STEPS
from vfiscope.signals.frame_difference import FRAME_DIFFERENCE
from vfiscope.signals.global_shift import SHIFT_X, SHIFT_Y
from vfiscope.signals.golden_light import CHANGED_AREA, LIGHTS
from vfiscope.signals.histogram_step import HISTOGRAM_STEP
from vfiscope.signals.light_step import LIGHT_STEPS
from vfiscope.signals.luma_mean import LUMA_MEAN
from vfiscope.signals.luma_statistics import LUMA_STATISTICS
from vfiscope.signals.measure import FAULT_MAPS, measure
from vfiscope.signals.noise import NOISE
from vfiscope.signals.onset import ONSET
from vfiscope.signals.pace import HEADING, PACE, PACE_SPREAD
from vfiscope.signals.packet import KEYFRAME, PACKET_BYTES
from vfiscope.signals.photo_steps import PHOTO_STEPS
from vfiscope.signals.reference_mix import REFERENCE_MIX
from vfiscope.signals.sharpness import SHARPNESS
from vfiscope.signals.shot_step import SHOT_STEPS
from vfiscope.signals.signal import Sight, Signal, SignalFrame, rows_before
from vfiscope.signals.tear_pace import TEAR_PACES
from vfiscope.signals.tearing import TEARING
from vfiscope.signals.unmatched import UNMATCHED
from vfiscope.signals.warp_residual import STRUCTURE_STEP, WARP_RESIDUAL
from vfiscope.signals.wobble import WOBBLE
from vfiscope.signals.worst_part import WORST_PART

__all__ = [
    "FAULT_MAPS",
    "REMEDIES",
    "SIGNALS",
    "Sight",
    "Signal",
    "SignalFrame",
    "choose_signals",
    "measure",
    "rows_before",
]

SIGNALS: Registry[Signal] = Registry("signal")
"""All signals by name."""
for _signal in (
    *(LUMA_MEAN, FRAME_DIFFERENCE, EMBEDDING_STEP, SHIFT_X, SHIFT_Y),
    *(*LIGHTS, CHANGED_AREA),
    *(*LUMA_STATISTICS, *COLOUR_BALANCE, SHARPNESS, NOISE, BLOCKINESS, *ACTIVE_AREA),
    *(DIFFERENCE_P99, DIFFERENCE_RMS, HISTOGRAM_STEP, *LIGHT_STEPS),
    *(
        WARP_RESIDUAL,
        STRUCTURE_STEP,
        *SHOT_STEPS,
        *CUT_STEPS,
        *CAMERA_MOTION,
        PACE,
        PACE_SPREAD,
        HEADING,
        *EVEN_STEPS,
        WOBBLE,
    ),
    *(*BLEND_SIGNALS, *ECHO_SIGNALS, *TEARING, *TEAR_PACES, IMPULSE, UNMATCHED, SEAM, *ONSET),
    *(PACKET_BYTES, KEYFRAME),
    *(*PHOTO_STEPS, *COLOUR_SHARES, *WORST_PART, *REFERENCE_MIX),
):
    SIGNALS.add(_signal.spec.name, _signal)

REMEDIES = {
    Sight.BEFORE: "looks at the frame before, and compare has none: use scan",
    Sight.AFTER: "looks at the frame after, and compare has none: use scan",
    Sight.PAST: "looks at frames before, and compare has none: use scan",
    Sight.COMING: "looks at frames after, and compare has none: use scan",
    Sight.NEAR: "looks at the frames around, and compare has none: use scan",
    Sight.SHIFT: "is known where frames are registered or the field motion is computed: add"
    " --register ecc or --fields motion",
    Sight.GOLDEN: "is relative to a golden frame: use scan with --golden",
    Sight.FAULTS: "is about what differs from a reference, or from real frames: use score with"
    " --ref or --source, which keeps the maps of faults",
    Sight.PACKETS: "is about the packets of a video, and compare reads single frames: use scan",
}
"""{input of a signal: the remedy where a run cannot offer it}"""


def choose_signals(
    names: Sequence[str], offered: Sight, wanted: Collection[str] = (), *, usual: bool = True
) -> dict[str, Signal]:
    """The signals of a run by name.

    Args:
        names: the requested signals; the single name "none" selects nothing. If empty, the default
            signals are selected, as far as the run offers their inputs, unless ``usual`` is False.
        offered: the inputs that the run offers in addition to the pixels. An embedding can still be
            added for a signal that is requested.
        wanted: names that detectors need; the signals among them are selected too, as far as the
            run offers their inputs, unless "none" was requested.

    Raises:
        UsageError: a signal is unknown, or needs an input that this run does not have.
    """
    asked = set(names)
    chosen = {name: SIGNALS.named(name) for name in dict.fromkeys(names) if name != "none"}
    for name, signal in chosen.items():
        for part, remedy in REMEDIES.items():
            if part in signal.looks_at and part not in offered:
                raise UsageError(f"{name} {remedy}")
    if asked == {"none"}:
        return {}
    others = {
        n: each
        for n, each in SIGNALS.items()
        if n in wanted or (usual and each.usual and not asked)
    }
    return chosen | {n: each for n, each in others.items() if each.looks_at in offered}
