"""One entry of `output.times`: a run time, and how long `output.log` was by then."""

import struct

MARK = struct.Struct("<dQ")
"""Seconds since the run began, and the bytes that `output.log` held then."""
