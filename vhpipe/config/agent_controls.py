"""Names of the variables that a step says to the platform's agent, which starts its container.

Source: docs on system environment variables of the platform.
"""

NO_DATA_CACHE = "VH_NO_DATA_CACHE"
NO_IMAGE_CACHE = "VH_NO_IMAGE_CACHE"
CLEAN = "VH_CLEAN"
CPU_LIMIT = "VH_CPU_LIMIT"
DOCKER_NETWORK = "VH_DOCKER_NETWORK"

AGENT_CONTROLS = frozenset({NO_DATA_CACHE, NO_IMAGE_CACHE, CLEAN, CPU_LIMIT, DOCKER_NETWORK})
"""Unlike all others that begin with `VH_` they may be given."""
