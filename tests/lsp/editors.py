"""An editor, as far as a language server can tell: a client of the protocol, with `vhpipe lsp` behind its pipes."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE_S = 30
COMMAND = (sys.executable, "-m", "vhpipe", "lsp")
CURSOR = "¦"


class Editor:
    """One open file in an editor. Places are given by the text around them: `¦` stands for the cursor."""

    def __init__(self, client: LanguageClient, folder: Path, said: asyncio.Queue[types.PublishDiagnosticsParams]):
        self.client, self.said = client, said
        self.path = folder / "valohai.yaml"
        self.text, self.version = "", 0
        self.unit = "utf-16-le", 2

    @property
    def uri(self) -> str:
        return self.path.as_uri()

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    async def open(self, text: str, name: str = "valohai.yaml") -> list[types.Diagnostic]:
        """What is said about a file that is opened."""
        self.path = self.path.with_name(name)
        self.text, self.version = text, 1
        item = types.TextDocumentItem(self.uri, "yaml", self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return list((await self.next_report()).diagnostics)

    def type(self, text: str) -> None:
        """The text becomes another."""
        self.text, self.version = text, self.version + 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.version, self.uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def next_report(self) -> types.PublishDiagnosticsParams:
        """What is said next about this file; what is still said about those of other sessions is passed over."""
        while True:
            report = await asyncio.wait_for(self.said.get(), PATIENCE_S)
            if report.uri == self.uri:
                return report

    def reports_waiting(self) -> int:
        """How many more have come about this file; they are passed over."""
        waiting = [self.said.get_nowait() for _ in range(self.said.qsize())]
        return sum(report.uri == self.uri for report in waiting)

    def place(self, marked: str) -> types.Position:
        """Where in the text a piece of it stands in which `¦` is the cursor; the first such piece counts."""
        offset = self.text.index(marked.replace(CURSOR, "")) + marked.index(CURSOR)
        return self.position(offset)

    def position(self, offset: int) -> types.Position:
        before = self.text[:offset].replace("\r\n", "\n").split("\n")
        encoding, width = self.unit
        return types.Position(len(before) - 1, len(before[-1].encode(encoding)) // width)

    def part(self, found: types.Range) -> str:
        """The text in a range of the editor."""
        lines = self.text.replace("\r\n", "\n").split("\n")
        encoding, width = self.unit
        raw = [line.encode(encoding) for line in lines]
        start, end = found.start, found.end
        if start.line == end.line:
            return raw[start.line][start.character * width : end.character * width].decode(encoding)
        middle = [line.decode(encoding) for line in raw[start.line + 1 : end.line]]
        first = raw[start.line][start.character * width :].decode(encoding)
        last = raw[end.line][: end.character * width].decode(encoding) if end.line < len(raw) else ""
        return "\n".join((first, *middle, last))

    async def complete(self, marked: str) -> list[str]:
        return [item.label for item in await self.complete_items(marked)]

    async def complete_items(self, marked: str) -> list[types.CompletionItem]:
        answer = await self.client.text_document_completion_async(
            types.CompletionParams(self.document, self.place(marked))
        )
        assert isinstance(answer, types.CompletionList)
        return list(answer.items)

    async def definition(self, marked: str) -> tuple[int, str] | None:
        """Line, from 1, and text of the definition."""
        answer = await self.client.text_document_definition_async(
            types.DefinitionParams(self.document, self.place(marked))
        )
        assert isinstance(answer, list)
        if not answer:
            return None
        (found,) = answer
        assert isinstance(found, types.Location)
        return found.range.start.line + 1, self.part(found.range)

    async def hover(self, marked: str) -> str | None:
        answer = await self.client.text_document_hover_async(types.HoverParams(self.document, self.place(marked)))
        if answer is None:
            return None
        assert isinstance(answer.contents, types.MarkupContent)
        return answer.contents.value

    async def actions(self, marked: str, only: list[str] | None = None) -> list[types.CodeAction]:
        place = self.place(marked)
        context = types.CodeActionContext([], only)
        params = types.CodeActionParams(self.document, types.Range(place, place), context)
        answer = await self.client.text_document_code_action_async(params)
        return [action for action in answer or [] if isinstance(action, types.CodeAction)]

    def after(self, action: types.CodeAction) -> str:
        """The text as it is when an action has been taken; line ends are those of Unix."""
        assert action.edit is not None
        assert action.edit.changes is not None
        lines = self.text.replace("\r\n", "\n").split("\n")
        text = "\n".join(lines)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)

        def offset(position: types.Position) -> int:
            encoding, width = self.unit
            if position.line >= len(lines):
                return len(text)
            raw = lines[position.line].encode(encoding)
            return starts[position.line] + len(raw[: position.character * width].decode(encoding))

        edits = sorted(action.edit.changes[self.uri], key=lambda edit: offset(edit.range.start), reverse=True)
        for edit in edits:
            text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
        return text


Session = Callable[[Editor], Awaitable[None]]


class Server:
    """A server process that has been greeted as editors do, and its client."""

    def __init__(self, client: LanguageClient, answer: types.InitializeResult) -> None:
        self.client, self.answer = client, answer
        self.said: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def report(params: types.PublishDiagnosticsParams) -> None:
            self.said.put_nowait(params)

    async def run(self, session: Session, folder: Path) -> None:
        editor = Editor(self.client, folder, self.said)
        if self.answer.capabilities.position_encoding == "utf-8":
            editor.unit = "utf-8", 1
        await asyncio.wait_for(session(editor), 2 * PATIENCE_S)
        while not self.said.empty():
            self.said.get_nowait()

    async def end(self) -> int:
        """Its exit code after a shutdown."""
        await asyncio.wait_for(self.client.shutdown_async(None), PATIENCE_S)
        self.client.exit(None)
        process: Any = self.client._server
        code: int = await asyncio.wait_for(process.wait(), PATIENCE_S)
        await self.client.stop()
        return code


async def start_server(capabilities: types.ClientCapabilities) -> Server:
    client = LanguageClient("test", "0")
    await client.start_io(*COMMAND)
    params = types.InitializeParams(capabilities, os.getpid())
    answer = await asyncio.wait_for(client.initialize_async(params), PATIENCE_S)
    client.initialized(types.InitializedParams())
    return Server(client, answer)
