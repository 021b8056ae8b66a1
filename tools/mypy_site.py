"""A mypy plug-in that becomes Django's own once the site has settings to read."""

from pathlib import Path

from mypy.plugin import Plugin

_SETTINGS = Path(__file__).parent.parent / "src" / "cellwright" / "site" / "settings.py"


def plugin(version: str) -> type[Plugin]:
    """The plug-in for this version of mypy."""
    if _SETTINGS.is_file():
        from mypy_django_plugin import main

        return main.plugin(version)
    return Plugin
