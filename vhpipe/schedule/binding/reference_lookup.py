"""What a reference stands for, once the node that it speaks of has settled.

Of a task it is the list of its completed children's values, in index order, as an edge brings it (decision 18).
"""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from vhpipe.config.model import Value
from vhpipe.language.absence import Absence, dotted_keys, find_value
from vhpipe.language.globs import is_sidecar, match_outputs
from vhpipe.language.reference import FILES, Reference, ReferenceKind
from vhpipe.plan.deferred import stand_in
from vhpipe.plan.model import Datum, DatumPath, DatumUrl, Deferred, ExecutionId, ExecutionRef, InputFile
from vhpipe.plan.template_values import parameter_key
from vhpipe.schedule.binding.upstream import (
    NOT_COMPLETE,
    CannotBindError,
    NothingToBindError,
    Upstream,
    listing,
)
from vhpipe.schedule.terms import Json, Status

MODEL_ENDINGS = (
    ".bin", ".bst", ".cbm", ".ckpt", ".gguf", ".h5", ".hdf5", ".joblib", ".keras", ".mar", ".mlmodel", ".model",
    ".onnx", ".pb", ".pickle", ".pkl", ".pmml", ".pt", ".pth", ".safetensors", ".tflite", ".ubj", ".weights",
)  # fmt: skip
"""Files that `models` speaks of; others are models if their metadata say so, or if a reference names them."""
MODEL_PROPERTY = "valohai.model-versions"


class NothingThereError(Exception):
    """A reference has no value; the text says what there is instead."""


class ReferredFile(NamedTuple):
    """A file and the child that made it, None for what no task made. `name` is its path among the outputs."""

    name: str
    file: InputFile
    child: int | None = None


class ReferenceLookup:
    """Looks up references of one node. `deferred` gathers what its values have stand-ins for."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.deferred: dict[Deferred, None] = {}

    def value(self, reference: Reference) -> Value:
        """The value of one reference; without one `NothingThereError`, or `NothingToBindError` after a failure."""
        if reference.is_of_pipeline:
            return self._upstream.plan.parameters.get(reference.key)
        self._refuse_unmade(reference)
        found: Sequence[Value]
        if reference.kind in FILES:
            found = [self._of_file(reference, each) for each in self.files(reference)]
        elif reference.kind in (ReferenceKind.ID, ReferenceKind.VERSION_ID):
            found = self._identifiers(reference)
        else:
            values = (self._value(reference, index) for index in self._indexes(reference))
            found = [value for value in values if value is not None]
        if not found:
            raise self._nothing(reference)
        if len(found) == 1 and not self._is_list(reference):
            return found[0]
        return tuple(_scalar(reference, value) for value in found)

    def compared(self, reference: Reference) -> object:
        """The value as a condition sees it: null is one, and where there is none, why; never raises for that.

        Of a task it has an entry for each completed child.
        """
        is_task = not reference.is_of_pipeline and self._upstream.is_task(reference.node)
        try:
            if reference.kind not in (ReferenceKind.METADATA, ReferenceKind.PARAMETER):
                return self.value(reference)
            found = [self._found(reference, index) for index in self._indexes(reference)]
        except (NothingThereError, NothingToBindError):
            return Absence.NOT_YET if is_task and not self._done(reference.node) else Absence.MISSING
        if not is_task or reference.metric:
            return found[0] if found else Absence.MISSING
        if not found:
            return Absence.NOT_YET
        return Absence.MISSING if all(each is Absence.MISSING for each in found) else tuple(found)

    def why_missing(self, reference: Reference) -> str:
        """Why a condition that refers so misses something, as a clause."""
        is_partly = isinstance(self.compared(reference), tuple)
        return f"`{reference.text}` is not in all of `{reference.node}`" if is_partly else str(self._nothing(reference))

    def files(self, reference: Reference) -> list[ReferredFile]:
        """The files that a reference selects, by child, then by path; none raises as `value` does."""
        self._refuse_unmade(reference)
        if reference.kind is ReferenceKind.MODEL_INPUT:
            found = _selected_files(reference.key, [ReferredFile(f.path, f) for f in self._input_files(reference.node)])
        else:
            indexes = self._indexes(reference)
            of_task = self._upstream.is_task(reference.node)
            found = [each for index in indexes for each in self._outputs(reference, index, index if of_task else None)]
        if not found:
            raise self._nothing(reference)
        return found

    # ── which executions ─────────────────────────────────────────────────────────────────────────────

    def _is_list(self, reference: Reference) -> bool:
        return self._upstream.is_task(reference.node) and not reference.metric and reference.kind in COLLECTED

    def _indexes(self, reference: Reference) -> Sequence[int]:
        executions = self._upstream.node_state(reference.node).executions
        if not self._upstream.is_task(reference.node):
            return range(len(executions))
        done = self._done(reference.node)
        return [self._best(reference, done)] if reference.metric else done

    def _done(self, task: str) -> list[int]:
        executions = self._upstream.node_state(task).executions
        return [index for index, each in enumerate(executions) if each.status is Status.COMPLETE]

    def _best(self, reference: Reference, done: Sequence[int]) -> int:
        """The child with the least or greatest last value of a metric, the first of equals."""
        executions = self._upstream.node_state(reference.node).executions
        metric = dotted_keys(reference.metric)
        scores = {index: _number(find_value(metric, executions[index].metadata)) for index in done}
        known = {index: score for index, score in scores.items() if score is not None}
        if not known:
            raise self._nothing(reference)
        choose = min if reference.goal == "min" else max
        return choose(known, key=known.__getitem__)

    # ── values ───────────────────────────────────────────────────────────────────────────────────────

    def _value(self, reference: Reference, index: int) -> Value:
        found = self._found(reference, index)
        if isinstance(found, list | tuple):
            return tuple(_scalar(reference, each) for each in found)
        return None if found is None or isinstance(found, Absence) else _scalar(reference, found)

    def _found(self, reference: Reference, index: int) -> Json | Absence:
        """A metric, also one within an object, or a parameter, as it is."""
        if reference.kind is ReferenceKind.METADATA:
            metadata = self._upstream.node_state(reference.node).executions[index].metadata
            return find_value(dotted_keys(reference.key), metadata)
        values = self._upstream.values_of(reference.node, index)
        self.deferred.update(dict.fromkeys(self._upstream.bound(reference.node).deferred))
        return values.get(parameter_key(reference, values), Absence.MISSING)

    def _identifiers(self, reference: Reference) -> list[str]:
        created = self._upstream.node_state(reference.node).deployment
        if created is not None:
            is_version = reference.kind is ReferenceKind.VERSION_ID
            return [created.version_identifier if is_version else created.identifier]
        return [self._defer(self._execution(reference.node, index)) for index in self._indexes(reference)]

    def _execution(self, node: str, index: int) -> ExecutionRef:
        execution = self._upstream.node_state(node).executions[index]
        made = sorted((datum.name, datum.blob) for datum in execution.outputs)
        contents = [sorted(self._upstream.values_of(node, index).items()), sorted(execution.metadata.items()), made]
        text = json.dumps(contents, default=str, sort_keys=True)
        return ExecutionRef(ExecutionId(node, index), sha256(text.encode("ascii")).hexdigest(), execution.attempt)

    def _defer(self, deferred: Deferred) -> str:
        self.deferred[deferred] = None
        return stand_in(deferred)

    # ── files ────────────────────────────────────────────────────────────────────────────────────────

    def _outputs(self, reference: Reference, index: int, child: int | None) -> list[ReferredFile]:
        outputs = self._upstream.node_state(reference.node).executions[index].outputs
        by_name = {datum.name: datum for datum in outputs}
        names = sorted(by_name)
        if reference.kind is ReferenceKind.OUTPUT:
            matched: Sequence[str] = match_outputs(reference.key, names)
        elif reference.kind is ReferenceKind.ARTIFACT:
            matched = _artifact(reference, names)
        else:
            found = [ReferredFile(name, InputFile(name, datum=by_name[name])) for name in names]
            matched = [each.name for each in _selected_files(reference.key, found)]
        return [ReferredFile(name, InputFile(name, datum=by_name[name]), child) for name in matched]

    def _input_files(self, node: str) -> Iterator[InputFile]:
        for files in self._upstream.inputs(node).values():
            yield from files

    def _of_file(self, reference: Reference, found: ReferredFile) -> int | str:
        datum, file = found.file.datum, found.file
        blob = datum.blob if datum is not None else file.blob
        assert blob is not None, "a node that has settled had its files"
        match reference.attribute:
            case "hash":
                return blob
            case "size":
                assert datum is not None, "the size of an input cannot be asked for"
                return datum.size_bytes
            case "path":
                return self._defer(DatumPath(found.name, blob))
        if datum is None and file.uri is not None and not file.uri.startswith("file:"):
            return file.uri
        return self._defer(DatumUrl(found.name, blob))

    # ── nothing ──────────────────────────────────────────────────────────────────────────────────────

    def _refuse_unmade(self, reference: Reference) -> None:
        """A node that is not complete has nothing, be it that another one is enough for who refers to it."""
        if self._upstream.node_state(reference.node).status in NOT_COMPLETE:
            raise self._nothing(reference)

    def _nothing(self, reference: Reference) -> Exception:
        node = reference.node
        because = self._upstream.why_empty([node])
        if because is not None:
            return NothingToBindError(f"{because} and left nothing for `{reference.text}`")
        if reference.kind is ReferenceKind.MODEL_INPUT:
            names = [file.path for file in self._input_files(node)]
            there = f"the input files of `{node}` are {listing(names)}"
        elif reference.kind in FILES:
            there = f"the outputs of `{node}` are {listing(self._upstream.output_names(node))}"
        elif reference.kind is ReferenceKind.PARAMETER and not reference.metric:
            return NothingThereError(f"`{reference.text}` has no value: it was not passed")
        else:
            keys = self._upstream.metadata_keys(node)
            if reference.kind is ReferenceKind.METADATA and not reference.metric and reference.key in keys:
                return NothingThereError(f"`{reference.text}` has no value: it is null")
            there = f"the metadata of `{node}` has {listing(keys)}"
        return NothingThereError(f"`{reference.text}` has no value: {there}")


COLLECTED = frozenset(ReferenceKind) - {ReferenceKind.MODEL_INPUT, ReferenceKind.VERSION_ID}
"""What of a task is a list; the files of its inputs are the same for all children."""


def _selected_files(key: str, files: list[ReferredFile]) -> list[ReferredFile]:
    """The model with this index, negative from the end, or the files whose names match."""
    try:
        index = int(key)
    except ValueError:
        names = match_outputs(key, [file.name for file in files])
        return [file for file in files if file.name in names]
    models = [file for file in files if _is_model(file)]
    return models[index : index + 1 or None] if -len(models) <= index < len(models) else []


def _is_model(found: ReferredFile) -> bool:
    datum: Datum | None = found.file.datum
    says_so = datum is not None and any(MODEL_PROPERTY in properties for properties in datum.properties)
    return not is_sidecar(found.name) and (says_so or found.name.lower().endswith(MODEL_ENDINGS))


def _artifact(reference: Reference, names: Sequence[str]) -> Sequence[str]:
    """The output that is called so: by its path, its last part, or these without what stands behind a dot."""
    plain = [name for name in names if not is_sidecar(name)]
    for called in (_path, _last, _stem, _shortest):
        matched = [name for name in plain if called(name) == reference.key]
        if len(matched) > 1:
            raise CannotBindError(f"`{reference.text}` could be any of {listing(matched)}")
        if matched:
            return matched
    return ()


def _path(name: str) -> str:
    return name


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _stem(name: str) -> str:
    """`data.csv` of `tables/data.csv.gz`."""
    return _last(name).rpartition(".")[0]


def _shortest(name: str) -> str:
    """`data` of `tables/data.csv.gz`."""
    return _last(name).partition(".")[0]


def _scalar(reference: Reference, found: Json) -> bool | int | float | str:
    if isinstance(found, bool | int | float | str):
        return found
    if found is None:
        raise CannotBindError(f"`{reference.text}` has an element without a value")
    what = "a list in a list" if isinstance(found, list | tuple) else "an object"
    raise CannotBindError(f"`{reference.text}` is {what}, which cannot be used here")


def _number(value: object) -> float | None:
    """A number that can be compared; the platform's metadata may have them as texts."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return None if number != number else number
