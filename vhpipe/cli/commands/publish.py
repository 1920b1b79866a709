"""`vhpipe publish`: what a step says to its run. Only the standard library and click are imported here."""

import json
from collections.abc import Iterable

import click

from vhpipe.errors import UsageError
from vhpipe.publishing import CannotPublishError, publish_artifact, publish_metrics, publish_model

KINDS = {"artifact": publish_artifact, "model": publish_model}


@click.command("publish", short_help="Publish a file or a metric of a step to its run.")
@click.argument("kind", type=click.Choice(("artifact", "model", "metric")))
@click.argument("words", nargs=-1, required=True, metavar="NAME PATH | KEY=VALUE…")
@click.option("--meta", "pairs", multiple=True, metavar="KEY=VALUE", help="Metadata of a file; repeat it for several.")
def command(kind: str, words: tuple[str, ...], pairs: tuple[str, ...]) -> int:
    """Publish to the run, from inside of one of its steps.

    artifact NAME PATH and model NAME PATH copy a file, or all files of a folder; metric KEY=VALUE… adds a point.
    """
    try:
        if kind == "metric":
            _publish_metrics(words, pairs)
        else:
            _publish_file(kind, words, pairs)
    except CannotPublishError as problem:
        raise UsageError(str(problem), hint="`vhpipe publish` is called by the command of a step") from None
    return 0


def _publish_file(kind: str, words: tuple[str, ...], pairs: tuple[str, ...]) -> None:
    if len(words) != 2:
        raise UsageError(f"`vhpipe publish {kind}` takes a name and a path", f"vhpipe publish {kind} NAME PATH")
    KINDS[kind](*words, {key: _value(text) for key, text in _pairs_in(pairs, "--meta ")})


def _publish_metrics(words: tuple[str, ...], pairs: tuple[str, ...]) -> None:
    if pairs:
        raise UsageError("a metric has no metadata", "remove --meta")
    publish_metrics({key: _number(key, text) for key, text in _pairs_in(words, "")})


def _pairs_in(pairs: Iterable[str], option: str) -> Iterable[tuple[str, str]]:
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"`{option}{pair}` has no value", f"{option}KEY=VALUE")
        yield key, text


def _value(text: str) -> object:
    """A number, a truth value or nothing where JSON reads the text so, else the text."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, str | list | dict) else value


def _number(key: str, text: str) -> float:
    try:
        value: float = json.loads(text)
    except ValueError:
        value = _float(key, text)
    return value if isinstance(value, int | float) else _float(key, text)


def _float(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"metric `{key}` is not a number: `{text}`") from None
