import base64
import os
import select
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vhpipe.config.model import KeepDirectories
from vhpipe.engine import download, fetch_watch
from vhpipe.engine.fetch_watch import FetchLimits
from vhpipe.engine.input_fetching import Fetcher, expand_inputs
from vhpipe.engine.local_files import matching_files
from vhpipe.engine.recorded_uris import RecordedUris
from vhpipe.errors import EnvironmentFailure, UsageError
from vhpipe.plan.model import Plan, PlannedDeployment, PlannedExecution, PlannedInput, StepSpec
from vhpipe.store.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("data/a.csv", "data/b.csv", "data/c.txt", "data/.hidden.csv", "data/deep/er/d.csv", "s p ä%.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def plan_of(*uris: str, **fields: Any) -> Plan:
    spec = StepSpec("s", "i", ("c",), inputs=(PlannedInput("images", uris, **fields),))
    return Plan("p", (PlannedExecution("train", spec), PlannedDeployment("deploy", "d")))


def expanded(project: Path, *uris: str, **fields: Any) -> PlannedInput:
    node = expand_inputs(plan_of(*uris, **fields), project, project / "data", RecordedUris()).nodes[0]
    assert isinstance(node, PlannedExecution)
    return node.spec.inputs[0]


def places_in(plan: Plan) -> list[str]:
    node = plan.nodes[0]
    assert isinstance(node, PlannedExecution)
    return places(node.spec.inputs[0])


def places(item: PlannedInput) -> list[str]:
    return [file.path for file in item.files]


def test_a_local_file_is_found_from_the_project_or_from_the_command_line(project: Path) -> None:
    for uri, start in (("data/a.csv", "project"), ("./a.csv", "cwd"), (f"file://{project}/data/a.csv", "project")):
        item = expanded(project, uri, relative_to=start)
        assert [(file.uri, file.path) for file in item.files] == [(f"file://{project}/data/a.csv", "a.csv")]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("data/*.csv", ["a.csv", "b.csv"]),
        ("data/*", ["a.csv", "b.csv", "c.txt"]),
        ("data/**", ["a.csv", "b.csv", "c.txt", "d.csv"]),
        ("data/**/*.csv", ["a.csv", "b.csv", "d.csv"]),
        ("data/**.csv", ["a.csv", "b.csv", "d.csv"]),
        ("**/er/*", ["d.csv"]),
        ("d*/*/e*/d.csv", ["d.csv"]),
        ("data/.*.csv", [".hidden.csv"]),
        ("*ä%*", ["s p ä%.txt"]),
    ],
)
def test_wildcards_stand_for_local_files(project: Path, pattern: str, names: list[str]) -> None:
    assert places(expanded(project, pattern)) == names


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        (KeepDirectories.NONE, ["a.csv", "b.csv", "d.csv"]),
        (KeepDirectories.FULL, ["data/a.csv", "data/b.csv", "data/deep/er/d.csv"]),
        (KeepDirectories.SUFFIX, ["a.csv", "b.csv", "deep/er/d.csv"]),
    ],
)
def test_keep_directories_says_how_much_of_the_path_stays(
    project: Path, keep: KeepDirectories, names: list[str]
) -> None:
    assert places(expanded(project, "data/**/*.csv", keep_directories=keep)) == names


def test_recursion_does_not_follow_links_to_folders(project: Path) -> None:
    (project / "data" / "loop").symlink_to(project)
    (project / "data" / "file").symlink_to("a.csv")
    names = [os.path.relpath(path, project) for path in matching_files(f"{project}/data/**")]
    assert names == ["data/a.csv", "data/b.csv", "data/c.txt", "data/deep/er/d.csv", "data/file"]


def test_recursion_goes_down_into_folders_of_any_depth(deep_folder: Path) -> None:
    (found,) = matching_files(f"{deep_folder}/**/deepest")
    assert found.endswith("/d/d/deepest")


def test_filename_names_the_one_file_there_is(project: Path) -> None:
    assert places(expanded(project, "data/a.csv", filename="x.csv")) == ["x.csv"]
    assert places(expanded(project, "data/*.csv", filename="x.csv")) == ["a.csv", "b.csv"]
    assert places(expanded(project, "https://example.com/", filename="x.csv")) == ["x.csv"]


def test_a_url_is_one_file_named_by_its_last_part(project: Path) -> None:
    item = expanded(project, "https://example.com/a/b%20c.csv?version=3")
    assert [(file.uri, file.path) for file in item.files] == [("https://example.com/a/b%20c.csv?version=3", "b c.csv")]
    full = expanded(project, "https://example.com/a/b.csv", keep_directories=KeepDirectories.FULL)
    assert places(full) == ["a/b.csv"]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("data/none.csv", "`data/none.csv` does not exist"),
        ("data/*.png", "`data/*.png` matches no file"),
        ("~/x", "`~/x` does not exist"),
        ("data", "`data` is a folder"),
        ("file://data/a.csv", "is not a file on this machine"),
        ("s3://bucket/key", "`s3://` is not supported yet"),
        ("gs://b/k", "`gs://` is not supported yet"),
        ("azure://b/k", "`azure://` is not supported yet"),
        ("swift://b/k", "`swift://` is not supported yet"),
        ("datum://01", "`datum://` is not supported yet"),
        ("dataset://d/v", "`dataset://` is not supported yet"),
        ("https://example.com/", "does not end in a file name"),
        ("https://example.com", "does not end in a file name"),
        ("https://[::1/a", "is not an address"),
        ("https://example.com/*.csv", "`*` works for local files only"),
        ("https://example.com/a%2F..%2F..", "cannot be the path of a file"),
        ("https://example.com/%00", "cannot be the path of a file"),
    ],
)
def test_what_cannot_be_fetched_is_named_with_node_input_and_place(project: Path, uri: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        expanded(project, uri)
    assert "input `images` of node `train`" in caught.value.message
    assert message in caught.value.message
    assert caught.value.hint


def test_everything_that_cannot_be_found_is_named_at_once(project: Path) -> None:
    first = StepSpec("s", "i", ("c",), inputs=(PlannedInput("a", ("x.csv", "data/a.csv")), PlannedInput("b", ("y/*",))))
    second = StepSpec(
        "s", "i", ("c",), inputs=(PlannedInput("c", ("s3://z/z", "s3://z/y")), PlannedInput("d", ("gs://x",)))
    )
    plan = Plan("p", (PlannedExecution("one", first), PlannedExecution("two", second)))
    with pytest.raises(UsageError) as caught:
        expand_inputs(plan, project, project, RecordedUris())
    assert caught.value.message == (
        "input `a` of node `one`: `x.csv` does not exist; input `b` of node `one`: `y/*` matches no file; "
        "input `c` of node `two`: `s3://z/z`: `s3://` is not supported yet; "
        "input `c` of node `two`: `s3://z/y`: `s3://` is not supported yet; "
        "input `d` of node `two`: `gs://x`: `gs://` is not supported yet"
    )
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("; download the file and give its path: -i two.c=PATH -i two.d=PATH")
    assert [str(project / "x.csv") in caught.value.hint, str(project / "y/*") in caught.value.hint] == [True, True]


def test_an_optional_input_may_find_nothing(project: Path) -> None:
    assert places(expanded(project, "data/none.csv", "data/*.png", "data/a.csv", optional=True)) == ["a.csv"]


def test_files_that_want_the_same_name_are_settled_before_the_start(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other" / "a.csv").write_text("another")
    both = plan_of("data/a.csv", "other/a.csv")
    first = expand_inputs(both, project, project, RecordedUris())
    assert places_in(first) == ["a.csv"]
    assert "all want the name `a.csv`; only" in first.notices[0]
    everything = msgspec.structs.replace(both, on_collision="keep-all")
    assert len(places_in(expand_inputs(everything, project, project, RecordedUris()))) == 2
    with pytest.raises(UsageError, match=r"input `images` of node `train`: .*all want the name `a.csv`"):
        expand_inputs(msgspec.structs.replace(both, on_collision="error"), project, project, RecordedUris())


def test_the_same_file_twice_is_one(project: Path) -> None:
    plan = expand_inputs(plan_of("data/a.csv", "data/*.csv"), project, project, RecordedUris())
    assert places_in(plan).count("a.csv") == 1
    assert plan.notices == ()


def test_no_secret_of_a_uri_is_in_the_plan_or_in_a_message(project: Path) -> None:
    uris = [f"https://me:hunter2@example.com/a.csv?x=1&sig=hunter2-{number}" for number in (1, 2)]
    both = msgspec.structs.replace(plan_of(*uris), on_collision="keep-all")
    plan = expand_inputs(both, project, project, RecordedUris())
    assert b"hunter2" not in msgspec.json.encode(plan)
    with pytest.raises(UsageError) as caught:
        expanded(project, "s3://me:hunter2@bucket/x")
    assert "hunter2" not in str(caught.value)
    spec = plan.nodes[0].spec  # type: ignore[union-attr]
    assert len({file.uri for file in spec.inputs[0].files}) == 2


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────


ENDLESS = {
    "/endless-headers": b"X",
    "/endless-chunk": b"Transfer-Encoding: chunked\r\n\r\n",
    "/endless-unframed": b"Connection: close\r\n\r\n",
}
"""What a server sends first that then sends a byte now and then, by path."""


class Site(ThreadingHTTPServer):
    """`/ok…` is fine, `/flaky` fails twice, `/short` is cut, `/drip` has no end, `/to?URL` redirects.

    Requests are counted by path.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []
        self.headers: list[str | None] = []
        self.gate = threading.Event()
        self.gate.set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        self.server.headers.append(self.headers.get("Authorization"))
        self.server.gate.wait(10)
        if self.path in ENDLESS:
            self.answer_endlessly(ENDLESS[self.path])
            return
        status, body, announced, target = self.answer()
        self.send_response(status)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", str(announced if announced is not None else len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path.startswith("/drip"):
            self.drip()

    def answer_endlessly(self, head: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + head)
        self.close_connection = True
        self.drip()

    def drip(self) -> None:
        with suppress(OSError):
            while True:
                self.wfile.write(b".")
                select.select([self.connection], [], [], 0.005)

    def answer(self) -> tuple[int, bytes, int | None, str | None]:
        if self.path.startswith("/ok"):
            return 200, b"content of " + self.path.encode(), None, None
        if self.path.startswith("/flaky"):
            return (200, b"at last", None, None) if self.server.seen.count(self.path) == 3 else (503, b"", None, None)
        if self.path.startswith("/short"):
            return 200, b"only a part", 1000, None
        if self.path.startswith("/drip"):
            return 200, b"", 1 << 40, None
        if self.path.startswith("/to?"):
            return 302, b"", None, self.path[4:]
        return 404, b"", None, None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    site = Site()
    thread = threading.Thread(target=site.serve_forever, args=(0.01,))
    thread.start()
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


def fetched(blobs: Blobs, uri: str) -> bytes:
    blob, size_bytes = Fetcher(blobs).fetch(uri)
    content = blobs.path(blob).read_bytes()
    assert (sha256(content).hexdigest(), len(content)) == (blob, size_bytes)
    return content


def test_a_local_file_with_any_name_is_copied(project: Path, blobs: Blobs) -> None:
    odd = project / os.fsdecode(b"\xff#?%41 *.bin")
    odd.write_bytes(b"odd")
    uri = expanded(project, odd.name).files[0].uri
    assert uri.isascii()
    assert fetched(blobs, uri) == b"odd"
    assert odd.stat().st_mode & 0o200


def test_a_file_that_vanished_since_is_an_environment_failure(project: Path, blobs: Blobs) -> None:
    with pytest.raises(EnvironmentFailure, match="none"):
        Fetcher(blobs).fetch(f"file://{project}/none")


def test_http_is_fetched_also_with_spaces_and_redirects(site: Site, blobs: Blobs) -> None:
    assert fetched(blobs, f"http://{site.address}/ok/ü b") == b"content of /ok/%C3%BC%20b"
    assert fetched(blobs, f"http://{site.address}/to?http://{site.address}/ok2") == b"content of /ok2"


def test_a_server_that_is_busy_is_asked_three_times(site: Site, blobs: Blobs) -> None:
    assert fetched(blobs, f"http://{site.address}/flaky") == b"at last"
    assert site.seen == ["/flaky"] * 3


@pytest.mark.parametrize(
    ("path", "message", "asked"),
    [
        ("/none", "404 Not Found", 1),
        ("/short", r"11 of 1000 bytes arrived \(3 tries\)", 3),
        ("/to?file:///etc/passwd", "302", 1),
        ("/to?ftp://example.com/x", "not http", 1),
    ],
)
def test_what_does_not_come_whole_is_a_clear_failure_and_leaves_nothing(
    site: Site, blobs: Blobs, tmp_path: Path, path: str, message: str, asked: int
) -> None:
    with pytest.raises(EnvironmentFailure, match=rf"cannot fetch `http://{site.address}{path[:3]}.*{message}"):
        Fetcher(blobs).fetch(f"http://{site.address}{path}")
    assert len(site.seen) == asked
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("path", "limits", "message"),
    [
        ("/drip", FetchLimits(total_s=0.1), "it took longer than"),
        ("/drip", FetchLimits(look_s=0.05, fewest_bytes=1000), r"only \d+ bytes arrived in 0.05 s \(3 tries\)"),
        *((path, FetchLimits(total_s=0.1), "it took longer than") for path in ENDLESS),
        *((path, FetchLimits(look_s=0.05, fewest_bytes=1000), r"only \d+ bytes arrived in") for path in ENDLESS),
        ("/silent", FetchLimits(silence_s=0.05), r"timed out \(3 tries\)"),
    ],
)
def test_a_server_that_keeps_waiting_is_given_up(
    site: Site, blobs: Blobs, tmp_path: Path, path: str, limits: FetchLimits, message: str
) -> None:
    if path == "/silent":
        site.gate.clear()
    with pytest.raises(EnvironmentFailure, match=message):
        download.download(f"http://{site.address}{path}", blobs, threading.Event(), limits)
    site.gate.set()
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("path", ["/drip", "/endless-headers", "/endless-unframed"])
def test_a_fetch_ends_when_the_run_is_over(
    site: Site, blobs: Blobs, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_watch, "STEP_S", 0.01)
    fetcher, ended = Fetcher(blobs), list[str]()

    def fetch() -> None:
        with pytest.raises(EnvironmentFailure, match="the run is over"):
            fetcher.fetch(f"http://{site.address}{path}")
        ended.append("by itself")

    thread = threading.Thread(target=fetch)
    thread.start()
    while not site.seen:
        thread.join(0.001)
    fetcher.close()
    thread.join(10)
    assert ended == ["by itself"]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "[::1", ""])
def test_an_address_that_leads_nowhere_is_a_clear_failure(blobs: Blobs, address: str, site: Site) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot fetch"):
        Fetcher(blobs).fetch(f"http://{address}/x")


def test_the_true_uri_is_fetched_and_its_secrets_are_shown_nowhere(site: Site, blobs: Blobs) -> None:
    secret = f"http://me:p%40ss@{site.address}/ok?sig=S1"
    missing = f"http://me:hunter2@{site.address}/none?token=hunter2"
    uris = RecordedUris()
    name, name_of_missing = uris.name_of(secret), uris.name_of(missing)
    assert name == f"http://{site.address}/ok"
    fetcher = Fetcher(blobs, uris.true_uris())
    assert blobs.path(fetcher.fetch(name)[0]).read_bytes() == b"content of /ok?sig=S1"
    assert site.headers == [f"Basic {base64.b64encode(b'me:p@ss').decode()}"]
    with pytest.raises(EnvironmentFailure, match=f"cannot fetch `http://{site.address}/none`: 404 ") as caught:
        fetcher.fetch(name_of_missing)
    assert "hunter2" not in str(caught.value)
    because = fetcher.fetch_inputs("train it", [name_of_missing]).because
    assert because is not None
    assert because.endswith("; a file in its place: -i 'train it'.INPUT=FILE")


def test_a_run_knows_the_secrets_of_no_other() -> None:
    one, other = RecordedUris(), RecordedUris()
    assert one.name_of("http://h/x?token=A") == other.name_of("http://h/x?token=B") == "http://h/x"
    assert dict(one.true_uris()) == {"http://h/x": "http://h/x?token=A"}


def test_a_uri_that_hides_nothing_needs_no_other() -> None:
    uris = RecordedUris()
    assert uris.name_of("http://h/x?page=2") == "http://h/x?page=2"
    assert uris.true_uris() == {}


def test_a_redirect_does_not_carry_the_password_to_another_place(site: Site, blobs: Blobs) -> None:
    fetched(blobs, f"http://me:pw@{site.address}/to?http://localhost:{site.server_port}/ok")
    assert site.headers[1] is None


def test_what_many_ask_for_at_once_is_fetched_once(site: Site, blobs: Blobs) -> None:
    fetcher = Fetcher(blobs)
    site.gate.clear()
    answers: list[tuple[str, int]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(fetcher.fetch(f"http://{site.address}/ok"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    site.gate.set()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert len(answers) == 8
    assert site.seen == ["/ok"]


def test_after_a_failure_the_next_who_asks_tries_again(project: Path, blobs: Blobs) -> None:
    fetcher = Fetcher(blobs)
    uri = f"file://{project}/late"
    with pytest.raises(EnvironmentFailure):
        fetcher.fetch(uri)
    (project / "late").write_text("here")
    assert fetcher.fetch(uri)[1] == 4
    (project / "late").unlink()
    assert fetcher.fetch(uri)[1] == 4
