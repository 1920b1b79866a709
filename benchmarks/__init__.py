"""vhpipe side by side with a bare floor and with other tools: `python -m benchmarks --help`."""
