"""Records what this process uses of the project's code: files that are opened, asked for or listed, modules looked for.

An audit hook sees what Python opens, whichever thread or library does it. Where a child process, a foreign library or
an extension module could have opened files by itself, it says so, and all of the project counts. Source: decision 118.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType
    from typing import Any

USES_NAME = "used-code"
"""The file in the attempt's folder that this is written to: texts with a NUL between each two of them."""
BEGIN, END = "uses 1", "end"
EVERYTHING = "*"
MOST_USES = 20_000

UNKNOWABLE = frozenset(
    {
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn",
        "sqlite3.connect", "sqlite3.connect/handle", "subprocess.Popen",
    }
)  # fmt: skip
"""Events of which it is not seen what they read."""
WITHOUT_PATHS = frozenset({"os.putenv", "os.unsetenv", "os.chdir", "os.walk", "os.fwalk"})
WITH_PATHS = ("os.", "shutil.")
MOVING = frozenset({"os.rename", "os.link", "os.symlink"})
"""Events of what takes a file elsewhere without opening it."""
FOREIGN = frozenset({"ctypes.dlopen", "ctypes.dlsym"})
"""Events of libraries that are not made for Python."""
LISTED = frozenset({"os.listdir", "os.scandir"})
LISTING_FILES = frozenset({"os.py", "glob.py", "pathlib.py", "_abc.py", "_local.py", "_os.py", "shutil.py"})
"""Modules of Python that take nothing but names and kinds from what they list."""
QUIET = frozenset(
    {
        "_yaml", "charset_normalizer", "frozenlist", "greenlet", "markupsafe", "msgspec", "multidict", "numpy",
        "orjson", "pandas", "pydantic_core", "regex", "rpds", "scipy", "simplejson", "sklearn", "ujson", "wrapt",
        "yaml", "yarl",
    }
)  # fmt: skip
"""Packages whose compiled modules open files by Python's `open`, or none."""
LOUD = frozenset({"_dbm", "_fmm_core", "_gdbm", "_interpreters", "_xxsubinterpreters", "_tkinter"})
"""Modules that open files by themselves, wherever they are."""
PROBES = ("stat", "lstat", "access", "readlink")
"""Functions that no audit event tells of."""


LEADING_ANYWHERE = (
    "modules", "__globals__", "import_module", "__import__", "getmodule", "pkgutil", "__main__", "import_string",
)  # fmt: skip
"""Words in other sources of the project by which a script can be reached that is not named."""


class CodeRecorder:
    """What has been used below `root`, the working copy, until `write`."""

    def __init__(self, root: str, elsewhere: str = "") -> None:
        """`elsewhere` is where the same files are too, if they are."""
        self._root = root
        roots = (root, os.path.realpath(root), os.getcwd(), elsewhere or root)
        self._roots = tuple({f"{each.rstrip('/')}/" for each in roots})
        self._seen: dict[tuple[str, str], None] = {}
        self._is_unknown = False
        self._stems: dict[str, None] = {}
        self._sources_read: set[str] = set()
        self._unpickled_from: set[str] = set()
        self._called: tuple[str, str] | None = None
        self._readlink = os.readlink

    def start(self) -> None:
        """Look from now on. What is loaded already may come from the project too."""
        for name in tuple(sys.modules):
            self._note_module(name.partition(".")[0], sys.path)
        for name in PROBES:
            self._watch_probe(name)
        self._watch_children()
        sys.meta_path.insert(0, self)
        sys.addaudithook(self._hear)

    def tell_function(self, script: str, name: str) -> None:
        """Of the script only what the function can reach is used, unless something else looks at it."""
        self._called = script, name

    def write(self, path: str) -> None:
        """Write down what was used; everything, where that cannot be known."""
        try:
            content = "\0".join((BEGIN, *self._uses(), END)).encode()
        except Exception:
            content = "\0".join((BEGIN, EVERYTHING, END)).encode()
        with open(f"{path}.tmp", "wb") as file:
            file.write(content)
        os.rename(f"{path}.tmp", path)

    # ── hearing ──────────────────────────────────────────────────────────────────────────────────

    def _hear(self, event: str, arguments: "tuple[Any, ...]") -> None:
        try:
            if event == "open":
                self._note("file", arguments[0])
                self._note_reader(arguments[0])
            elif event == "pickle.find_class":
                self._unpickled_from.add(arguments[0])
            elif event in UNKNOWABLE:
                self._is_unknown = True
            elif event in LISTED:
                self._note_listing(event, arguments[0], sys._getframe(1).f_code.co_filename)
            elif event == "import":
                self._note_extension(arguments[0], arguments[1])
            elif event in FOREIGN:
                self._is_unknown = self._is_unknown or not _is_import_of_ctypes(sys._getframe(1))
            elif event.startswith(WITH_PATHS) and event not in WITHOUT_PATHS:
                for each in arguments:
                    if isinstance(each, str | bytes | os.PathLike):
                        self._note("file" if event in MOVING else "look", each)
        except BaseException:  # an error here would become one of what is being looked at
            self._is_unknown = True

    def find_spec(self, fullname: str, path: "Iterable[str] | None" = None, target: object = None) -> None:
        """Note where a module is looked for; others find it."""
        try:
            self._note_module(fullname.rpartition(".")[2], sys.path if path is None else path)
        except Exception:
            self._is_unknown = True

    def _watch_probe(self, name: str) -> None:
        function = getattr(os, name)

        def probe(path: "Any", *arguments: "Any", **named: "Any") -> "Any":
            self._note_probe(path, named.get("dir_fd"))
            return function(path, *arguments, **named)

        probe.__name__ = probe.__qualname__ = name
        probe.__doc__ = function.__doc__
        for supported in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
            if function in supported:
                supported.add(probe)
        setattr(os, name, probe)

    def _watch_children(self) -> None:
        """`multiprocessing` starts children by a function that no event tells of."""
        try:
            import _posixsubprocess
        except ImportError:
            self._is_unknown = True
            return
        begin: Callable[..., int] = _posixsubprocess.fork_exec

        def fork_exec(*arguments: "Any") -> int:
            self._is_unknown = True
            return begin(*arguments)

        _posixsubprocess.fork_exec = fork_exec

    # ── noting ───────────────────────────────────────────────────────────────────────────────────

    def _note(self, kind: str, path: "Any") -> None:
        if isinstance(path, int):  # of a descriptor that was opened before
            return
        text = os.fsdecode(path)
        self._seen[kind, text if text.startswith("/") else f"{os.getcwd()}/{text}"] = None

    def _note_reader(self, path: "Any") -> None:
        """A source that is read by more than the import system may be used otherwise than by its functions."""
        text = "" if isinstance(path, int) else os.fsdecode(path)
        if text.endswith(".py") and not sys._getframe(2).f_code.co_filename.startswith("<frozen importlib"):
            self._sources_read.add(os.path.basename(text))

    def _note_listing(self, event: str, path: "Any", caller: str) -> None:
        if caller.startswith("<frozen importlib"):  # what it looks for there is noted by name
            return
        if isinstance(path, int):
            path = self._readlink(f"/proc/self/fd/{path}")
        takes_names = event == "os.listdir" or caller == "<frozen os>" or os.path.basename(caller) in LISTING_FILES
        self._note("listing" if takes_names else "file", "." if path is None else path)

    def _note_probe(self, path: "Any", folder: "Any") -> None:
        try:
            if isinstance(folder, int) and not os.fsdecode(path).startswith("/"):
                path = os.path.join(self._readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))
            self._note("look", path)
        except (OSError, TypeError, ValueError):  # whatever is wrong with the path, the function itself says
            pass

    def _note_module(self, name: str, folders: "Iterable[str]") -> None:
        for folder in folders:
            if isinstance(folder, str):
                at = folder if folder.startswith("/") else f"{os.getcwd()}/{folder}"
                if f"{at}/".startswith(self._roots):
                    self._stems[f"{at}/{name}"] = None

    def _note_extension(self, name: str, file: "Any") -> None:
        """A compiled module is loaded where the event has a file."""
        top, last = name.partition(".")[0], name.rpartition(".")[2]
        if last in LOUD or (isinstance(file, str) and "/lib-dynload/" not in file and top not in QUIET):
            self._is_unknown = True

    # ── at the end ───────────────────────────────────────────────────────────────────────────────

    def _uses(self) -> "list[str]":
        files = [getattr(module, "__file__", None) for module in tuple(sys.modules.values())]
        seen = {*self._seen, *(("file", file) for file in files if isinstance(file, str))}
        seen.update(("module", stem) for stem in self._stems)
        uses = {f"{kind}:{path}" for kind, each in seen for path in self._inside(kind, each)}
        if self._is_unknown or len(uses) > MOST_USES:
            return [EVERYTHING]
        return sorted(self._narrowed(uses))

    def _narrowed(self, uses: "set[str]") -> "set[str]":
        """The uses with the function in the place of its script, where nobody else can have used that."""
        if self._called is None:
            return uses
        script, function = self._called
        paths = set(self._inside("file", script))
        name = os.path.basename(script)
        if len(paths) != 1 or name in self._sources_read or ":" in function:
            return uses
        (path,) = paths
        stem, own = name.removesuffix(".py"), f"file:{path}"
        is_unpickled = any(stem in module.split(".") for module in self._unpickled_from)
        if own not in uses or not stem.isidentifier() or is_unpickled or self._is_named(stem, uses - {own}):
            return uses
        return uses - {own} | {f"function:{path}:{function}"}

    def _is_named(self, stem: str, uses: "set[str]") -> bool:
        """Whether another source of the project names the module, or can get at modules without their names."""
        import re

        words = re.compile(rf"\b({stem}|{'|'.join(LEADING_ANYWHERE)})\b")
        sources = (use.partition(":")[2] for use in uses if use.startswith("file:") and use.endswith(".py"))
        return any(words.search(_text_of(f"{self._root}/{each}", stem)) for each in sources)

    def _inside(self, kind: str, path: str) -> "Iterable[str]":
        """The path below the working copy, as it was given and without links; none for one that lies elsewhere."""
        forms = {path}
        if "/../" in path or _may_lead_inside(path):
            real = os.path.realpath(path)
            is_inside = f"{real}/".startswith(self._roots)
            forms = {os.path.normpath(path), real, path if is_inside or "/../" not in path else real}
        for each in forms:
            root = next((root for root in self._roots if f"{each}/".startswith(root)), None)
            if root is not None and not each.endswith("/__pycache__"):
                inside = "/".join(part for part in each[len(root) :].split("/") if part not in ("", "."))
                yield _source_of(inside) if kind == "file" else inside


def _text_of(path: str, otherwise: str) -> str:
    """The text of a source; `otherwise` for what is there and cannot be read, or is no file."""
    if not os.path.lexists(path):
        return ""
    try:
        if os.path.isfile(path):
            with open(path, encoding="latin-1") as file:
                return file.read()
    except OSError:
        pass
    return otherwise


def _is_import_of_ctypes(frame: "FrameType | None") -> bool:
    """Whether this happens while `ctypes` itself is loaded."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.endswith("/ctypes/__init__.py"):
            return True
        frame = frame.f_back
    return False


def _may_lead_inside(path: str) -> bool:
    """Whether it is worth a look at the links on a path: those of Python and the system lead elsewhere."""
    return not path.startswith((sys.base_prefix, sys.prefix, "/usr/", "/lib", "/proc/", "/dev/", "/sys/", "/etc/"))


def _source_of(path: str) -> str:
    """The source of a compiled module; any other path as it is."""
    folder, _, name = path.rpartition("/")
    if name.endswith(".pyc") or ".pyc." in name:
        above = folder.removesuffix("__pycache__").rstrip("/")
        return f"{above}/{name.partition('.')[0]}.py".lstrip("/")
    return path


def record_code() -> "CodeRecorder | None":
    """Record what this process uses, if it is a step of a run, and write it when all else has ended."""
    spool, root = os.environ.get("VHPIPE_PUBLISH"), os.environ.get("VH_REPOSITORY_DIR")
    if not spool or not root:
        return None
    import atexit

    recorder = CodeRecorder(root, os.environ.get("VH_HOST_REPOSITORY_DIR", ""))
    atexit.register(recorder.write, os.path.join(os.path.dirname(spool), USES_NAME))
    recorder.start()
    return recorder
