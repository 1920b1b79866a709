"""What the words of one simple command do with their arguments: take them as data, or run them.

Source: decision 9. The tables are short on purpose: a command that is not in them is taken to treat its arguments as
data, a command that cannot be known is not.
"""

from collections.abc import Sequence
from re import ASCII
from re import compile as compile_pattern
from typing import NamedTuple

HOLE = "\0"
"""Stands in a word's text for a value."""
EXPANSION = "\1"
"""Stands in a word's text for anything that the shell puts there."""

ASSIGNMENT = compile_pattern(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=", ASCII)
PROGRAM = compile_pattern(r"[A-Za-z./][^\0\1]*")

RESERVED = frozenset({
    "if", "then", "elif", "else", "do", "while", "until", "!", "{", "}", "time", "fi", "done", "esac",
})  # fmt: skip
PREFIXES = frozenset({"command", "builtin", "exec"})
WRAPPERS = frozenset({
    "sudo", "doas", "nohup", "nice", "timeout", "setsid", "stdbuf", "ionice", "taskset", "chrt", "unshare", "flock",
    "strace", "chroot", "srun", "mpirun", "mpiexec", "docker", "podman", "conda", "xvfb-run", "busybox", "toybox",
})  # fmt: skip
EVALUATING_BUILTINS = frozenset({
    "eval", "let", "declare", "typeset", "local", "read", "mapfile", "readarray", "trap", "unset", "alias", "coproc",
    "wait", "getopts", "enable", "compgen", "complete", "compopt", "bind", "fc", "history", "jobs", "hash", "function",
    "source", ".",
})  # fmt: skip
EVALUATING_PROGRAMS = frozenset({"ssh", "xargs", "parallel", "sed", "gsed", "awk", "gawk", "mawk", "nawk"})
"""Run their arguments, or read them in a language that can run things; also as arguments of other commands."""
EVALUATING_COMMANDS = frozenset({
    "make", "gmake", "watch", "su", "script", "node", "nodejs", "php", "lua", "Rscript", "R", "tclsh", "expect", "gdb",
    "at", "batch", "m4", "ed", "ex", "vi", "vim", "osascript", "runuser", "start-stop-daemon", "screen", "tmux",
})  # fmt: skip
PLAIN_SHELLS = frozenset({"sh", "bash", "dash"})
SHELLS = PLAIN_SHELLS | frozenset({"zsh", "ksh", "mksh", "ash", "rbash", "fish", "csh", "tcsh", "pwsh"})
INTERPRETER = compile_pattern(r"(?:python|pypy)[0-9.]*w?|perl[0-9.]*|ruby[0-9.]*", ASCII)
FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
TEST_OPERATORS = frozenset({
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "-a", "-o", "!", "(",
    "-n", "-z", "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-p", "-r", "-s", "-t", "-u", "-w", "-x", "-G", "-L",
    "-N", "-O", "-S", "[", "test",
})  # fmt: skip
EVALUATED_VARIABLES = frozenset({
    "BASH_ENV", "ENV", "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT_COMMAND", "RANDOM", "SRANDOM", "SECONDS", "LINENO",
    "HISTCMD", "EPOCHSECONDS", "EPOCHREALTIME", "BASHPID", "BASH_SUBSHELL", "BASH_ALIASES", "BASH_CMDS", "OPTIND",
    "EUID", "UID", "PPID", "LD_PRELOAD", "LD_AUDIT", "MAILPATH", "IFS", "SHELLOPTS", "BASHOPTS",
})  # fmt: skip
"""Variables whose value a shell or the loader acts upon."""

FLAGS = {"python": "bBdEiIOPqsSuvx", "shell": "abefhklmnprtuvxBCEHPT"}
"""Single letters that take no value, so that what follows is the script."""
HARMLESS_OPTIONS = frozenset({"--version", "--help", "-V", "-h"})
STANDARD_INPUT = ("/dev/stdin", "/dev/fd/", "/proc/")
LONG_FLAGS = frozenset({"--login", "--posix", "--norc", "--noprofile", "--"})


MAX_WORD = 4096
COMMAND_MODES = {
    "test": "test", "[": "test", "printf": "printf", "export": "export", "readonly": "export", "find": "find",
}  # fmt: skip


NOT_WRITTEN_OUT = frozenset(HOLE + EXPANSION + "{*?[")


class Word:
    """A word as far as it is known: its text without quotes, and the holes in it and in substitutions within it."""

    __slots__ = ("holes", "nested", "quoted", "refused", "text")

    def __init__(self) -> None:
        self.text = ""
        self.quoted = False
        self.holes: list[int] = []
        self.nested: list[int] = []
        self.refused: list[tuple[int, str]] = []

    def add(self, text: str) -> None:
        """Text up to a length that no command's name has; what is longer is not known any more."""
        if len(self.text) <= MAX_WORD:
            self.text += text if len(text) <= MAX_WORD else EXPANSION

    @property
    def name(self) -> str | None:
        """The last part of the path that the word is, if that part is written out."""
        name = self.text.rpartition("/")[2]
        return name if name in ("[", "[[", "{") or NOT_WRITTEN_OUT.isdisjoint(name) else None

    @property
    def is_literal(self) -> bool:
        return HOLE not in self.text and EXPANSION not in self.text


class WordContexts(NamedTuple):
    """The context of each hole (None: bare); the holes of substitutions that are not, and why."""

    contexts: list[tuple[int, str | None]]
    nested: list[int]
    nested_context: str
    runs_stdin: bool


def judge(words: Sequence[Word]) -> WordContexts:
    """What becomes of the holes in the words of one simple command."""
    command = _Command()
    contexts: list[tuple[int, str | None]] = []
    nested: list[int] = []
    for word in words:
        context = command.context_of(word)
        contexts += [(index, context) for index in word.holes]
        if context is not None:
            nested += word.nested
        command.take(word)
    return WordContexts(contexts, nested, command.blocked or "in an argument that is run", command.runs_stdin)


class _Command:
    """Reads the words of a simple command from left to right and remembers what it has to fear."""

    def __init__(self) -> None:
        self.blocked: str | None = None
        self.runs_stdin = False
        self._in_command_position = True
        self._is_wrapped = False
        self._unknown_program = False
        self._interpreter: str | None = None
        self._skips_value = False
        self._has_xargs = False
        self._mode = ""
        self._previous: Word | None = None

    def context_of(self, word: Word) -> str | None:
        """Where a hole in the next word would stand; None if the word is data."""
        if self.blocked is not None:
            return self.blocked
        assignment = ASSIGNMENT.match(word.text)
        if assignment and assignment[1] in EVALUATED_VARIABLES:
            return f"in the value of `{assignment[1]}`, which is acted upon"
        if self._interpreter is not None:
            return f"where `{self._interpreter}` expects its script"
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
        is_command = self._in_command_position
        follows_reserved = self._previous is not None and self._previous.text in RESERVED
        self._take_anywhere(word)
        if is_command or follows_reserved:
            self._take_as_command(word)
        else:
            self._take_as_argument(word)
        self._previous = word

    def _take_anywhere(self, word: Word) -> None:
        """Programs that run their arguments are feared wherever they stand: `docker run x sh -c`, `timeout 5 ssh`."""
        if self._interpreter is not None and not self._is_script(word):
            return
        name = word.name
        self._block_if(name in EVALUATING_PROGRAMS, word)
        self._has_xargs = self._has_xargs or name in ("xargs", "parallel")
        if name is not None and (name in SHELLS or INTERPRETER.fullmatch(name)):
            self._interpreter, self._skips_value, self.runs_stdin = name, False, True
        if name == "env":
            self._set_mode("env")
            self._skips_value = False
        self.runs_stdin = self.runs_stdin or name in ("parallel", "at", "batch")

    def _is_script(self, word: Word) -> bool:
        """Whether a word behind an interpreter is its script, written out; options that are not known block."""
        if self._skips_value or word.text in LONG_FLAGS:
            self._skips_value = False
            return False
        if word.text[:1] in ("-", "+"):
            self._take_option(word)
            return False
        if word.name is None:
            self._block(f"where `{self._interpreter}` expects its script")
            return False
        self._interpreter = None
        self.runs_stdin = word.text.startswith(STANDARD_INPUT)
        return True

    def _take_option(self, word: Word) -> None:
        interpreter = self._interpreter or ""
        letters = word.text[1:]
        if interpreter in PLAIN_SHELLS:
            known = FLAGS["shell"]
            self._skips_value = letters == "o"
        else:
            known = FLAGS["python"] if interpreter.startswith(("python", "pypy")) else ""
            self._skips_value = False
        is_module = letters == "m" and known == FLAGS["python"]
        if self._skips_value or is_module or (letters and set(letters) <= set(known)):
            return
        has_code = "c" in letters and not letters.startswith("-")
        self.runs_stdin = self._has_xargs or not (has_code or word.text in HARMLESS_OPTIONS)
        self._block(f"after an option of `{interpreter}`")

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
        self._is_wrapped = self._is_wrapped or word.name in WRAPPERS
        self._block_if(word.name in EVALUATING_BUILTINS or word.name in EVALUATING_COMMANDS, word)
        if word.name in COMMAND_MODES:
            self._set_mode(COMMAND_MODES[word.name])

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
            if HOLE in word.text and not ASSIGNMENT.match(word.text):
                self._unknown_program = True
            elif PROGRAM.fullmatch(word.text):
                self._unknown_program = False

    def _take_after_env(self, word: Word) -> None:
        text = word.text
        if self._skips_value:
            self._skips_value = False
        elif text == "-u":
            self._skips_value = True
        elif text in ("-i", "-", "-0", "--") or ASSIGNMENT.match(text) or word.name == "env":
            return
        elif text.startswith("-") or word.name is None:
            self._block("after an option of `env`")
        else:
            self._mode = ""
            self._in_command_position = False
            self._is_wrapped = self._is_wrapped or word.name in WRAPPERS
            self._block_if(word.name in EVALUATING_COMMANDS, word)

    def _set_mode(self, mode: str) -> None:
        if self._mode not in ("", mode):
            self._block("after two commands in one")
        self._mode = mode

    def _block_if(self, condition: bool, word: Word) -> None:
        if condition:
            self._block(f"in an argument of `{word.name}`" if word.name else "after an argument that is not known")

    def _block(self, context: str) -> None:
        self.blocked = self.blocked or context
