"""The registry: what belongs to the project and outlives its runs, as a journal that several processes append to."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vhpipe.errors import from_os_error
from vhpipe.regular_files import RECORD_BYTES, open_regular, read_regular
from vhpipe.store.atomic import write_all
from vhpipe.store.checksum_lines import line_of, valid_lines
from vhpipe.store.file_system import lock, sync
from vhpipe.store.json_codec import decode, encode


class EndpointVersion(msgspec.Struct, frozen=True):
    """`files` pairs the path of each file with its blob."""

    name: str
    files: tuple[tuple[str, str], ...] = ()


class DeploymentVersion(msgspec.Struct, frozen=True, tag="deployment-version"):
    """A version of a deployment, made by one node of one run."""

    deployment: str
    version: str
    identifier: str
    version_identifier: str
    run: int
    node: str
    endpoints: tuple[EndpointVersion, ...] = ()
    aliases: tuple[str, ...] = ()
    created_at: float = 0.0


class PipelineVersion(msgspec.Struct, frozen=True, tag="pipeline-version"):
    """A version of a pipeline: `declared` stands in its file, `digest` is the sha256 of its definition and code.

    `run` was the first with it.
    """

    pipeline: str
    version: str
    declared: str
    digest: str
    run: int
    created_at: float = 0.0


Entry = DeploymentVersion | PipelineVersion

_decoder = msgspec.json.Decoder(Entry)


class Registry:
    """The registry in one file, which is made by the first entry."""

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)

    def add(self, entry: DeploymentVersion) -> None:
        """Append an entry, safe from other processes and a loss of power; a second one for a run's node is ignored."""
        with self._lock() as descriptor:
            content = self._content()
            known = (each for each in _entries(content) if isinstance(each, DeploymentVersion))
            if not any((each.run, each.node) == (entry.run, entry.node) for each in known):
                _append(descriptor, content, entry)

    def version_of(
        self, pipeline: str, choose: Callable[[tuple[PipelineVersion, ...]], PipelineVersion]
    ) -> PipelineVersion:
        """The version that `choose` picks of all that the pipeline has, or makes; then it is recorded."""
        with self._lock() as descriptor:
            content = self._content()
            known = tuple(
                each for each in _entries(content) if isinstance(each, PipelineVersion) and each.pipeline == pipeline
            )
            chosen = choose(known)
            if chosen not in known:
                _append(descriptor, content, chosen)
            return chosen

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """The open file, which nobody else writes meanwhile. Errors: EnvironmentFailure."""
        try:
            descriptor = open_regular(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, follow=False)
            try:
                lock(descriptor, fcntl.LOCK_EX, self._path)
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            error.filename = self._path
            raise from_os_error(error, "cannot write") from error

    def deployment_versions(self) -> tuple[DeploymentVersion, ...]:
        """All versions, oldest first; no registry has none."""
        return tuple(each for each in _entries(self._content()) if isinstance(each, DeploymentVersion))

    def names(self, run: int) -> bool:
        """Whether a version says that this run made it. Errors: EnvironmentFailure."""
        return any(entry.run == run for entry in _entries(self._content()))

    def version_for(self, run: int, node: str) -> DeploymentVersion | None:
        """The version that a node of a run made before, so that none makes two."""
        return next((known for known in self.deployment_versions() if (known.run, known.node) == (run, node)), None)

    def _content(self) -> bytes:
        try:
            return read_regular(self._path, RECORD_BYTES, follow=False)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise from_os_error(error, "cannot read") from error


def _append(descriptor: int, content: bytes, entry: Entry) -> None:
    """What a crashed or failed writer left behind the last good line goes first."""
    good = max((end for _, end in valid_lines(content)), default=0)
    os.ftruncate(descriptor, good)
    try:
        write_all(descriptor, line_of(encode(entry)))
        sync(descriptor, data_only=True)
    except OSError:
        os.ftruncate(descriptor, good)
        raise


def _entries(content: bytes) -> Iterator[Entry]:
    """Lines of a kind that this version does not know are passed over, for they are another's to read."""
    for json, _ in valid_lines(content):
        try:
            yield decode(json, _decoder)
        except msgspec.ValidationError:
            continue
