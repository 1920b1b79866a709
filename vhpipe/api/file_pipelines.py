"""The pipelines of files: read, check, plan and run them."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from vhpipe.api.invalid_pipeline import part_asked_for
from vhpipe.api.pipeline_run import Run
from vhpipe.api.run_thread import start_in_thread
from vhpipe.config.model import Config
from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.diagnostics import Diagnostic, has_errors
from vhpipe.engine.order import Order
from vhpipe.errors import UsageError
from vhpipe.plan.model import Plan
from vhpipe.plan.reuse_policy import ALL
from vhpipe.project.checked_file import STDIN, check_path
from vhpipe.project.findings_filter import FindingsFilter, settings_for
from vhpipe.project.order import RunDefinition, order_run, program_words
from vhpipe.project.places import place_texts
from vhpipe.project.planning import plan_to_look_at
from vhpipe.project.request import ReuseNames, RunArguments, ValueTexts
from vhpipe.project.run_conditions import RunChoices
from vhpipe.project.user_variables import VariableTexts
from vhpipe.store.run_folder import EnvironmentMode
from vhpipe.views.report import placed_diagnostics

Path_ = str | os.PathLike[str]


class File:
    """A valohai.yaml that has been read and checked. What is wrong with it stands in `diagnostics`."""

    def __init__(self, path: Path_) -> None:
        name = os.fspath(path)
        self._file = check_path(os.path.join(".", name) if name == STDIN else name)
        self._place = os.path.abspath(self._file.path)
        self.path = Path(self._place).resolve()

    @property
    def text(self) -> str:
        return self._file.text

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What `vhpipe validate` reports of the file: errors, warnings and remarks, in the order of their places.

        All places, also the related ones and those of fixes, are spans: lines and columns. Settings, comments and
        the baseline of the project count, and the scripts beside the file are read as they are when this is first
        asked for. Errors: UsageError for settings or a baseline that cannot be read.
        """
        file = self._file._replace(path=os.path.relpath(self._place))
        reported = file.reported(settings_for(file.path, FindingsFilter()))
        exact = map(reported.exact, reported.diagnostics)
        return tuple(item.diagnostic for item in placed_diagnostics(reported.source, exact))

    @property
    def is_valid(self) -> bool:
        """Whether all of the file can be planned and run: it has no errors, also none that a comment excuses."""
        return not has_errors(self._file.findings)

    @property
    def config(self) -> Config:
        """What the file says, typed."""
        return self._file.config

    @property
    def pipelines(self) -> tuple[str, ...]:
        return tuple(pipeline.name for pipeline in self._file.config.pipelines)

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(self._file.config.steps_by_name())

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._file.config.tasks_by_name())

    def plan(self, arguments: RunArguments) -> Plan:
        """Errors: InvalidFile for a file with errors, UsageError for arguments that do not fit it."""
        return plan_to_look_at(part_asked_for(self._file, arguments.asked_part), self._named(arguments)).plan

    def order(self, arguments: RunArguments, choices: RunChoices) -> Order:
        """What a run starts from. Errors: as for `plan`, and UsageError for what cannot run here."""
        file = part_asked_for(self._file, arguments.asked_part)
        return order_run(RunDefinition(file, self.path.parent), self._named(arguments), choices).order

    def _named(self, arguments: RunArguments) -> RunArguments:
        return arguments._replace(file=os.path.relpath(self.path))

    def __repr__(self) -> str:
        return f"<File {self.path} with {len(self.pipelines)} pipelines>"


def load(path: Path_ = DEFAULT_FILE) -> File:
    """The file at a path; of a folder its valohai.yaml. Errors: UsageError if it cannot be read."""
    return File(path)


def validate(path: Path_ = DEFAULT_FILE) -> tuple[Diagnostic, ...]:
    """What `vhpipe validate` reports of a file, as `File.diagnostics` says it; a file without faults has none.

    Errors: UsageError if it, its settings or its baseline cannot be read.
    """
    return load(path).diagnostics


def plan(
    path: Path_ = DEFAULT_FILE, pipeline: str | None = None, *, step: str | None = None, task: str | None = None,
    parameters: Mapping[str, object] | None = None, inputs: Mapping[str, str | Sequence[str]] | None = None,
    seed: int = 0, goal: str | None = None, variables: Mapping[str, str] | None = None,
) -> Plan:  # fmt: skip
    """What a run would do; nothing is started or written.

    `parameters` are those of the pipeline by name, those of a node as `node.name`; `inputs` are `node.input`.
    `variables` are environment variables of all steps, as `-e` gives them.
    Errors: InvalidFile for a file with errors, UsageError for arguments that do not fit it.
    """
    return load(path).plan(_arguments(pipeline, step, task, parameters, inputs, seed, goal, variables))


def run(
    path: Path_ = DEFAULT_FILE, pipeline: str | None = None, *, step: str | None = None, task: str | None = None,
    parameters: Mapping[str, object] | None = None, inputs: Mapping[str, str | Sequence[str]] | None = None,
    seed: int = 0, goal: str | None = None, jobs: int | None = None, reuse: bool | Sequence[str] = (),
    title: str | None = None, tags: Sequence[str] = (), python: str | None = None,
    place: str | Mapping[str, str] | None = None, slots: str | Mapping[str, int | str] | None = None,
    network: bool | None = None, quiet: bool = False, wait: bool = True, raise_on_failure: bool = True,
    variables: Mapping[str, str] | None = None, mounts: Mapping[str, str] | None = None, allow_mounts: bool = False,
    env: EnvironmentMode | None = None,
) -> Run:  # fmt: skip
    """Run a pipeline, a step or a task of a file; with `wait` to its end.

    Steps see `python`, else the one of the settings, else the one that runs this program.
    `place` is where all nodes run, as `--in` calls it, or those of a mapping by node; `network=False` keeps them
    from the network, in places that can; `slots` are what executions share, as `--slots` has them or by name.
    `mounts` has folders of this machine by the sources of mounts that they stand for; `allow_mounts` is
    `--allow-mounts`. `env` says which steps get a Python environment of their own, as `--env` does.
    `reuse=True` takes results of equal executions, a list those of some nodes. What is not given is as settings say
    (docs/settings.md). Else as for `plan` and `vhpipe run`.
    Errors: as for `plan`; `PipelineFailed` for a run that is not complete, unless `raise_on_failure` is false.
    """
    names = ((ALL,) if reuse is True else ()) if isinstance(reuse, bool) else tuple(reuse)
    arguments = _arguments(pipeline, step, task, parameters, inputs, seed, goal, variables)
    arguments = arguments._replace(
        reuse=ReuseNames(names), mounts=tuple(f"{source}={folder}" for source, folder in (mounts or {}).items()),
        allows_mounts=allow_mounts,
    )  # fmt: skip
    choices = RunChoices(
        jobs, python, title, tuple(tags), words=program_words(), shares_process=True, own_python=sys.executable,
        places=place_texts(place), network=network, slots=slots, environments=env,
    )  # fmt: skip
    going = start_in_thread(load(path).order(arguments, choices), quiet)
    if wait:
        going.wait()
        if raise_on_failure:
            going.raise_for_status()
    return going


def _arguments(
    pipeline: str | None, step: str | None, task: str | None, parameters: Mapping[str, object] | None,
    inputs: Mapping[str, str | Sequence[str]] | None, seed: int, goal: str | None,
    variables: Mapping[str, str] | None,
) -> RunArguments:  # fmt: skip
    for name, given in (("parameters", parameters), ("inputs", inputs), ("variables", variables)):
        if given is not None and not isinstance(given, Mapping):
            raise UsageError(f"`{name}` must be a mapping of names to values, not a `{type(given).__name__}`")
    typed = tuple(f"{name}={uri}" for name, uris in (inputs or {}).items() for uri in _uris(name, uris))
    values = ValueTexts(inputs=typed, seed=seed)
    return RunArguments(
        pipeline=pipeline, step=step, task=task, values=values, parameter_values=parameters or {}, goal=goal,
        variables=VariableTexts(given=variables or {}),
    )  # fmt: skip


def _uris(name: str, given: str | Sequence[str]) -> tuple[str, ...]:
    uris = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list | tuple) else (None,)
    if not all(isinstance(uri, str) for uri in uris):
        raise UsageError(f"input `{name}` must be a URI or a list of them, not `{given}`")
    return tuple(map(str, uris))
