"""Values that are known only when a process starts: the URL or path of a file, the id of an execution.

Until then a stand-in has their place in a text. It is made of contents alone (names, sha256 of bytes), so that a
fingerprint that has stand-ins in it is the same in every run that brings the same.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from vhpipe.config.model import Value
from vhpipe.plan.model import DatumPath, DatumUrl, Deferred, EnvironmentValue, ExecutionRef, ExecutionSpec, Literal


def stand_in(deferred: Deferred) -> str:
    """The text that has the place of a deferred one; different ones never contain each other."""
    match deferred:
        case DatumUrl(name, blob):
            return f"<vhpipe:url:{blob}:{_plain(name)}>"
        case DatumPath(name, blob):
            return f"<vhpipe:path:{blob}:{_plain(name)}>"
        case ExecutionRef(execution, contents, _):
            return f"<vhpipe:id:{contents}:{_plain(execution.node)}:{execution.index}>"


def with_texts(spec: ExecutionSpec, text_of: Callable[[Deferred], str]) -> ExecutionSpec:
    """The spec as its process gets it: every stand-in replaced by its text. For fingerprints use the one before."""
    if not spec.deferred:
        return spec
    texts = [(stand_in(each), text_of(each)) for each in spec.deferred]
    return msgspec.structs.replace(
        spec,
        values={name: _with_texts(value, texts) for name, value in spec.values.items()},
        environment_variables={name: _variable(each, texts) for name, each in spec.environment_variables.items()},
        configuration=tuple(
            msgspec.structs.replace(each, content=_in_content(each.content, texts)) for each in spec.configuration
        ),
        deferred=(),
    )


def stand_ins_in(value: Value | EnvironmentValue, known: Iterable[Deferred]) -> tuple[Deferred, ...]:
    """Those of `known` whose stand-ins are in a value."""
    items = value if isinstance(value, tuple) else (value.text if isinstance(value, Literal) else value,)
    texts = [item for item in items if isinstance(item, str)]
    return tuple(each for each in known if any(stand_in(each) in text for text in texts))


def stand_ins_in_content(content: object, known: Iterable[Deferred]) -> tuple[Deferred, ...]:
    """Those of `known` whose stand-ins are in the texts of a content, at any depth."""
    stand_ins = {stand_in(each): each for each in known}
    found = tuple(_texts_in(content)) if stand_ins else ()
    return tuple(each for placeholder, each in stand_ins.items() if any(placeholder in text for text in found))


def _texts_in(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for each in content.values() if isinstance(content, dict) else content:
            yield from _texts_in(each)


def _in_content(content: object, texts: list[tuple[str, str]]) -> object:
    if isinstance(content, dict):
        return {key: _in_content(value, texts) for key, value in content.items()}
    if isinstance(content, list):
        return [_in_content(value, texts) for value in content]
    return _with_text(content, texts) if isinstance(content, str) else content


def _plain(name: str) -> str:
    """A name without the signs that begin and end a stand-in."""
    return name.replace("%", "%25").replace("<", "%3C").replace(">", "%3E")


def _with_texts(value: Value, texts: list[tuple[str, str]]) -> Value:
    if isinstance(value, tuple):
        return tuple(_with_text(item, texts) if isinstance(item, str) else item for item in value)
    return _with_text(value, texts) if isinstance(value, str) else value


def _variable(variable: EnvironmentValue, texts: list[tuple[str, str]]) -> EnvironmentValue:
    return Literal(_with_text(variable.text, texts)) if isinstance(variable, Literal) else variable


def _with_text(text: str, texts: list[tuple[str, str]]) -> str:
    for placeholder, each in texts:
        text = text.replace(placeholder, each)
    return text
