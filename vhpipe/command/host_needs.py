"""What a command needs of the machine around it: what a place of its own cannot give, and what changes the machine.

Words are found where programs are called, not in texts; what is not in the tables needs nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

Need = Literal["rights", "mounts", "rootless", "daemon", "inputs", "machine"]
"""Rights by a setuid program, mounts of its own, containers without root, a daemon that sees the host's files, writing
into folders of inputs, a change of what is installed on the machine."""


class NeedOfHost(NamedTuple):
    """`word` is what to call it by: `sudo`, `apt-get install`."""

    kind: Need
    word: str


def _has(*wanted: str) -> Callable[[tuple[str, ...]], bool]:
    return lambda words: any(word in wanted for word in words)


def _any(words: tuple[str, ...]) -> bool:
    return True


_PLAIN: Mapping[Need, frozenset[str]] = {
    "rights": frozenset({"sudo", "su", "doas", "pkexec"}),
    "mounts": frozenset({
        "mount", "umount", "fusermount", "fusermount3", "sshfs", "s3fs", "gcsfuse", "goofys", "geesefs", "blobfuse",
        "blobfuse2", "mount-s3", "ossfs", "bindfs", "encfs", "gocryptfs", "squashfuse", "archivemount", "ntfs-3g",
    }),
    "rootless": frozenset({"podman", "buildah"}),
    "machine": frozenset({"add-apt-repository", "apt-add-repository", "useradd", "adduser", "groupadd", "usermod"}),
}  # fmt: skip
"""Programs that need it whatever their words."""

_GLOBAL = ("-g", "--global", "--location=global")
_DEBIAN = ("install", "reinstall", "remove", "purge", "autoremove", "update", "upgrade", "dist-upgrade", "full-upgrade",
           "build-dep")  # fmt: skip
_RPM = ("install", "reinstall", "remove", "erase", "update", "upgrade", "groupinstall", "localinstall", "in", "up")
_PREFIXED = ("-p", "--prefix")
_CONDA = ("install", "update", "upgrade", "remove", "create", "env")


class Installer(NamedTuple):
    """Programs that install with certain first words, if the rest of the words is of a kind."""

    programs: tuple[str, ...]
    verbs: tuple[str, ...]
    applies: Callable[[tuple[str, ...]], bool] = _any
    shown: str = ""


def _is_outside_prefix(words: tuple[str, ...]) -> bool:
    """Of conda: not into a folder that is named, and no question."""
    is_question = words[:1] == ("env",) and not _has("create", "update", "remove")(words)
    return not is_question and not any(word.partition("=")[0] in _PREFIXED for word in words)


_INSTALLERS = (
    Installer(("apt-get", "apt", "aptitude"), _DEBIAN),
    Installer(("yum", "dnf", "microdnf", "zypper"), _RPM),
    Installer(("apk",), ("add", "del", "update", "upgrade")),
    Installer(("npm", "pnpm"), ("install", "i", "add", "update", "uninstall", "link", "ci"), _has(*_GLOBAL), "-g"),
    Installer(("yarn",), ("global",)),
    Installer(("conda", "mamba", "micromamba"), _CONDA, _is_outside_prefix),
    Installer(("gem", "cargo", "go", "snap", "brew"), ("install",), lambda words: not _has("--root")(words)),
)
_BY_OPTION: Mapping[str, tuple[str, ...]] = {
    "dpkg": ("-i", "--install", "-r", "--remove", "-P", "--purge"),
    "rpm": ("-i", "-U", "-ivh", "-Uvh", "--install", "--upgrade", "--import"),
    "pacman": ("-S", "-Sy", "-Syu", "-U", "-R"),
    "git config": ("--global", "--system"),
    "sysctl": ("-w", "--write"),
}
"""Programs that change the machine with one of these options."""
_MOUNTERS: Mapping[str, str] = {"rclone": "mount", "juicefs": "mount"}
_VOLUMES = ("-v", "--volume", "--mount")
_OF_THE_STEP = (
    "/valohai", "$PWD", "${PWD}", "$(pwd)", "`pwd`", ".", "$VH_INPUTS_DIR", "$VH_OUTPUTS_DIR", "$VH_REPOSITORY_DIR",
    "$VH_CONFIG_DIR", "${VH_INPUTS_DIR", "${VH_OUTPUTS_DIR", "${VH_REPOSITORY_DIR", "${VH_CONFIG_DIR",
)  # fmt: skip
"""Beginnings of paths that only the step has."""


def needs_of_host(text: str) -> tuple[NeedOfHost, ...]:
    """What the programs need that a shell script calls, each once, in order."""
    from vhpipe.command.called_programs import called_programs

    return tuple(dict.fromkeys(need for words in called_programs(text) for need in _needs_of(words)))


def _needs_of(words: tuple[str, ...]) -> Iterator[NeedOfHost]:
    name, rest = words[0], words[1:]
    for kind, names in _PLAIN.items():
        if name in names:
            yield NeedOfHost(kind, name)
    verb = _verb_of(rest)
    if _MOUNTERS.get(name) == verb is not None:
        yield NeedOfHost("mounts", f"{name} {verb}")
    if name == "docker" and verb in ("run", "create") and _mounts_own_folders(rest):
        yield NeedOfHost("daemon", f"docker {verb} -v")
    if (installs := _installation(name, verb, rest)) is not None:
        yield NeedOfHost("machine", installs)


def _installation(name: str, verb: str | None, words: tuple[str, ...]) -> str | None:
    for each in _INSTALLERS:
        if name in each.programs and verb in each.verbs and each.applies(words):
            return f"{name} {verb} {each.shown}".rstrip()
    known = name if name in _BY_OPTION else f"{name} {verb}"
    option = next((word for word in words if word in _BY_OPTION.get(known, ())), None)
    return None if option is None else f"{known} {option}"


def _verb_of(words: tuple[str, ...]) -> str | None:
    """The first word that is no option."""
    return next((word for word in words if not word.startswith("-")), None)


def _mounts_own_folders(words: tuple[str, ...]) -> bool:
    """Whether a container gets a folder by a path that only the step has."""
    return any(_is_of_the_step(value) for value in _volumes(words))


def _volumes(words: tuple[str, ...]) -> Iterator[str]:
    """The sources of volumes and mounts."""
    for word, following in zip(words, (*words[1:], ""), strict=True):
        option, equals, value = word.partition("=")
        if option in _VOLUMES:
            given = value if equals else following
            sources = (part.partition("=")[2] for part in given.split(",") if part.startswith(("source=", "src=")))
            yield from sources if option == "--mount" else (given.partition(":/")[0],)


def _is_of_the_step(source: str) -> bool:
    """`$` is what is left of `$(pwd)`, for parentheses end a command."""
    return source == "$" or source.startswith(_OF_THE_STEP)
