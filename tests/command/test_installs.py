"""Which packages a command installs, as far as that can be read before it runs."""

import pytest

from vhpipe.command.install_words import words_for
from vhpipe.command.installs import Installs, installs_in

FILES = {
    "requirements.txt": b"numpy>=1  # fast\n-r sub/more.txt\n-cconstraints.txt\n--extra-index-url https://x/simple\n",
    "sub/more.txt": b"six\n-r ../requirements.txt\n",
    "constraints.txt": b"six<2\n",
    "broken.txt": b"-r missing.txt\n",
    "local.txt": b"-e .\n",
    "setup.sh": b"set -e\ncd sub\npip install -r more.txt\nif test -d x; then\n  pip install y\nfi\n",
}


def found(*items: str) -> Installs:
    return installs_in(items, FILES.get)


def words(*items: str) -> list[str]:
    return [line.text for line in found(*items).lines]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("pip install tqdm", "pip install tqdm"),
        ("pip3 install 'a[x,y]==1.0' b", "pip install a[x,y]==1.0 b"),
        ("python -m pip install -q a && python train.py", "pip install -q a"),
        ("python3.11 -m pip --no-cache-dir install a", "pip install a"),
        ("sudo -H pip install a", "pip install a"),
        ("uv pip install --system a", "uv pip install --system a"),
        ("pip install a>=1.0", "pip install a"),  # for a shell that is a redirection
        ("pip install git+https://host/a.git@v1", "pip install git+https://host/a.git@v1"),
        ("pip install a > /dev/null 2>&1", "pip install a"),
        ("pip install a 2>log | tail -1", "pip install a"),
        ("python3 -u -m pip install a", "pip install a"),
        ("python -mpip install a", "pip install a"),
        ("timeout -k 5 600 pip install a", "pip install a"),
        ("bash -c 'pip install a'", "pip install a"),
        ("bash -ec 'cd sub && pip install a' && ls", "pip install a"),
        ("cat > r.txt << EOF\npip install b\nEOF\npip install a", "pip install a"),
        ("pip install --upgrade-strategy eager --pre a > log", "pip install --upgrade-strategy eager --pre a"),
    ],
)
def test_calls_are_found_in_every_spelling(command: str, line: str) -> None:
    assert words(command) == [line]
    assert not found(command).has_more or "<<" in command


@pytest.mark.parametrize(
    "command",
    ["pip list", "python train.py --install", "npm install x", "echo pip install x", "pip install -t /tmp/x a",
     "uv pip install --python 3.12 a", "python -m venv v; . v/bin/activate; pip install a",
     "conda activate e && pip install a", "/opt/bin/pip install a", "apt-get install -y python3-pip",
     "git commit -m 'pip install'", "pip download a", "python train.py --pip-install", "pipx install a", "uv sync"],
)  # fmt: skip
def test_what_does_not_go_into_the_python_of_the_step_is_none(command: str) -> None:
    assert found(command).is_empty


@pytest.mark.parametrize(
    "command",
    ["pip install $PACKAGES", "pip install {parameter:name}", "pip install -r missing.txt", "pip install -r broken.txt",
     "pip install -r /valohai/inputs/requirements.txt", "if x; then pip install a; fi", "cd $X && pip install -r r.txt",
     "for p in a b; do pip install $p; done", "test -d x || pip install a", "! pip install a",
     "pip freeze | xargs -n 1 pip install -U", "xargs python3 -m pip install < r.txt", "eval pip install a",
     "python -c 'import pip; pip.main([\"install\", \"a\"])'", "su -c 'pip install a'", "pip uninstall -y a",
     "python setup.py -q develop", "poetry config virtualenvs.create false && poetry install", "easy_install install",
     "pip-sync", "uv pip sync r.txt", "bash << EOF\npip install a\nEOF", "bash -c \"pip install $X\"",
     "test -d x || bash -c 'pip install a'"],
)  # fmt: skip
def test_what_cannot_be_known_beforehand_is_left_to_the_step(command: str) -> None:
    assert found(command) == Installs(has_more=True)


def test_an_installer_that_is_called_by_its_path_is_named() -> None:
    assert found("/opt/bin/pip install a && /usr/bin/python3 -m pip install b").by_path == (
        "/opt/bin/pip", "/usr/bin/python3"
    )  # fmt: skip
    assert found("v/bin/pip install a") == Installs()


@pytest.mark.parametrize(
    ("command", "lines", "has_more"),
    [
        ("pip install 'a<2'; python old.py; pip install a==2; python new.py", ["pip install a<2"], True),
        ("pip install -r requirements.txt; ./x; pip install Numpy", ["pip install -r requirements.txt"], True),
        ("pip install a; python x.py; pip install b", ["pip install a", "pip install b"], False),
        ("pip install a; pip install -U a; python x.py; pip install a", ["pip install a", "pip install -U a"], False),
        ("apt-get install x; pip install a; pip install a==2", ["pip install a", "pip install a==2"], False),
    ],
)
def test_a_program_between_two_installs_sees_what_the_first_has_installed(
    command: str, lines: list[str], has_more: bool
) -> None:
    assert (words(command), found(command).has_more) == (lines, has_more)


def test_files_are_followed_to_the_files_that_they_name() -> None:
    (line,) = found("cd sub && pip install -r more.txt").lines
    assert (line.folder, line.files) == ("sub", ("sub/more.txt", "requirements.txt", "constraints.txt"))
    (line,) = found("pip install --requirement=/valohai/repository/requirements.txt").lines
    assert line.files == ("requirements.txt", "sub/more.txt", "constraints.txt")


@pytest.mark.parametrize("command", ["pip install -e .", "pip install .[dev]", "pip install -r local.txt",
                                     "pip install ./dist/a.whl", "pip install --find-links wheels a"])  # fmt: skip
def test_what_installs_the_project_itself_needs_its_code(command: str) -> None:
    assert found(command).lines[0].needs_code
    assert not found("pip install git+https://host/a.git#egg=a").lines[0].needs_code


@pytest.mark.parametrize("command", ["pip install a || true", "pip install a | tee log", "make deps && pip install a"])
def test_a_line_that_may_fail_or_stands_behind_something_else_is_known_as_such(command: str) -> None:
    assert found(command).lines[0].may_fail
    assert not found("cd sub && echo x && pip install a && make").lines[0].may_fail


def test_scripts_that_a_command_names_are_read_too() -> None:
    installs = found("bash setup.sh", "pip install -r requirements.txt")
    assert [(line.folder, line.text, line.may_fail) for line in installs.lines] == [
        ("sub", "pip install -r more.txt", True), ("", "pip install -r requirements.txt", True)
    ]  # fmt: skip
    assert installs.has_more


def test_variables_before_a_call_belong_to_it() -> None:
    (line,) = found("PIP_INDEX_URL=https://x/simple pip install a").lines
    assert line.variables == (("PIP_INDEX_URL", "https://x/simple"),)
    assert found("PIP_INDEX_URL=$URL pip install a") == Installs(has_more=True)


def test_installers_get_no_words_that_lead_elsewhere() -> None:
    asked = ("--user", "-q", "--progress-bar", "off", "--upgrade-strategy=eager", "-U", "a", "-r", "r.txt")
    assert words_for(asked, is_uv=True) == ("-U", "a", "-r", "r.txt")
    assert words_for(asked, is_uv=False) == ("--upgrade-strategy", "eager", "-U", "a", "-r", "r.txt")
