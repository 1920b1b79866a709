"""What the members of a distributed task know of each other: distributed.json and `VH_DIST_*`.

Source: docs on distributed tasks of the platform. All members run on this machine, so they meet at its loopback.
"""

from datetime import UTC, datetime

from vhpipe.attempt.identifiers import attempt_identifier, task_identifier
from vhpipe.plan.model import AttemptId, ExecutionId
from vhpipe.schedule.terms import Json

LOOPBACK = "127.0.0.1"


def group_json(run: str, attempt: AttemptId, members: int) -> dict[str, Json]:
    """The content of distributed.json for one member; all members have the same number of attempt."""
    announced = datetime.now(UTC).isoformat()
    described = [_member(run, attempt, index, announced) for index in range(members)]
    me = attempt.execution.index
    group = f"task-{task_identifier(run, attempt.execution.node)}"
    return {
        "config": {"group_name": group, "member_id": str(me), "required_count": members},
        "members": described,
        "self": described[me],
    }


def _member(run: str, attempt: AttemptId, index: int, announced: str) -> dict[str, Json]:
    job = attempt_identifier(run, AttemptId(ExecutionId(attempt.execution.node, index), attempt.number))
    return {
        "announce_time": announced,
        "identity": f"member-{index}",
        "job_id": f"exec-{job}",
        "member_id": str(index),
        "network": {"exposed_ports": {}, "local_ips": [LOOPBACK], "public_ips": [LOOPBACK]},
    }


def group_variables(index: int, members: int) -> dict[str, str]:
    return {
        "VH_DIST_MEMBER_ID": str(index),
        "VH_DIST_MEMBER_INDEX": str(index),
        "VH_DIST_MEMBER_COUNT": str(members),
    }
