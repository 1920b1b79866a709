"""The language server: what an editor asks, answered by the pure modules beside this one."""

import asyncio
from collections.abc import Sequence

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from vhpipe import __version__
from vhpipe.lsp.actions import FIX_ALL, actions_at
from vhpipe.lsp.hover_text import about_finding, about_thing
from vhpipe.lsp.named_things import declaration_of, thing_at
from vhpipe.lsp.offers import Offer, RuleOffer, offers
from vhpipe.lsp.open_files import OpenFiles, is_ours
from vhpipe.lsp.open_text import Check, OpenText, covers
from vhpipe.lsp.positions import Positions
from vhpipe.lsp.reports import as_diagnostic
from vhpipe.lsp.typing_place import typing_place_at
from vhpipe.rules.catalogue import RuleEntry, all_rules

QUIET_S = 0.15
"""So long nobody must have typed before a text is checked, and as long again as its last check took."""
TRIGGERS = (".", "[", " ", '"', "'", ",")

_KINDS = {
    "node": types.CompletionItemKind.Module,
    "kind": types.CompletionItemKind.EnumMember,
    "key": types.CompletionItemKind.Field,
    "step": types.CompletionItemKind.Function,
    "task": types.CompletionItemKind.Function,
    "deployment": types.CompletionItemKind.Reference,
    "endpoint": types.CompletionItemKind.Reference,
    "rule": types.CompletionItemKind.Constant,
}


class YamlServer(LanguageServer):
    """The state of one editor's session: its open files, and the checks that wait for a pause in the typing."""

    def __init__(self, check: Check) -> None:
        super().__init__("vhpipe", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.files = OpenFiles(check)
        self.waiting: dict[str, asyncio.Task[None]] = {}
        self.rules: dict[str, RuleEntry] = {rule.id: rule for rule in all_rules()}

    def text_of(self, uri: str) -> tuple[str, str]:
        """Path and text of an open file."""
        document = self.workspace.get_text_document(uri)
        return document.path or uri, document.source

    def checked(self, uri: str) -> OpenText | None:
        """The present text of a file with its findings; None if it is none of Valohai's."""
        self.files.encoding = self.encoding()
        path, text = self.text_of(uri)
        return self.files.checked(uri, path, text) if is_ours(path, text) else None

    def positions_in(self, text: str) -> Positions:
        return Positions(text, self.encoding())

    def encoding(self) -> str:
        """In what positions are counted, as agreed upon with the editor."""
        return types.PositionEncodingKind(self.workspace.position_encoding or "utf-16").value

    def understands_links(self) -> bool:
        """Whether the editor can mark the entire name that leads to a definition."""
        about = self.client_capabilities.text_document
        return bool(about and about.definition and about.definition.link_support)

    def check_soon(self, uri: str) -> None:
        self.stop_waiting(uri)
        self.waiting[uri] = asyncio.get_running_loop().create_task(self._check_after_a_pause(uri))

    def check_now(self, uri: str) -> None:
        """Tells the editor what is wrong with a file, and of which version of it that is said."""
        self.stop_waiting(uri)
        checked = self.checked(uri)
        found = [] if checked is None else [as_diagnostic(checked, uri, item) for item in checked.findings]
        version = self.workspace.get_text_document(uri).version
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def stop_waiting(self, uri: str) -> None:
        task = self.waiting.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _check_after_a_pause(self, uri: str) -> None:
        await asyncio.sleep(QUIET_S + self.files.took_s(uri))
        self.waiting.pop(uri, None)
        self.check_now(uri)


def make_server(check: Check) -> YamlServer:
    """A server that checks texts with `check`, ready to be started on a pair of streams."""
    server = YamlServer(check)
    _follow_files(server)
    _answer_questions(server)
    return server


def _follow_files(server: YamlServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.check_now(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.check_soon(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.files.forget(params.text_document.uri)
        server.check_now(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.stop_waiting(uri)
        server.files.forget(uri)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def _answer_questions(server: YamlServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix, FIX_ALL]))
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        checked = server.checked(params.text_document.uri)
        if checked is None:
            return []
        return actions_at(checked, params.text_document.uri, params.range, params.context.only)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=TRIGGERS))
    def completion(params: types.CompletionParams) -> types.CompletionList:
        return types.CompletionList(False, completions_at(server, params.text_document.uri, params.position))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> list[types.LocationLink] | list[types.Location]:
        found = definition_at(server, params.text_document.uri, params.position)
        if server.understands_links():
            return found
        return [types.Location(link.target_uri, link.target_range) for link in found]

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        return hover_at(server, params.text_document.uri, params.position)


def completions_at(server: YamlServer, uri: str, position: types.Position) -> list[types.CompletionItem]:
    """What could be typed at a place, each with the range that it replaces."""
    path, text = server.text_of(uri)
    positions = server.positions_in(text)
    line, column = positions.place(position)
    typed = typing_place_at(positions.lines, line, column) if is_ours(path, text) else None
    if typed is None:
        return []
    file = server.files.understood(uri, path, text, line).file
    rules = [RuleOffer(rule.id, f"{rule.severity}: {rule.summary}") for rule in server.rules.values()]
    found = offers(typed, file.config, file.graphs, rules)
    return [
        _as_item(offer, number, types.Range(positions.position(line, offer.start), position))
        for number, offer in enumerate(found)
    ]


def _as_item(offer: Offer, number: int, replaced: types.Range) -> types.CompletionItem:
    return types.CompletionItem(
        label=offer.text,
        kind=_KINDS[offer.what],
        detail=offer.detail or None,
        documentation=offer.documentation or None,
        sort_text=f"{number:05}",
        filter_text=offer.text,
        text_edit=types.TextEdit(replaced, offer.text),
    )


def definition_at(server: YamlServer, uri: str, position: types.Position) -> list[types.LocationLink]:
    """Where what is named at a place is declared."""
    checked = server.checked(uri)
    if checked is None or checked.file.document is None:
        return []
    named = thing_at(checked.file, *checked.positions.place(position))
    if named is None:
        return []
    target = checked.positions.range_of(declaration_of(checked.file.document, named.thing))
    return [types.LocationLink(uri, target, target, checked.positions.range_of(named.span))]


def hover_at(server: YamlServer, uri: str, position: types.Position) -> types.Hover | None:
    """What is known about a place: the rules of the findings on it, then the thing that is named there."""
    checked = server.checked(uri)
    if checked is None:
        return None
    line, column = checked.positions.place(position)
    findings = [item for item in checked.findings if covers(item.span, line, column)]
    parts = [about_finding(item.diagnostic, _summary(server, item.diagnostic.rule)) for item in findings]
    named = thing_at(checked.file, line, column)
    if named is not None:
        parts.append(about_thing(named.thing, checked.file.config))
    if not parts:
        return None
    span = named.span if named is not None else findings[0].span
    return types.Hover(_markdown(parts), checked.positions.range_of(span))


def _summary(server: YamlServer, rule: str) -> str | None:
    entry = server.rules.get(rule)
    return entry.summary if entry is not None else None


def _markdown(parts: Sequence[str]) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(parts))
