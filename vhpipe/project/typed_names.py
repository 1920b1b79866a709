"""Which pipeline, step or task a typed name means."""

from collections.abc import Iterable

from vhpipe.config.model import Config, Pipeline
from vhpipe.errors import UsageError
from vhpipe.wording import listed, unknown_name


def pick_pipeline(config: Config, name: str | None) -> Pipeline:
    """The pipeline that a name means; without a name the only one there is."""
    pipelines = {pipeline.name: pipeline for pipeline in config.pipelines}
    if name is not None:
        return pipelines[match_name(name, pipelines, "pipeline")]
    if len(pipelines) == 1:
        return next(iter(pipelines.values()))
    if not pipelines:
        raise _no_pipeline(config)
    raise UsageError("the file has several pipelines", f"name one of {listed(pipelines)}")


def _no_pipeline(config: Config) -> UsageError:
    """What is said of a file without a pipeline: what can be asked for instead, if anything."""
    kinds = (("step", config.steps), ("task", config.tasks))
    offers = [f"a {kind} by `--{kind}`: {listed(item.name for item in items)}" for kind, items in kinds if items]
    if offers:
        return UsageError("the file has no pipeline", f"name {'; or '.join(offers)}")
    return UsageError("the file has nothing to run: no pipeline, no step and no task", "`vhpipe validate` says why")


def match_name(name: str, known: Iterable[str], noun: str) -> str:
    """The known name that is equal, else equal but for case, else the only one that begins so, whatever the case."""
    names = list(known)
    if name in names:
        return name
    folded = name.casefold()
    for fits in (str.__eq__, str.startswith):
        found = [candidate for candidate in names if fits(candidate.casefold(), folded)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"`{name}` fits several {noun}s", f"one of {listed(found)}")
    raise unknown_name(noun, name, names)
