"""Runs told by the test, and the command line in this process."""

from tests.told_runs import new_run, project, vhpipe

__all__ = ["new_run", "project", "vhpipe"]
