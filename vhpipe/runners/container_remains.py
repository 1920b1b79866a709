"""Containers that nobody waits for any more: found by their labels, ended and removed, with the clients that made them.

A container whose monitor was killed is removed at the second try only, and a client that lives may make another: so
it is done until a look finds none.
"""

import os
import subprocess
import time
from collections.abc import Mapping

from vhpipe.attempt.process_tree import command_line, kill_marked, kill_trees
from vhpipe.errors import EnvironmentFailure
from vhpipe.runners.container_tools import PATIENCE_S, TOOLS, ContainerTool, asked, last_line

RUN_LABEL = "vhpipe.run"
"""The identifier of the run that a container belongs to."""
FOLDER_LABEL = "vhpipe.folder"
"""The folder of that run, as an absolute path."""
CLIENT = "VHPIPE_CONTAINERS_OF"
"""The variable of a tool's process that says for which run it was started; no container has it."""
MONITOR = b"conmon"
TRIES = 40
PAUSE_S = 0.1


def name_ending(run: str) -> str:
    """What the names of all containers of a run end with."""
    return f"-{run[:8]}"


def client_marker(run: str) -> str:
    return f"{CLIENT}={run}"


def end_containers_of(tool: str, run: str) -> None:
    """End and remove all containers of a run at a tool, and what could make more of them.

    Errors: EnvironmentFailure where some stay, or the tool cannot say whether there are any.
    """
    said = ""
    for _ in range(TRIES):
        kill_marked({client_marker(run)})
        found = containers(TOOLS[tool], f"{RUN_LABEL}={run}")
        if not found and kill_trees(lambda process: _is_monitor(process, run)):
            return
        if not found:
            continue
        said = remove(TOOLS[tool], *found)
        time.sleep(PAUSE_S if said else 0.0)
    raise EnvironmentFailure(f"containers of the run cannot be removed: {said}", f"{tool} rm --force {' '.join(found)}")


def _is_monitor(process: int, run: str) -> bool:
    """Whether it is Podman's monitor of a container of the run.

    One whose client was killed while it made the container waits for ever, and has none of the client's variables.
    """
    words = command_line(process).split(b"\0")
    return os.path.basename(words[0]) == MONITOR and any(word.endswith(name_ending(run).encode()) for word in words)


def remove(tool: ContainerTool, *names: str) -> str:
    """End and remove containers; what the tool says where it fails, which it does for those that are gone too."""
    try:
        said = asked(tool.name, (*tool.remove, *names), PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    return last_line(said.stderr) if said.returncode else ""


def containers(tool: ContainerTool, label: str) -> tuple[str, ...]:
    """The ids of all containers with a label, whatever their state. Errors: EnvironmentFailure."""
    words = ("ps", "--all", "--quiet", "--no-trunc", f"--filter=label={label}")
    return tuple(_answer(tool, words).split())


def labelled_folders(tool: ContainerTool) -> Mapping[str, str]:
    """The folders of runs that have containers at a tool, with the identifiers of the runs. Errors: EnvironmentFailure.

    Used to find what is left of runs whose engines are gone.
    """
    form = f'{{{{index .Labels "{RUN_LABEL}"}}}}\t{{{{index .Labels "{FOLDER_LABEL}"}}}}'
    if tool.name == "docker":
        form = f'{{{{.Label "{RUN_LABEL}"}}}}\t{{{{.Label "{FOLDER_LABEL}"}}}}'
    lines = _answer(tool, ("ps", "--all", f"--filter=label={RUN_LABEL}", f"--format={form}")).splitlines()
    return {folder: run for run, _, folder in (line.partition("\t") for line in lines) if run and folder}


def _answer(tool: ContainerTool, words: tuple[str, ...]) -> str:
    try:
        said = asked(tool.name, words, PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise _unknown(tool, str(failure)) from failure
    if said.returncode:
        raise _unknown(tool, last_line(said.stderr))
    return said.stdout


def _unknown(tool: ContainerTool, said: str) -> EnvironmentFailure:
    return EnvironmentFailure(f"`{tool.name}` does not say which containers there are: {said}", "vhpipe doctor")
