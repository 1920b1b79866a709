"""Where a shell for an ended execution works: in its place, with its folders as it had them and its variables.

Only the working copy that a failed execution left, and what its step mounts for writing, is the shell's to change;
all else that is written goes with it.
Source: decision 190.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.attempt.environments import shell_variables
from vhpipe.attempt.mounts import BindMount, own_folders, platform_folders
from vhpipe.attempt.paths import InsidePath, OutsidePath, PathMapping, PlatformPaths, same_paths
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.recorded_variables import has_platform_folders, kept_variables, own_variables
from vhpipe.attempt.step_mounts import VOLUMES_VARIABLE, step_mounts
from vhpipe.attempt.step_variables import SPOOL_NAME, host_variable_of, variable_of
from vhpipe.engine.places_here import folder_trial
from vhpipe.errors import VhpipeError, from_os_error
from vhpipe.plan.capabilities import CAPABILITIES, PLAIN_MACHINE
from vhpipe.plan.model import PlannedDeployment
from vhpipe.plan.places import LOCAL, PROCESS
from vhpipe.platform_paths import VALOHAI
from vhpipe.project.kept_code import commit_of, lay_out_code
from vhpipe.project.shell_folders import EndedAttempt, make_folders_again
from vhpipe.publishing import SPOOL
from vhpipe.store.attempt_files import CACHE_VOLUMES, COMMAND, CONFIG, INPUTS, REPOSITORY, STEP_FOLDERS
from vhpipe.store.environments import FOLDER as ENVIRONMENTS
from vhpipe.store.project import ProjectStore
from vhpipe.store.scratch import scratch_folder

if TYPE_CHECKING:
    from vhpipe.engine.container_shell import ContainerShell
    from vhpipe.namespaces.trial import Manner, Trial

_HOST_OWN = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "SHELL")
"""Variables that an image has of its own."""


class ShellPlace(NamedTuple):
    """`folder` is the working directory as the shell sees it; `has_command`: the command is in the folder above.

    `code` says what the working copy is, `notices` are sentences for the user. With `way`, that of a trial, the shell
    is in a tree of files of its own, with `mounts`; it sees `state` read-only.
    """

    folder: str
    has_command: bool
    code: str
    variables: Mapping[str, str]
    notices: tuple[str, ...]
    state: str
    way: "Manner | None" = None
    mounts: tuple[BindMount, ...] = ()
    container: "ContainerShell | None" = None


class KeptSurroundings(NamedTuple):
    """What is kept of an attempt: its variables, None where they are lost, and the place that it ran in."""

    variables: Mapping[str, str | None] | None
    place: str

    @property
    def had_folders(self) -> bool:
        """Whether its step found its folders below `/valohai`."""
        return has_platform_folders(self.variables or {})

    @property
    def ran_in_container(self) -> bool:
        return CAPABILITIES.get(self.place, PLAIN_MACHINE).image


@contextmanager
def shell_place(store: ProjectStore, ended: EndedAttempt) -> Iterator[ShellPlace]:
    """The place of a shell, which goes at the end with all that was written there.

    Errors: EnvironmentFailure for the disk, and for code that is damaged.
    """
    kept = KeptSurroundings(kept_variables(ended.folder), ended.run.info().place_of(ended.attempt.execution.node))
    trial = folder_trial() if kept.had_folders and not kept.ran_in_container else None
    has_way = trial is not None and trial.way is not None
    with scratch_folder(store) as folder:
        try:
            notices = tuple(make_folders_again(store, ended, folder, sees_own_inputs=has_way))
        except OSError as error:
            raise from_os_error(error, "cannot copy the folders of the execution to") from error
        repository, code = _repository(store, ended, folder)
        here = _Folders(OutsidePath(str(ended.folder)), OutsidePath(str(folder)), OutsidePath(str(repository)))
        if kept.ran_in_container:
            container, refused = _container(kept, ended, here, store)
            if container is not None:
                notices = (*notices, *((refused,) if refused else ()))
                yield _in_container(container, here, f"{code}; in a container of its image", notices, store)
                return
            notices = (*notices, refused)
        yield _on_this_machine(store, ended, kept, here, code, notices, trial)


def _in_container(
    container: "ContainerShell", here: "_Folders", code: str, notices: tuple[str, ...], store: ProjectStore
) -> ShellPlace:
    return ShellPlace(
        folder=container.workdir,
        has_command=bool(here.command()),
        code=code,
        variables=container.variables,
        notices=notices,
        state=str(store.root),
        container=container,
    )


def _on_this_machine(
    store: ProjectStore, ended: EndedAttempt, kept: KeptSurroundings, here: "_Folders", code: str,
    notices: tuple[str, ...], trial: "Trial | None",
) -> ShellPlace:  # fmt: skip
    """A shell with the folders at `/valohai` where the trial of that has found a way, else with their own paths."""
    way, refused = (None, "") if trial is None else (trial.way, trial.reason)
    paths = same_paths(here.scratch, here.repository) if way is None else PlatformPaths(*here[1:])
    variables = {**_own_variables(kept, store.project), **here.variables(paths, is_inside=way is not None)}
    try:
        variables = shell_variables(variables, f"{store.root}/{ENVIRONMENTS}", here.scratch)
    except OSError as error:
        raise from_os_error(error, "cannot make a layer for packages in") from error
    volumes = f"{store.root}/{CACHE_VOLUMES}"
    mounted, gone = ((), ()) if way is None else _mounts_of_step(ended, volumes)
    if VOLUMES_VARIABLE in variables and way is None:
        variables[VOLUMES_VARIABLE] = volumes
    return ShellPlace(
        folder=paths.inside(here.repository),
        has_command=os.path.isfile(f"{os.path.dirname(here.repository)}/{COMMAND}"),
        code=code,
        variables=variables,
        notices=(*notices, *gone, *_notices(kept, variables, refused, way)),
        state=str(store.root),
        way=way,
        mounts=() if way is None else (*here.mounts(str(store.root)), *mounted),
    )


def _container(
    kept: KeptSurroundings, ended: EndedAttempt, here: "_Folders", store: ProjectStore
) -> "tuple[ContainerShell | None, str]":
    """A shell in the image of the execution; None where that cannot be had, and why."""
    from vhpipe.engine.container_shell import container_shell

    node = ended.run.plan().node(ended.attempt.execution.node)
    assert not isinstance(node, PlannedDeployment), "a deployment has no attempts"
    paths = PlatformPaths(here.scratch, here.repository)
    mounted, gone = _mounts_of_step(ended, f"{store.root}/{CACHE_VOLUMES}")
    mounts = (*platform_folders(here.scratch, here.repository), *here.command(), *mounted)
    variables = {**_own_variables(kept, store.project), **here.variables(paths, is_inside=False)}
    try:
        image = (node.spec.image, node.spec.image_id)
        return container_shell(kept.place, image, paths.inside(here.repository), mounts, variables), "".join(gone)
    except VhpipeError as failure:
        return None, f"it ran in {kept.place}; this shell is on the machine itself: {failure.message}"


def _mounts_of_step(ended: EndedAttempt, volumes: str) -> tuple[tuple[BindMount, ...], tuple[str, ...]]:
    """What the step mounted, and what is to be said where that is gone."""
    node = ended.run.plan().node(ended.attempt.execution.node)
    if isinstance(node, PlannedDeployment):
        return (), ()
    try:
        return step_mounts(node.spec, volumes), ()
    except CannotPrepareError as gone:
        return (), (f"nothing is mounted: {gone}",)


class _Folders(NamedTuple):
    """Those of the attempt, of the shell, and with the code."""

    attempt: OutsidePath
    scratch: OutsidePath
    repository: OutsidePath

    def mounts(self, state: str) -> tuple[BindMount, ...]:
        """As the default place has them; inputs and configuration are those of the attempt, which are read-only."""
        own = (OutsidePath(f"{self.attempt}/{name}") for name in (INPUTS, CONFIG))
        moved = {f"{self.scratch}/{os.path.basename(path)}": path for path in own if os.path.isdir(path)}
        four = (each._replace(source=moved.get(each.source, each.source))
                for each in platform_folders(self.scratch, self.repository))  # fmt: skip
        there = (*self.command(), *own_folders(self.scratch, self.repository))
        return (*four, *(each for each in there if each.source.startswith(f"{state}/")))

    def command(self) -> tuple[BindMount, ...]:
        """The command beside the four folders, as it is beside those of the attempt."""
        path = OutsidePath(f"{self.scratch}/{COMMAND}")
        return (BindMount(path, InsidePath(f"{VALOHAI}/{COMMAND}"), True),) if os.path.isfile(path) else ()

    def variables(self, paths: PathMapping, is_inside: bool) -> dict[str, str]:
        """What leads the shell to its folders."""
        read_only = (INPUTS, CONFIG) if is_inside else ()
        outside = {
            name: OutsidePath(f"{self.attempt if name in read_only else self.scratch}/{name}") for name in STEP_FOLDERS
        } | {REPOSITORY: self.repository}
        return {
            **own_variables(Path(self.attempt)),
            **{variable_of(name): paths.inside(OutsidePath(f"{self.scratch}/{name}")) for name in STEP_FOLDERS},
            variable_of(REPOSITORY): paths.inside(self.repository),
            **{host_variable_of(name): path for name, path in outside.items()},
            SPOOL: paths.inside(OutsidePath(f"{self.scratch}/{SPOOL_NAME}")),
            "PWD": paths.inside(self.repository),
        }


def _repository(store: ProjectStore, ended: EndedAttempt, folder: Path) -> tuple[Path, str]:
    """The folder with the code, and what that is."""
    if ended.run.info().repository == "in-place":
        return store.project, "the project itself, as in the run"
    kept = ended.folder / REPOSITORY
    if kept.is_dir():
        return kept, "as it was left"
    commit = commit_of(ended.run, ended.attempt.execution.node)
    lay_out_code(ended.run.path, folder / REPOSITORY, store.blobs, commit)
    return folder / REPOSITORY, "a fresh copy of the run's code, which goes with the shell"


def _own_variables(kept: KeptSurroundings, project: Path) -> dict[str, str]:
    """The variables of an attempt; its secrets have the values that settings or the caller's environment give now."""
    from vhpipe.project.named_variables import variables_of_settings
    from vhpipe.settings.run import run_settings

    if kept.variables is None:
        return dict(os.environ)
    settings = run_settings(project)
    known = {**variables_of_settings(settings, os.environ).values, **os.environ, **settings.variables}
    own = {name: known.get(name) if value is None else value for name, value in kept.variables.items()}
    if kept.ran_in_container:
        own |= {name: os.environ.get(name) for name in _HOST_OWN}
    return {name: value for name, value in own.items() if value is not None}


def _notices(kept: KeptSurroundings, variables: Mapping[str, str], refused: str, way: "Manner | None") -> Iterator[str]:
    if kept.variables is None:
        yield "its variables were not kept: these are yours"
    unset = [name for name in kept.variables or () if name not in variables]
    if unset:
        yield f"secrets that are not set here: {', '.join(unset)}"
    if kept.place not in (LOCAL, PROCESS) and not kept.ran_in_container:
        yield f"it ran in {kept.place}; this shell is on the machine itself"
    if kept.had_folders and way is None:
        because = f", which this machine refuses: {refused}" if refused else ""
        yield f"its step had /valohai{because}; $VH_INPUTS_DIR, $VH_OUTPUTS_DIR and their like lead to its folders here"
