"""What a user hears of commands that change the machine before they do."""

from typing import Any

import pytest


@pytest.mark.long
def test_what_changes_the_machine_is_said_wherever_a_run_is_looked_at(project: Any) -> None:
    project.write("prepare.sh", "if false; then apt-get install -y x; fi\n")
    project.pipeline({"a": "bash prepare.sh", "b": "echo; : npm install -g x"})
    wanted = "`apt-get install` of `a` changes this machine"
    assert wanted in project("plan").out
    assert any(wanted in notice for notice in project("plan", "--json").json["notices"])
    assert wanted in project("run", "-n").err
    assert wanted not in project("run", "-n", "-q").err
    ran = project("run")
    assert (ran.code, ran.err.count("changes this machine")) == (0, 1)
    assert ran.err.index(wanted) < ran.err.index("started")
    assert "changes this machine" not in project("run", "-n", "--only", "b").err
