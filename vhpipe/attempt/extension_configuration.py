"""The configuration objects that the extension item gives to an execution, beside those of the platform."""

import os

from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.config.paths import path_fault
from vhpipe.plan.configuration_file import UnreadableConfigurationError, read_configuration
from vhpipe.plan.model import ConfigurationObject, ExecutionSpec
from vhpipe.regular_files import TYPED_BYTES, read_regular
from vhpipe.schedule.terms import Json


def configuration_objects(spec: ExecutionSpec, repository: str) -> dict[str, Json]:
    """The content of each object by its name; files are JSON or YAML below `repository`, the code of the attempt.

    Errors: `CannotPrepareError` for a file that is not there or is neither.
    """
    return {each.name: _content(each, repository) for each in spec.configuration}


def _content(item: ConfigurationObject, repository: str) -> Json:
    fault = path_fault(item.name) or ("contains a folder" if "/" in item.name else None)
    if fault is not None:
        raise CannotPrepareError(f"configuration name `{item.name}` {fault}")
    return item.content if item.file is None else _from_file(item.name, item.file, repository)


def _from_file(name: str, file: str, repository: str) -> Json:
    folder = os.path.realpath(repository)
    path = os.path.realpath(f"{folder}/{file}")
    if not path.startswith(f"{folder}/"):
        raise CannotPrepareError(f"configuration `{name}`: `{file}` leads out of the project")
    try:
        return read_configuration(read_regular(path, TYPED_BYTES), file)
    except OSError as failure:
        raise CannotPrepareError(f"configuration `{name}`: `{file}`: {failure.strerror}") from failure
    except UnreadableConfigurationError as fault:
        raise CannotPrepareError(f"configuration `{name}`: `{file}` cannot be read: {fault}") from fault
