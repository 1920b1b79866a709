"""What keeps an execution from starting as it is."""


class CannotPrepareError(Exception):
    """Another attempt would not help; the text says why."""
