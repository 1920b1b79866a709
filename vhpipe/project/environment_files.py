"""Files of environment variables, as `--env-file` takes them."""

import re
from collections.abc import Iterator

from vhpipe.config.agent_controls import AGENT_CONTROLS
from vhpipe.errors import UsageError
from vhpipe.regular_files import TYPED_BYTES, read_regular

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


def read_variables(name: str) -> dict[str, str]:
    """The variables of a file, the last of equal names.

    A line is `NAME=value`, `export` before it or not, or a comment from its start. A value may stand in quotes, in
    single ones to the letter; without them it ends at a blank with a `#`.
    Errors: UsageError with file and line. The text of a line may be a secret and is in no message.
    """
    try:
        content = read_regular(name, TYPED_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{name}`: {error.strerror or error}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: this is not UTF-8", "save the file as UTF-8") from None
    return dict(_assignments(name, text))


def _assignments(file: str, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        try:
            yield _assignment(stripped)
        except ValueError as fault:
            raise UsageError(f"{file}:{number}: {fault}", "write one NAME=value per line") from None


def _assignment(line: str) -> tuple[str, str]:
    """Errors: ValueError with what is wrong, never with the value."""
    words = line.split(None, 1)
    if len(words) == 2 and words[0] == "export":
        line = words[1]
    name, equals, value = line.partition("=")
    name = name.rstrip()
    if not equals:
        raise ValueError("there is no `=` in this line")
    if fault := fault_of_name(name):
        raise ValueError(fault)
    if "\0" in value:
        raise ValueError(f"the value of `{name}` has a NUL character")
    return name, _strip_quotes(name, value)


def fault_of_name(name: str) -> str | None:
    """Why a variable cannot have this name, which may be a value in the wrong place and is not shown then."""
    if not name:
        return "a variable has no name"
    if not re.fullmatch(_NAME, name):
        return "the name of a variable consists of letters, digits and `_`, and does not begin with a digit"
    if name.startswith("VH_") and name not in AGENT_CONTROLS:
        return f"`{name}` is set by vhpipe, like everything that begins with `VH_`"
    return None


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "`": "`"}


def _strip_quotes(name: str, value: str) -> str:
    """What stands in quotes, to the letter in single ones; without quotes all up to a ` #`."""
    stripped = value.strip()
    quote = stripped[:1]
    if quote not in ("'", '"'):
        return re.split(r"\s#", value, maxsplit=1)[0].strip()
    pattern = r"'([^']*)'\s*(#.*)?" if quote == "'" else r'"((?:[^"\\]|\\.)*)"\s*(#.*)?'
    match = re.fullmatch(pattern, stripped)
    if match is None:
        raise ValueError(f"the value of `{name}` begins with {quote} and does not end with it")
    if quote == "'":
        return match[1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), match[1])
