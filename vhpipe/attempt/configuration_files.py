"""The configuration files of an execution, as the platform writes them: four objects, each as JSON and as YAML.

There is no `api.json`: it lists calls to the platform, and programs that find none go on without them.

Every JSON text written here is also YAML 1.1 with the same meaning, so one file serves for both names.
Source: docs on configuration files of the platform.
"""

import json
import os
import re
import threading
from collections.abc import Mapping

from vhpipe.schedule.terms import Json
from vhpipe.store.atomic import write_new
from vhpipe.store.file_system import link_or_copy
from vhpipe.store.long_paths import make_folders

_STRING_OR_EXPONENT = r'"(?:[^"\\]|\\.)*"|(?<![\d.])(\d+)(e[-+]\d+)'
_EXPONENT = r"[ \[]-?\d+e[-+]\d"
_encode = json.JSONEncoder(ensure_ascii=False).encode
_UNPRINTABLE = "[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"

READ_ONLY = 0o444
MAX_USES = 500
"""Each makes two links; file systems allow 1,024 (NTFS) to 65,000 (ext4) of one file."""


class ConfigurationWriter:
    """Writes configuration folders; contents that stay the same between executions are hard links of one file.

    All files are read-only, for the step and for those who share them. Thread-safe.
    """

    def __init__(self, shared: str) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._files: dict[str, _SharedFile] = {}
        self._common: dict[str, tuple[Json, str]] = {}

    def write(self, folder: str, objects: Mapping[str, Json], common: frozenset[str]) -> None:
        """One `NAME.json` and one `NAME.yaml` for each object; those named in `common` are expected again.

        An object that is a text is written as it is.
        """
        for name, content in objects.items():
            path = f"{folder}/{name}.json"
            if name in common:
                self.link(self._common_text(name, content), path)
            else:
                write_new(path, _text_of(content).encode("utf-8", "surrogatepass"), READ_ONLY)
            link_or_copy(path, f"{folder}/{name}.yaml")

    def link(self, text: str, path: str) -> None:
        """Make `path` a read-only file with that content, which it shares with others."""
        link_or_copy(self._shared_file(text), path)

    def _common_text(self, name: str, content: Json) -> str:
        known = self._common.get(name)
        if known is None or known[0] != content:
            known = self._common[name] = content, json_and_yaml(content)
        return known[1]

    def _shared_file(self, text: str) -> str:
        """A file with this content that may get two more links."""
        with self._lock:
            file = self._files.get(text)
            if file is None or file.uses == MAX_USES:
                make_folders(self._shared)
                file = self._files[text] = _SharedFile(f"{self._shared}/{os.urandom(8).hex()}.json")
                write_new(file.path, text.encode(), READ_ONLY)
            file.uses += 1
            return file.path


class _SharedFile:
    def __init__(self, path: str) -> None:
        self.path = path
        self.uses = 0


def _text_of(content: Json) -> str:
    return content if isinstance(content, str) else json_and_yaml(content)


def json_and_yaml(content: Json) -> str:
    """JSON that a YAML 1.1 reader understands alike.

    `1e-05` is text to such a reader, `1.0e-05` a number to both; characters that YAML does not allow are escaped.
    """
    text = _encode(content)
    if ("e-" in text or "e+" in text) and re.search(_EXPONENT, f" {text}"):
        text = re.sub(_STRING_OR_EXPONENT, _with_point, text)
    if text.isascii() and "\x7f" not in text:
        return text
    return re.sub(_UNPRINTABLE, lambda match: f"\\u{ord(match[0]):04x}", text)


def _with_point(match: re.Match[str]) -> str:
    return f"{match[1]}.0{match[2]}" if match[1] else match[0]
