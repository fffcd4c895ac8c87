"""Many jobs from one list: the job file, their execution one after the other, their results."""
