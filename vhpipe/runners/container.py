"""Attempts in containers: each runs in the image of its step, with the folders of the platform.

Attempts are prepared, watched and collected as those of the machine itself; their process is that of the tool, which
runs as long as the container does. Source: decisions 201 to 205.
"""

import os
import re
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

import vhpipe
from vhpipe.attempt.launch import NO_LIMITS, Ending, Launch
from vhpipe.attempt.mounts import BindMount, platform_folders
from vhpipe.attempt.own_children import OwnChildren
from vhpipe.attempt.paths import InsidePath, OutsidePath
from vhpipe.attempt.preparation_errors import CannotPrepareError
from vhpipe.attempt.ready import ReadyAttempt
from vhpipe.attempt.spec import AttemptSpec
from vhpipe.attempt.step_mounts import step_mounts
from vhpipe.attempt.step_variables import SPOOL_NAME, VISIBLE_GPUS
from vhpipe.attempt.writable_inputs import writable_inputs
from vhpipe.config.agent_controls import DOCKER_NETWORK
from vhpipe.errors import EnvironmentFailure
from vhpipe.function_step.code_recorder import USES_NAME
from vhpipe.plan.capabilities import CONTAINER
from vhpipe.plan.model import AttemptId
from vhpipe.publishing import FOLDER as PUBLISHED
from vhpipe.runners.container_command import MOST_PIDS, ContainerOrder, passed_variables, run_words
from vhpipe.runners.container_ends import meaning_of
from vhpipe.runners.container_images import ContainerImages
from vhpipe.runners.container_keeper import ContainerKeeper
from vhpipe.runners.container_paths import FOLDER, REFERRED, ContainerPaths
from vhpipe.runners.container_processes import ContainerProcesses
from vhpipe.runners.container_remains import CLIENT, FOLDER_LABEL, RUN_LABEL, name_ending, remove
from vhpipe.runners.container_tools import ToolFacts, facts_of, usable
from vhpipe.runners.container_usage import NAME as USED
from vhpipe.runners.container_usage import measured, read_usage
from vhpipe.runners.container_variables import of_the_place
from vhpipe.runners.parts import RunnerParts
from vhpipe.runners.process import ProcessRunner, this_machine
from vhpipe.runners.protocol import AttemptOrder
from vhpipe.runners.remains import OF_CONTAINERS
from vhpipe.schedule.capacity import Capacity
from vhpipe.store.attempt_files import COMMAND

EXCHANGE, HOME = OF_CONTAINERS
"""In the folder of an attempt while it runs: what is `FOLDER` for the step, and its home."""


def podman_runner(parts: RunnerParts) -> "ContainerRunner":
    return ContainerRunner(parts, "podman")


def docker_runner(parts: RunnerParts) -> "ContainerRunner":
    return ContainerRunner(parts, "docker")


class ContainerRunner:
    """Containers of one tool: see `Runner`. Errors: EnvironmentFailure where the tool does not answer."""

    capabilities = CONTAINER

    def __init__(self, parts: RunnerParts, tool: str) -> None:
        self._others = parts.others or OwnChildren()
        variables = of_the_place(parts.secrets.variables)
        secrets = msgspec.structs.replace(parts.secrets, variables=variables)
        self._containers = _Containers(parts, tool)
        self._tool, self._run = tool, parts.run.identifier
        self._keeper: ContainerKeeper | None = None
        self._was_abandoned = False
        own_parts = msgspec.structs.replace(parts, secrets=secrets, others=self._others)
        self._runner = ProcessRunner(
            own_parts, ContainerPaths, self._containers.launch, meaning_of=self._containers.ended
        )

    @property
    def capacity(self) -> Capacity:
        return this_machine()

    def are_idle(self) -> bool:
        return self._runner.are_idle()

    def start(self, orders: Sequence[AttemptOrder]) -> None:
        if self._keeper is None:
            self._keeper = ContainerKeeper(self._tool, self._run, self._others)
        self._runner.start(orders)

    def stop(self, attempt: AttemptId, because: str, completes: bool = False) -> None:
        self._runner.stop(attempt, because, completes)

    def kill(self) -> None:
        self._runner.kill()

    def abandon(self) -> None:
        self._was_abandoned = True
        self._runner.abandon()

    def next_deadline(self) -> float | None:
        return self._runner.next_deadline()

    def keep_time(self, now: float) -> None:
        self._runner.keep_time(now)

    def close(self) -> None:
        if self._keeper is not None:
            self._keeper.close(nothing_is_left=not self._was_abandoned)
        self._runner.close()


class _Containers:
    """The containers around the attempts of a run."""

    def __init__(self, parts: RunnerParts, tool: str) -> None:
        self._parts, self._tool, self._facts = parts, usable(tool), facts_of(tool)
        self._settings = parts.containers
        self._images = ContainerImages(self._tool, self._settings.pull)
        self._processes: dict[AttemptId, ContainerProcesses] = {}
        self._user = container_user(self._facts)
        self._most_pids = most_pids()

    # ── start ────────────────────────────────────────────────────────────────────────────────────

    def launch(self, spec: AttemptSpec, folder: OutsidePath, repository: OutsidePath, launch: Launch) -> Launch:
        """The launch of the tool's process; its container has the process of the step."""
        variables = self._variables(spec, launch)
        gpus = self._gpus(variables.pop(VISIBLE_GPUS, None))
        passed = passed_variables(variables)
        processes = self._processes[spec.id] = ContainerProcesses(launch.marker)
        order = ContainerOrder(
            name=self._name(spec.id),
            labels=self._labels(spec, launch),
            image=self._image(spec),
            command=passed.before(self._command(launch)),
            workdir=str(ContainerPaths(folder, repository).inside(repository)),
            user=self._user,
            mounts=self._mounts(spec, folder, repository),
            variables=tuple(passed.given),
            shm_bytes=self._settings.shm_bytes,
            most_pids=self._most_pids,
            cpus=_cores(launch),
            on_cores=launch.cpu_limit.cores if launch.cpu_limit else frozenset(),
            memory_bytes=launch.limits.memory_bytes,
            gpus=gpus,
            network=(variables.get(DOCKER_NETWORK) or None) if self._parts.has_network else "none",
        )
        return launch._replace(
            argv=run_words(self._tool, self._facts, order),
            cwd=InsidePath(folder),
            environment={**os.environ, **passed.given, CLIENT: self._parts.run.identifier},
            signal=processes.signal,
            limits=NO_LIMITS,
            cpu_limit=None,
            mounts=order.mounts,
        )

    def _variables(self, spec: AttemptSpec, launch: Launch) -> dict[str, str]:
        """The variables of the step, with what the container needs beside them."""
        variables = {name: text for name, text in launch.environment.items() if not name.startswith("VH_HOST_")}
        if "USER" not in spec.execution.environment_variables:
            variables.pop("USER", None)
        variables.setdefault("PYTHONPATH", f"{FOLDER}/python")
        if not self._user.startswith("0:"):
            variables.setdefault("HOME", f"{FOLDER}/{HOME}")
        return variables

    def _gpus(self, visible: str | None) -> tuple[str, ...]:
        """The GPUs that the execution has, which are the only ones that its container sees."""
        if visible is None:
            return ("all",) if self._facts.has_nvidia else ()
        gpus = tuple(each.strip() for each in visible.split(",") if each.strip() and not each.strip().startswith("-"))
        if gpus and not self._facts.has_nvidia:
            raise CannotPrepareError(
                f"GPU {', '.join(gpus)} cannot be given to a container: {self._tool.name} has no NVIDIA runtime "
                f"(NVIDIA Container Toolkit); set it up: {self._tool.gpu_cure}"
            )
        return gpus

    def _image(self, spec: AttemptSpec) -> str:
        step = spec.execution.step
        try:
            return self._images.identifier(step.image, step.image_id)
        except EnvironmentFailure as failure:
            hint = f"; {failure.hint}" if failure.hint else ""
            raise CannotPrepareError(f"{failure.message}{hint}") from None

    def _name(self, attempt: AttemptId) -> str:
        run = self._parts.run
        node = re.sub("[^a-zA-Z0-9_.-]", "_", attempt.execution.node)[:100]
        return f"vhpipe-{run.number}-{node}-{attempt.execution.index}.{attempt.number}{name_ending(run.identifier)}"

    def _labels(self, spec: AttemptSpec, launch: Launch) -> tuple[tuple[str, str], ...]:
        return (
            (RUN_LABEL, self._parts.run.identifier),
            (FOLDER_LABEL, str(self._parts.folder.path)),
            ("vhpipe.node", spec.id.execution.node),
            ("vhpipe.attempt", str(spec.id)),
        )

    def _command(self, launch: Launch) -> tuple[str, ...]:
        """bash where the image has it, else sh, as on the machine itself; what a script names, where it names it."""
        *interpreter, _ = launch.argv
        script = f"{FOLDER}/{COMMAND}"
        if tuple(interpreter) != (self._parts.run.shell,):
            return (*interpreter, script)
        command = f'"$(command -v bash || echo /bin/sh)" {script}'
        # a tool that only passes signals on to the first process would stop at the shell that measures
        return ("/bin/sh", "-c", measured(command, f"{FOLDER}/{USED}") if self._facts.is_here else f"exec {command}")

    def _mounts(self, spec: AttemptSpec, folder: OutsidePath, repository: OutsidePath) -> tuple[BindMount, ...]:
        """The folders of the platform, and below `FOLDER` what else the step reads and writes."""
        Path(folder, SPOOL_NAME).touch(0o600)
        os.mkdir(f"{folder}/{PUBLISHED}", 0o700)
        package = os.path.dirname(vhpipe.__file__)
        own = [
            (f"{folder}/{COMMAND}", COMMAND, True),
            (f"{folder}/{SPOOL_NAME}", SPOOL_NAME, False),
            (f"{folder}/{PUBLISHED}", PUBLISHED, False),
            (package, "python/vhpipe", True),
        ]
        if os.path.isdir(f"{folder}/{REFERRED}"):
            own.append((f"{folder}/{REFERRED}", REFERRED, True))
        if not self._user.startswith("0:"):
            os.mkdir(f"{folder}/{HOME}", 0o700)
            own.append((f"{folder}/{HOME}", HOME, False))
        _make_exchange(folder, [(name, os.path.isdir(source)) for source, name, _ in own])
        return (
            *platform_folders(folder, repository, writable_inputs(spec.execution)),
            BindMount(OutsidePath(f"{folder}/{EXCHANGE}"), InsidePath(FOLDER)),
            *(BindMount(OutsidePath(source), InsidePath(f"{FOLDER}/{name}"), ro) for source, name, ro in own),
            *step_mounts(spec.execution.step, spec.run.volumes),
        )

    # ── end ──────────────────────────────────────────────────────────────────────────────────────

    def ended(self, ready: ReadyAttempt, ending: Ending) -> Ending:
        """What the end of the tool's process tells of the step; the container is gone."""
        processes = self._processes.pop(ready.spec.id)
        if ending.exit_code != 0 or ending.because is not None:
            remove(self._tool, self._name(ready.spec.id))
        used = read_usage(f"{ready.folder}/{EXCHANGE}/{USED}", self._facts)
        _tidy(ready.folder)
        if processes.were_killed and ending.exit_code == 128 + signal.SIGKILL:
            ending = ending._replace(exit_code=-signal.SIGKILL)
        return meaning_of(ending, ready, self._tool.name, used)


def container_user(facts: ToolFacts) -> str:
    """`UID:GID` of a step in its container, so that what it writes belongs to the user."""
    is_root = facts.is_rootless or os.geteuid() == 0
    return "0:0" if is_root else f"{os.geteuid()}:{os.getegid()}"


def most_pids() -> int:
    """So many processes and threads that a step that makes them without end leaves some to the others."""
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
        return min(MOST_PIDS, int(file.read()) // 4)


def _cores(launch: Launch) -> float | None:
    """The least of what limits the step's CPU time; None without a limit."""
    by_number = launch.cpu_limit.number if launch.cpu_limit and not launch.cpu_limit.cores else None
    return min((each for each in (launch.limits.cores, by_number) if each is not None), default=None)


def _make_exchange(folder: str, points: list[tuple[str, bool]]) -> None:
    """What the step publishes into, and a folder with a place for each thing that is mounted in it."""
    os.mkdir(f"{folder}/{EXCHANGE}", 0o700)
    for name, is_folder in points:
        point = Path(folder, EXCHANGE, name)
        point.parent.mkdir(parents=True, exist_ok=True)
        point.mkdir() if is_folder else point.touch()


def _tidy(folder: str) -> None:
    """Leave in the folder of an attempt what those of the machine itself have."""
    with suppress(OSError):
        os.rename(f"{folder}/{EXCHANGE}/{USES_NAME}", f"{folder}/{USES_NAME}")
    for name in (EXCHANGE, HOME):
        shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
    for name in (SPOOL_NAME, PUBLISHED):
        _remove_empty(f"{folder}/{name}")


def _remove_empty(path: str) -> None:
    with suppress(OSError):
        if os.path.isdir(path):
            os.rmdir(path)
        elif os.path.getsize(path) == 0:
            os.unlink(path)
