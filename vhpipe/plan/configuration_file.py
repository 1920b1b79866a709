"""A configuration object that stands in a file of its own, as JSON or YAML."""

from vhpipe.document.read import read_document


class UnreadableConfigurationError(ValueError):
    """The message says why."""


def read_configuration(content: bytes, name: str) -> object:
    """What the file says, read as Valohai's files are. Errors: UnreadableConfigurationError."""
    document, faults = read_document(content, name)
    errors = [fault.message for fault in faults if fault.severity == "error"]
    if document is None or errors:
        raise UnreadableConfigurationError(errors[0] if errors else "nothing is in it")
    found: object = document.data
    return found
