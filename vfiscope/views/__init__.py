"""Everything that is drawn or written from a finished run; needs no torch."""
