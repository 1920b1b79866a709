"""What rules may ask about the project around a file: the scripts that its commands name, and its settings."""

from typing import Protocol


class ScriptFacts(Protocol):
    """One script of the project."""

    @property
    def path(self) -> str:
        """Its path from the project's folder."""
        ...

    def mentions(self, name: str) -> bool:
        """Whether the script, or what it imports from the project, has the name in its text in any spelling."""
        ...

    def reads_everything(self, kind: str) -> bool:
        """Whether it reads all `parameters` or `inputs` without naming them."""
        ...

    def asked(self, kind: str, known: frozenset[str], step: str) -> dict[str, int]:
        """Names of `parameters` or `inputs` that the script asks for and that are not known, with their lines."""
        ...

    def required_options(self, words: frozenset[str]) -> dict[str, int]:
        """Options without which the script refuses to start and that are not among the words, with their lines."""
        ...

    def refuses_option(self, word: str) -> bool:
        """Whether the script is known to end with an error at this option."""
        ...


class Surroundings(Protocol):
    """The project's folder."""

    def script(self, path: str, language: str, is_module: bool) -> ScriptFacts | None:
        """The script at a path; None where there is none, or none that can be read."""
        ...

    def lacks(self, path: str) -> bool:
        """Whether the project is known to have no file or folder there; False where it is not known to be a project."""
        ...

    def has_no_code(self, pattern: str) -> bool:
        """Whether the project's code is known to have no file for a pattern of `code`."""
        ...

    def names_variable(self, variable: str, groups: tuple[str, ...]) -> bool:
        """Whether the project's settings name the variable for every step, or for one of the groups."""
        ...

    def variable_groups(self) -> tuple[str, ...]:
        """The groups of variables that the project's settings define."""
        ...

    def beside(self, path: str) -> tuple[str, ...]:
        """The paths of files in the folder of a path that end as it does."""
        ...
