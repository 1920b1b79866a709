"""What runs inside of a function step: `python3 -m vhpipe.function_step MODULE FUNCTION`.

A step is a fresh interpreter, so nothing here imports more than it needs, and nothing of the rest of the package.
"""
