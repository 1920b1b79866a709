"""`vhpipe schema`: one JSON Schema of the entire file, in the words that editors understand."""

import os
from typing import Any

import click

from vhpipe.config.bundle import read_schemas
from vhpipe.config.paths import FILE_NAMES

EDITOR_DRAFT = "http://json-schema.org/draft-07/schema#"
SCHEMA_URL = "https://vhpipe.dev/schemas/valohai.json"


@click.command(
    name="schema",
    help="Print one JSON Schema of a valohai.yaml, with descriptions: editors use it to complete and to check.",
)
@click.option("--modeline", is_flag=True, help="Print the comment that points an editor to the schema.")
@click.option("--schema-store", is_flag=True, help="Print the entry for the catalog of SchemaStore.")
@click.option("--report", is_flag=True, help="Print the schema of `validate --format json` instead.")
@click.option("--url", help="The address of the schema, for a modeline or an entry.")
def command(modeline: bool, schema_store: bool, report: bool, url: str | None) -> None:
    if modeline:
        click.echo(f"# yaml-language-server: $schema={url or 'valohai.schema.json'}")
    elif schema_store:
        click.echo(_json(catalog_entry(url or SCHEMA_URL)))
    elif report:
        with open(os.path.join(_folder(), "report.json"), encoding="utf-8") as file:
            click.echo(file.read(), nl=False)
    else:
        click.echo(_json(editor_schema(url or SCHEMA_URL)))


def editor_schema(identity: str = SCHEMA_URL) -> dict[str, Any]:
    """All schemas as one of draft 7, with local references and with the texts that editors show."""
    folder = _folder()
    schemas = read_schemas(os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".json"))
    base = _local(schemas.pop("base"))
    return {
        "$schema": EDITOR_DRAFT,
        "$id": identity,
        **base,
        "definitions": {name: _local(schema) for name, schema in sorted(schemas.items())},
    }


def catalog_entry(url: str) -> dict[str, Any]:
    """What SchemaStore wants to know."""
    return {
        "name": "Valohai",
        "description": "Steps, tasks, pipelines, endpoints and deployments of a Valohai project",
        "fileMatch": list(FILE_NAMES),
        "url": url,
    }


def _local(schema: Any, is_properties: bool = False) -> Any:
    """Without identity of its own, its references into `definitions`."""
    if isinstance(schema, list):
        return [_local(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    local = {}
    for key, value in schema.items():
        if is_properties:
            local[key] = _local(value)
        elif key == "$ref":
            local[key] = "#/definitions/" + str(value).removesuffix(".json")
        elif key not in ("$schema", "$id"):
            local[key] = _local(value, key == "properties")
    return local


def _folder() -> str:
    """The schemas, in the wheel or in a checkout of the sources."""
    package = __file__.rpartition("cli")[0]
    for folder in (f"{package}schemas", f"{package}../schemas"):
        if os.path.isdir(folder):
            return os.path.normpath(folder)
    raise AssertionError("the schemas are shipped with the package")


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2)
