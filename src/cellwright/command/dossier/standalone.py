"""Puts the verifier together: one file of plain Python that a stranger can read, keep and run without us.

It is archive, check and the cryptography of `ledger.plaincrypto`, verbatim, with the words for a story in both
languages. The composed file is shipped as `cellwright/shipped/verify_dossier.py`; a test composes it again.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

PARTS: Final = (
    ("cellwright.ledger", "plaincrypto.py"),
    ("cellwright.command.dossier", "archive.py"),
    ("cellwright.command.dossier", "check.py"),
    ("cellwright.command.dossier", "telling.py"),
)
_OURS: Final = re.compile(r"^from cellwright\.\S+ import (?:\([^)]*\)|.*)\n", re.MULTILINE)
_IMPORT: Final = re.compile(r"^(?:import \S+(?: as \S+)?|from \S+ import .+)\n", re.MULTILINE)
HEAD: Final = '''#!/usr/bin/env python3
"""Verifies a Cellwright dossier: the record of one lot of a cell therapy, offline, with Python's standard library.

    python3 verify_dossier.py DOSSIER.zip [--key VERIFIER_KEY]... [--language en|zh] [--json]

It checks that the archive is whole, that the site signed its list of contents, that every event stands in the record
that the site's checkpoint speaks of, that every signature of a person is over exactly what it claims, and that every
enclosed file is the one the record names. With --key it also checks that the site is the one you know. Exit code 0:
everything holds. 1: something does not, and is named. 2: wrong use.

Composed from cellwright (Apache-2.0); do not edit.
"""

'''


def compose(words: Mapping[str, tuple[str, str]], must_be_signed: Mapping[str, str]) -> str:
    """The text of the stand-alone verifier.

    Args:
        words: event type -> sentence in English and Chinese, with placeholders named after fields of the body.
        must_be_signed: event type -> meaning of the signature without which it does not count.
    """
    imports: dict[str, None] = {"from __future__ import annotations\n": None}
    bodies = []
    for package, name in PARTS:
        text = _OURS.sub("", files(package).joinpath(name).read_text(encoding="utf-8"))
        for line in _IMPORT.findall(text):
            imports[line] = None
        bodies.append(f"# {'-' * 20} {name}\n\n" + _IMPORT.sub("", text).strip() + "\n")
    tables = "\n".join((
        f"MUST_BE_SIGNED.update({json.dumps(dict(sorted(must_be_signed.items())), indent=4)})",
        f"WORDS.update({json.dumps(dict(sorted(words.items())), indent=4, ensure_ascii=False)})",
    ))  # fmt: skip
    end = '\n\nif __name__ == "__main__":\n    sys.exit(main(sys.argv[1:]))\n'
    future, *others = imports
    return HEAD + future + "\n" + "".join(sorted(others)) + "\n\n" + "\n\n".join(bodies) + "\n\n" + tables + end
