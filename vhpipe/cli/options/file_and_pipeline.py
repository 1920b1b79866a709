"""[FILE] [PIPELINE]: which file a command line means, and which pipeline of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from vhpipe.errors import UsageError
from vhpipe.project.checked_file import DEFAULT_FILE

Command = TypeVar("Command", bound=Callable[..., Any])


def file_and_pipeline_arguments(command: Command) -> Command:
    """[FILE] [PIPELINE], to be read with `chosen_file`."""
    return click.argument("words", metavar="[FILE] [PIPELINE]", nargs=-1)(command)


def chosen_file(words: Sequence[str]) -> tuple[str, str | None]:
    """The file and the name of the pipeline, if one was given. Source: decision 33."""
    match words:
        case []:
            return DEFAULT_FILE, None
        case [word]:
            return (word, None) if _is_a_file(word) else (DEFAULT_FILE, word)
        case [file, pipeline]:
            return file, pipeline
        case _:
            raise UsageError(f"unexpected argument `{words[2]}`", "at most a file and a pipeline: [FILE] [PIPELINE]")


def _is_a_file(word: str) -> bool:
    return word == "-" or word.lower().endswith((".yaml", ".yml")) or Path(word).is_file()
