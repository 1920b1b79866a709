"""Steps of real files get what a script says; no remark is lost and no error comes."""

from pathlib import Path

import pytest

from vhpipe.document.spans import value_at
from vhpipe.edit.new import name_at, with_step
from vhpipe.edit.script import DeclaredName, Script
from vhpipe.project.checked_file import CheckedFile, check_text

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
FILES = sorted(path for ending in ("yaml", "yml") for path in CORPUS.rglob(f"*.{ending}"))

pytestmark = pytest.mark.skipif(not FILES, reason="no folder `shared` with a corpus beside the project")

PARAMETERS = (
    DeclaredName("new-number", (("type", "float"), ("default", 0.5), ("description", "a: b, [c]"))),
    DeclaredName("new-choice", (("type", "integer"), ("optional", True), ("choices", [1, 2]))),
)
INPUTS = (DeclaredName("new-input", (("default", ["s3://b/*"]), ("keep-directories", "suffix"))),)


def good_file(path: Path) -> CheckedFile | None:
    loaded = check_text(path.read_bytes(), path.name)
    is_good = loaded.document is not None and not any(item.severity == "error" for item in loaded.diagnostics)
    return loaded if is_good and isinstance(loaded.document.data, list) else None  # type: ignore[union-attr]


def remarks(text: str) -> list[str]:
    return [line.split("#", 1)[1] for line in text.splitlines() if "#" in line]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORPUS)))
def test_every_step_of_a_real_file_can_be_updated(path: Path) -> None:
    loaded = good_file(path)
    if loaded is None or loaded.document is None:
        pytest.skip("the file is no good one")
    document = loaded.document
    for number, item in enumerate(document.data):
        if not isinstance(item, dict) or "step" not in item:
            continue
        name = name_at(document, number)
        written = value_at(document.data, (number, "step", "parameters")) or []
        known = [each["name"] for each in written if each.get("type") == "string" and not each.get("choices")]
        changed = tuple(DeclaredName(each, (("default", "what else"),)) for each in known)
        script = Script(step=name, image="new/image:3", parameters=(*changed, *PARAMETERS), inputs=INPUTS)
        text = with_step(document, "a.py", script).text
        after = check_text(text.encode(), path.name)
        assert not [item for item in after.diagnostics if item.severity == "error"]
        assert remarks(text) == remarks(document.text)
        step = next(step for step in reversed(after.config.steps) if step.name == name)
        assert step.image == "new/image:3"
        assert {each.name: each.default for each in step.parameters}.items() >= dict.fromkeys(
            known, "what else"
        ).items()
        assert {each.name for each in step.parameters} >= {"new-number", "new-choice"}
        assert "new-input" in {each.name for each in step.inputs}
        assert after.document is not None
        assert with_step(after.document, "a.py", script).text == text
