"""The files of `data.source`: one file, a folder of them, or the same on S3."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pyarrow as pa

from demand.panel.arrow import buffer_of
from demand.schema.errors import UserError
from workspace.run import paths
from workspace.run.paths import DEMO

S3 = "s3://"
TABLES = ("*.csv", "*.tsv", "*.parquet", "*.pq")


def is_own_source(source: str) -> bool:
    """Whether `data.source` names sales of the user's own that are there; else notebooks show the demo."""
    return source != str(DEMO) and (source.startswith(S3) or Path(source).exists())


def read_source(source: str, pattern: str | None) -> list[tuple[str, pa.Buffer]]:
    """Name and content of every file, sorted by name.

    Args:
        source: a file, a folder, or either on S3 (s3://bucket/key; credentials and AWS_ENDPOINT_URL from the environment).
        pattern: which files of a folder, at any depth; None for all CSV and Parquet files.

    Raises:
        UserError: it cannot be read, or holds no such file.
    """
    try:
        found = read_s3(source, pattern) if source.startswith(S3) else read_local(Path(source), pattern)
    except (OSError, ImportError, ValueError) as error:  # ValueError: an address that no system can have
        raise UserError(f"{source} cannot be read ({error}): set data.source in params.yaml to your sales") from None
    if not found:
        raise UserError(f"{source} holds no file that matches {pattern or ', '.join(TABLES)}: correct data.source or data.files")
    return found


def read_side_table(key: str, file: str) -> pa.Buffer | None:
    """The content of `data.events`, `data.items` or `data.stores`; None where the file for none is missing.

    Args:
        key: events, items or stores.
    """
    empty = {"events": paths.NO_EVENTS, "items": paths.NO_ITEMS, "stores": paths.NO_STORES}[key]
    if Path(file) == empty and not empty.exists():
        return None
    try:
        return buffer_of(Path(file).read_bytes())
    except OSError as error:
        raise UserError(f"data.{key}: {file} cannot be read ({error.strerror}): set it to a CSV of {key}, or to {empty} "
                        "where there are none") from None


def read_local(path: Path, pattern: str | None) -> list[tuple[str, pa.Buffer]]:
    """A file, or the files of a folder, mapped."""
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file() and wanted(each.relative_to(path).as_posix(), pattern))
    return [(str(file), pa.memory_map(str(file)).read_buffer() if file.stat().st_size else buffer_of(b"")) for file in files]


def read_s3(address: str, pattern: str | None) -> list[tuple[str, pa.Buffer]]:
    """An object, or the objects below a prefix."""
    import s3fs
    from botocore.exceptions import BotoCoreError

    system = s3fs.S3FileSystem(use_listings_cache=False)
    root = address.removeprefix(S3).rstrip("/")
    try:
        names = [root]
        if not system.isfile(root):
            names = sorted(name for name in system.find(root) if wanted(name.removeprefix(f"{root}/"), pattern))
        return [(f"{S3}{name}", buffer_of(system.cat_file(name))) for name in names]
    except BotoCoreError as error:  # no credentials, no connection
        raise OSError(str(error)) from None


def wanted(name: str, pattern: str | None) -> bool:
    """Whether a file of a folder is read; hidden ones, and .gitignore and .dvc files, are not."""
    path = PurePosixPath(name)
    if any(part.startswith((".", "_")) for part in path.parts):
        return False
    patterns = (pattern.lower(),) if pattern else TABLES
    return any(PurePosixPath(name.lower()).match(each) for each in patterns)
