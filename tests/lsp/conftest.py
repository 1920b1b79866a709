"""Sessions with a language server; none where its packages are not installed."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls")

from editors import Server, Session, start_server
from lsprotocol import types


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def server(runner: asyncio.Runner) -> Iterator[Server]:
    """One process for all sessions: most of a session's time is its start. It ends as the protocol wants it."""
    server = runner.run(start_server(types.ClientCapabilities()))
    yield server
    assert runner.run(server.end()) == 0


@pytest.fixture
def edit(runner: asyncio.Runner, server: Server, tmp_path: Path) -> Callable[[Session], None]:
    """Runs a session of an editor in a folder of its own."""

    def run(session: Session) -> None:
        runner.run(server.run(session, tmp_path))

    return run


@pytest.fixture
def edit_with(runner: asyncio.Runner, tmp_path: Path) -> Callable[[types.ClientCapabilities, Session], None]:
    """The same with an editor that can do certain things, and a server of its own."""

    async def whole(capabilities: types.ClientCapabilities, session: Session) -> None:
        server = await start_server(capabilities)
        await server.run(session, tmp_path)
        assert await server.end() == 0

    def run(capabilities: types.ClientCapabilities, session: Session) -> None:
        runner.run(whole(capabilities, session))

    return run
