"""Score interpolated videos, scan sequences, plot temporal difference curves."""
