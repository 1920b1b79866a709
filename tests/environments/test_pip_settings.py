"""What is set for pip counts for uv, and the other way round."""

from pathlib import Path

from vhpipe.environments.pip_settings import options_for_uv, variables_for_pip, variables_for_uv


def test_files_and_variables_of_pip_are_said_to_uv(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://file/simple\n[install]\nfind-links = /a /b\n")
    environ = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_INDEX_URL": "https://mine/simple",
        "PIP_NO_INDEX": "1",
    }
    said = variables_for_uv(environ, str(tmp_path / "none"))
    assert (said["UV_DEFAULT_INDEX"], said["UV_FIND_LINKS"]) == ("https://mine/simple", "/a,/b")
    assert options_for_uv(environ, "/none") == ("--no-index",)


def test_what_is_set_for_uv_itself_stays() -> None:
    said = variables_for_uv({"PIP_INDEX_URL": "https://pip/simple", "UV_INDEX_URL": "https://uv/simple"}, "/none")
    assert "UV_DEFAULT_INDEX" not in said
    assert said["UV_INDEX_URL"] == "https://uv/simple"
    assert "UV_SYSTEM_PYTHON" not in variables_for_uv({"UV_SYSTEM_PYTHON": "1"}, "/none")


def test_pip_hears_what_is_set_for_uv() -> None:
    said = variables_for_pip({"UV_FIND_LINKS": "/a,/b", "UV_OFFLINE": "1", "PIP_NO_INDEX": "0"})
    assert (said["PIP_FIND_LINKS"], said["PIP_NO_INDEX"], said["PIP_NO_INPUT"]) == ("/a /b", "0", "1")
