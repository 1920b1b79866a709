"""Fixes put into files: text edits that leave everything else byte for byte."""
