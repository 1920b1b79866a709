"""`vhpipe lsp` as an editor meets it: over the protocol, through pipes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from editors import Editor, Session
from lsprotocol import types

TEXT = """\
- step:
    name: prepare data
    image: python:3.11
    command: python prepare.py {parameters}
    outputs:
      - name: train.csv
    parameters:
      - {name: rows, type: integer, default: 100, description: How many rows}
- step:
    name: train
    image: python:3.11
    command: python train.py {parameter:rate}
    inputs:
      - name: rows
    parameters:
      - {name: rate, type: float, default: 0.5}
- task:
    name: sweep
    step: train
    type: grid_search
    parameters:
      - {name: rate, style: multiple, rules: {items: [1, 2]}}
- pipeline:
    name: all
    nodes:
      - {name: first, type: execution, step: prepare data}
      - {name: second, type: execution, step: train}
      - {name: third, type: task, task: sweep}
    edges:
      - [first.output.train.csv, second.input.rows]
      - [first.output.*, third.input.rows]
"""
EDGE = "      - [first.output.train.csv, second.input.rows]\n"

Edit = Callable[[Session], None]
EditWith = Callable[[types.ClientCapabilities, Session], None]


def typing(line: str) -> str:
    """The text with another line in place of its first edge."""
    return TEXT.replace(EDGE, line + "\n")


# ── findings ──


def test_a_good_file_has_no_findings_and_a_broken_one_says_where(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        assert await editor.open(TEXT) == []
        editor.type(TEXT.replace("step: train}", "step: trian}"))
        report = await editor.next_report()
        (found,) = [item for item in report.diagnostics if item.code == "unknown-step"]
        assert editor.part(found.range) == "trian"
        assert found.severity == types.DiagnosticSeverity.Error
        assert found.source == "vhpipe"
        assert "did you mean `train`?" in found.message
        assert report.version == 2

    edit(session)


def test_after_an_error_of_form_all_else_in_the_pipeline_is_still_examined(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        broken = TEXT.replace("step: train}", "step: trian}").replace("    edges:\n", "    edges:\n      - [half]\n")
        assert broken.count("half") == 1
        found = await editor.open(broken)
        assert {"malformed-edge", "unknown-step"} <= {item.code for item in found}

    edit(session)


def test_typing_on_is_checked_once_with_the_last_text(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        for end in range(20):
            editor.type(TEXT + "# " + "x" * end)
        editor.type("- step: [\n")
        report = await editor.next_report()
        assert report.version == 22
        assert report.diagnostics[0].code == "invalid-yaml"
        assert editor.reports_waiting() == 0

    edit(session)


def test_second_places_are_told(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        step = TEXT[TEXT.index("- step:\n    name: train\n") : TEXT.index("- task:")]
        found = [item for item in await editor.open(TEXT + step) if item.code == "duplicate-name"]
        (second,) = found[0].related_information or ()
        assert second.location.uri == editor.uri
        assert editor.part(second.location.range) in ("train", "name: train")

    edit(session)


def test_comments_excuse_findings_and_settings_choose_rules(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        wrong = TEXT.replace("step: train}", "step: trian}")
        comment = "      # vhpipe: ignore[unknown-step] because it is being written\n"
        excused = wrong.replace("      - {name: second", comment + "      - {name: second")
        assert "unknown-step" in [item.code for item in await editor.open(wrong)]
        editor.type(excused)
        assert "unknown-step" not in [item.code for item in (await editor.next_report()).diagnostics]
        editor.path.with_name("pyproject.toml").write_text('[tool.vhpipe.validate]\nignore = ["unknown-step"]\n')
        editor.type(wrong)
        assert "unknown-step" not in [item.code for item in (await editor.next_report()).diagnostics]

    edit(session)


def test_a_yaml_file_of_something_else_is_left_alone(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        assert await editor.open("services: {web: {image: nginx}}\n", "compose.yaml") == []
        assert await editor.complete("image: ¦nginx") == []
        assert await editor.hover("ima¦ge") is None
        assert await editor.open("- step:\n    name: x\n", "other.yaml") != []

    edit(session)


def test_a_closed_file_has_no_findings_any_more(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        assert await editor.open("nothing") != []
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(editor.document))
        assert not (await editor.next_report()).diagnostics

    edit(session)


# ── places ──

WIDE = TEXT.replace("name: second,", '"name": "second", "commit": "𝄞é—", "name2": "𝄞",')


def test_places_behind_wide_characters_are_counted_in_units_of_utf_16(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        found = await editor.open(WIDE)
        (odd,) = [item for item in found if item.code == "unknown-property"]
        assert editor.part(odd.range) == '"name2"'
        assert await editor.definition("step: tr¦ain}") == (10, "train")

    edit(session)


def test_an_editor_that_counts_bytes_gets_bytes(edit_with: EditWith) -> None:
    async def session(editor: Editor) -> None:
        assert editor.unit == ("utf-8", 1)
        (odd,) = [item for item in await editor.open(WIDE) if item.code == "unknown-property"]
        assert editor.part(odd.range) == '"name2"'
        assert await editor.definition("step: tr¦ain}") == (10, "train")

    encodings = [types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf16]
    general = types.GeneralClientCapabilities(position_encodings=encodings)
    edit_with(types.ClientCapabilities(general=general), session)


def test_line_ends_of_windows_move_nothing(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        found = await editor.open(TEXT.replace("step: train}", "step: trian}").replace("\n", "\r\n"))
        assert "trian" in [editor.part(item.range) for item in found]

    edit(session)


# ── completion ──


def test_an_edge_is_completed_part_by_part(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(typing("      - [¦"))
        for typed, expected in (
            ("- [¦", ["first", "second", "third"]),
            ("- [first.¦", ["output", "parameter", "metadata", "dependency"]),
            ("- [first.output.¦", ["train.csv", "*"]),
            ("- [first.output.tr¦", ["train.csv", "*"]),
            ("- [first.output.train.csv, ¦", ["second", "third"]),
            ("- [first.output.train.csv, second.¦", ["input"]),
            ("- [first.output.train.csv, second.input.¦", ["rows"]),
            ("- [first.parameter.¦", ["rows"]),
            ("- [first.parameter.rows, second.parameter.¦", ["rate"]),
        ):
            editor.type(typing("      " + typed.replace("¦", "")))
            assert await editor.complete(typed) == expected, typed

    edit(session)


def test_the_rest_of_the_line_may_be_there_already(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        assert await editor.complete("- [¦first.output.train.csv") == ["first", "second", "third"]
        assert await editor.complete("second.¦input.rows]") == ["input"]
        items = await editor.complete_items("first.output.tr¦ain.csv, second")
        assert isinstance(items[0].text_edit, types.TextEdit)
        assert editor.part(items[0].text_edit.range) == "tr"

    edit(session)


def test_steps_and_tasks_are_completed_where_nodes_name_them(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        assert await editor.complete("first, type: execution, step: ¦prepare") == ["prepare data", "train"]
        assert await editor.complete("task: ¦sweep}") == ["sweep"]
        assert await editor.complete("    step: ¦train\n") == ["prepare data", "train"]
        assert await editor.complete("    name: ¦sweep\n") == []
        assert await editor.complete("- step:¦\n") == []

    edit(session)


def test_rules_are_completed_inside_a_suppression(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT + "# vhpipe: ignore[unfilled-input, unk\n")
        items = await editor.complete_items("ignore[unfilled-input, unk¦")
        assert {"unknown-step", "unfilled-input", "invalid-yaml"} <= {item.label for item in items}
        assert isinstance(items[0].text_edit, types.TextEdit)
        assert editor.part(items[0].text_edit.range) == "unk"
        assert await editor.complete("# vhpipe: ign¦ore") == []

    edit(session)


# ── definition and hover ──


def test_names_lead_to_where_they_are_declared(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        for place, expected in (
            ("[fir¦st.output.train.csv", (26, "first")),
            ("[first.output.tr¦ain.csv", (6, "train.csv")),
            ("second.in¦put.rows]", (27, "second")),
            ("second.input.rows¦]", (14, "rows")),
            ("step: ¦prepare data}", (2, "prepare data")),
            ("task: sw¦eep}", (18, "sweep")),
            ("    step: tra¦in\n", (10, "train")),
            ("{name: rate¦, style", (16, "rate")),
            ("{parameter:ra¦te}", (16, "rate")),
        ):
            assert await editor.definition(place) == expected, place
        assert await editor.definition("image¦: python") is None
        assert await editor.definition("[first.output.¦*, third") is None

    edit(session)


def test_hover_tells_what_a_step_is(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        told = await editor.hover("step: pre¦pare data}")
        assert told is not None
        assert "**step** `prepare data`" in told
        assert "python prepare.py" in told
        assert "`rows` integer = 100" in told
        parameter = await editor.hover("{name: ro¦ws, type")
        assert parameter is not None
        assert "How many rows" in parameter

    edit(session)


def test_hover_on_a_finding_tells_what_its_rule_is_about(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT.replace("step: train}", "step: trian}"))
        told = await editor.hover("step: tri¦an}")
        assert told is not None
        assert told.startswith("**unknown-step** (error): ")
        assert "did you mean `train`?" in told

    edit(session)


# ── quick fixes ──


def test_a_fix_of_a_finding_is_a_quick_fix(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        excused = TEXT.replace(EDGE, EDGE.rstrip() + "  # vhpipe: ignore[unknown-step] because\n")
        (found,) = await editor.open(excused)
        assert found.code == "unused-suppression"
        (action,) = await editor.actions("vhpipe¦: ignore")
        assert action.kind == types.CodeActionKind.QuickFix
        assert action.is_preferred
        assert [item.code for item in action.diagnostics or ()] == ["unused-suppression"]
        assert editor.after(action) == TEXT
        assert await editor.actions("- st¦ep:") == []

    edit(session)


def test_everything_is_fixed_at_once_on_save(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        comment = "# vhpipe: ignore[unknown-step] because\n"
        await editor.open(comment + TEXT + comment)
        assert await editor.actions("- st¦ep:", ["quickfix"]) == []
        (action,) = await editor.actions("- st¦ep:", ["source.fixAll"])
        assert editor.after(action) == TEXT

    edit(session)


def test_a_finding_can_be_excused_by_a_comment_above_it(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT.replace("step: train}", "step: trian}"))
        found = [action for action in await editor.actions("step: tri¦an}") if action.title.startswith("Ignore")]
        text = editor.after(found[0])
        assert "      # vhpipe: ignore[unknown-step] because \n      - {name: second" in text
        editor.type(text)
        assert "unknown-step" not in [item.code for item in (await editor.next_report()).diagnostics]

    edit(session)


# ── what may come ──


def test_odd_texts_are_reported_and_the_server_goes_on(edit: Edit) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        odd = ("\0", "- step: \ud800\n", "[" * 5000, "- step: &a [*a]\n", "", "\r", "a: \u2028b\n")
        for text in ("\ufeff" + TEXT, *odd):
            editor.type(text)
            report = await editor.next_report()
            assert report.version == editor.version
            for offset in (0, len(text) // 2, len(text)):
                place = editor.position(offset) if "\ud800" not in text else types.Position(0, offset)
                await editor.client.text_document_completion_async(types.CompletionParams(editor.document, place))
                await editor.client.text_document_hover_async(types.HoverParams(editor.document, place))
                await editor.client.text_document_definition_async(types.DefinitionParams(editor.document, place))
        editor.type(TEXT)
        assert not (await editor.next_report()).diagnostics

    edit(session)


def test_links_to_definitions_are_given_to_editors_that_know_them(edit_with: EditWith) -> None:
    async def session(editor: Editor) -> None:
        await editor.open(TEXT)
        params = types.DefinitionParams(editor.document, editor.place("step: ¦prepare data}"))
        answer = await editor.client.text_document_definition_async(params)
        assert isinstance(answer, list)
        (link,) = answer
        assert isinstance(link, types.LocationLink)
        assert link.origin_selection_range is not None
        assert editor.part(link.origin_selection_range) == "prepare data"

    knows = types.DefinitionClientCapabilities(link_support=True)
    text_document = types.TextDocumentClientCapabilities(definition=knows)
    edit_with(types.ClientCapabilities(text_document=text_document), session)


def test_the_server_ends_with_its_editor() -> None:
    command = [sys.executable, "-m", "vhpipe", "lsp", "--stdio"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"")


def test_without_its_packages_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(\"No module named 'pygls'\", name='pygls')\n")
    path = os.pathsep.join((str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])))
    command = [sys.executable, "-m", "vhpipe", "lsp"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 4
    assert 'pip install "vhpipe[lsp]"' in done.stderr
