"""The command of an execution, and what keeps it from being run as it is.

Sources: decisions 8, 9 and 10.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from re import ASCII
from re import compile as compile_pattern
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.command.script_text import CHECK, shebang
from vhpipe.command.substitution import Mention, Substitution, mentions, without_unset
from vhpipe.command.substitution import pass_as_problem as pass_as_problem
from vhpipe.config.model import Parameter, Value

if TYPE_CHECKING:
    from vhpipe.command.shell_places import QuotingContext

MAX_VALUE_BYTES = 64 * 1024
MAX_SCRIPT_BYTES = 1024 * 1024
SAFE = compile_pattern(r"[\w@%+=:,./-]+(?: [\w@%+=:,./-]+)*", ASCII)
"""Text that `shlex.quote` leaves as it is: one word, or several between single blanks."""
SHELL_LINE = compile_pattern(r"(?:\S*/)?(?:env[ \t]+)?(?:\S*/)?(?:sh|bash|dash)(?:[ \t]+-[a-z]+)?")
FOREIGN = "in a script that no shell reads"


class Placeholder(NamedTuple):
    """A placeholder in a command item. `name` is a parameter's, empty for `{parameters}` and `{source-path}`.

    `kind` is `parameters`, `parameter`, `parameter-value` or `source-path`; `context` says where it stands if it is not
    a bare word.
    """

    start: int
    end: int
    text: str
    kind: str
    name: str
    bare: bool
    context: str | None


class InterpolationProblem(NamedTuple):
    """Why a command is refused; `start` and `end` count characters of the item. `parameter` may be empty."""

    item: int
    start: int
    end: int
    parameter: str
    context: str
    message: str
    hint: str | None = None

    @property
    def sentence(self) -> str:
        """Message and hint in one."""
        return f"{self.message}: {self.hint}" if self.hint else self.message


def build_command(
    command: Sequence[str], parameters: Sequence[Parameter], values: Mapping[str, Value], source_path: str | None = None
) -> tuple[str, ...]:
    """The command items with their placeholders replaced.

    `values` complete the parameters' defaults, other than those of flags, which the caller applies; None takes a value
    away. Placeholders that name nothing stay as they are. Raises ValueError for values that no command can have.
    """
    substitution = Substitution(parameters, values, source_path)
    return tuple(substitution.into(item) for item in command)


def placeholders(item: str) -> tuple[Placeholder, ...]:
    """The placeholders of one command item, looked at by itself; they may name parameters that do not exist."""
    (found,) = script_placeholders((item,))
    return found


def script_placeholders(items: Sequence[str]) -> tuple[tuple[Placeholder, ...], ...]:
    """The placeholders of each item of a script; what an item leaves open goes on in the next."""
    written = [list(mentions(item)) for item in items]
    surrounding = iter(_contexts(items, written))
    return tuple(tuple(_placeholder(mention, next(surrounding).context) for mention in each) for each in written)


def interpolation_problems(
    command: Sequence[str], parameters: Sequence[Parameter], values: Mapping[str, Value], source_path: str | None = None
) -> tuple[InterpolationProblem, ...]:
    """Why this command may not be built with these values; empty if it may.

    A placeholder that is not a bare word takes only values that the shell reads as they stand. Values that are not
    there yet are not looked at: their placeholders stay as they are.
    """
    return checked_command(command, parameters, values, source_path)[1]


def checked_command(
    command: Sequence[str], parameters: Sequence[Parameter], values: Mapping[str, Value], source_path: str | None = None
) -> tuple[tuple[str, ...], tuple[InterpolationProblem, ...]]:
    """What `build_command` makes of a command, without a problem; else why it may not be built, and no items.

    What has the value None is not passed.
    """
    substitution = Substitution(*without_unset(parameters, values), source_path)
    problems = _problems(command, substitution)
    if problems:
        return (), problems
    built = tuple(substitution.into(item) for item in command)
    problems = tuple(_size_problems(command, built))
    return (() if problems else built), problems


def _problems(command: Sequence[str], substitution: Substitution) -> tuple[InterpolationProblem, ...]:
    """Those of single values and of the places where they stand."""
    written, problems = [], []
    for index, item in enumerate(command):
        replaced = []
        for mention in mentions(item):
            problem = _value_problem(substitution, index, mention)
            if problem is not None:
                problems.append(problem)
            elif substitution.arguments(mention) is not None:
                replaced.append(mention)
        written.append(replaced)
    if problems:
        return tuple(problems)
    return tuple(_context_problems(command, written, substitution))


def variable_names(parameters: Sequence[Parameter]) -> dict[str, str]:
    """The environment variable of each parameter, by the parameter's name."""
    return {parameter.name: variable_name(parameter.name) for parameter in parameters}


def clashing_variable_names(parameters: Sequence[Parameter]) -> dict[str, tuple[str, ...]]:
    """Environment variables that several parameters would have, with the names of these."""
    owners: dict[str, list[str]] = {}
    for name, variable in variable_names(parameters).items():
        owners.setdefault(variable, []).append(name)
    return {variable: tuple(names) for variable, names in owners.items() if len(names) > 1}


@lru_cache(maxsize=1024)
def variable_name(name: str) -> str:
    """The environment variable of a parameter."""
    characters = (char if char.isascii() and char.isalnum() else "_" for char in name.upper())
    return "VH_PARAM_" + "".join(characters)


def _placeholder(mention: Mention, context: str | None) -> Placeholder:
    return Placeholder(*mention, context is None, context)


# ── contexts ─────────────────────────────────────────────────────────────────────────────────────────


def _contexts(items: Sequence[str], written: Sequence[Sequence[Mention]]) -> "tuple[QuotingContext, ...]":
    """Where each placeholder stands in the script that the items make."""
    return _contexts_once(tuple(items), tuple(map(tuple, written)))


@lru_cache(maxsize=64)  # the executions of a sweep share their command
def _contexts_once(items: tuple[str, ...], written: tuple[tuple[Mention, ...], ...]) -> "tuple[QuotingContext, ...]":
    if not any(written):
        return ()
    from vhpipe.command.shell_places import QuotingContext, surroundings  # their patterns cost time at each start
    from vhpipe.command.shell_quoting import Hole

    interpreter = shebang(items)
    if interpreter is not None and not SHELL_LINE.fullmatch(interpreter):
        return tuple(QuotingContext(FOREIGN) for each in written for _ in each)
    parts: list[str] = []
    holes, length = [], 0
    for item, each in zip(items, written, strict=True):
        body = item.strip()
        if not body:
            continue
        shift = length - (len(item) - len(item.lstrip()))
        holes += [Hole(mention.start + shift, mention.end + shift, _may_vanish(mention)) for mention in each]
        parts += (body, f"\n{CHECK}\n")
        length += len(body) + len(parts[-1])
    return surroundings("".join(parts[:-1]), holes)


def _may_vanish(mention: Mention) -> bool:
    return mention.kind in ("parameters", "parameter")


# ── problems ─────────────────────────────────────────────────────────────────────────────────────────


def _value_problem(substitution: Substitution, item: int, mention: Mention) -> InterpolationProblem | None:
    """A value that no command can have, wherever it stands."""
    try:
        words = substitution.arguments(mention) or ()
        fault = next(filter(None, map(_word_fault, words)), None)
    except ValueError as error:
        fault = str(error)
    if fault is None:
        return None
    return InterpolationProblem(item, mention.start, mention.end, mention.name, "", f"`{mention.text}`: {fault}")


def _word_fault(word: str) -> str | None:
    if "\0" in word:
        return "a value with a NUL character cannot be passed to a command"
    try:
        size = len(word.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return "a value with half a character (a lone surrogate) cannot be passed to a command"
    if size > MAX_VALUE_BYTES:
        return f"a value of {size} bytes is more than the {MAX_VALUE_BYTES} that a command may have; pass it as a file"
    return None


def _context_problems(
    command: Sequence[str], written: Sequence[Sequence[Mention]], substitution: Substitution
) -> Iterator[InterpolationProblem]:
    surrounding = iter(_contexts(command, written))
    for index, each in enumerate(written):
        for mention in each:
            context, delimiter = next(surrounding)
            text = substitution.text(mention)
            if context is not None and not _is_safe(text, delimiter):
                place = (index, mention.start, mention.end, mention.name)
                yield InterpolationProblem(*place, context, *_refusal(mention, context))


def _is_safe(text: str, delimiter: str | None) -> bool:
    """Whether the text means itself wherever it stands; in a here-document it could also end it."""
    return not text or (SAFE.fullmatch(text) is not None and (delimiter is None or text not in delimiter))


def _refusal(mention: Mention, context: str) -> tuple[str, str | None]:
    """Message and hint."""
    from vhpipe.command.advice import advice_for  # only where something is wrong

    subject = f"`{mention.text}` appears {context}, where some characters of its value would not be taken literally"
    variable = variable_name(mention.name) if mention.name else ""
    return subject, advice_for(context, mention.text, variable)


def _size_problems(command: Sequence[str], built: Sequence[str]) -> Iterator[InterpolationProblem]:
    size = 0
    for index, (item, text) in enumerate(zip(command, built, strict=True)):
        size += len(text.encode("utf-8", "surrogateescape")) + len(CHECK) + 2
        if size > MAX_SCRIPT_BYTES:
            message = f"the command has more than {MAX_SCRIPT_BYTES} bytes with its values"
            yield InterpolationProblem(index, 0, len(item), "", "", message)
            return
