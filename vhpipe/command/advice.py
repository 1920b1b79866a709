"""What to do about a placeholder whose value would not be taken literally where it stands."""

_ADVICE = (
    ("inside double quotes", "make it a separate word outside the quotes", "write `${variable}` inside them"),
    ("inside single quotes", "make it a separate word outside the quotes", "{read}"),
    ("inside backticks", "write `$(…)` in place of the backticks", ""),
    ("inside `[[ ]]`", "write `[ … ]` in place of `[[ … ]]`", "{read}"),
    ("in arithmetic", "let a program calculate, such as `expr {mention} + 1`", ""),
    ("in a comment", "remove it from the comment", ""),
    ("on the line where", "put it before the `<<`", "{read}"),
    ("in the format of `printf`", "write a format before it: `printf '%s' {mention}`", ""),
    ("where `env` expects", "put it behind the name of the command", "{read}"),
    ("where `xargs` expects", "put it behind the name of the command", "{read}"),
    ("where `test` could", "compare it with something: `[ {mention} = … ]`", ""),
    ("after a command that is not", "write out the name of the command", "{read}"),
    ("after a program that is not", "{read}", ""),
    ("where it is unclear", "put it into a simple command on a line of its own", "{read}"),
)  # fmt: skip
"""How a context begins, what can be done about it, and what else; `{read}` is the way by the variable."""
_SHELL_CODE = "write the command as an item of its own, for a shell runs every item already"
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh")


def advice_for(context: str, mention: str, variable: str) -> str:
    """The end of a sentence about a placeholder, whose variable is empty if it stands for all parameters."""
    read = f"read the variable `{variable}`" if variable else "read the values from `$VH_CONFIG_DIR/parameters.json`"
    ways = next((row[1:] for row in _ADVICE if context.startswith(row[0])), None) or _ways_with_programs(context)
    filled = (
        way.format(mention=mention, variable=variable, read=read) for way in ways if variable or "{var" not in way
    )
    return ", or ".join(filter(None, filled))


def _ways_with_programs(context: str) -> tuple[str, ...]:
    """Contexts that name a program, in backquotes."""
    program = context.partition("`")[2].partition("`")[0]
    if "code that" in context:
        return (_SHELL_CODE, "{read}") if program in _SHELLS else ("{read} in that code",)
    if context.endswith("expects its script"):
        return (f"write out the script that `{program}` is to run, and put it behind that",)
    if context.startswith("after an option of"):
        return (f"put it behind the script that `{program}` runs, without options that vhpipe does not know", "{read}")
    return ("{read}",)
