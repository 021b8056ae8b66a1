"""Inner loops that numba compiles once and caches; without numba, or when asked, the same source runs as plain Python.

A module of kernels decorates its functions with `compiled`. `plain` loads such a module a second time with every
function left as Python: slow, and step for step the same, which is how the compiled loop is checked.
"""

import importlib.util
import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import Any, Final, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_plain: Final[ContextVar[bool]] = ContextVar("cellwright_plain", default=False)


@cache
def available() -> bool:
    """Whether kernels can be compiled here (the extra `kernels` is installed)."""
    return importlib.util.find_spec("numba") is not None


def compiled(function: Function) -> Function:
    """The function compiled by numba on its first call, cached on disk, free of the interpreter's lock.

    No fast-math: the compiled code rounds as Python does. No counting of references: kernels work on arrays that
    their caller owns and allocate nothing, and counting would cost more than the work (a factor of 9 was measured in the
    simulation's interpreter).
    """
    if _plain.get() or not available():
        return function
    import numba

    njit: Any = numba.njit
    result: Function = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
    return result


def inlined(function: Function) -> Function:
    """As `compiled`, and copied into its callers: for small functions that many arrays are handed to."""
    if _plain.get() or not available():
        return function
    import numba

    njit: Any = numba.njit
    result: Function = njit(nogil=True, error_model="numpy", forceinline=True, _nrt=False)(function)
    return result


@cache
def plain(name: str) -> ModuleType:
    """The module `name` loaded anew with nothing compiled."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ImportError(name)
    again = importlib.util.spec_from_file_location(f"{name}_plain", found.origin)
    if again is None or again.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(again)
    token = _plain.set(True)
    try:
        sys.modules[module.__name__] = module
        again.loader.exec_module(module)
    finally:
        _plain.reset(token)
    return module
