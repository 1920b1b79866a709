"""One run on disk: what it is (`run.json`), what it will do (`plan.json`), whether it lives (`lock`), and its work."""

import fcntl
import os
import re
import time
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from vhpipe.errors import EnvironmentFailure, RefusedError, from_os_error
from vhpipe.plan.model import PLAN_FORMAT, AttemptId, Origin, Plan
from vhpipe.plan.run_request import RunRequest, redacted_words
from vhpipe.regular_files import RECORD_BYTES, open_regular, read_regular
from vhpipe.store.atomic import write_atomically
from vhpipe.store.attempt_files import LOG
from vhpipe.store.file_system import is_locked, lock
from vhpipe.store.json_codec import decode, encode
from vhpipe.store.run_files import HOOK_LOG, INFO, JOURNAL, LOCK, METRICS, PLAN, REQUESTS, WAKE, WORK
from vhpipe.store.shared_lock import use

Kept = TypeVar("Kept")

Repository = Literal["copy", "link", "in-place"]

_LOCK_PATIENCE_S = 0.5
"""Readers hold the lock for microseconds to see whether the run is alive; that long may an engine be kept waiting."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who started which run and how. `created_at` is wall time, seconds since the epoch; `continues` is another run."""

    number: int
    pipeline: str
    file: str
    is_pipeline: bool = True
    """False for a single step or task, which `pipeline` then names."""
    identifier: str = ""
    """A random UUID; the ids that executions see are derived from it."""
    title: str | None = None
    tags: tuple[str, ...] = ()
    created_at: float = 0.0
    command_line: tuple[str, ...] = ()
    continues: int | None = None
    version: str
    """Of vhpipe."""
    pipeline_version: str | None = None
    repository: Repository = "copy"
    inherits_environment: bool = False
    python: str | None = None
    asked: RunRequest | None = None
    place: str = ""
    """Where its executions run, as `--in` calls it; earlier versions did not record that they are plain processes."""
    places: dict[str, str] = {}
    """By node, where that is another place."""
    has_network: bool = True

    def __post_init__(self) -> None:
        """Whoever makes it, no URI in the words of the command line has what only its owner may know."""
        msgspec.structs.force_setattr(self, "command_line", redacted_words(self.command_line))

    def place_of(self, node: str) -> str:
        """The place where the executions of a node run, as `--in` calls it."""
        return self.places.get(node, self.place) or "process"

    def unusual_place_of(self, node: str) -> str | None:
        """The place of a node where it is worth a word; None for the usual one, and for runs that do not record it."""
        place = self.places.get(node, self.place)
        return None if place in ("", "local") else place


class _Format(msgspec.Struct):
    format: int = 0


_info = msgspec.json.Decoder(RunInfo)
_plan = msgspec.json.Decoder(Plan)
_format = msgspec.json.Decoder(_Format)


class RunFolder:
    """The folder `runs/<number>`. One process at a time may `acquire` it; any number may read."""

    def __init__(self, number: int, path: Path, project: Path | None = None) -> None:
        self.number = number
        self._project = project
        self.path = path
        self.journal_path = path / JOURNAL
        self._lock: int | None = None
        self._in_use: int | None = None
        self._node_folders: dict[str, str] = {}

    @property
    def root(self) -> Path:
        """The state folder that the run is in."""
        return self.path.parents[1]

    @property
    def project(self) -> Path:
        """The folder of the project that the run is of."""
        return self._project or self.path.parents[2]

    @property
    def requests_folder(self) -> Path:
        """Where others leave what they ask of the engine."""
        return self.path / REQUESTS

    @property
    def wake_path(self) -> Path:
        """The pipe by which others wake the engine."""
        return self.path / WAKE

    @property
    def metrics_path(self) -> Path:
        """The values of the run itself, in the course of time."""
        return self.path / METRICS

    @property
    def shared_path(self) -> Path:
        """The texts that attempts share: their files are hard links to these."""
        return self.path / WORK / "shared"

    @property
    def hook_log_path(self) -> Path:
        """What the hooks of the run printed."""
        return self.path / HOOK_LOG

    @property
    def exists(self) -> bool:
        """Whether it is a run (yet): one that is being made or removed has a folder only."""
        return (self.path / INFO).exists()

    def write_info(self, info: RunInfo) -> None:
        write_atomically(self.path / INFO, encode(info))

    def info(self) -> RunInfo:
        return self._read_record(INFO, _info)

    def write_plan(self, plan: Plan) -> None:
        """Write the plan, once and for ever; it is on disk when this returns."""
        write_atomically(self.path / PLAN, encode(plan), durable=True)

    def plan(self) -> Plan:
        """Errors: EnvironmentFailure if it is missing, damaged or of another format."""
        found = self._read_record(PLAN, _format).format
        if found != PLAN_FORMAT:
            raise EnvironmentFailure(
                f"the plan of run {self.number} has format {found}, this version of vhpipe reads format {PLAN_FORMAT}",
                hint="use the version that made the run, or run the pipeline again",
            )
        return self._read_record(PLAN, _plan)

    def acquire(self, patience_s: float = _LOCK_PATIENCE_S) -> None:
        """Become the one process that runs this run. Errors: RefusedError if another one still is after that time.

        Until `release`, what this run stores or links is kept from being collected.
        """
        in_use = use(self.root)
        try:
            descriptor = self.lock(patience_s)
        except EnvironmentFailure:
            os.close(in_use)
            raise
        if descriptor is None:
            os.close(in_use)
            raise RefusedError(
                f"run {self.number} is being run by another process", hint=f"wait for it: vhpipe wait {self.number}"
            )
        self._lock, self._in_use = descriptor, in_use

    def lock(self, patience_s: float = _LOCK_PATIENCE_S) -> int | None:
        """A descriptor that keeps others from running the run until it is closed; None if another has it.

        Errors: EnvironmentFailure, also if the run has been removed meanwhile.
        """
        path = self.path / LOCK
        try:
            descriptor = open_regular(path, os.O_RDWR | os.O_CREAT, follow=False)
        except OSError as error:
            raise from_os_error(error, "cannot open") from error
        try:
            is_locked_now = _lock_in_time(descriptor, path, patience_s)
        except EnvironmentFailure:
            os.close(descriptor)
            raise
        if not is_locked_now:
            os.close(descriptor)
            return None
        if not path.exists():
            os.close(descriptor)
            raise EnvironmentFailure(f"run {self.number} has just been removed", hint="see what is left: vhpipe runs")
        return descriptor

    def release(self) -> None:
        if self._lock is not None and self._in_use is not None:
            os.close(self._lock)
            os.close(self._in_use)
            self._lock = self._in_use = None

    def is_alive(self) -> bool:
        """Whether some process runs this run right now."""
        return is_locked(self.path / LOCK)

    def attempt_folder(self, attempt: AttemptId) -> Path:
        """Where an attempt works; nothing is made here."""
        return Path(self.attempt_path(attempt))

    def attempt_path(self, attempt: AttemptId) -> str:
        """The folder of an attempt as text, which costs a tenth of a `Path`."""
        execution = attempt.execution
        folder = self._node_folders.get(execution.node) or os.fspath(self.node_folder(execution.node))
        return f"{folder}/{execution.index}.{attempt.number}"

    def origin_folder(self, origin: Origin) -> Path:
        """Where the attempt worked that made a result, of this or another run; gone if that run was cleaned away."""
        return self.beside(origin.run).attempt_folder(origin.attempt)

    def beside(self, number: int) -> "RunFolder":
        """The folder of another run of the project, which need not be there."""
        return RunFolder(number, self.path.parent / str(number), self._project)

    def log_path(self, attempt: AttemptId) -> Path:
        """The full log of an attempt."""
        return self.attempt_folder(attempt) / LOG

    def node_folder(self, node: str) -> Path:
        """The folder of a node's attempts: readable for a person, and different for names that only look alike."""
        folder = self._node_folders.get(node)
        if folder is None:
            folder = self._node_folders[node] = os.fspath(self.path / WORK / _folder_name(node))
        return Path(folder)

    def _read_record(self, name: str, decoder: msgspec.json.Decoder[Kept]) -> Kept:
        path = self.path / name
        try:
            return decode(read_regular(path, RECORD_BYTES, follow=False), decoder)
        except OSError as error:
            raise from_os_error(error, f"cannot read run {self.number}:") from error
        except msgspec.DecodeError as error:
            raise EnvironmentFailure(f"cannot read run {self.number}: `{path}` is damaged: {error}") from error


def _lock_in_time(descriptor: int, path: Path, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, path)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        else:
            return True


def _folder_name(node: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", node.lower()).strip("-")[:40] or "node"
    return f"{slug}-{sha256(node.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
