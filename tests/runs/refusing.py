"""Starts a program to which the system refuses some calls: `refusing.py CALL[,CALL…] ERRNO PROGRAM …`.

What a filter of seccomp does is what containers and profiles do: the call is there, and says no.
"""

import ctypes
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"unshare": 272, "mount": 165, "open_tree": 428, "move_mount": 429},
    "aarch64": {"unshare": 97, "mount": 40, "open_tree": 428, "move_mount": 429},
}
LOAD_NUMBER, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x0005_0000, 0x7FFF_0000
NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse(calls: list[int], number: int) -> None:
    """From now on these system calls fail with the error number, here and in all that is started from here."""
    steps = [(LOAD_NUMBER, 0, 0, 0)]
    for call in calls:
        steps += [(IF_EQUAL, 0, 1, call), (RETURN, 0, 0, REFUSE | number)]
    steps.append((RETURN, 0, 0, ALLOW))
    program = Program(len(steps), b"".join(struct.pack("HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((NO_NEW_PRIVS, 1, 0, 0, 0), (SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*words):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    known = NUMBERS[platform.machine()]
    refuse([known[name] for name in sys.argv[1].split(",")], int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
