import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from vhpipe.document import parser
from vhpipe.document.read import read_document

AFTERWARDS = """
import sys
from vhpipe.document.read import read_document
document, _ = read_document(b"a: [1]", "x")
assert "ruamel.yaml.main" not in sys.modules
from ruamel.yaml import YAML
print(document.data, YAML().load("b: 2"))
"""


def test_the_whole_library_can_be_imported_after_its_parser_was_used() -> None:
    done = subprocess.run([sys.executable, "-c", AFTERWARDS], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "{'a': [1]} {'b': 2}\n")


def test_without_the_c_parser_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"- {image: python:3.12, default: s3://b/x}\n- &a !!str 5\n- *a\n- |\n  x\n- yes\n"
    with_c = read_document(text, "x")
    monkeypatch.setattr(parser, "_c_parser", lambda: None)
    without = read_document(text, "x")
    assert with_c[0] is not None
    assert without[0] is not None
    assert with_c[0].data == without[0].data
    assert with_c[1] == without[1]


def test_the_quick_events_say_all_that_those_of_the_library_say(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "- &a {x: !!str 5}\n- [1, 'y']\n- *a\n"
    quick = _told(parser.event_source(text))
    module, library = sys.modules["_ruamel_yaml"], sys.modules["ruamel.yaml.events"]
    for name in ("ScalarEvent", "MappingStartEvent", "MappingEndEvent", "SequenceStartEvent", "SequenceEndEvent"):
        assert issubclass(getattr(module, name), getattr(library, name))
        monkeypatch.setattr(module, name, getattr(library, name))
    assert quick == _told(module.CParser(text).get_event)
    assert {name for name, *_ in quick} >= {"ScalarEvent", "MappingStartEvent", "SequenceEndEvent", "AliasEvent"}


def _told(next_event: Callable[[], Any]) -> list[tuple[Any, ...]]:
    names = ("anchor", "tag", "value", "style", "flow_style", "implicit", "comment", "nr_items")
    told = []
    while not told or told[-1][0] != "StreamEndEvent":
        event = next_event()
        place = (event.start_mark.line, event.start_mark.column, event.end_mark.line, event.end_mark.column)
        told.append((type(event).__name__, place, *(getattr(event, name, None) for name in names)))
    return told
