"""Whether a command is worth a closer look at what it needs of the machine: most are not, and every run asks."""

HINTS = (
    "sudo", "su ", "doas", "pkexec", "mount", "fs ", "fuse", "goofys", "blobfuse", "ntfs", "podman", "buildah",
    "docker", "apt", "useradd", "adduser", "groupadd", "usermod", "yum", "dnf", "zypper", "apk", "npm", "yarn", "conda",
    "mamba", "gem ", "go ", "snap", "brew", "dpkg", "rpm", "pacman", "git config", "sysctl", "rclone",
)  # fmt: skip
"""In every command that needs something of the machine there is one of these."""
_SCRIPTS = (".sh", "sh ", "source ", ".bash")


def may_need_host(text: str) -> bool:
    """Whether reading a script closely could find a need."""
    return any(hint in text for hint in HINTS)


def may_run_shell_script(text: str) -> bool:
    """Whether a command may name a script of a shell, in which there may be more."""
    return any(hint in text for hint in _SCRIPTS)
