"""All schemas as one, so that a start reads one file.

`python -m vhpipe.config.bundle schemas/*.json > bundle.json` writes it anew.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_FOR_READERS = ("$schema", "$id", "title", "description", "default")
_ID = "https://vhpipe.dev/schemas/"


def bundle(schemas: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One schema that means what `base` means; the others are its `$defs`, by their names.

    Texts for readers are left out, references become local.
    """
    definitions = {name: _bare(schema) for name, schema in sorted(schemas.items()) if name != "base"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{_ID}bundle.json",
        **_bare(schemas["base"]),
        "$defs": definitions,
    }


def read_schemas(files: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The schemas of these files by the name in their `$id`, without a bundle and those of what is printed."""
    import json

    found = {}
    for file in files:
        with open(file, encoding="utf-8") as stream:
            schema = json.load(stream)
        found[schema["$id"].removeprefix(_ID).removesuffix(".json")] = schema
    for name in ("bundle", "report"):
        found.pop(name, None)
    return found


def _bare(schema: Any, is_properties: bool = False) -> Any:
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bare = {}
    for key, value in schema.items():
        if key == "$ref":
            bare[key] = "#/$defs/" + str(value).removesuffix(".json")
        elif is_properties or key not in _FOR_READERS:
            bare[key] = _bare(value, key == "properties" and not is_properties)
    return bare


if __name__ == "__main__":
    import json
    import sys

    print(json.dumps(bundle(read_schemas(sys.argv[1:])), separators=(",", ":")))
