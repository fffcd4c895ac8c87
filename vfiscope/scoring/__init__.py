"""Scoring: a configuration in, a run out. `pipeline` reads as the page of calls; the other files
are its steps."""
