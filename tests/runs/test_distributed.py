"""Distributed tasks: members that start together and talk to each other."""

import json
from pathlib import Path
from typing import Any

TALK = """
import json, os, socket, sys
import valohai

me, count = valohai.distributed.me(), valohai.distributed.required_count
port = int(sys.argv[1])
if me.is_master:
    with socket.create_server((me.primary_local_ip, port)) as server:
        heard = []
        for _ in range(count - 1):
            connection, _ = server.accept()
            with connection, connection.makefile() as text:
                heard.append(text.read())
else:
    heard = []
    while True:
        try:
            connection = socket.create_connection((valohai.distributed.master().primary_local_ip, port))
            break
        except ConnectionRefusedError:
            pass
    with connection:
        connection.sendall(f"hello from {me.rank}".encode())
seen = {"rank": me.rank, "count": count, "heard": sorted(heard), "group": valohai.distributed.group_name,
        "index": os.environ["VH_DIST_MEMBER_INDEX"], "members": os.environ["VH_DIST_MEMBER_COUNT"]}
with open(valohai.outputs().path("seen.json"), "w") as file:
    json.dump(seen, file)
"""


def file_of(command: str, count: int, **more: Any) -> str:
    step = {"name": "work", "image": "x", "command": command}
    task = {"name": "group", "type": "distributed", "step": "work", "execution-count": count, "parameters": [], **more}
    return json.dumps([{"step": step}, {"task": task}])


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_members_start_together_and_talk_over_loopback(project: Any) -> None:
    project.write("talk.py", TALK)
    done = project.plain(file_of(f"python talk.py {free_port()}", 3), "--task", "group", "-j", "3")
    assert done.code == 0, done.err
    seen = [project.seen("group", index) for index in range(3)]
    assert [each["rank"] for each in seen] == [0, 1, 2]
    assert seen[0]["heard"] == ["hello from 1", "hello from 2"]
    assert {each["group"] for each in seen} == {seen[0]["group"]}
    assert [(each["index"], each["members"], each["count"]) for each in seen] == [(str(n), "3", 3) for n in range(3)]


def test_a_group_that_can_never_start_is_refused_before_the_start(project: Any) -> None:
    done = project.run(file_of("true", 3), "--task", "group", "-j", "2")
    assert done.code == 2
    assert "3 executions" in done.err
    assert "-j 3" in done.err
    assert not (project.path / ".vhpipe").exists()


def test_when_a_member_fails_the_others_are_stopped(project: Any) -> None:
    command = 'test "$VH_DIST_MEMBER_ID" = 1 && exit 5; exec sleep 60'
    done = project.run(file_of(command, 2), "--task", "group", "-j", "2")
    assert done.code == 1
    assert [each["status"] for each in done.node("group")["executions"]] == ["stopped", "error"]


def test_a_group_that_was_killed_starts_over_as_a_whole(project: Any, eventually: Any) -> None:
    import os
    import signal

    side = project.side("member")
    project.write("valohai.yaml", file_of(
        f"echo x >> {side}.$VH_DIST_MEMBER_ID\n"
        f"test $VH_DIST_MEMBER_ID = 0 || while test -e {side}.hold; do sleep 0.02; done", 2,
    ))  # fmt: skip
    hold = Path(f"{side}.hold")
    hold.touch()
    process = project.start("run", "--task", "group", "-j", "2")
    journal = project.path / ".vhpipe/runs/1/journal"
    eventually(lambda: journal.exists() and "AttemptEnded" in journal.read_text() and Path(f"{side}.1").exists())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    hold.unlink()
    done = project("resume", "-j", "2", "--json")
    assert done.code == 0, done.err
    assert [Path(f"{side}.{index}").read_text().count("x") for index in (0, 1)] == [2, 2]
