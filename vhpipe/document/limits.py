"""How much a file may hold, so that no input eats the machine."""

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 500_000
MAX_EXPANDED_NODES = 100_000
"""By aliases and merge keys, on top of the nodes as written."""
MAX_SCALAR_BYTES = 256 * 1024
MAX_DIRECTIVES = 16
"""libyaml compares each directive with all before it."""
