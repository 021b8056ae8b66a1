"""The files that come with the program: plant, products, recipes, specifications, trial protocols, and their schemas.

    read_library(shipped.texts())          # from cellwright.factory.library

Only places and texts are here; what the files mean is known in `cellwright.factory`.
"""

from importlib.resources import files

KINDS = ("plant", "product", "recipe", "retention", "specification", "trial")


def texts() -> dict[str, str]:
    """Every definition file by its name, for example `recipe/car-t-19.yaml`."""
    found = {}
    for kind in KINDS:
        for file in sorted(files(__name__).joinpath(kind).iterdir(), key=lambda f: f.name):
            if file.name.endswith(".yaml"):
                found[f"{kind}/{file.name}"] = file.read_text("utf-8")
    return found


def content(file: str) -> bytes:
    """The bytes of one file, as approved and hashed. Raises FileNotFoundError."""
    return files(__name__).joinpath(*file.split("/")).read_bytes()


def schema(kind: str) -> bytes:
    """The JSON schema of a kind of definition, for editors. Raises FileNotFoundError for an unknown kind."""
    return content(f"schema/{kind}.json")
