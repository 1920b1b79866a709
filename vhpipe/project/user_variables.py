"""The user's environment variables for all executions, and the values of a plan's secrets."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.paths import DEFAULT_FILE
from vhpipe.errors import UsageError
from vhpipe.project.environment_files import fault_of_name, read_variables
from vhpipe.project.named_variables import VariablesOfSettings, variables_of_settings
from vhpipe.wording import did_you_mean, listed

if TYPE_CHECKING:
    from vhpipe.config.model import Config
    from vhpipe.plan.arguments import Arguments
    from vhpipe.plan.model import Plan
    from vhpipe.settings.run import RunSettings
    from vhpipe.store.project import ProjectStore
    from vhpipe.store.run_folder import RunFolder

_LONGEST_BYTES = 128 * 1024 - 1
"""Of `NAME=value`; a longer one the system refuses. Source: execve(2)."""


class VariableTexts(NamedTuple):
    """Variables as they were typed: `assignments` are NAME or NAME=VALUE, `files` have lines of the latter.

    `given` has those of a program by name, which stand on no command line.
    """

    assignments: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    secret_names: tuple[str, ...] = ()
    given: Mapping[str, str] = MappingProxyType({})


class UserVariables(NamedTuple):
    """`values` by name, the last one given. `typed` has the assignments `NAME=value` of the command line.

    `of_settings` are weaker than what steps declare, and not for all of them.
    """

    values: Mapping[str, str]
    secret_names: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    of_settings: VariablesOfSettings = VariablesOfSettings()

    @property
    def is_none(self) -> bool:
        return not (self.values or self.secret_names) and self.of_settings.is_none

    @property
    def all_values(self) -> Mapping[str, str]:
        """Those that are given, and, weaker, those that settings name."""
        return {**self.of_settings.values, **self.values}

    def in_arguments(self, arguments: "Arguments") -> "Arguments":
        """The arguments with these variables, secrets by their names only."""
        if self.is_none:
            return arguments
        import msgspec

        from vhpipe.plan.model import Literal
        from vhpipe.plan.secrets import environment_value

        variables = {name: environment_value(name, value, self.secret_names) for name, value in self.values.items()}
        named = self.of_settings.planned(self.secret_names)
        for name, value in (*variables.items(), *named.values.items()):
            if isinstance(value, Literal):
                _refuse_unwritable(name, value.text)
        return msgspec.structs.replace(
            arguments, environment_variables=variables, secret_names=self.secret_names, named=named
        )

    def hidden_values(self) -> tuple[str, ...]:
        """The values of secrets, which no message may show."""
        from vhpipe.plan.model import Secret
        from vhpipe.plan.secrets import environment_value

        declared = self.secret_names
        return tuple(
            value for name, value in (*self.of_settings.values.items(), *self.values.items())
            if isinstance(environment_value(name, value, declared), Secret)
        )

    def masked(self, word: str) -> str:
        """A word of the command line without the values of secrets."""
        from vhpipe.plan.model import Secret
        from vhpipe.plan.secrets import environment_value

        for assignment in sorted(self.typed, key=len, reverse=True):  # one may begin as another does
            name, _, value = assignment.partition("=")
            if value and isinstance(environment_value(name, value, self.secret_names), Secret):
                word = word.replace(assignment, f"{name}=***")
        return word

    def typed_secrets(self) -> tuple[str, ...]:
        """The names of secrets whose values stand on the command line, for all to see."""
        names = (assignment.partition("=")[0] for assignment in self.typed if self.masked(assignment) != assignment)
        return tuple(dict.fromkeys(names))


NO_VARIABLES = UserVariables(MappingProxyType({}))


def user_variables(
    texts: VariableTexts,
    environ: Mapping[str, str],
    of_settings: Mapping[str, str] = MappingProxyType({}),
    secrets_of_settings: Sequence[str] = (),
) -> UserVariables:
    """The variables that the texts give; a name alone has the value that the caller's environment has.

    Of equal names the last wins, those of -e over those of files, and both over settings.
    Errors: UsageError, which never shows a value.
    """
    secret_names = (*secrets_of_settings, *(_checked_name(name, "--secret") for name in texts.secret_names))
    values = {**_checked_settings(of_settings)}
    for file in texts.files:
        values |= read_variables(file)
    for assignment in texts.assignments:
        name, equals, value = assignment.partition("=")
        _checked_name(name, "-e")
        values[name] = value if equals else _value_here(name, environ)
    values |= _checked_given(texts.given)
    for name in secret_names:
        if name not in values and name in environ:
            values[name] = environ[name]
    for name, value in values.items():
        _refuse_long(name, value)
    return UserVariables(values, secret_names, tuple(each for each in texts.assignments if "=" in each))


def all_variables(texts: VariableTexts, environ: Mapping[str, str], settings: "RunSettings") -> UserVariables:
    """As `user_variables`, with everything that settings say of variables. Errors: UsageError."""
    given = user_variables(texts, environ, settings.variables, settings.secrets)
    return given._replace(of_settings=variables_of_settings(settings, environ))


def _checked_settings(variables: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in variables.items():
        fault = fault_of_name(name) or (f"the value of `{name}` has a NUL character" if "\0" in value else None)
        if fault:
            raise UsageError(f"`variables` in your own settings: {fault}")
    return variables


def _checked_given(variables: Mapping[str, object]) -> dict[str, str]:
    """Variables that a program gives: texts, as everything in an environment is."""
    found = {}
    for name, value in variables.items():
        fault = fault_of_name(str(name)) or ("its value must be a string" if not isinstance(value, str) else None)
        if fault or "\0" in str(value):
            raise UsageError(f"variable `{str(name)[:100]}`: {fault or 'its value has a NUL character'}")
        found[name] = str(value)
    return found


def _checked_name(name: str, by: str) -> str:
    fault = fault_of_name(name)
    if fault:
        raise UsageError(f"`{by}`: {fault}", f"{by} NAME" if by == "--secret" else f"{by} NAME or {by} NAME=VALUE")
    return name


def _value_here(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        known = [each for each in environ if fault_of_name(each) is None]
        hint = did_you_mean(name, known, f"set it, or give a value: -e {name}=VALUE")
        raise UsageError(f"`-e {name}`: `{name}` is not set here", hint)
    return environ[name]


def _refuse_long(name: str, value: str) -> None:
    size = len(name) + 1 + len(value.encode("utf-8", "surrogateescape"))
    if size > _LONGEST_BYTES:
        raise UsageError(f"variable `{name}` has {size:,} bytes, and the system allows {_LONGEST_BYTES:,}")


def _refuse_unwritable(name: str, value: str) -> None:
    """The plan is UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"the value of `{name}` is not UTF-8", f"pass it as a secret, which may be: --secret {name}"
        ) from None


# ── the values of secrets ────────────────────────────────────────────────────────────────────────


def known_secrets(
    plan: "Plan", config: "Config", given: Mapping[str, str], environ: Mapping[str, str]
) -> "KnownSecrets":
    """The values of all secrets of a plan by their HMACs, and what the user should hear of them.

    Errors: UsageError where the user has to name some.
    """
    from vhpipe.attempt.masking import can_be_masked
    from vhpipe.plan.secrets import secret_values, secrets_in
    from vhpipe.store.owner import secret_mac

    resolved = secret_values(plan, config, environ, given, partial(secret_mac, environ=environ))
    if resolved.missing:
        names = listed(resolved.missing)
        again = " ".join(f"-e {name}" for name in resolved.missing)
        raise UsageError(f"no value is known for {names}", f"set it and pass it on by name: {again}")
    readable = {secret.name for secret in secrets_in(plan) if not can_be_masked(resolved.values[secret.mac])}
    return KnownSecrets(resolved.values, (*_changed_notices(resolved.changed), *_readable_notices(sorted(readable))))


class KnownSecrets(NamedTuple):
    """`values` of secrets by their HMACs; `notices` are sentences for the user."""

    values: Mapping[str, str]
    notices: tuple[str, ...] = ()


def typed_notices(variables: UserVariables) -> Iterator[str]:
    """A sentence for secrets on the command line, which every user of the machine can read while it runs."""
    for name in variables.typed_secrets():
        yield f"warning: the value of `{name}` is visible in the list of processes; use `-e {name}` or a file instead"


def _readable_notices(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield (
            f"warning: the value of {listed(names)} is not masked in logs, as it has fewer than 4 characters or is an "
            "everyday word such as `true`"
        )


def _changed_notices(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"warning: secret `{name}` has a different value than when the run started"


def secrets_of_run(
    store: "ProjectStore", run: "RunFolder", given: Mapping[str, str], environ: Mapping[str, str]
) -> KnownSecrets:
    """The values of the secrets of a run that goes on: those of its plan, and of the file that it was made from."""
    from vhpipe.config.model import Config
    from vhpipe.plan.secrets import secrets_in

    plan, asked = run.plan(), run.info().asked
    if not secrets_in(plan):
        return KnownSecrets({})
    config = Config()
    if asked is not None and asked.source:
        from vhpipe.project.checked_file import check_text
        from vhpipe.project.recorded_commits import commits_of_run

        commits = commits_of_run(store, run, asked.file or DEFAULT_FILE)
        config = check_text(store.blobs.read(asked.source), run.info().file, commits=commits).config
    return known_secrets(plan, config, given, environ)
