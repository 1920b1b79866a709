from pathlib import Path

from vhpipe.settings.child_environment import child_environment
from vhpipe.settings.python import PythonChoice

UNCHANGED = PythonChoice(None, "", {})
OTHER = PythonChoice(Path("/other/bin"), "", {"VIRTUAL_ENV": "/other"})


def test_only_what_is_listed_is_passed_on() -> None:
    listed = {
        "HOME": "h", "USER": "u", "LANG": "C", "LC_ALL": "C", "TZ": "UTC", "TERM": "t", "TMPDIR": "/t", "PATH": "/bin",
        "SSL_CERT_FILE": "s", "HTTPS_PROXY": "p", "no_proxy": "n", "LD_LIBRARY_PATH": "l", "CUDA_HOME": "c",
        "NVIDIA_VISIBLE_DEVICES": "0", "VIRTUAL_ENV": "/v", "CONDA_PREFIX": "/c", "PYTHONPATH": "/p",
    }  # fmt: skip
    others = {"AWS_SECRET_ACCESS_KEY": "x", "SSH_AUTH_SOCK": "x", "PYTHONSTARTUP": "x", "LCX": "x", "VH_TOKEN": "x"}
    assert child_environment({**listed, **others}, UNCHANGED, inherit=False) == listed
    assert child_environment({**listed, **others}, UNCHANGED, inherit=True) == {**listed, **others}


def test_the_chosen_python_is_first_on_path_and_its_environment_the_active_one() -> None:
    environ = {"PATH": "/a:/b", "VIRTUAL_ENV": "/v", "CONDA_PREFIX": "/c", "PYTHONHOME": "/h", "CONDA_EXE": "/e"}
    for inherit in (False, True):
        child = child_environment(environ, OTHER, inherit)
        assert child == {"PATH": "/other/bin:/a:/b", "VIRTUAL_ENV": "/other", "CONDA_EXE": "/e"}


def test_vhpipes_own_python_comes_behind_everything_of_the_user() -> None:
    own = PythonChoice(Path("/own/bin"), "", {}, after_path=True)
    environ = {"PATH": "/a", "CONDA_PREFIX": "/c"}
    assert child_environment(environ, own, inherit=False) == {"PATH": "/a:/own/bin", "CONDA_PREFIX": "/c"}


def test_there_is_always_a_path() -> None:
    assert child_environment({}, UNCHANGED, inherit=False)["PATH"]
