"""Containers of runs whose engines are gone, and that nobody has resumed or stopped since."""

import shutil
from collections.abc import Iterator

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.container_settings import TOOLS
from vhpipe.runners import container_remains
from vhpipe.runners.container_tools import TOOLS as KNOWN
from vhpipe.store.project import ProjectStore
from vhpipe.store.run_folder import RunFolder


def end_left_containers(store: ProjectStore) -> tuple[str, ...]:
    """End and remove them; a sentence for each tool with which that could not be done."""
    failures = []
    for tool in TOOLS:
        dead = {str(run.path) for run in store.runs() if not run.is_alive() and tool in _places_of(run)}
        if not dead or shutil.which(tool) is None:
            continue
        try:
            for folder, identifier in container_remains.labelled_folders(KNOWN[tool]).items():
                if folder in dead:
                    container_remains.end_containers_of(tool, identifier)
        except EnvironmentFailure as failure:
            failures.append(failure.message)
    return tuple(failures)


def _places_of(run: RunFolder) -> Iterator[str]:
    """None for a run whose record is damaged."""
    try:
        info = run.info()
    except EnvironmentFailure:
        return
    yield info.place
    yield from info.places.values()
