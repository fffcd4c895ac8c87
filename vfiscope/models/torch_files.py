"""Check the files of ``torch.save``, whose checksums torch itself does not look at."""

from __future__ import annotations

import os
import zipfile

__all__ = ["changed_part"]

ZIP_MAGIC = b"PK\x03\x04"


def changed_part(path: str | os.PathLike[str]) -> str | None:
    """The name of the first part of a checkpoint that differs from its CRC-32.

    None where all parts agree, in the older kind of file, which holds no checksums, and where parts
    are compressed, as torch never writes them.

    Raises:
        OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile: the parts cannot be read.
    """
    with open(path, "rb") as file:
        if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
            return None
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
                return None
            if sum(part.file_size for part in parts) > os.path.getsize(path):
                raise zipfile.BadZipFile("its parts overlap")
            return archive.testzip()
