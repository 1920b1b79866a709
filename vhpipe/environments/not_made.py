"""The failure of an environment, in a module of its own: every run knows it, few runs meet it."""

from vhpipe.errors import VhpipeError


class EnvironmentNotMadeError(VhpipeError):
    """An environment that a step needs could not be made. Another try may succeed."""
