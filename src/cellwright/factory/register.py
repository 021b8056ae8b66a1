"""Imports every room, so that the register of facts and the list of commands are whole."""

from importlib import import_module
from pkgutil import walk_packages

import cellwright.factory as factory

ROOMS = tuple(
    module.name for module in walk_packages(factory.__path__, "cellwright.factory.") if module.name != __name__
)
for name in ROOMS:
    import_module(name)
