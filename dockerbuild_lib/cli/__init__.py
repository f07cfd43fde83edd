"""The command line: the launcher, what it sets up, and the tasks, one file for each namespace."""
