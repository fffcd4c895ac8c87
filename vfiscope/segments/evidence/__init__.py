"""What several detectors see in the columns of a run: repeats, leaps, steps of the light, how far
signals stand out, and how sure that makes; one subject a file."""
