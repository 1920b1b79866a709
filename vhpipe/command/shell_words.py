"""What the words of one simple command do with their arguments: take them as data, or run them.

Source: decision 9. The tables are short on purpose: a command that is not in them is taken to treat its arguments as
data, a command that cannot be known is not.
"""

from collections.abc import Sequence
from re import ASCII
from re import compile as compile_pattern
from typing import NamedTuple

from vhpipe.command.interpreters import WRAPPERS, interpreter_called
from vhpipe.command.shell_options import ScriptOptions, WrapperOptions
from vhpipe.command.shell_word import HOLE, Word

ASSIGNMENT = compile_pattern(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=", ASCII)
PROGRAM = compile_pattern(r"[A-Za-z./][^\0\1]*")

RESERVED = frozenset({
    "if", "then", "elif", "else", "do", "while", "until", "!", "{", "}", "time", "fi", "done", "esac",
})  # fmt: skip
PREFIXES = frozenset({"command", "builtin", "exec"})
RUNNERS = frozenset({
    "sudo", "doas", "chrt", "unshare", "flock", "strace", "chroot", "docker", "podman", "xvfb-run", "busybox", "toybox",
    "pdm", "hatch", "rye", "pixi", "pipx", "npx", "apptainer", "singularity", "kubectl", "numactl", "perf", "gosu",
})  # fmt: skip
"""Run what stands behind them, nobody knows where; wrappers that are known exactly are in `interpreters`."""
EVALUATING_BUILTINS = frozenset({
    "eval", "let", "declare", "typeset", "local", "read", "mapfile", "readarray", "trap", "unset", "alias", "coproc",
    "wait", "getopts", "enable", "compgen", "complete", "compopt", "bind", "fc", "history", "jobs", "hash", "function",
    "source", ".",
})  # fmt: skip
EVALUATING_PROGRAMS = frozenset({"ssh", "xargs", "parallel", "sed", "gsed", "awk", "gawk", "mawk", "nawk"})
"""Run their arguments, or read them in a language that can run things; also as arguments of other commands."""
EVALUATING_COMMANDS = frozenset({
    "make", "gmake", "watch", "su", "script", "R", "expect", "gdb",
    "at", "batch", "m4", "ed", "ex", "vi", "vim", "osascript", "runuser", "start-stop-daemon", "screen", "tmux",
})  # fmt: skip
FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
TEST_OPERATORS = frozenset({
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "-a", "-o", "!", "(",
    "-n", "-z", "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-p", "-r", "-s", "-t", "-u", "-w", "-x", "-G", "-L",
    "-N", "-O", "-S", "[", "test",
})  # fmt: skip
EVALUATED_VARIABLES = frozenset({
    "BASH_ENV", "ENV", "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "RANDOM", "SRANDOM", "SECONDS", "LINENO",
    "HISTCMD", "EPOCHSECONDS", "EPOCHREALTIME", "BASHPID", "BASH_SUBSHELL", "BASH_ALIASES", "BASH_CMDS", "OPTIND",
    "EUID", "UID", "PPID", "LD_PRELOAD", "LD_AUDIT", "MAILPATH", "IFS", "SHELLOPTS", "BASHOPTS", "NODE_OPTIONS",
    "PERL5OPT", "PERL5DB", "RUBYOPT", "GIT_SSH_COMMAND", "GIT_PAGER", "PAGER", "EDITOR", "LESSOPEN", "LESSCLOSE",
})  # fmt: skip
"""Variables whose value a shell, the loader or an interpreter acts upon."""

STANDARD_INPUT = ("/dev/stdin", "/dev/fd/", "/proc/")

COMMAND_MODES = {
    "test": "test", "[": "test", "printf": "printf", "export": "export", "readonly": "export", "find": "find",
}  # fmt: skip


class WordContexts(NamedTuple):
    """The context of each hole (None: bare); the holes of substitutions that are not, and why.

    `in_code` are the holes inside of quotes that an interpreter runs, each with a better name of its place.
    """

    contexts: list[tuple[int, str | None]]
    nested: list[int]
    nested_context: str
    runs_stdin: bool
    in_code: list[tuple[int, str]]


def judge(words: Sequence[Word]) -> WordContexts:
    """What becomes of the holes in the words of one simple command."""
    command = _Command()
    contexts: list[tuple[int, str | None]] = []
    in_code: list[tuple[int, str]] = []
    nested: list[int] = []
    for word in words:
        context = command.context_of(word)
        contexts += [(index, context) for index in word.holes]
        if context is not None:
            nested += word.nested
        if command.code_context is not None:
            in_code += [(index, command.code_context) for index in word.inner]
        command.take(word)
    nested_context = command.blocked or "in an argument that is run"
    return WordContexts(contexts, nested, nested_context, command.runs_stdin, in_code)


class _Command:
    """Reads the words of a simple command from left to right and remembers what it has to fear."""

    def __init__(self) -> None:
        self.blocked: str | None = None
        self.runs_stdin = False
        self._in_command_position = True
        self._is_wrapped = False
        self._is_settled = False
        self._unknown_program = False
        self._options: ScriptOptions | None = None
        self._wrapper: WrapperOptions | None = None
        self._has_xargs = False
        self._mode = ""
        self._skips_value = False
        self._previous: Word | None = None

    @property
    def code_context(self) -> str | None:
        """Where a hole inside the quotes of the next word would stand, if that is code."""
        return self._options.code_context if self._options is not None and self.blocked is None else None

    def context_of(self, word: Word) -> str | None:
        """Where a hole in the next word would stand; None if the word is data."""
        if self.blocked is not None:
            return self.blocked
        assignment = ASSIGNMENT.match(word.text)
        if assignment and assignment[1] in EVALUATED_VARIABLES:
            return f"in the value of `{assignment[1]}`, which is acted upon"
        if self._options is not None:
            return self._options.code_context or f"where `{self._options.name}` expects its script"
        if self._wrapper is not None and self._has_xargs:
            return "where `xargs` expects options or a command"
        if self._unknown_program:
            return "after a program that is not written out"
        return self._context_in_mode(word, assignment is not None)

    def _context_in_mode(self, word: Word, is_assignment: bool) -> str | None:
        previous = self._previous
        match self._mode:
            case "env" if not is_assignment:
                return "where `env` expects options or a command"
            case "export" if not is_assignment:
                return "where a variable is named"
            case "printf":
                return "in the format of `printf`"
            case "test" if previous is None or not previous.is_literal or previous.text not in TEST_OPERATORS:
                return "where `test` could take it for an operator's name of a variable"
            case "find" if previous is not None and not previous.is_literal:
                return "where `find` could take it for an action"
        return None

    def take(self, word: Word) -> None:
        """Learn from a word for those behind it."""
        is_command = self._in_command_position or (self._wrapper is not None and self._wrapper.is_command(word))
        follows_reserved = self._previous is not None and self._previous.text in RESERVED
        if self._wrapper is not None:
            self._take_after_wrapper(word, is_command)
        self._take_anywhere(word, is_command or follows_reserved)
        if is_command or follows_reserved:
            self._take_as_command(word)
        else:
            self._take_as_argument(word)
        self._previous = word

    def _take_anywhere(self, word: Word, is_command: bool) -> None:
        """Programs that run their arguments are feared wherever they stand: `docker run x sh -c`, `timeout 5 ssh`."""
        if self._options is not None and not self._is_script(word):
            return
        name = word.name
        if not (name == "xargs" and is_command):
            self._block_if(name in EVALUATING_PROGRAMS, word)
        self._has_xargs = self._has_xargs or name in ("xargs", "parallel")
        found = None if name is None else interpreter_called(name)
        if name is not None and found is not None and (found.anywhere or is_command or self._is_wrapped):
            self._options = ScriptOptions(name, found)
            self.runs_stdin = True
            self._is_settled = self._is_settled or is_command
        if name == "env":
            self._set_mode("env")
            self._skips_value = False
        self.runs_stdin = self.runs_stdin or name in ("parallel", "at", "batch")

    def _is_script(self, word: Word) -> bool:
        """Whether a word behind an interpreter is its script, written out; options that are not known block."""
        assert self._options is not None, "asked behind an interpreter only"
        name, step = self._options.name, self._options.take(word)
        match step:
            case "more":
                return False
            case "script":
                self._options = None
                self.runs_stdin = word.text.startswith(STANDARD_INPUT)
                return True
            case "stdin" | "arguments":
                self._options = None
                self.runs_stdin = step == "stdin" or self._has_xargs
            case "code":
                self.runs_stdin = self._has_xargs
                self._block(f"behind the code that `{name}` runs")
            case "harmless":
                self.runs_stdin = self._has_xargs
                self._block(f"after an option of `{name}`")
            case "hole":
                self._block(f"where `{name}` expects its script")
            case "unknown":
                self._block(f"after an option of `{name}`")
            case "module":
                self._block("in an argument of a module that runs it")
        return False

    def _take_after_wrapper(self, word: Word, is_command: bool) -> None:
        """Options and operands of a wrapper; one that is not known makes it run what comes, wherever that stands."""
        assert self._wrapper is not None, "asked behind a wrapper only"
        if is_command:
            self._wrapper = None
        elif not self._wrapper.take(word):
            self._wrapper, self._is_wrapped = None, True
            if self._has_xargs:
                self._block("in an argument of `xargs`")

    def _take_as_command(self, word: Word) -> None:
        text = word.text
        if self._mode == "env":
            self._take_after_env(word)
            return
        if text in RESERVED or text in PREFIXES or ASSIGNMENT.match(text) or text.startswith("-"):
            return
        self._in_command_position = False
        if word.name is None:
            self._block("after a command that is not written out")
            self.runs_stdin = self.runs_stdin or HOLE in text
            return
        self._take_name(word)
        if word.name in COMMAND_MODES:
            self._set_mode(COMMAND_MODES[word.name])

    def _take_name(self, word: Word) -> None:
        self._is_wrapped = self._is_wrapped or word.name in RUNNERS
        self._block_if(word.name in EVALUATING_BUILTINS or word.name in EVALUATING_COMMANDS, word)
        if word.name in WRAPPERS:
            self._wrapper = WrapperOptions(WRAPPERS[word.name])

    def _take_as_argument(self, word: Word) -> None:
        if self._mode == "printf" and word.text != "--":
            self._block_if(word.text.startswith("-") or not word.is_literal, word)
            self._mode = ""
        elif self._mode == "find":
            self._block_if(word.text in FIND_RUNS, word)
        elif self._mode == "env":
            self._take_after_env(word)
        self.runs_stdin = self.runs_stdin or (self.blocked is not None and word.text.startswith(STANDARD_INPUT))
        if self._is_wrapped:
            self._block_if(word.name in EVALUATING_COMMANDS, word)
            if HOLE in word.text and not ASSIGNMENT.match(word.text) and not self._is_settled:
                self._unknown_program = True
            elif PROGRAM.fullmatch(word.text):
                self._unknown_program = False

    def _take_after_env(self, word: Word) -> None:
        text = word.text
        if self._skips_value:
            self._skips_value = False
        elif text in ("-u", "-C"):
            self._skips_value = True
        elif _is_flag_of_env(word) or ASSIGNMENT.match(text) or word.name == "env":
            return
        elif text.startswith("-") or word.name is None:
            self._block("after an option of `env`")
        else:
            self._mode = ""
            self._in_command_position = False
            self._take_name(word)
            self._is_settled = self._is_settled or self._options is not None

    def _set_mode(self, mode: str) -> None:
        if self._mode not in ("", mode):
            self._block("after two commands in one")
        self._mode = mode
        self.runs_stdin = self.runs_stdin or (self._has_xargs and mode in ("env", "find"))

    def _block_if(self, condition: bool, word: Word) -> None:
        if condition:
            self._block(f"in an argument of `{word.name}`" if word.name else "after an argument that is not known")
            self.runs_stdin = self.runs_stdin or self._has_xargs

    def _block(self, context: str) -> None:
        self.blocked = self.blocked or context


def _is_flag_of_env(word: Word) -> bool:
    return word.text in ("-i", "-", "-0", "--") or (word.is_literal and word.text.startswith(("--unset=", "--chdir=")))
