"""Which of the commits that a file names are looked at."""

from vhpipe.project.checked_file import check_text
from vhpipe.project.commit_files import MOST_COMMITS, CommitText, with_commits


def test_commits_beyond_the_bound_are_said_not_to_be_looked_at() -> None:
    nodes = "".join(
        f"      - {{name: n{index}, type: execution, step: s, commit: c{index}}}\n" for index in range(MOST_COMMITS + 1)
    )
    text = f"- step: {{name: s, image: x, command: echo}}\n- pipeline:\n    name: p\n    nodes:\n{nodes}    edges: []\n"
    step = CommitText("1" * 40, b"- step: {name: s, image: x, command: echo}\n")
    found = with_commits(check_text(text.encode(), "valohai.yaml").config, "valohai.yaml", lambda _: step).commits
    assert [name for name, commit in found.items() if commit.absent is not None] == [f"c{MOST_COMMITS}"]
    assert found[f"c{MOST_COMMITS}"].absent == "the file names more than 100 commits"
