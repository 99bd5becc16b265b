"""What the machine refuses, in words: a full disk, missing rights, too little memory."""

from __future__ import annotations

import errno
import os

AGAIN = "then run it again: files are written whole or not at all, so the earlier ones are as they were"
REMEDIES = {
    errno.ENOSPC: f"make room on the disk, {AGAIN}",
    errno.EDQUOT: f"make room within your quota, {AGAIN}",
    errno.EFBIG: f"raise the limit of a file's size (ulimit -f), {AGAIN}",
    errno.EROFS: "the disk is mounted read-only: mount it writable, or run from another folder",
    errno.EACCES: "give this user the right to read and write it",
    errno.EPERM: "give this user the right to read and write it",
    errno.EISDIR: "remove or rename the directory",
    errno.ENOTDIR: "remove or rename the file that stands where a directory belongs",
    errno.EEXIST: "remove or rename what stands there",
    errno.ELOOP: "remove the symbolic link that leads to itself",
    errno.ENAMETOOLONG: "move the repository to a shorter path",
    errno.EMFILE: "raise the number of files that a process may open (ulimit -n)",
    errno.ENFILE: "end other programs, which hold too many files open",
    errno.ENOMEM: "end other programs, or use a machine with more memory",
}


def describe_machine_error(error: Exception) -> str | None:
    """What is wrong, where and what to do; None for an error of another kind."""
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({error}): {REMEDIES[errno.ENOMEM]}"
    if not isinstance(error, OSError) or error.errno not in REMEDIES:
        return None
    place = f" ({error.filename})" if error.filename else ""
    return f"{os.strerror(error.errno)}{place}: {REMEDIES[error.errno]}"
