"""The compiled loops of the metrics. They know arrays only."""
