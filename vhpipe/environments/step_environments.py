"""The environments of a run's steps: which of them an execution needs, made when the first one needs it."""

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import NamedTuple, Protocol

from vhpipe.command.install_hints import may_install
from vhpipe.command.installs import Installs, installs_in
from vhpipe.environments.base_python import BasePython, base_python
from vhpipe.environments.installer_process import InstallLog, OtherChildren
from vhpipe.environments.installers import PackageInstaller
from vhpipe.environments.layer import FOLDER as LAYER_FOLDER
from vhpipe.environments.layer import LAYER_VARIABLE
from vhpipe.environments.layout import EnvironmentFolder, activated
from vhpipe.environments.making import EnvironmentMaker
from vhpipe.environments.not_made import EnvironmentNotMadeError
from vhpipe.environments.place import EnvironmentsPlace
from vhpipe.environments.wanted import METADATA, WantedEnvironment
from vhpipe.errors import VhpipeError
from vhpipe.regular_files import read_regular
from vhpipe.store.atomic import write_atomically
from vhpipe.store.environments import note_use
from vhpipe.store.long_paths import make_folders
from vhpipe.store.snapshots import Snapshot, SnapshotEntry

MOST_BYTES = 4 << 20
FOR_INSTALLERS = ("PIP_", "UV_")
"""Beginnings of the variables of a step that its installers read."""


class CodeBlobs(Protocol):
    """Bytes of the code by their sha256. Errors: `VhpipeError`."""

    def read(self, blob: str) -> bytes: ...

    def copy_to(self, blob: str, target: str, mode: int) -> None: ...


class AskedEnvironment(NamedTuple):
    """What decides about the environment of an execution: what its command installs, whatever else it does.

    `declared` is what its step declares for installers, `code` the digest of the code that it runs in, `node` one that
    asks, for those who hear of it.
    """

    installs: Installs
    declared: tuple[tuple[str, str], ...]
    code: str = ""
    node: str = ""

    @property
    def without_node(self) -> "AskedEnvironment":
        return self._replace(node="")


class StepEnvironment(NamedTuple):
    """An environment that is there, for one execution after the other."""

    folder: EnvironmentFolder

    @property
    def reads(self) -> tuple[str, ...]:
        """The folders that a step needs, beside its layer and the Python itself: the last are those below this one."""
        return (self.folder.path, *self.folder.base.sites)

    def activate(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables of a step that sees what was installed beforehand."""
        return activated(dict(variables), (self.folder.path,))

    def add_layer(self, attempt: str) -> EnvironmentFolder:
        """A layer in the folder of an attempt, into which its step installs. Errors: OSError."""
        layer = EnvironmentFolder(f"{attempt}/{LAYER_FOLDER}", self.folder.base)
        layer.write((self.folder.packages,))
        layer.link_stand_ins(self.folder)
        return layer

    def with_layer(self, variables: Mapping[str, str], layer: EnvironmentFolder) -> dict[str, str]:
        """The variables of a step that has a layer."""
        active = activated(dict(variables), (layer.path, self.folder.path))
        return active | {LAYER_VARIABLE: layer.packages, "PYTHONUSERBASE": layer.path}


class RunSurroundings(NamedTuple):
    """What the environments of one run stand on. `variables` are those of all its steps.

    `mask` hides secrets, `say` hears what the user should see.
    """

    place: EnvironmentsPlace
    variables: Mapping[str, str]
    blobs: CodeBlobs
    snapshot: Snapshot | None
    children: OtherChildren
    mask: Callable[[str], str]
    say: Callable[[str], None]


class StepEnvironments:
    """The environments of one run. Thread-safe."""

    def __init__(self, around: RunSurroundings) -> None:
        self._around = around
        self._lock = threading.Lock()
        self._base: BasePython | None = None
        self._asked: dict[tuple[str, ...], Installs] = {}
        self._ready: dict[AskedEnvironment, StepEnvironment] = {}
        self._entries: dict[str, SnapshotEntry] | None = None
        self._maker = EnvironmentMaker(around.place.folder, self._write_code, self._installer, around.mask, around.say)

    # ── which ────────────────────────────────────────────────────────────────────────────────────

    def installs_of(self, command: tuple[str, ...]) -> Installs:
        """What a command installs, or what it gets where it installs nothing."""
        required = self._around.place.required
        if not required and not may_install(command):
            return Installs()
        found = self._asked.get(command)
        if found is None:
            found = installs_in(command, self._read)
            if found.is_empty and required:
                found = installs_in((required,), self._read)
            self._asked[command] = found
        return found

    def asked(self, command: tuple[str, ...], declared: Mapping[str, str], node: str) -> AskedEnvironment | None:
        """What a command with these variables of its step asks for; None where it installs nothing."""
        installs = self.installs_of(command)
        if installs.is_empty:
            return None
        own = tuple(sorted((name, text) for name, text in declared.items() if name.startswith(FOR_INSTALLERS)))
        snapshot = self._around.snapshot
        return AskedEnvironment(installs._replace(by_path=()), own, "" if snapshot is None else snapshot.digest, node)

    def _wanted(self, asked: AskedEnvironment) -> WantedEnvironment:
        installs = asked.installs
        paths = {path for line in installs.lines for path in line.files}
        if any(line.needs_code for line in installs.lines):
            paths |= {path for path in self._paths() if os.path.basename(path) in METADATA}
        files = {path: sha256(self._read(path) or b"").hexdigest() for path in sorted(paths)}
        variables = dict(asked.declared)
        return WantedEnvironment(self._python(), installs.lines, files, variables, installs.has_more, asked.node)

    # ── making ───────────────────────────────────────────────────────────────────────────────────

    def is_ready(self, asked: AskedEnvironment) -> bool:
        return asked.without_node in self._ready

    def make(self, asked: AskedEnvironment) -> StepEnvironment:
        """The environment, made if it is not there.

        Errors: `EnvironmentNotMadeError`; `GivenUpError` when nobody wants it any more.
        """
        found = self._ready.get(asked.without_node)
        if found is None:
            wanted = self._wanted(asked)
            record = self._maker.make(wanted)
            folder = EnvironmentFolder(f"{self._around.place.folder}/{record.folder}", wanted.base)
            found = self._ready[asked.without_node] = StepEnvironment(folder)
            note_use(self._around.place.run, wanted.key)
        return found

    def _python(self) -> BasePython:
        with self._lock:
            if self._base is None:
                variables, project = self._around.variables, self._around.place.project
                path = variables.get("PATH")
                program = shutil.which("python", path=path) or shutil.which("python3", path=path)
                if program is None:
                    raise EnvironmentNotMadeError("there is no Python to make an environment from")
                self._base = base_python(program, project, variables, self._around.children)
            return self._base

    def _installer(
        self, target: EnvironmentFolder, source: str, wanted: WantedEnvironment, log: InstallLog
    ) -> PackageInstaller:
        around = self._around

        def progress(text: str) -> None:
            around.say(f"{wanted.node}: {text}")

        environ = {**os.environ, **wanted.variables}
        return PackageInstaller(target, source, around.variables, environ, log, around.children, progress)

    # ── the project's code ───────────────────────────────────────────────────────────────────────

    def _read(self, path: str) -> bytes | None:
        """The bytes of a file of the code, None for one that is not there or too long."""
        snapshot = self._around.snapshot
        if snapshot is None:
            try:
                return read_regular(os.path.join(self._around.place.project, path), MOST_BYTES)
            except (OSError, ValueError):
                return None
        entry = self._by_path().get(path)
        if entry is None or entry.link is not None or entry.size_bytes > MOST_BYTES:
            return None
        try:
            return self._around.blobs.read(entry.blob)
        except VhpipeError:
            return None

    def _by_path(self) -> dict[str, SnapshotEntry]:
        if self._entries is None:
            snapshot = self._around.snapshot
            self._entries = {} if snapshot is None else {entry.path: entry for entry in snapshot.entries}
        return self._entries

    def _paths(self) -> tuple[str, ...]:
        return tuple(self._by_path())

    def _write_code(self, wanted: WantedEnvironment, source: str) -> None:
        """The files that install lines name, or all of the code where they install some of it."""
        if not wanted.needs_code:
            for path in wanted.files:
                self._write_file(f"{source}/{path}", self._read(path) or b"")
        elif self._around.snapshot is None:
            shutil.copytree(self._around.place.project, source, dirs_exist_ok=True, ignore=_leave_state)
        else:
            for entry in self._by_path().values():
                target = f"{source}/{entry.path}"
                make_folders(os.path.dirname(target))
                if entry.link is None:
                    self._around.blobs.copy_to(entry.blob, target, entry.mode)
                else:
                    os.symlink(entry.link, target)
        for line in wanted.lines:
            make_folders(f"{source}/{line.folder}".rstrip("/"))

    def _write_file(self, target: str, content: bytes) -> None:
        make_folders(os.path.dirname(target))
        write_atomically(target, content)


def _leave_state(folder: str, names: list[str]) -> list[str]:
    """What is not copied of a project: state folders, git's own, and environments."""
    return [name for name in names if name in (".vhpipe", ".git", ".venv", "venv", "node_modules")]
