"""What a medium or a run is, what is unusual about it, and single frames of a run with their
maps."""
