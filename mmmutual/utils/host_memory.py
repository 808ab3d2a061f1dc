"""Training on CPUs: memory that a step frees is kept for the next one."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
# Larger blocks go back to the system whatever is said; older versions of glibc take no more than 32 MiB.
_LARGEST_KEPT = (2**30, 2**25)


def keep_freed_memory() -> bool:
    """Tell glibc not to return freed memory to the system.

    By default it does so after each step, and the next step waits for every page of it to be cleared anew: a fifth of a
    step of two TSM-R50 peers, whose activations are held together. The process stays as large as it once was. Does
    nothing where there is no glibc; GPUs have their own allocator.

    Returns:
        Whether it took effect.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None) if sys.platform == 'linux' else None
    if mallopt is None or not any(mallopt(_M_MMAP_THRESHOLD, size) for size in _LARGEST_KEPT):
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
