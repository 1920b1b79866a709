"""Inputs from outside of the pipeline: which files their URIs stand for, and their bytes as blobs."""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

import msgspec

from vhpipe.attempt.fatal_failures import survivable
from vhpipe.config.paths import path_fault
from vhpipe.engine.download import download
from vhpipe.engine.local_files import matching_files
from vhpipe.engine.recorded_uris import NOTHING_HIDDEN, RecordedUris
from vhpipe.errors import UsageError, VhpipeError
from vhpipe.plan.input_places import Candidate, collision_text, place_files, placed_path
from vhpipe.plan.model import (
    FilledUri,
    Plan,
    PlannedDeployment,
    PlannedExecution,
    PlannedInput,
    PlannedNode,
    PlannedTask,
    SourceFile,
)
from vhpipe.plan.redaction import redacted
from vhpipe.plan.required_values import empty_input_argument, input_argument
from vhpipe.plan.uri_templates import is_template
from vhpipe.schedule import stimuli
from vhpipe.store.blobs import Blobs
from vhpipe.store.long_work import given_up_when
from vhpipe.wording import MAX_NAMES


class UnsupportedUriError(UsageError):
    """A URI of a store that is not read yet; `argument` is what to type for the input when the file is here."""

    def __init__(self, message: str, argument: str = "") -> None:
        super().__init__(message, f"download the file and give its path{argument and ': ' + argument}")
        self.argument = argument


_SCHEME = r"([a-zA-Z][a-zA-Z0-9+.-]*)://"


class _Surroundings(NamedTuple):
    """Where relative paths start, which file wins a place, the names of URIs, and what there is to tell."""

    bases: Mapping[str, str]
    on_collision: str
    uris: RecordedUris
    notices: list[str]
    problems: list[UsageError]


def expand_inputs(plan: Plan, project: Path, cwd: Path, uris: RecordedUris) -> Plan:
    """The plan with the files that its inputs' URIs stand for; a secret in a URI is in no field of it any more.

    `uris` gives the names under which they stand in the plan, and knows the true ones.

    Relative paths start at the project for URIs from the file, at `cwd` for those from the command line.
    A missing file of an optional input is not an error, unless the command line names it. Files that want the same
    name are settled as `on_collision` says; what that drops is in `notices`.
    Errors: one UsageError for all that cannot be found, naming node, input and place of each.
    """
    bases = {"project": os.path.abspath(project), "cwd": os.path.abspath(cwd)}
    around = _Surroundings(bases, plan.on_collision, uris, list(plan.notices), [])
    nodes = tuple(_expand_node(node, around) for node in plan.nodes)
    if around.problems:
        raise _as_one(around.problems)
    return msgspec.structs.replace(plan, nodes=nodes, notices=tuple(around.notices))


def _as_one(problems: Sequence[UsageError]) -> UsageError:
    """All of them as one, the first twenty in full."""
    messages = list(dict.fromkeys(problem.message for problem in problems))
    arguments = dict.fromkeys(each.argument for each in problems[:MAX_NAMES] if isinstance(each, UnsupportedUriError))
    together = UnsupportedUriError("", " ".join(arguments)).hint
    hints = dict.fromkeys(
        together if isinstance(problem, UnsupportedUriError) else problem.hint
        for problem in problems[:MAX_NAMES]
        if problem.hint is not None
    )
    more = (f"and {len(messages) - MAX_NAMES} more",) if len(messages) > MAX_NAMES else ()
    return UsageError("; ".join((*messages[:MAX_NAMES], *more)), "; ".join(filter(None, hints)) or None)


def _expand_node(node: PlannedNode, around: _Surroundings) -> PlannedNode:
    if isinstance(node, PlannedDeployment) or not node.spec.inputs or (node.given and node.given.is_whole):
        return node
    inputs = tuple(_expand_input(node, item, around) for item in node.spec.inputs)
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, inputs=inputs))


def _expand_input(node: PlannedExecution | PlannedTask, item: PlannedInput, around: _Surroundings) -> PlannedInput:
    base = around.bases[item.relative_to]
    if any(map(is_template, item.uris)):
        return _template_input(node, item, base, around)
    where = f"input `{item.name}` of node `{node.name}`"
    files = [file for uri in item.uris for file in _found_files(uri, item, node.name, around)]
    try:
        files = _without_collisions(files, where, around)
        if item.filename is not None and len(files) == 1:
            files = [msgspec.structs.replace(files[0], path=item.filename)]
        for file in files:
            if reason := path_fault(file.path):
                raise UsageError(
                    f"`{file.path}` cannot be the path of a file: it {reason}", hint="name it by `filename`"
                )
    except UsageError as error:
        around.problems.append(UsageError(f"{where}: {error.message}", error.hint))
    uris = tuple(map(around.uris.name_of, item.uris))
    return msgspec.structs.replace(item, uris=uris, files=tuple(files))


def _template_input(
    node: PlannedExecution | PlannedTask, item: PlannedInput, base: str, around: _Surroundings
) -> PlannedInput:
    """The input without files: which these are is known when the values of an execution are."""
    from vhpipe.engine.filled_uris import refuse_searched

    refuse_searched(node, item)
    uris = tuple(map(around.uris.name_of, item.uris))
    return msgspec.structs.replace(item, uris=uris, files=(), base=base)


def _found_files(uri: str, item: PlannedInput, node: str, around: _Surroundings) -> Sequence[SourceFile]:
    where = f"input `{item.name}` of node `{node}`"
    try:
        return tuple(files_of(uri, item, node, around.bases[item.relative_to], around.uris))
    except UnsupportedUriError as error:
        argument = input_argument(node, item.name)
        around.problems.append(UnsupportedUriError(f"{where}: {error.message}", argument))
    except UsageError as error:
        around.problems.append(UsageError(f"{where}: {error.message}", error.hint))
    return ()


def _without_collisions(files: list[SourceFile], where: str, around: _Surroundings) -> list[SourceFile]:
    """The files that keep their place or, under keep-all, get another. The same file twice is one.

    Source: decision 16.
    """
    candidates = [Candidate(file.path, 0, None, file.uri, redacted(file.uri)) for file in files]
    policy = around.on_collision
    placement = place_files(candidates, policy)
    for collision in placement.collisions:
        message = collision_text(collision, policy)
        if policy == "error":
            raise UsageError(message, hint="choose another --on-collision, or fewer files")
        around.notices.append(f"{where}: {message}")
    return [SourceFile(files[position].uri, target) for target, position in placement.placed]


def files_of(uri: str, item: PlannedInput, node: str, base: str, uris: RecordedUris) -> Iterator[SourceFile]:
    match = re.match(_SCHEME, uri)
    scheme = match[1].lower() if match else ""
    if scheme in {"http", "https"}:
        yield _remote_file(uri, item, uris)
    elif scheme in {"", "file"}:
        yield from _local_files(uri, local_path(uri) if scheme else uri, item, node, base)
    else:
        raise UnsupportedUriError(f"`{redacted(uri)}`: `{scheme}://` is not supported yet")


def _remote_file(uri: str, item: PlannedInput, uris: RecordedUris) -> SourceFile:
    try:
        path = urlsplit(uri).path
    except ValueError as error:
        raise UsageError(f"`{redacted(uri)}` is not an address: {error}", hint="check its brackets") from None
    if "*" in path:
        raise UsageError(
            f"`{redacted(uri)}`: `*` works for local files only", hint="name each file; `%2A` is a star in a name"
        )
    decoded = os.fsdecode(unquote_to_bytes(path))
    if (not decoded or decoded.endswith("/")) and item.filename is None:
        raise UsageError(f"`{redacted(uri)}` does not end in a file name", hint="name it by `filename`")
    place = placed_path(decoded, decoded, item.keep_directories)
    return SourceFile(uris.name_of(uri), place or item.filename or "")


def local_path(uri: str) -> str:
    """The path that a `file://` URI names. Errors: UsageError for one of another machine."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.netloc not in {"", "localhost"}:
        shown = redacted(uri)
        raise UsageError(f"`{shown}` is not a file on this machine", hint=f"three slashes: file:///{shown[7:]}")
    return os.fsdecode(unquote_to_bytes(uri[len("file://") + len(parts.netloc) :]))


def _local_files(uri: str, path: str, item: PlannedInput, node: str, base: str) -> Iterator[SourceFile]:
    absolute = os.path.normpath(os.path.join(base, path))
    found = matching_files(absolute) if "*" in path else _one_file(uri, absolute)
    is_typed = item.relative_to == "cwd"
    if not found and (is_typed or not item.optional):
        what = "matches no file" if "*" in path else "does not exist"
        way_out = f"; to leave it empty: {empty_input_argument(node, item.name)}" if item.optional else ""
        raise UsageError(f"`{uri}` {what}", hint=f"looked for `{absolute}`{way_out}")
    pattern = _below(absolute, base)
    for file in found:
        place = placed_path(_below(file, base), pattern, item.keep_directories)
        yield SourceFile(f"file://{quote(os.fsencode(file))}", place)


def _one_file(uri: str, absolute: str) -> tuple[str, ...]:
    if os.path.isdir(absolute):
        folder = uri.rstrip("/")
        raise UsageError(f"`{uri}` is a folder", hint=f"its files are `{folder}/*`, all below it `{folder}/**`")
    if os.path.exists(absolute) and not os.path.isfile(absolute):
        raise UsageError(f"`{uri}` is not a regular file")
    return (absolute,) if os.path.exists(absolute) else ()


def _below(path: str, base: str) -> str:
    """The path as seen from the base; from the root where it is not below the base."""
    return path.removeprefix(base.rstrip("/") + "/").lstrip("/")


class _Fetch:
    """One fetch under way or over; exactly one of `result` and `failure` is set when it is done."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: tuple[str, int] | None = None
        self.failure: BaseException | None = None


class Fetcher:
    """Fetches each URI once, for as long as it lives. Thread-safe: who asks for what is under way waits for it.

    `true_uris` has the URIs behind those names that do not stand for themselves.
    """

    def __init__(self, blobs: Blobs, true_uris: Mapping[str, str] = NOTHING_HIDDEN) -> None:
        self._blobs = blobs
        self._uris = RecordedUris(true_uris)
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._fetches: dict[str, _Fetch] = {}

    def fetch(self, uri: str) -> tuple[str, int]:
        """sha256 and size of what a `SourceFile.uri` names, stored as a blob.

        Errors: EnvironmentFailure; all who waited get it, the next who asks tries again.
        """
        with self._lock:
            fetch = self._fetches.get(uri)
            is_ours = fetch is None
            if fetch is None:
                fetch = self._fetches[uri] = _Fetch()
        if is_ours:
            self._perform(fetch, uri)
        fetch.done.wait()
        if fetch.result is None:
            assert fetch.failure is not None, "a fetch that is done has a result or a failure"
            raise fetch.failure
        return fetch.result

    def fetch_inputs(self, node: str, uris: Iterable[str], filled: Sequence[FilledUri] = ()) -> stimuli.InputsReported:
        """All files of a node from outside, by URI; or why one of them cannot be had."""
        try:
            found = self._find(filled)
            names = dict.fromkeys((*uris, *(file.uri for files in found.values() for file in files)))
            return stimuli.InputsReported(node, {uri: self.fetch(uri)[0] for uri in names}, found=found)
        except (VhpipeError, OSError) as failure:
            because = survivable(failure, "cannot fetch")
            if because.startswith("cannot fetch `http"):
                import shlex

                because += f"; a file in its place: -i {shlex.quote(node)}.INPUT=FILE"
            return stimuli.InputsReported(node, because=because)

    def _find(self, filled: Sequence[FilledUri]) -> dict[str, tuple[SourceFile, ...]]:
        """The files that filled URIs stand for, by their keys."""
        if not filled:
            return {}
        from vhpipe.engine.filled_uris import find_files

        return {each.key: find_files(each, self._uris) for each in filled}

    def close(self) -> None:
        """End the fetches that are under way, as soon as something comes of them."""
        self._is_over.set()

    def _perform(self, fetch: _Fetch, name: str) -> None:
        uri = self._uris.true_uri(name)
        try:
            if uri.startswith("file://"):
                with given_up_when(self._is_over.is_set):
                    fetch.result = self._blobs.copy_in(Path(local_path(uri)))
            else:
                fetch.result = download(uri, self._blobs, self._is_over)
        except BaseException as error:
            fetch.failure = error
            with self._lock:
                del self._fetches[name]
        finally:
            fetch.done.set()
