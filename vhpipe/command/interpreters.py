"""Interpreters and wrappers: which of their options take a value, which take code, and where the script stands.

What is not in these tables is not known, and who asks has to assume the worst. No patterns here: `validate` reads it.
Source: decision 9.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

Role = Literal["flag", "value", "code", "code-here", "module", "script", "stdin", "end", "harmless", "unknown"]
"""What a word before the script is: an option by itself, one whose value is the next word, one whose next word is code
or that has code in it, one whose next word is a module, the script, standard input as the script, the end of options,
a question that runs nothing, or an option that is not known.
"""


class Interpreter(NamedTuple):
    """One language. Letters are those of short options; `attached` take the rest of the word, `digits` only digits.

    `takes_equals`: every `--option=value` is known to be one word. `is_one_letter`: letters do not stand together.
    `code_ends`: behind code all is data, while others go on to look for options there. `anywhere`: the name is feared
    as an argument of other programs too. `starts`: the word before which nothing is read, such as `run` of `deno`.
    """

    flags: str = ""
    values: str = ""
    attached: str = ""
    digits: str = ""
    code: str = ""
    module: str = ""
    long_flags: frozenset[str] = frozenset()
    long_values: frozenset[str] = frozenset()
    long_code: frozenset[str] = frozenset()
    takes_equals: bool = False
    is_one_letter: bool = False
    code_ends: bool = False
    anywhere: bool = False
    starts: str = ""
    suffixes: tuple[str, ...] = ()


_PYTHON = Interpreter(
    flags="bBdEiIOPqsSuvx", values="WX", code="c", module="m", code_ends=True, anywhere=True,
    long_values=frozenset({"check-hash-based-pycs"}), suffixes=(".py",),
)  # fmt: skip
_SHELL = Interpreter(
    flags="abefhklmnprtuvxBCEHPT", values="oO", code="c", anywhere=True,
    long_flags=frozenset({"login", "posix", "norc", "noprofile"}), suffixes=(".sh", ".bash"),
)  # fmt: skip
_OTHER_SHELL = Interpreter(code="c", anywhere=True)
_SHELLS = (_SHELL, _OTHER_SHELL)
_PERL = Interpreter(
    flags="ctTuUwWX", values="I", attached="CmM", digits="0l", code="eE", anywhere=True, suffixes=(".pl",)
)
_RUBY = Interpreter(
    flags="vwU", values="IrEC", digits="W", code="e", anywhere=True,
    long_flags=frozenset({"jit", "yjit", "verbose"}), takes_equals=True, suffixes=(".rb",),
)  # fmt: skip
_NODE = Interpreter(
    values="rC", code="ep",
    long_flags=frozenset({
        "inspect", "inspect-brk", "expose-gc", "no-warnings", "no-deprecation", "trace-warnings", "trace-uncaught",
        "trace-deprecation", "enable-source-maps", "preserve-symlinks", "throw-deprecation",
        "abort-on-uncaught-exception",
        "experimental-vm-modules", "experimental-strip-types", "experimental-fetch", "harmony", "track-heap-objects",
    }),
    long_values=frozenset({"require", "import", "loader", "conditions", "input-type", "title"}),
    long_code=frozenset({"eval", "print"}), takes_equals=True, is_one_letter=True, suffixes=(".js", ".mjs", ".cjs"),
)  # fmt: skip
_PHP = Interpreter(flags="nqC", values="cdz", code="rRBEF", suffixes=(".php",))
_RSCRIPT = Interpreter(
    code="e", takes_equals=True, suffixes=(".R", ".r"),
    long_flags=frozenset({
        "vanilla", "slave", "no-echo", "verbose", "no-save", "no-restore", "no-init-file", "no-site-file",
        "no-environ", "save", "restore", "quiet", "silent", "encoding",
    }),
)  # fmt: skip
_JULIA = Interpreter(
    flags="qi", values="JLtpC", attached="Og", code="eE", takes_equals=True, suffixes=(".jl",),
    long_flags=frozenset({"project", "quiet", "lisp"}), long_values=frozenset({"threads", "procs", "load", "sysimage"}),
    long_code=frozenset({"eval", "print"}),
)  # fmt: skip
_LUA = Interpreter(flags="iEvW", values="l", code="e", suffixes=(".lua",))
_DENO = Interpreter(
    flags="Aqr", takes_equals=True, starts="run", suffixes=(".ts", ".js"),
    long_flags=frozenset({
        "allow-all", "allow-read", "allow-write", "allow-net", "allow-env", "allow-run", "allow-sys", "quiet",
        "no-check", "cached-only", "no-remote", "unstable",
    }),
)  # fmt: skip

INTERPRETERS: dict[str, Interpreter] = {
    **dict.fromkeys(("sh", "bash", "dash"), _SHELL),
    **dict.fromkeys(
        ("zsh", "ksh", "mksh", "ash", "rbash", "fish", "csh", "tcsh", "pwsh"), _OTHER_SHELL
    ),
    "perl": _PERL,
    "ruby": _RUBY,
    "node": _NODE,
    "nodejs": _NODE,
    "php": _PHP,
    "Rscript": _RSCRIPT,
    "julia": _JULIA,
    "lua": _LUA,
    "luajit": Interpreter(code="e", values="l"),
    "tclsh": Interpreter(suffixes=(".tcl",)),
    "deno": _DENO,
    "bun": Interpreter(starts="run", takes_equals=True),
    "ipython": Interpreter(code="c", takes_equals=True, suffixes=(".py",)),
}  # fmt: skip
_FAMILIES = (("python", _PYTHON), ("pypy", _PYTHON), ("perl", _PERL), ("ruby", _RUBY), ("lua", _LUA), ("php", _PHP))
"""Names that a version may follow: `python3.11`."""
_QUESTIONS = frozenset({"--version", "--help", "-V", "-h"})


class Wrapper(NamedTuple):
    """A program that runs the one behind it, as long as all before it is known.

    `operands` stand between its options and the command; `starts` is a word of its own that begins it all. `words` are
    options that take a value and are no letters.
    """

    flags: str = ""
    values: str = ""
    attached: str = ""
    long_flags: frozenset[str] = frozenset()
    long_values: frozenset[str] = frozenset()
    operands: int = 0
    starts: str = ""
    words: frozenset[str] = frozenset()


_CONDA = Wrapper(
    values="np", flags="v", starts="run",
    long_flags=frozenset({"no-capture-output", "live-stream", "verbose", "dev"}),
    long_values=frozenset({"name", "prefix", "cwd"}),
)  # fmt: skip
_RUN = Wrapper(starts="run")
_MPI = Wrapper(
    long_flags=frozenset({"allow-run-as-root", "oversubscribe", "verbose"}),
    words=frozenset({
        "-n", "-np", "-c", "-H", "-host", "-hostfile", "-x", "--host", "--hostfile", "--bind-to", "--map-by",
    }),
)  # fmt: skip
WRAPPERS: dict[str, Wrapper] = {
    "nice": Wrapper(values="n", attached="0123456789", long_values=frozenset({"adjustment"})),
    "timeout": Wrapper(
        flags="v", values="ks", operands=1, long_values=frozenset({"kill-after", "signal"}),
        long_flags=frozenset({"foreground", "preserve-status", "verbose"}),
    ),
    "nohup": Wrapper(),
    "setsid": Wrapper(flags="cfw", long_flags=frozenset({"ctty", "fork", "wait"})),
    "stdbuf": Wrapper(values="ioe", long_values=frozenset({"input", "output", "error"})),
    "ionice": Wrapper(flags="t", values="cn", long_values=frozenset({"class", "classdata"})),
    "taskset": Wrapper(flags="c", operands=1),
    "xargs": Wrapper(
        flags="0oprtx", values="adEILnPs", attached="eil",
        long_flags=frozenset({"null", "no-run-if-empty", "verbose", "exit", "open-tty", "interactive"}),
        long_values=frozenset({"arg-file", "delimiter", "max-args", "max-procs", "max-chars"}),
    ),
    "conda": _CONDA,
    "mamba": _CONDA,
    "micromamba": _CONDA,
    "poetry": _RUN,
    "pipenv": _RUN,
    "uv": Wrapper(
        values="pw", flags="qv", starts="run",
        long_flags=frozenset({"frozen", "locked", "no-sync", "isolated", "no-project", "active", "no-dev", "offline"}),
        long_values=frozenset({
            "python", "with", "with-requirements", "with-editable", "project", "directory", "package", "extra", "group",
            "env-file", "index-url", "index", "default-index", "cache-dir",
        }),
    ),
    "mpirun": _MPI,
    "mpiexec": _MPI,
    "horovodrun": _MPI,
    "srun": Wrapper(values="nNcptJAwGD", flags="luvqQ", long_flags=frozenset({"exclusive", "label", "unbuffered"})),
}  # fmt: skip
"""Those that are known exactly. Others that run what stands behind them are in `shell_words`."""


@lru_cache(maxsize=1 << 10)
def interpreter_called(name: str) -> Interpreter | None:
    """The interpreter of this name, which may have a version in it; None if it is none."""
    found = INTERPRETERS.get(name)
    if found is not None:
        return found
    for start, interpreter in _FAMILIES:
        rest = name[len(start) :]
        if name.startswith(start) and not rest.rstrip("w").strip("0123456789."):
            return interpreter
    return None


def role_of(word: str, of: Interpreter | Wrapper) -> Role:
    """What a word that is written out means where options may stand; of a wrapper its command is the script."""
    if word == "--":
        return "end"
    if isinstance(of, Wrapper) and word in of.words:
        return "value"
    if word == "-":
        return "stdin" if isinstance(of, Interpreter) and of not in _SHELLS else "unknown"
    if word in _QUESTIONS and isinstance(of, Interpreter) and word[1:] not in (*of.flags, *of.values):
        return "harmless"
    if word.startswith("--"):
        return _role_of_long(word[2:], of)
    if word[:1] == "+" and of is _SHELL:
        return _role_of_letters(word[1:], of)
    return _role_of_letters(word[1:], of) if word[:1] in ("-", "+") and len(word) > 1 else "script"


def _role_of_long(word: str, of: Interpreter | Wrapper) -> Role:
    name, equals, _ = word.partition("=")
    if isinstance(of, Interpreter) and name in of.long_code:
        return "code-here" if equals else "code"
    if name in of.long_values:
        return "flag" if equals else "value"
    if isinstance(of, Interpreter):
        return "flag" if name in of.long_flags or (equals and of.takes_equals) else "unknown"
    return "flag" if equals or name in of.long_flags else "unknown"


def _role_of_letters(letters: str, of: Interpreter | Wrapper) -> Role:
    """Of letters in one word the first that takes a value takes the rest, or the next word if there is no rest.

    Shells read the values of all letters from the words behind.
    """
    place, last = -1, len(letters) - 1
    if isinstance(of, Interpreter) and of.is_one_letter and last > 0:
        return "unknown"
    while place < last:
        place += 1
        letter, is_last = letters[place], place == last
        if letter in of.flags:
            continue
        if isinstance(of, Interpreter) and letter in of.digits:
            while place < last and letters[place + 1] in "0123456789":
                place += 1
            continue
        if letter in of.attached:
            return "flag"
        if letter in of.values:
            if of is _SHELL and not is_last:
                return "unknown"
            return "value" if is_last else "flag"
        if isinstance(of, Interpreter) and letter in of.module:
            return "module" if is_last else "script"
        if isinstance(of, Interpreter) and letter in of.code:
            return "code" if is_last or of is _SHELL else "code-here"
        return "unknown"
    return "flag"


def is_shell(of: Interpreter) -> bool:
    """Whether the code of the interpreter is shell code."""
    return of in _SHELLS
