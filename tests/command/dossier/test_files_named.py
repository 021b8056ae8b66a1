"""Which hashes in an event are addresses of files that must be there."""

from cellwright.command.dossier.check import digests_named

HERE, PLAIN, THERE = "a" * 64, "b" * 64, "c" * 64


def test_a_file_is_named_under_sha256_and_in_a_derivation_under_file() -> None:
    body = {
        "file": {"sha256": HERE, "name": "x.fcs"},
        "derivation": {
            "parameters": {"record_sha256": PLAIN, "record file": THERE, "output": "cd3", "other file": "no"}
        },
    }
    assert list(digests_named(body)) == [HERE, THERE]
