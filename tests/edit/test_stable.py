"""Complete files and their fixes: what is fixed, what is left, and that nothing gets worse."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vhpipe.diagnostics import Diagnostic, Edit, Fix, Location, Span
from vhpipe.edit.stable import StableFile, fix_until_stable
from vhpipe.project.checked_file import CheckedFile, check_text

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
SEED = 20_240_601
ROUNDS = 150
BITS = (
    ": ", "- ", "#", "# x\n", "'", '"', "{", "}", "[", ",", "&a ", "*a", "!!str ", "|\n", "\n", "\n\n", " ", "  ", "\t",
    "no", "1e-4", "0x1F", "010", "12:30", "2001-01-01", "é𝔘", "s", ".outputs.", "name: on\n", "---\n", "<<: ",
)  # fmt: skip

GOOD = """\
# The training
- step:
    name: train   # its name
    image: "python:3.11"

    # two commands
    command:
      - pip install 'x'
      - python train.py {parameters}
    parameters:
      - {name: lr, type: float, default: 0.1}
      - name: fast
        type: flag
        default: false
    inputs:
      - name: data
        keep-directories: suffix
        optional: true
    environment: gpu
- pipeline:
    name: main  # all of it
    nodes:
      - {name: one, type: execution, step: train, on-error: stop-next}
      - {name: two, type: execution, step: train, override: {image: x}}
    edges:
      - [one.output.x, "two.input.data"]
"""
"""No finding but what a slip brings into it."""

SAFE = {
    "plural kinds": ('[one.output.x, "two.input.data"]', '[one.outputs.x, "two.inputs.data"]'),
    "case of an edge kind": ("one.output.x", "one.Output.x"),
    "case of a choice": ("on-error: stop-next", "on-error: STOP_NEXT"),
    "overrides": ("override: {", "overrides: {"),
    "singular": ("    inputs:", "    input:"),
    "number as a text": ('image: "python:3.11"', "image: 3.10", 'image: "3.10"'),
    "word as a text": ("environment: gpu", "environment: on", 'environment: "on"'),
    "1.1 word": ("default: false", "default: no"),
    "1.1 number": ("default: 0.1}", "default: 0_0.1}"),
    "1.1 text": ("default: 0.1}", "default: 1e-4}", 'default: "1e-4"}'),
    "date": ("environment: gpu", "environment: 2001-02-03", 'environment: "2001-02-03"'),
    "word that the platform cannot read": ("environment: gpu", "environment: =", 'environment: "="'),
    "braces": ("- python train.py {parameters}", "- {parameters} # x", '- "{parameters}" # x'),
    "colon": ("- python train.py {parameters}", "- echo: x # y", '- "echo: x" # y'),
    "colon and quotes": ("- pip install 'x'", '- echo: "it\'s"', "- 'echo: \"it''s\"'"),
}
UNSAFE = {
    "property": ("    command:", "    comand:"),
    "quoted property": ("keep-directories: suffix", "'keep-directoris': suffix", "'keep-directories': suffix"),
    "choice": ("keep-directories: suffix", "keep-directories: sufix"),
    "quoted choice": ("type: flag", 'type: "flagg"', 'type: "flag"'),
    "edge kind": ("one.output.x", "one.outptu.x"),
    "kind of item": ("- pipeline:", "- pipline:"),
}


def slipped(slip: tuple[str, ...]) -> tuple[str, str]:
    """The good file with a slip in it, and what its fix should make of that."""
    right, wrong = slip[0], slip[1]
    assert GOOD.count(right) == 1
    return GOOD.replace(right, wrong), GOOD.replace(right, slip[-1] if len(slip) == 3 else right)


def fix_content(content: bytes, name: str, unsafe: bool) -> StableFile[CheckedFile]:
    return fix_until_stable(content, name, check_text, unsafe)


def fix(text: str, unsafe: bool = False) -> StableFile[CheckedFile]:
    return fix_content(text.encode(), "valohai.yaml", unsafe)


def fixed(text: str, unsafe: bool = False) -> str:
    return fix(text, unsafe).content.decode()


def test_the_file_that_the_slips_come_into_has_no_findings() -> None:
    assert check_text(GOOD.encode(), "valohai.yaml").diagnostics == ()


@pytest.mark.parametrize("name", SAFE)
def test_a_slip_with_one_plain_meaning_is_mended_and_the_rest_stays(name: str) -> None:
    wrong, right = slipped(SAFE[name])
    assert fixed(wrong) == right


@pytest.mark.parametrize("name", UNSAFE)
def test_a_guess_is_made_only_when_asked_for(name: str) -> None:
    wrong, right = slipped(UNSAFE[name])
    assert fixed(wrong) == wrong
    assert fixed(wrong, unsafe=True) == right


@pytest.mark.parametrize("name", [*SAFE, *UNSAFE])
def test_line_ends_and_the_byte_order_mark_stay(name: str) -> None:
    wrong, right = slipped({**SAFE, **UNSAFE}[name])
    content, wanted = ("\ufeff" + text.replace("\n", "\r\n") for text in (wrong, right))
    assert fix(content, unsafe=True).content == wanted.encode()


def test_two_names_that_are_as_near_are_not_chosen_between() -> None:
    wrong, _ = slipped(("default: 0.1}", "mim: 0}"))
    assert fixed(wrong.replace("mim", "mxn"), unsafe=True) == wrong.replace("mim", "mxn")


def test_a_property_that_is_there_already_is_not_written_twice() -> None:
    wrong = GOOD.replace("    environment: gpu", "    environment: gpu\n    enviroment: cpu")
    assert fixed(wrong, unsafe=True) == wrong


def test_what_stands_beside_its_kind_is_indented_with_its_comments_and_texts() -> None:
    wrong = """\
- step:
  # who
  name: train

  image: python:3.11 # why
  command:
  - |
    echo 'a
      b'

    echo c
- step:
    name: other
    image: x
    command: y
"""
    lines = wrong.splitlines(keepends=True)
    right = "".join([*lines[:2], *("  " + line if line.strip() else line for line in lines[2:11]), *lines[11:]])
    assert fixed(wrong) == right
    assert yaml.safe_load(right)[0]["step"]["command"] == yaml.safe_load(wrong)[0]["command"]


def test_all_items_that_were_written_without_their_indentation_get_it_back() -> None:
    wrong = re.sub("(?m)^    (?=.)", "  ", GOOD)
    assert parsed(wrong.encode())[0]["step"] is None
    assert fixed(wrong) == GOOD


def test_an_indentation_that_does_not_make_a_good_item_is_a_guess() -> None:
    wrong = GOOD + "- step:\n  name: x\n  image: y\n"
    assert fixed(wrong) == wrong
    assert fixed(wrong, unsafe=True) == GOOD + "- step:\n    name: x\n    image: y\n"


def test_one_key_that_stands_too_far_to_the_left_goes_to_the_others() -> None:
    wrong = GOOD.replace("    environment: gpu", "  environment: gpu")
    assert fixed(wrong) == GOOD


def test_a_key_that_is_no_text_gets_quotes() -> None:
    wrong = GOOD.replace("    environment: gpu", "    environment: gpu\n    12: x # y")
    assert fixed(wrong) == wrong.replace("12:", '"12":')


def test_several_keys_that_stand_too_far_to_the_left_go_there_one_after_the_other() -> None:
    wrong = GOOD.replace("    environment: gpu", "  environment: gpu\n  description: x\n")
    assert fixed(wrong) == GOOD.replace("    environment: gpu", "    environment: gpu\n    description: x\n")


def test_an_error_that_could_not_be_seen_before_does_not_hold_a_fix_back() -> None:
    wrong = GOOD.replace("- python train.py {parameters}", "- {parameters}").replace("two.input.data", "two.input.none")
    found = fix(wrong)
    assert [item.rule for item in found.applied] == ["unquoted-braces"]
    assert "unknown-edge-input" in {item.rule for item in found.loaded.diagnostics}


def test_a_fix_that_makes_the_file_worse_is_dropped_and_the_others_are_made() -> None:
    bad = Fix("break it", (Edit(Location((1, "pipeline", "name"), "key"), "names"),))

    def load(content: bytes, name: str) -> Any:
        loaded = check_text(content, name)
        more = Diagnostic("bad", "info", "bad", Span(1, 1, 1, 2), fix=bad)
        return loaded._replace(diagnostics=(more, *loaded.diagnostics))

    wrong = GOOD.replace("one.output.x", "one.outputs.x").replace("default: false", "default: no")
    found = fix_until_stable(wrong.encode(), "x", load, False)
    assert found.content.decode() == GOOD
    assert sorted(item.rule for item in found.applied) == ["ambiguous-scalar", "plural-edge-kind"]


def test_what_cannot_be_read_stays_as_it_is() -> None:
    for content in (b"", b"\xff", b"- [", b"- a: no\n  b: c: d\n", b"- a: no\n- \x00"):
        assert fix_content(content, "x", True).content == content


def test_several_slips_at_once_are_mended_and_a_second_time_changes_nothing() -> None:
    chance = random.Random(SEED)
    slips = [*SAFE.values(), *UNSAFE.values()]
    for _ in range(60):
        text = GOOD
        for slip in chance.sample(slips, 5):
            text = text.replace(slip[0], slip[1])
        once = fix(text, unsafe=True)
        assert errors(once) == [], text
        assert fix_content(once.content, "x", True).content == once.content
        assert comments(once.content.decode()) == comments(text)


def errors(found: StableFile[CheckedFile]) -> list[Diagnostic]:
    return [item for item in found.loaded.diagnostics if item.severity == "error"]


def comments(text: str) -> list[str]:
    return [found.strip() for found in re.findall(r"(?:^|\s)#(.*)", text)]


def broken(chance: random.Random) -> bytes:
    """A file with slips whose fixes are known, and as many bits again in random places."""
    text = GOOD
    for slip in chance.sample([*SAFE.values(), *UNSAFE.values()], chance.randint(1, 6)):
        text = text.replace(slip[0], slip[1])
    for _ in range(chance.randint(0, 3)):
        start = chance.randrange(len(text))
        text = text[:start] + chance.choice(BITS) + text[start + chance.randint(0, 3) :]
    if chance.random() < 0.3:
        text = re.sub("\r?\n", "\r\n", text)
    return text.encode()


@pytest.mark.parametrize("unsafe", [False, True])
def test_fixes_of_broken_files_are_stable_and_never_stop_a_file_from_being_read(unsafe: bool) -> None:
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        content = broken(chance)
        once = fix_content(content, "x", unsafe)
        assert once.loaded.document is not None or once.content == content, number
        assert fix_content(once.content, "x", unsafe).content == once.content, (number, content)
        assert bool(once.applied) == (once.content != content), number


def test_safe_fixes_of_broken_files_change_at_most_one_value_each() -> None:
    chance = random.Random(SEED + 1)
    for number in range(ROUNDS):
        content = broken(chance)
        found = fix_content(content, "x", False)
        before, after = parsed(content), parsed(found.content)
        if before is None or moved(found):
            continue
        assert after is not None, number
        assert len(differences(before, after)) <= len(found.applied), (number, content)


def test_safe_fixes_of_broken_files_keep_every_comment() -> None:
    chance = random.Random(SEED + 2)
    for number in range(ROUNDS):
        content = broken(chance)
        found = fix_content(content, "x", False)
        assert comments(found.content.decode()) == comments(content.decode()), (number, content)


def corpus() -> list[Path]:
    return sorted(CORPUS.rglob("*.yaml")) if CORPUS.is_dir() else []


@pytest.mark.skipif(not corpus(), reason="no folder `shared` with a corpus beside the project")
def test_safe_fixes_of_real_files_change_only_what_was_diagnosed() -> None:
    for path in corpus():
        content = path.read_bytes()
        found = fix_content(content, str(path), False)
        if found.content == content:
            continue
        before, after = parsed(content), parsed(found.content)
        if before is None or moved(found):
            continue
        allowed = len(found.applied)
        assert after is not None
        assert 0 < len(differences(before, after)) <= allowed or before == after, path
        assert comments(found.content.decode("utf-8-sig")) == comments(content.decode("utf-8-sig")), path
        assert fix_content(found.content, str(path), False).content == found.content, path


def moved(found: StableFile[CheckedFile]) -> bool:
    return any(item.rule in ("misplaced-key", "ignored-key") for item in found.applied)


def parsed(content: bytes) -> Any:
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, TypeError):
        return None


def differences(before: Any, after: Any) -> list[tuple[Any, Any]]:
    """The pairs of scalars, or of containers of other shape, in which two data differ."""
    if isinstance(before, dict) and isinstance(after, dict) and len(before) == len(after):
        pairs = zip([*before, *before.values()], [*after, *after.values()], strict=True)
        return [found for one, other in pairs for found in differences(one, other)]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [found for one, other in zip(before, after, strict=True) for found in differences(one, other)]
    return [] if before == after and type(before) is type(after) else [(before, after)]
