"""Scoring: a configuration in, a run out. `pipeline` is the sequence of calls; the other files are
its steps."""
