"""Which of the variables of this machine a container gets: none that speak of this machine."""

from collections.abc import Mapping

from vhpipe.attempt.step_variables import VISIBLE_GPUS

OF_THIS_MACHINE = frozenset({
    "DISPLAY", "EDITOR", "HOME", "HOSTNAME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "LD_PRELOAD", "LOGNAME", "MAIL",
    "OLDPWD", "PAGER", "PATH", "PWD", "PYTHONHOME", "PYTHONPATH", "SHELL", "SHLVL", "TEMP", "TERM", "TMP", "TMPDIR",
    "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "_",
})  # fmt: skip
PREFIXES = ("CONDA_", "CUDA_", "DBUS_", "LC_", "NVIDIA_", "PYENV_", "SSH_", "SSL_", "SUDO_", "SYSTEMD_", "XDG_")


def of_the_place(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of a step's machine that hold in a container too: proxies, the time zone, what the user has passed on.

    `CUDA_VISIBLE_DEVICES` says which GPUs the container gets. The user's name is for the record.
    """
    return {name: text for name, text in variables.items() if name == VISIBLE_GPUS or not _is_of_this_machine(name)}


def _is_of_this_machine(name: str) -> bool:
    return name in OF_THIS_MACHINE or name.startswith(PREFIXES)
