"""The state folder of a project: its runs, its blobs, its registry."""

import errno
import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vhpipe.errors import EnvironmentFailure, UsageError, from_os_error
from vhpipe.regular_files import open_regular
from vhpipe.store.atomic import temporary_name, write_all, write_new
from vhpipe.store.blobs import Blobs
from vhpipe.store.file_system import lock
from vhpipe.store.owner import check_owner, sign
from vhpipe.store.registry import Registry
from vhpipe.store.reuse import ReuseEntries
from vhpipe.store.run_folder import RunFolder
from vhpipe.store.state_place import (
    IGNORE_ALL,
    chosen_state,
    is_absent,
    is_inside,
    record_project,
    state_folder,
    state_folder_by_name,
    states_of_gone_projects,
)


class ProjectStore:
    """What is kept for one project. Make it with `create` to run, with `open` to read."""

    def __init__(self, project: Path, root: Path | None = None) -> None:
        self.project = project
        self.root = state_folder(project) if root is None else root
        self.slots = self.root / "slots"
        self.scratch = self.root / "scratch"
        self.runs_folder = self.root / "runs"
        self.blobs = Blobs(self.root / "blobs")
        self.registry = Registry(self.root / "registry")
        self.reuse = ReuseEntries(self.root / "reuse")

    @classmethod
    def create(cls, project: Path) -> "ProjectStore":
        """The project's store, made if there is none.

        Errors: RefusedError for one that this user did not make, UsageError for a path that cannot be recorded.
        """
        root = os.fspath(state_folder(project))
        _refuse_other_text(os.fspath(project), root)
        try:
            if is_absent(root):
                _make(root)
            check_owner(root, os.environ)
            root = _named_as_now(root, project)
            if not is_inside(root, os.fspath(project)):
                record_project(root, os.fspath(project))
        except OSError as error:
            raise _cannot_create(error, "cannot create the state folder") from error
        return cls(project, Path(root))

    @classmethod
    def open(cls, project: Path) -> "ProjectStore":
        """The project's store for reading; writes nothing, ever.

        Errors: UsageError if there is none, RefusedError for one that this user did not make.
        """
        store = cls.open_if_any(project)
        if store is None:
            raise _no_state(project)
        return store

    @classmethod
    def open_if_any(cls, project: Path) -> "ProjectStore | None":
        """The project's store for reading, None if there is none. Errors: as `open`."""
        root = state_folder(project)
        try:
            if is_absent(os.fspath(root)):
                return None
            check_owner(os.fspath(root), os.environ)
        except OSError as error:
            raise from_os_error(error, "cannot read the state folder") from error
        return cls(project, root)

    def new_run(self) -> RunFolder:
        """A new run's folder, with a number that no run had before, also not one that was deleted since."""
        try:
            self.runs_folder.mkdir(mode=0o700, exist_ok=True)
            with self._counter() as descriptor:
                number = 1 + max(_number_in(descriptor), *self._numbers(), 0)
                (self.runs_folder / str(number)).mkdir(mode=0o700)
                try:
                    _write_number(descriptor, number)
                except OSError:
                    (self.runs_folder / str(number)).rmdir()
                    raise
        except OSError as error:
            error.filename = error.filename or os.fspath(self.root / "counter")
            raise _cannot_create(error, "cannot create a run: cannot write") from error
        return self._folder(number)

    def withdraw(self, run: RunFolder) -> None:
        """Remove a run that failed before anybody heard of it; the next run gets its number.

        The number is not given again where another run has a later one, or where a version in the registry names it.
        What cannot be removed stays, which `clean` finds; it is no error, for the user hears of the first failure.
        """
        assert not run.exists, "a run that others can see keeps its number"
        run.release()
        with suppress(OSError, EnvironmentFailure), self._counter() as descriptor:
            shutil.rmtree(run.path)
            if _number_in(descriptor) == run.number and not self.registry.names(run.number):
                _write_number(descriptor, run.number - 1)

    @contextmanager
    def _counter(self) -> Iterator[int]:
        """The open file with the last run's number, which nobody else reads or writes meanwhile."""
        descriptor = open_regular(self.root / "counter", os.O_RDWR | os.O_CREAT, follow=False)
        try:
            lock(descriptor, fcntl.LOCK_EX, self.root / "counter")
            yield descriptor
        finally:
            os.close(descriptor)

    def runs(self) -> tuple[RunFolder, ...]:
        """The runs by number. A folder without `run.json` is not a run (yet)."""
        folders = (self._folder(number) for number in sorted(self._numbers()))
        return tuple(folder for folder in folders if folder.exists)

    def last_run_before(self, number: int) -> RunFolder | None:
        """The run with the greatest number below; None without one that can be read."""
        below = max((each for each in self._numbers() if each < number), default=None)
        run = None if below is None else self._folder(below)
        return run if run is not None and run.exists else None

    def run(self, selector: str) -> RunFolder:
        """The run that `3`, `=3`, `#3` or `latest` names. Errors: UsageError with the numbers there are."""
        runs = self.runs()
        if selector == "latest" and runs:
            return runs[-1]
        number = selector.removeprefix("=").removeprefix("#")
        found = next((run for run in runs if str(run.number) == number), None)
        if found is None:
            raise _no_such_run(selector, runs, self.project)
        return found

    def _folder(self, number: int) -> RunFolder:
        return RunFolder(number, self.runs_folder / str(number), self.project)

    def _numbers(self) -> tuple[int, ...]:
        try:
            names = os.listdir(self.runs_folder)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise from_os_error(error, "cannot read") from error
        return tuple(int(name) for name in names if name.isascii() and name.isdigit() and name[0] != "0")


def reuse_entries(project: Path) -> ReuseEntries:
    """The results of a project by their work, whether it has a store or not; making this reads and writes nothing."""
    return ReuseEntries(state_folder(project) / "reuse")


def _make(root: str) -> None:
    """Complete the folder under another name first, so that nobody ever finds it half made."""
    temporary = temporary_name(root)
    os.makedirs(os.path.dirname(root), 0o700, exist_ok=True)
    os.mkdir(temporary, 0o700)
    try:
        write_new(f"{temporary}/.gitignore", IGNORE_ALL, 0o600)
        write_new(f"{temporary}/owner", sign(temporary, os.environ, root), 0o600)
        with suppress(FileExistsError):
            _rename_to_nothing(temporary, root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _named_as_now(root: str, project: Path) -> str:
    """The state folder of a project that was moved, under the name that the project gives it now.

    It keeps its name while a run of it is alive.
    """
    wanted = os.fspath(state_folder_by_name(project, root))
    if wanted == root or os.path.lexists(wanted):
        return root
    if any(run.is_alive() for run in ProjectStore(project, Path(root)).runs()):
        return root
    os.rename(root, wanted)
    return wanted


def _cannot_create(error: OSError, doing: str) -> EnvironmentFailure:
    failure = from_os_error(error, doing)
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        failure.hint = "keep the state elsewhere: --state DIR, or VHPIPE_STATE for all projects"
    return failure


def _no_state(project: Path) -> UsageError:
    """What there is instead may be that of the project before it was moved."""
    if not project.is_dir():
        return UsageError(f"there is no folder `{project}`", "name the folder of the project with --project")
    for root, path in states_of_gone_projects(os.fspath(project)):
        if os.path.basename(path) == project.name:
            move = shlex.join(("mv", root, os.fspath(state_folder(project))))
            hint = f"if the project was moved from `{path}`, move its state too: {move}"
            return UsageError(f"no runs in `{project}` yet", hint)
    if (chosen := chosen_state()) is not None:
        hint = "start a run with this `--state`, or name another folder by it"
        return UsageError(f"no runs in `{chosen}` yet", hint)
    return UsageError(
        f"no runs in `{project}` yet", hint="start one with `vhpipe run`, or name the folder with `--project`"
    )


def _rename_to_nothing(source: str, target: str) -> None:
    """Rename. Errors: FileExistsError if another process made the target in the meantime (it is not empty)."""
    try:
        os.rename(source, target)
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(target) from error
        raise


def _number_in(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _write_number(descriptor: int, number: int) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, f"{number}\n".encode())


def _no_such_run(selector: str, runs: tuple[RunFolder, ...], project: Path) -> UsageError:
    if not runs:
        return UsageError(f"no runs in `{project}` yet", hint="start one with `vhpipe run`")
    numbers = [str(run.number) for run in runs]
    shown = ", ".join(numbers if len(numbers) <= 12 else ["…", *numbers[-12:]])
    return UsageError(f"no run `{selector}` in `{project}`", hint=f"there are runs {shown}; `latest` is {numbers[-1]}")


def _refuse_other_text(*paths: str) -> None:
    """Paths are recorded as text, and given to steps in JSON. Errors: UsageError."""
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"`{path}` cannot be used: its name is not UTF-8", "rename the folder, or keep the project in another"
            ) from error
