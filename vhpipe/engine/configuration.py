"""The ten configuration files of an execution, as the platform writes them: five objects, each as JSON and as YAML.

JSON is YAML, so one file serves for both names, but for numbers like `1e-05`, which YAML 1.1 reads as text: those
objects are written twice. Source: docs on configuration files of the platform.
"""

import io
import json
import os
import re
from collections.abc import Mapping

from vhpipe.schedule.vocabulary import Json
from vhpipe.store.atomic import write_new

_exponent = re.compile(r"\d[eE][-+]?\d")


class ConfigurationWriter:
    """Writes configuration folders; contents that stay the same between executions are hard links of one file."""

    def __init__(self, shared: str) -> None:
        self._shared = shared
        self._known: dict[str, str] = {}

    def write(self, folder: str, objects: Mapping[str, Json], unique: frozenset[str]) -> None:
        """One `NAME.json` and one `NAME.yaml` for each object; those named in `unique` are not expected again."""
        for name, content in objects.items():
            text = json.dumps(content, ensure_ascii=False)
            path = f"{folder}/{name}.json"
            if name in unique:
                write_new(path, text.encode())
            else:
                os.link(self._shared_file(text), path)
            if _exponent.search(text):
                write_new(f"{folder}/{name}.yaml", _yaml(content).encode())
            else:
                os.link(path, f"{folder}/{name}.yaml")

    def _shared_file(self, text: str) -> str:
        path = self._known.get(text)
        if path is None:
            if not self._known:
                os.makedirs(self._shared, mode=0o700, exist_ok=True)
            path = f"{self._shared}/{len(self._known)}.json"
            write_new(path, text.encode())
            self._known[text] = path
        return path


def _yaml(content: Json) -> str:
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.version = (1, 1)
    stream = io.StringIO()
    writer.dump(content, stream)
    return stream.getvalue()
