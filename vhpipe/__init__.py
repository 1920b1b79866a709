"""vhpipe: validate, compile and run the pipelines of a valohai.yaml."""

__version__ = "0.4.0"
