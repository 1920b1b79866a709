"""Names of the project's settings and of `--mount` that nothing has: each is probably a typing error."""

from collections.abc import Iterable, Iterator

from vhpipe.config.model import Config
from vhpipe.plan.places import PlaceRule
from vhpipe.settings.places import PlaceSettings
from vhpipe.wording import nearest


def unmatched_settings(rules: Iterable[PlaceRule], config: Config) -> Iterator[str]:
    """One warning for each node and step that the project's settings name and the file does not have.

    What the user's own file names may be of another project.
    """
    nodes = tuple(node.name for pipeline in config.pipelines for node in pipeline.nodes)
    steps = tuple(step.name for step in config.steps)
    for rule in rules:
        if isinstance(rule, PlaceSettings) and rule.is_of_project:
            yield from _warnings("node", "nodes", (*rule.place_of_node, *rule.folder_of_node), (*nodes, *steps))
            yield from _warnings("step", "steps", (*rule.place_of_step, *rule.folder_of_step), steps)


def unmatched_mounts(texts: Iterable[str], sources: Iterable[str]) -> Iterator[str]:
    """One warning for each `SOURCE=FOLDER` whose source nothing mounts; `sources` are those of all that runs."""
    known = tuple(sources)
    for source in dict.fromkeys(text.partition("=")[0] for text in texts):
        if source not in known:
            near = nearest(source, known)
            hint = f"; did you mean `{near}`?" if near is not None else ""
            yield f"warning: no node of this run mounts `{source}`, so `--mount` changes nothing{hint}"


def _warnings(kind: str, table: str, named: Iterable[str], known: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(named):
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean `[{table}.{near}]`?" if near is not None else ""
            yield f"warning: the settings have `[{table}.{name}]`, but the file has no {kind} `{name}`{hint}"
