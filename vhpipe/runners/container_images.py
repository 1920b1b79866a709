"""The images of a run's steps: whether they are here, their ids, and how they get here.

A registry is asked by the tool itself, with its own login.
"""

import subprocess
import sys
import threading

from vhpipe.errors import EnvironmentFailure
from vhpipe.plan.container_settings import PullPolicy
from vhpipe.runners.container_tools import PATIENCE_S, ContainerTool, asked, last_line

_REFUSALS = (
    (("unauthorized", "authentication required", "denied: requested access", "access denied", "403 (forbidden)",
      "no basic auth credentials", "pull access denied", "invalid username/password"),
     "the registry wants a login, or there is no such image", "log in first: {tool} login {registry}"),
    (("manifest unknown", "not found: manifest", "name unknown", "repository does not exist", "404 (not found)"),
     "the registry has no such image", "check its name and tag"),
    (("short-name", "did not resolve to an alias"), "the name has no registry", "give it one: docker.io/{image}"),
    (("no such host", "connection refused", "i/o timeout", "network is unreachable", "tls handshake timeout",
      "no route to host", "connection reset", "name resolution"),
     "the registry cannot be reached", "try again when it can, or bring the image here: {tool} load"),
    (("no space left",), "the disk of its images is full", "free some space: {tool} image prune"),
    (("no matching manifest", "no image found in manifest list", "exec format error"),
     "there is none for this kind of processor", "choose another image for this step"),
)  # fmt: skip
"""What a tool says when it cannot pull, in lower case; what that means, and what helps."""


class ContainerImages:
    """The images at one tool, each looked for and pulled once. Thread-safe."""

    def __init__(self, tool: ContainerTool, policy: PullPolicy = "missing", shows_progress: bool = False) -> None:
        self._tool, self._policy, self._shows_progress = tool, policy, shows_progress
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def known(self, image: str) -> str | None:
        """The id of an image that is here, None for one that is not. Errors: EnvironmentFailure."""
        words = ("image", "inspect", "--format", "{{.Id}}", image)
        try:
            said = asked(self._tool.name, words, PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise EnvironmentFailure(f"`{self._tool.name}` does not answer: {failure}") from failure
        identifier = said.stdout.strip().removeprefix("sha256:")
        return identifier if said.returncode == 0 and identifier else None

    def identifier(self, image: str, wanted: str | None = None) -> str:
        """The id of an image, which is here afterwards. Where one is `wanted` it is no other.

        Errors: EnvironmentFailure for an image that cannot be had.
        """
        with self._lock:
            key = wanted or image
            if key not in self._known:
                self._known[key] = self._found(image) if not wanted else self._found_as(image, wanted)
            return self._known[key]

    def _found_as(self, image: str, wanted: str) -> str:
        """The image that a plan was made with; it is pulled again if it has been removed since."""
        if self.known(wanted) is not None:
            return wanted
        found = self._found(image)
        if found == wanted:
            return found
        raise EnvironmentFailure(
            f"image `{image}` is another one than that with which the run began",
            "a new run can take over what is complete: vhpipe resume --with-changes",
        )

    def _found(self, image: str) -> str:
        found = self.known(image)
        if found is None:
            refuse_unbuilt(self._tool, image)
        if self._policy == "always" or (found is None and self._policy == "missing"):
            self._pull(image, found)
            found = self.known(image)
        if found is None:
            raise EnvironmentFailure(
                f"image `{image}` is not here, and it may not be pulled",
                f"pull it: {self._tool.name} pull {image}",
            )
        return found

    def _pull(self, image: str, found: str | None) -> None:
        """Pull it; where `always` cannot be done and the image is here, it is not taken for the newest one."""
        words = (self._tool.name, "pull", image)
        errors = self._pull_with_progress(words) if self._shows_progress else self._pull_quietly(words)
        if errors is not None:
            raise pull_failure(self._tool, image, errors)

    def _pull_quietly(self, words: tuple[str, ...]) -> str | None:
        """What the tool says where it fails."""
        said = asked(words[0], words[1:], None)
        return said.stderr or said.stdout if said.returncode else None

    def _pull_with_progress(self, words: tuple[str, ...]) -> str | None:
        """Let the tool show on the terminal how far it is; what it says of an error is heard of as well."""
        print(f"pulling {words[-1]}", file=sys.stderr, flush=True)
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=subprocess.PIPE)
        assert process.stderr is not None, "it is a pipe"
        heard = b""
        while piece := process.stderr.read1(1 << 12):  # type: ignore[attr-defined]
            heard = (heard + piece)[-1 << 14 :]
            sys.stderr.write(piece.decode(errors="replace"))
            sys.stderr.flush()
        return heard.decode(errors="replace") if process.wait() else None


def refuse_unbuilt(tool: ContainerTool, image: str) -> None:
    """Errors: EnvironmentFailure for the name of an image of this machine, which no registry has. It is not here."""
    if registry_of(image) == "localhost":
        raise EnvironmentFailure(
            f"there is no image `{image}` here, and `localhost/` names no registry to pull it from",
            f"build it: {tool.name} build -t {image} FOLDER",
        )


def pull_failure(tool: ContainerTool, image: str, said: str) -> EnvironmentFailure:
    """One line on an image that cannot be pulled, and what to do."""
    low = said.lower()
    for texts, reason, cure in _REFUSALS:
        if any(text in low for text in texts):
            hint = cure.format(tool=tool.name, image=image, registry=registry_of(image))
            return EnvironmentFailure(f"image `{image}` cannot be pulled: {reason}", hint)
    return EnvironmentFailure(f"image `{image}` cannot be pulled: {last_line(said)}", f"try: {tool.name} pull {image}")


def registry_of(image: str) -> str:
    """The registry in the name of an image; Docker Hub where it names none."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"
