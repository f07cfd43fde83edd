"""How a plan's steps are run: the scheduler, its executors, and the journal of each run."""
