"""`python -m vhpipe` is `vhpipe`."""

from vhpipe.cli.main import main

main()
