"""Why an environment could not be made: one line, with what to do about it."""

import re
from collections.abc import Sequence

from vhpipe.plan.redaction import redacted

OFFLINE_WAYS = (
    "connect, name a folder with the packages by UV_FIND_LINKS or PIP_FIND_LINKS, or run with `--python` of an "
    "environment that has them, or with `--env none`"
)
_OTHER_WAYS = "choose a Python of another version by `--python`, or run in the image by `--in auto`"
LONGEST = 240

_NETWORK = re.compile(
    r"(?i)dns error|name or service not known|temporary failure in name resolution|network is unreachable"
    r"|connection refused|connection reset|failed to fetch|could not connect|error sending request|max retries exceeded"
    r"|newconnectionerror|network connectivity is disabled|tcp connect error|connect timeout|read timed out"
    r"|proxyerror|no route to host|client error \(connect\)|timed out"
)
_MISSING = re.compile(
    r"(?i)no matching distribution found for ([^\s()]+)|because ([\w.-]+) was not found in the (?:provided|package)"
)
_ERROR = re.compile(r"(?i)^\s*(?:error|×|x |├─▶|╰─▶|fatal)[:\s]*(.*\w.*)$")
_OTHER_PYTHON = re.compile(
    r"(?i)because ([\w.=<>!~-]+) has no wheels with a matching python"
    r"|could not find a version that satisfies the requirement ([^\s()]+) \(from versions: (?!none)"
    r"|(?:because|and) ([\w.=<>!~-]+) depends on python\W"
)
_NOT_BUILT = re.compile(
    r"(?i)^error: failed to build `([^`]+)`|^error: failed building wheel for ([\w.-]+)"
    r"|^(?:error: )?could not build wheels for ([\w.-]+)|^error: failed to build '?([\w.-]+)'?",
    re.MULTILINE,
)
_NOT_BUILT_BY_PIP = re.compile(r"(?m)^\s*(?:× Getting requirements to build wheel|error: metadata-generation-failed)")
_UNSOLVED = re.compile(r"(?s)\bBecause (.{1,2000}?),?\s+we\s+can\s+conclude")
"""Where uv begins to say why there is no solution."""
_DISK = "No space left on device"


def reason_in(output: Sequence[str], python: str) -> str:
    """What the lines that an installer has printed say of its failure, with the ways out; no secret of an address.

    `python` is the version of the Python that it installed for.
    """
    text = "\n".join(output)
    if _DISK in text:
        return "the disk is full; free some space, or keep the state elsewhere: --state DIR"
    is_offline = _NETWORK.search(text) is not None
    other = None if is_offline else _OTHER_PYTHON.search(text)
    if other is not None:
        return f"`{_named(other)}` is not available for Python {python}: {_OTHER_WAYS}"
    missing = _MISSING.search(text)
    if missing is not None:
        name = missing[1] or missing[2]
        is_unknown = "(from versions: none)" in text  # what pip says too where it has heard nothing at all
        check = "check its name, and whether the index can be reached" if is_unknown else "check its name and version"
        return f"`{name}` was not found: {OFFLINE_WAYS if is_offline else check}"
    if is_offline:
        return f"the network cannot be reached: {OFFLINE_WAYS}"
    unbuilt = _NOT_BUILT.search(text)
    if unbuilt is not None or _NOT_BUILT_BY_PIP.search(text):
        name = f"`{_named(unbuilt)}`" if unbuilt else "a package"
        return f"{name} has no wheel for Python {python} and cannot be built here: {_OTHER_WAYS}"
    unsolved = _UNSOLVED.search(text)
    if unsolved is not None:
        return f"no versions go together: {redacted(' '.join(unsolved[1].split()))}"[:LONGEST]
    errors = [found[1].strip() for line in output if (found := _ERROR.match(line))]
    last = next((line.strip() for line in reversed(output) if line.strip()), "it says nothing")
    said = redacted(errors[0] if errors else last)
    return said[:LONGEST].rstrip(".")


def _named(found: re.Match[str]) -> str:
    """What the one group that matched says."""
    return next(each for each in found.groups() if each)
