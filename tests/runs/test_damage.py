"""One bit of a stored output is flipped: whoever hands it on says so or does the work again; no wrong bytes go out."""

from pathlib import Path
from typing import Any

import pytest

from vhpipe.store.blobs import Blobs

NODES = {
    "make": "printf 'precious bytes' > $VH_OUTPUTS_DIR/model.bin; printf other > $VH_OUTPUTS_DIR/unused.bin",
    "use": {"command": "cat $VH_INPUTS_DIR/d/* > $VH_OUTPUTS_DIR/copy", "inputs": [{"name": "d"}]},
}
EDGES = [["make.output.model.bin", "use.input.d"]]


@pytest.fixture
def chain(project: Any) -> Any:
    project.pipeline(NODES, EDGES)
    assert project("run").code == 0
    return project


def flip(project: Any, name: str, run: str = "1", node: str = "make") -> str:
    """Flip one bit of an output and give it its times again; its sha256."""
    listed = project("outputs", run, node, "--json").json["outputs"]
    found = next(each for each in listed if each["name"] == name)
    path = Path(found["stored_at"]) if found["stored_at"].startswith("/") else project.path / found["stored_at"]
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    return str(found["sha256"])


def named(text: str, blob: str) -> bool:
    """Whether a message has node, output, blob and what to do."""
    return all(part in text for part in ("model.bin", "make", blob[:16], "vhpipe resume 1 --from make"))


def test_a_copy_out_of_the_store_is_verified_and_the_others_are_copied(chain: Any) -> None:
    blob = flip(chain, "model.bin")
    done = chain("outputs", "1", "--get", "there")
    assert done.code == 4
    assert named(done.err, blob), done.err
    there = chain.path / "there"
    assert sorted(str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()) == ["make/unused.bin"]


def test_a_damaged_result_is_not_given_to_a_part_of_a_run(chain: Any) -> None:
    blob = flip(chain, "model.bin")
    for option in ("--only", "--from"):
        done = chain("run", option, "use")
        assert done.code == 2
        assert named(done.err, blob), done.err


def test_an_earlier_run_gives_what_the_last_one_has_lost_and_it_is_said(chain: Any) -> None:
    chain.pipeline({**NODES, "make": NODES["make"].replace("precious", "other")}, EDGES)
    chain("run")
    blob = flip(chain, "model.bin", run="2")
    done = chain("run", "--only", "use")
    assert done.code == 0
    assert "run 2 cannot provide `make`" in done.err
    assert blob[:16] in done.err
    assert chain.output(3, "use", "copy").read_text() == "precious bytes"


def test_what_no_edge_takes_is_not_read(chain: Any) -> None:
    flip(chain, "unused.bin")
    assert chain("run", "--only", "use").code == 0


def test_a_run_asked_again_makes_again_what_is_damaged(chain: Any) -> None:
    blob = flip(chain, "model.bin")
    done = chain("resume", "1", "--with-changes")
    assert done.code == 0, done.err
    assert f": it lost its output `model.bin` (stored file {blob[:16]}), which is missing or damaged" in done.err
    assert chain.output(2, "use", "copy").read_text() == "precious bytes"


def test_the_hinted_command_makes_it_again(chain: Any) -> None:
    flip(chain, "model.bin")
    assert chain("resume", "1", "--from", "make").code == 0
    assert chain("outputs", "2", "--get", "there").code == 0
    assert (chain.path / "there/make/model.bin").read_text() == "precious bytes"


def test_damage_while_the_run_is_under_way_is_an_error_that_names_all(project: Any) -> None:
    """The step between spoils what the one before it has made."""
    spoil = (
        "for f in $(grep -rl 'precious bytes' $VH_CONFIG_DIR/../../../../../../blobs); do"
        " chmod u+w $f; printf PRECIOUS | dd of=$f conv=notrunc 2> /dev/null; done"
    )
    use = {"command": "cat $VH_INPUTS_DIR/d/*", "inputs": [{"name": "d"}, {"name": "after", "optional": True}]}
    nodes = {"make": NODES["make"], "spoil": {"command": spoil, "inputs": [{"name": "x"}]}, "use": use}
    more = [["make.output.unused.bin", "spoil.input.x"], ["spoil.output.*", "use.input.after"]]
    project.pipeline(nodes, [*EDGES, *more])
    done = project("run", "--in", "process", "--json")
    assert done.code == 1
    assert done.statuses() == {"make": "complete", "spoil": "complete", "use": "error"}
    because = done.node("use")["executions"][0]["attempts"][-1]["because"]
    assert "output `model.bin` of make#0 (stored file" in because
    assert "`vhpipe resume 1 --with-changes`" in because
    again = project("resume", "1", "--with-changes")
    assert "its output `model.bin`" in again.err


def test_damage_to_what_an_earlier_run_gave_names_that_run_and_the_command_that_works(chain: Any) -> None:
    """The given file is intact when the run starts, and gone when its reader does."""
    lose = "test ! -e {side} || rm -f $(grep -rlx 'precious bytes' $VH_CONFIG_DIR/../../../../../../blobs)"
    lose_step = {"command": lose.format(side=chain.side("lose")), "inputs": [{"name": "x"}]}
    use = {**NODES["use"], "inputs": [{"name": "d"}, {"name": "after", "optional": True}]}  # type: ignore[dict-item]
    more = [["make.output.unused.bin", "lose.input.x"], ["lose.output.*", "use.input.after"]]
    chain.pipeline({"make": NODES["make"], "lose": lose_step, "use": use}, [*EDGES, *more])
    assert chain("run").code == 0
    chain.side("lose").touch()
    done = chain("run", "--from", "lose", "--in", "process", "--json")
    assert done.statuses()["use"] == "error"
    because = done.node("use")["executions"][0]["attempts"][-1]["because"]
    assert "output `model.bin` of make#0 of run 2 (stored file" in because
    assert "`vhpipe resume 2 --from make`" in because
    refused = chain("resume", "3", "--with-changes")
    assert refused.code == 2
    assert "cannot be provided again: it lost its output `model.bin`" in refused.err
    chain.side("lose").unlink()
    assert chain("resume", "2", "--from", "make").code == 0
    assert chain.output(4, "use", "copy").read_text() == "precious bytes"


FILES = [{"name": "model", "path": "model.bin"}]


def test_a_deployment_has_files_of_its_own(chain: Any, tmp_path: Path) -> None:
    blobs = Blobs(chain.path / ".vhpipe/blobs")
    chain.pipeline(
        {**NODES, "deploy": {"node": {"type": "deployment", "deployment": "live", "endpoints": ["serve"]}}},
        [*EDGES, ["make.output.model.bin", "deploy.file.serve.model"]],
        [{"endpoint": {"name": "serve", "image": "x", "wsgi": "a:b", "files": FILES}}],
    )
    assert chain("run").code == 0
    (placed,) = chain.path.glob(".vhpipe/deployments/*/*/serve/model.bin")
    blob = chain("outputs", "2", "make", "--json").json["outputs"][0]["sha256"]
    assert not placed.samefile(blobs.path(blob))
