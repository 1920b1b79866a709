"""What attempts know about the run that they belong to, wherever they happen."""

import os
import shutil

from vhpipe.attempt.identifiers import project_identifier
from vhpipe.attempt.paths import is_hidden
from vhpipe.attempt.spec import AttemptSecrets, RunFacts
from vhpipe.engine.order import LockedRun, Order, is_closed
from vhpipe.environments.place import EnvironmentsPlace
from vhpipe.plan.model import Plan
from vhpipe.store.attempt_files import CACHE_VOLUMES
from vhpipe.store.environments import FOLDER
from vhpipe.store.owner import secret_mac


def facts_of(begun: LockedRun) -> RunFacts:
    order, info, snapshot = begun.order, begun.info, begun.snapshot
    return RunFacts(
        number=info.number,
        identifier=info.identifier,
        pipeline=info.pipeline,
        title=info.title,
        tags=info.tags,
        is_pipeline=info.is_pipeline,
        version=info.version,
        project_identifier=project_identifier(str(order.project)),
        project_name=f"local/{order.project.name}",
        commit=snapshot.commit_identifier,
        shell=shell_of(order.environment.get("PATH")),
        code=declared_code(order.plan) if is_closed(order) else None,
        changed_secrets=_changed_secrets(order),
        volumes=f"{begun.store.root}/{CACHE_VOLUMES}",
        environments=_environments_place(begun),
        pythons=dict(order.pythons),
    )


def _environments_place(begun: LockedRun) -> EnvironmentsPlace | None:
    """None where no step gets an environment of its own, or could not see it at its path."""
    order = begun.order
    if not order.makes_environments or is_hidden(str(begun.store.root)):
        return None
    folder = f"{begun.store.root}/{FOLDER}"
    return EnvironmentsPlace(folder, str(order.project), str(begun.run.path), order.required)


def declared_code(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The patterns of the nodes that say which files are their code."""
    return {node.name: node.extras.code for node in plan.nodes if node.extras.code}


def secrets_of(order: Order) -> AttemptSecrets:
    return AttemptSecrets(dict(order.environment), dict(order.secrets))


def _changed_secrets(order: Order) -> tuple[str, ...]:
    """The HMACs in the plan that are not those of the values of now."""
    return tuple(mac for mac, value in order.secrets.items() if secret_mac(value, os.environ) != mac)


def shell_of(path: str | None) -> str:
    """bash if there is one, else sh. Source: decision 7."""
    return shutil.which("bash", path=path) or shutil.which("sh", path=path) or "/bin/sh"
