"""The compiled loops of the metrics, on plain arrays."""
