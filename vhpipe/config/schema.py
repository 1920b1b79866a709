"""Does a document have the shape of a valohai.yaml? `jsonschema_rs` decides, `jsonschema` explains a no."""

from typing import Any

from vhpipe.diagnostics import Diagnostic, Location
from vhpipe.document.spans import Document

_validator: Any = None


def check_schema(document: Document) -> tuple[Diagnostic, ...]:
    """What in a document is not as the schemas say, each at its place; nothing for a good one.

    Source: decision 36.
    """
    data = document.data
    if data is None:
        hint = "write at least one item, such as `- step:`"
        return (Diagnostic("empty-file", "error", "the file has nothing in it", Location(()), hint),)
    if not isinstance(data, list):
        what = "a mapping" if isinstance(data, dict) else "a single value"
        hint = "begin each item with `- `, such as `- step:`"
        return (Diagnostic("not-a-list", "error", f"the file is {what}, but a list is expected", Location(()), hint),)
    validator = schema_validator()
    return () if validator.is_valid(data) else _explanations(validator, document)


def schema_validator() -> Any:
    """The compiled bundle of all schemas, made once."""
    global _validator
    if _validator is None:
        import jsonschema_rs

        _validator = jsonschema_rs.Draft202012Validator(schema_text())
    return _validator


def schema_text() -> str:
    """The bundled schemas, from the wheel or from a checkout of the sources."""
    package = __file__.rpartition("config")[0]
    for folder in (f"{package}schemas", f"{package}../schemas"):
        try:
            with open(f"{folder}/bundle.json", encoding="utf-8") as stream:
                return stream.read()
        except FileNotFoundError:
            continue
    raise AssertionError("the schemas are shipped with the package")


def _explanations(validator: Any, document: Document) -> tuple[Diagnostic, ...]:
    from vhpipe.config.explain import explain_refusal

    found = explain_refusal(schema_text(), document)
    return found or tuple(_in_own_words(error) for error in validator.iter_errors(document.data))


def _in_own_words(error: Any) -> Diagnostic:
    """For a refusal that the two libraries do not agree on; none is known."""
    return Diagnostic("refused-by-schema", "error", error.message[:200], Location(tuple(error.instance_path)))
