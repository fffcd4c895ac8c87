"""Many jobs from one list: the job file, their execution one after the other, and what came of
each."""
