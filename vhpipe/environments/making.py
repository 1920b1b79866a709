"""Making an environment: in a folder with a name of its own, which its record has when it is complete.

Installed programs name the folder that they are in, so it stays where it was made. What was not completed has no
record: the next who makes the environment removes it, and so does `vhpipe clean`.
"""

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from vhpipe.command.installs import InstallLine
from vhpipe.environments.failures import reason_in
from vhpipe.environments.installer_process import InstallLog
from vhpipe.environments.installers import PackageInstaller
from vhpipe.environments.layout import EnvironmentFolder
from vhpipe.environments.not_made import EnvironmentNotMadeError
from vhpipe.environments.stand_in import digest_of_words
from vhpipe.environments.wanted import WantedEnvironment
from vhpipe.plan.redaction import redacted
from vhpipe.regular_files import open_regular
from vhpipe.store.environments import (
    EnvironmentRecord,
    is_within,
    lock_path,
    names_in,
    read_record,
    record_path,
    write_record,
)
from vhpipe.store.file_system import lock
from vhpipe.store.long_work import go_on
from vhpipe.wording import counted

LOOK_S = 0.2
WriteCode = Callable[[WantedEnvironment, str], None]
"""Writes what install lines name of the project into a folder."""
MakeInstaller = Callable[[EnvironmentFolder, str, WantedEnvironment, InstallLog], PackageInstaller]


class EnvironmentMaker(NamedTuple):
    """What making environments takes. `folder` is where they are kept; `say` hears what the user should see."""

    folder: str
    write_code: WriteCode
    installer: MakeInstaller
    mask: Callable[[str], str]
    say: Callable[[str], None]

    def make(self, wanted: WantedEnvironment) -> EnvironmentRecord:
        """The record of the environment, which is made if it is not there; of several who want it, one makes it.

        Errors: `EnvironmentNotMadeError`; `GivenUpError` when nobody wants it any more.
        """
        key = wanted.key
        record = read_record(self.folder, key)
        if record is not None:
            return record
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            with self._locked(wanted, key):
                record = read_record(self.folder, key)  # done while we waited
                return self._make_anew(wanted, key) if record is None else record
        except OSError as failure:
            raise _from_os_error(failure, self.folder) from failure

    @contextmanager
    def _locked(self, wanted: WantedEnvironment, key: str) -> Iterator[None]:
        path = lock_path(self.folder, key)
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT, follow=False)
        has_said = False
        try:
            while True:
                try:
                    lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, path)
                    break
                except BlockingIOError:
                    if not has_said:
                        self.say(f"{wanted.node}: its environment is being made by another run or step: waiting for it")
                        has_said = True
                go_on()
                time.sleep(LOOK_S)
            yield
        finally:
            os.close(descriptor)

    def _make_anew(self, wanted: WantedEnvironment, key: str) -> EnvironmentRecord:
        with suppress(FileNotFoundError):
            os.unlink(record_path(self.folder, key))  # of one whose folder or Python is gone
        for name in names_in(self.folder):
            if is_within(name, key):
                shutil.rmtree(f"{self.folder}/{name}", ignore_errors=True)
        target = EnvironmentFolder(f"{self.folder}/{key}-{os.urandom(4).hex()}", wanted.base)
        try:
            record = self._fill(wanted, target, key)
            write_record(self.folder, key, record)
        except BaseException:
            shutil.rmtree(target.path, ignore_errors=True)
            raise
        return record

    def _fill(self, wanted: WantedEnvironment, target: EnvironmentFolder, key: str) -> EnvironmentRecord:
        started = time.monotonic()
        target.write(wanted.base.sites)
        target.write_layer_link()
        source = f"{target.path}/source"
        os.mkdir(source)
        log = InstallLog(Path(f"{self.folder}/{key}.log"), self.mask)
        try:
            by, left = self._install(wanted, self.installer(target, source, wanted, log), log)
        finally:
            log.close()
        _remove_sources(target, source)
        shutil.rmtree(source)
        target.write_stand_ins(_installed(wanted, left))
        packages = target.installed()
        if wanted.lines:
            took_s = time.monotonic() - started
            what = f"{counted(len(packages), 'package')} installed in {took_s:.1f} s"
            self.say(f"{wanted.node}: {what if packages else 'nothing was missing'}")
        return EnvironmentRecord(
            folder=os.path.basename(target.path), python=wanted.base.executable, version=wanted.base.version,
            lines=tuple(redacted(line.text) for line in wanted.lines), files=tuple(sorted(wanted.files)),
            packages=packages, left=tuple(redacted(line.text) for line in left), installer=by, made_at=time.time(),
        )  # fmt: skip

    def _install(
        self, wanted: WantedEnvironment, installer: PackageInstaller, log: InstallLog
    ) -> tuple[str, list[InstallLine]]:
        """The installer that was used, and the lines that are left to the steps."""
        self.write_code(wanted, installer.source)
        if not wanted.base.has_pip:
            installer.add_pip()
        by, left = "", []
        for line in wanted.lines:
            self.say(f"{wanted.node}: {redacted(line.text)}: installing what is missing; log: {log.path}")
            used = installer.carry_out(line)
            by = used or by
            if used is None and not line.may_fail:
                reason = reason_in(log.of_last_call, wanted.base.version)
                raise EnvironmentNotMadeError(f"`{redacted(line.text)}` failed: {reason}; log: {log.path}")
            if used is None:
                left.append(line)
                self.say(f"{wanted.node}: {redacted(line.text)} failed beforehand and is left to the step")
        return by, left


def _sites(target: EnvironmentFolder) -> list[str]:
    return list(dict.fromkeys((target.packages, f"{target.path}/{target.base.platform}")))


def _installed(wanted: WantedEnvironment, left: list[InstallLine]) -> bytes:
    """What the stand-ins for pip and uv know: the words behind `install`, which nobody can read there."""
    lines = [
        {"words": digest_of_words(list(line.words)), "folder": line.folder, "files": line.files}
        for line in wanted.lines
        if line not in left and not line.needs_code
    ]
    is_complete = not wanted.has_more and not left
    return json.dumps({"is_complete": is_complete, "lines": lines, "files": dict(wanted.files)}).encode()


def _remove_sources(target: EnvironmentFolder, source: str) -> None:
    """Take out what was installed from the project itself: each execution has a working copy of its own for that."""
    for found in distributions(path=_sites(target)):
        if _is_from(found, source):
            paths = [str(found.locate_file(file)) for file in found.files or ()]
            for path in paths:
                with suppress(OSError):
                    os.unlink(path)
            for folder in {os.path.dirname(path) for path in paths}:
                with suppress(OSError):
                    os.rmdir(folder)


def _is_from(found: Distribution, source: str) -> bool:
    """Whether it was installed from a folder below `source`."""
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return "dir_info" in origin and str(origin.get("url", "")).startswith(Path(source).as_uri())


def _from_os_error(failure: OSError, folder: str) -> EnvironmentNotMadeError:
    if failure.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentNotMadeError(f"the disk of `{folder}` is full, so that an environment could not be made")
    where = f" `{failure.filename}`" if failure.filename else ""
    return EnvironmentNotMadeError(f"an environment could not be made:{where} {failure.strerror or failure}")
