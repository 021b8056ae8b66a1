"""Write the JSON schemas of all kinds of files that people write, generated from their types.

`python -m tools.schemas` writes, `--check` only looks and fails where a file is not as generated.
"""

import json
import sys
from pathlib import Path

from cellwright.cytometry.analysis import analysis_schema
from cellwright.factory.library import KINDS
from cellwright.factory.notation import schema

FOLDER = Path(__file__).parent.parent / "src" / "cellwright" / "shipped" / "schema"


def generated() -> dict[str, str]:
    """File name to text: the kinds of definitions, and the analysis of a flow file."""
    schemas = {kind: schema(type_) for kind, type_ in KINDS.items()} | {"flow-analysis": analysis_schema()}
    return {
        f"{name}.json": json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        for name, made in schemas.items()
    }


def stale() -> list[str]:
    """Names of the schema files that are missing, differ, or belong to no kind."""
    wanted = generated()
    present = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main() -> int:
    if "--check" not in sys.argv[1:]:
        for name, text in generated().items():
            (FOLDER / name).write_text(text, "utf-8")
    found = stale()
    print("schemas     ok" if not found else f"schemas are stale, run python -m tools.schemas: {', '.join(found)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
