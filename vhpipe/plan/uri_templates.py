"""URIs of inputs in which parameters stand: `https://host/{parameter:user}/*.csv`, filled in for each execution."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from vhpipe.config.model import Value
from vhpipe.errors import UsageError
from vhpipe.plan.redaction import redacted
from vhpipe.plan.template_values import as_text
from vhpipe.wording import unknown_name

OPENING = "{parameter"
_PLACEHOLDER = r"\{parameter(?:-value)?:([^{}]+)\}"
_REFUSED_IN_URLS = r"[^\w/:?#\[\]@!$&'()*+,;=%~.-]"
"""Characters of a value that stand in no address: blanks and the like are written as `%20`."""


class UnfilledUriError(ValueError):
    """A parameter in a URI has no value, or several; the message is a sentence."""


def is_template(uri: str) -> bool:
    return bool(names_in(uri))


@lru_cache(maxsize=256)  # asked for with every execution
def names_in(uri: str) -> tuple[str, ...]:
    """The parameters that stand in a URI, each once."""
    return tuple(dict.fromkeys(re.findall(_PLACEHOLDER, uri))) if OPENING in uri else ()


def refuse_unknown_names(node: str, item: str, uris: Iterable[str], known: Collection[str]) -> None:
    """Raises UsageError for a URI that names a parameter which the step does not have."""
    for uri in uris:
        for name in names_in(uri):
            if name not in known:
                problem = unknown_name("parameter", name, known)
                raise UsageError(f"input `{item}` of node `{node}`: `{redacted(uri)}`: {problem.message}", problem.hint)


def filled_uri(uri: str, values: Mapping[str, Value]) -> str:
    """The URI with the values of parameters in it. Errors: UnfilledUriError."""

    def text_of(found: "re.Match[str]") -> str:
        value = values.get(found[1])
        if value is None or isinstance(value, tuple):
            what = "has no value" if value is None else f"is a list of {len(value)}, and one value is expected"
            raise UnfilledUriError(f"`{redacted(uri)}` cannot be filled in: parameter `{found[1]}` {what}")
        text = as_text(value)
        return re.sub(_REFUSED_IN_URLS, _escaped, text, flags=re.ASCII) if "://" in uri else text

    return re.sub(_PLACEHOLDER, text_of, uri)


def _escaped(found: "re.Match[str]") -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))
