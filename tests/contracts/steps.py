"""What steps do in the contract of runners: the same actions as shell text, and to be carried out in memory."""

import json
import shlex
import signal
from typing import NamedTuple


class Say(NamedTuple):
    text: str
    to_errors: bool = False

    def shell(self) -> str:
        return f"printf '%s\\n' {shlex.quote(self.text)}" + (" >&2" if self.to_errors else "")


class Tell(NamedTuple):
    """Say what a variable is."""

    variable: str

    def shell(self) -> str:
        return f"printf '%s\\n' \"${self.variable}\""


class Output(NamedTuple):
    name: str
    content: str

    def shell(self) -> str:
        return f'printf %s {shlex.quote(self.content)} > "$VH_OUTPUTS_DIR/{self.name}"'


class Publish(NamedTuple):
    metric: str
    value: float

    def shell(self) -> str:
        line = json.dumps({"kind": "metric", "at": 1.0, "values": {self.metric: self.value}})
        return f"echo '{line}' >> \"$VHPIPE_PUBLISH\""


class OnTerm(NamedTuple):
    """End with that code when asked to; with None do not end."""

    code: int | None

    def shell(self) -> str:
        return "trap '' TERM" if self.code is None else f"trap 'exit {self.code}' TERM"


class Leave(NamedTuple):
    """Leave a process behind, in a session of its own; it can be found by its argument."""

    argument: int

    def shell(self) -> str:
        return f"setsid sleep {self.argument} &"


class Hang(NamedTuple):
    """Go on for as long as nobody ends it."""

    argument: int = 1000

    def shell(self) -> str:
        return f"sleep {self.argument} & wait"


class Exit(NamedTuple):
    code: int

    def shell(self) -> str:
        return f"exit {self.code}"


class Die(NamedTuple):
    number: signal.Signals

    def shell(self) -> str:
        return f"kill -{int(self.number)} $$"


Action = Say | Tell | Output | Publish | OnTerm | Leave | Hang | Exit | Die

_known: dict[tuple[str, ...], tuple[Action, ...]] = {}


def command_of(actions: tuple[Action, ...]) -> tuple[str, ...]:
    """The command of a step that does this."""
    command = tuple(action.shell() for action in actions)
    _known[command] = actions
    return command


def actions_of(command: tuple[str, ...]) -> tuple[Action, ...]:
    """What a command does that `command_of` made in this process."""
    return _known[command]
