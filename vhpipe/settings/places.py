"""Which place a node gets, and whether `/valohai` is to be there: what settings say, source by source.

A source is asked as a whole before a weaker one: what a project says of one node is weaker than what the user says of
all, so a project cannot take a node out of the place that the user has chosen for everything.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from vhpipe.settings.keys import (
    FOLDER_OF_NODE,
    FOLDER_OF_RUN,
    FOLDER_OF_STEP,
    PLACE_OF_NODE,
    PLACE_OF_QUEUE,
    PLACE_OF_RUN,
    PLACE_OF_STEP,
)
from vhpipe.settings.read import SettingsSources
from vhpipe.settings.values import Place, ValohaiFolder

_NO_PLACES: Mapping[str, Place] = MappingProxyType({})
_NO_FOLDERS: Mapping[str, ValohaiFolder] = MappingProxyType({})


class PlaceSettings(NamedTuple):
    """What one source says for all of a run, and by the names of nodes, steps and queues; None: it says nothing."""

    place: Place | None = None
    folder: ValohaiFolder | None = None
    place_of_node: Mapping[str, Place] = _NO_PLACES
    place_of_step: Mapping[str, Place] = _NO_PLACES
    place_of_queue: Mapping[str, Place] = _NO_PLACES
    folder_of_node: Mapping[str, ValohaiFolder] = _NO_FOLDERS
    folder_of_step: Mapping[str, ValohaiFolder] = _NO_FOLDERS
    is_of_project: bool = False

    def place_for(self, node: str, step: str, queues: tuple[str, ...]) -> Place | None:
        """The place of a node: the most precise that is said."""
        of_queue = next((self.place_of_queue[name] for name in queues if name in self.place_of_queue), None)
        return self.place_of_node.get(node) or self.place_of_step.get(step) or of_queue or self.place

    def folder_for(self, node: str, step: str) -> ValohaiFolder | None:
        """Whether a node is to have `/valohai`: the most precise that is said."""
        return self.folder_of_node.get(node) or self.folder_of_step.get(step) or self.folder


def place_settings(sources: SettingsSources) -> tuple[PlaceSettings, ...]:
    """What each source says, the strongest first; those that say nothing are left out. Errors: UsageError."""
    said = ((each, _said_by(each)) for each in sources.apart())
    return tuple(
        found._replace(is_of_project=any(not file.is_users for file in source.files))
        for source, found in said
        if found != _NOTHING
    )


def _said_by(source: SettingsSources) -> PlaceSettings:
    return PlaceSettings(
        place=source.value(PLACE_OF_RUN),
        folder=source.value(FOLDER_OF_RUN),
        place_of_node=source.of_each(PLACE_OF_NODE),
        place_of_step=source.of_each(PLACE_OF_STEP),
        place_of_queue=source.of_each(PLACE_OF_QUEUE),
        folder_of_node=source.of_each(FOLDER_OF_NODE),
        folder_of_step=source.of_each(FOLDER_OF_STEP),
    )


_NOTHING = PlaceSettings()
