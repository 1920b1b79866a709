"""Instructions and memory of this version beside those of the last one: `python -m benchmarks.instructions --help`."""
