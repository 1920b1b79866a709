"""The C parser of ruamel.yaml, reached without loading the rest of ruamel.yaml."""

import re
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

_INNER_COLON = r"""(?<=[^\s"'\[\]{},]):(?=[^\s,\[\]{}])"""
_STAND_INS = range(0xE000, 0xF8FF)


def refuses_inner_colon(error: Exception) -> bool:
    """Whether the C parser stumbled over a colon inside a word in brackets, as in `{image: python:3.12}`.

    The platform reads those; this parser is older. `event_source` with `spare_colons` reads them too.
    """
    return getattr(error, "problem", None) == "found unexpected ':'"


def event_source(text: str, spare_colons: bool = False) -> Callable[[], Any]:
    """A function that returns the next event of `text` at each call; the last one is a StreamEndEvent.

    With `spare_colons` the parser sees another character for each colon inside a word, and the events have the colon
    again; it is slower, and the places stay the same.
    Errors: what ruamel.yaml raises, with `problem_mark` where it knows the place.
    """
    if not spare_colons:
        return _events(text)
    stand_in = next(chr(code) for code in _STAND_INS if chr(code) not in text)
    next_event = _events(re.sub(_INNER_COLON, stand_in, text))

    def with_colons() -> Any:
        event = next_event()
        if type(event).__name__ == "ScalarEvent" and stand_in in event.value:
            event.value = event.value.replace(stand_in, ":")
        if stand_in in (getattr(event, "anchor", None) or ""):
            event.anchor = event.anchor.replace(stand_in, ":")
        return event

    return with_colons


def _events(text: str) -> Callable[[], Any]:
    if (parser := _c_parser()) is not None:
        source: Callable[[], Any] = parser(text).get_event
        return source
    from ruamel.yaml import YAML

    events: Callable[[], Any] = iter(YAML(typ="safe", pure=True).parse(text)).__next__
    return events


def event_types() -> Any:
    """The module that has the classes of the events. To be asked after `event_source`."""
    return sys.modules["ruamel.yaml.events" if _c_parser() is None else "_ruamel_yaml"]


def _c_parser() -> Any:
    """CParser, or None where no wheel of ruamel.yaml.clib exists.

    The C module asks for a dozen modules of ruamel.yaml; the package's own `__init__` would load twenty more, which
    doubles the time. So the package is put in place without running its `__init__`; that runs as soon as somebody
    asks the package for something, as `from ruamel.yaml import YAML` does.
    """
    if "ruamel.yaml" not in sys.modules and (package := _sleeping_package()) is not None:
        sys.modules["ruamel.yaml"] = package
    try:
        import _ruamel_yaml  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    from vhpipe.document.events import give_to

    give_to(_ruamel_yaml)
    return _ruamel_yaml.CParser


def _sleeping_package() -> ModuleType | None:
    import ruamel  # type: ignore[import-untyped,unused-ignore]

    spec = PathFinder.find_spec("ruamel.yaml", ruamel.__path__)
    if spec is None or spec.loader is None or spec.submodule_search_locations is None:
        return None
    package = ModuleType(spec.name)
    package.__spec__, package.__loader__, package.__file__ = spec, spec.loader, spec.origin
    package.__package__, package.__path__ = spec.name, spec.submodule_search_locations

    def wake(name: str) -> Any:
        if name.startswith("__") or "__getattr__" not in vars(package):
            raise AttributeError(name)
        del package.__getattr__
        assert spec.loader is not None, "it was there a moment ago"
        spec.loader.exec_module(package)
        return getattr(package, name)

    package.__getattr__ = wake  # type: ignore[method-assign]
    ruamel.yaml = package
    return package
