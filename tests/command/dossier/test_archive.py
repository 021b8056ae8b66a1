"""The canonical archive: one form for one content, and any other form refused."""

import io
import zipfile
from zipfile import ZIP_STORED

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.command.dossier.archive import ArchiveBroken, pack, unpack

NAMES = st.text("abcdefgh/._-é", min_size=1, max_size=12)
CONTENTS = st.dictionaries(NAMES, st.binary(max_size=40), max_size=5)


@given(CONTENTS)
@settings(max_examples=100, deadline=None)
def test_what_is_packed_comes_out_and_any_zip_program_reads_it(files: dict[str, bytes]) -> None:
    archive = pack(files)
    assert unpack(archive) == files
    with zipfile.ZipFile(io.BytesIO(archive)) as other:
        assert {info.filename: other.read(info) for info in other.infolist()} == files
        assert all(info.compress_type == ZIP_STORED for info in other.infolist())


@given(CONTENTS, st.data())
@settings(max_examples=150, deadline=None)
def test_no_byte_of_an_archive_is_without_meaning(files: dict[str, bytes], data: st.DataObject) -> None:
    archive = bytearray(pack(files))
    place = data.draw(st.integers(0, len(archive) - 1))
    archive[place] ^= data.draw(st.integers(1, 255))
    try:
        assert unpack(bytes(archive)) != files
    except ArchiveBroken:
        return


@given(CONTENTS, st.binary(min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_nothing_is_added_or_cut(files: dict[str, bytes], more: bytes) -> None:
    archive = pack(files)
    for altered in (archive + more, more + archive, archive[: -len(more)]):
        with pytest.raises(ArchiveBroken):
            unpack(altered)


def test_an_entry_that_stands_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", ZIP_STORED) as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    with pytest.raises(ArchiveBroken):
        unpack(buffer.getvalue())


def test_another_form_of_the_same_content_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"1" * 100)
    with pytest.raises(ArchiveBroken):
        unpack(buffer.getvalue())
