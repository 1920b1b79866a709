"""The names by which URIs are recorded, and the true URIs behind them, for the one who fetches.

Source: decision 30.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vhpipe.plan.redaction import redacted

NOTHING_HIDDEN: Mapping[str, str] = MappingProxyType({})


class RecordedUris:
    """Gives out names while a run is planned. What it knows stays in memory and goes with the order of the run."""

    def __init__(self, known: Mapping[str, str] = NOTHING_HIDDEN) -> None:
        self._uris: dict[str, str] = dict(known)

    def true_uri(self, name: str) -> str:
        return self._uris.get(name, name)

    def name_of(self, uri: str) -> str:
        """A name for the URI that may be recorded; different URIs get different names, also if only secrets differ."""
        base = name = redacted(uri)
        number = 1
        while self._uris.setdefault(name, uri) != uri:
            number += 1
            name = f"{base}#{number}"
        return name

    def true_uris(self) -> Mapping[str, str]:
        """The URI behind every name that does not stand for itself."""
        return MappingProxyType({name: uri for name, uri in self._uris.items() if name != uri})
