"""What is compared with what: small functions that turn streams of frames into streams of pairs."""

from vfiscope.pairing.pairs import Stream, skip_rows, with_golden, with_lag, with_reference
from vfiscope.pairing.timeline import align

__all__ = ["Stream", "align", "skip_rows", "with_golden", "with_lag", "with_reference"]
