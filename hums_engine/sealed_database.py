# SPDX-License-Identifier: GPL-3.0-or-later
"""SealedDatabase: an SQLite file that tells people what is wrong, works on read-only shares, and knows its own damage.

Every row carries a seal, a CRC-32 of its own values, because SQLite notices a torn page but not a changed byte.
Every table therefore begins with ``id`` and ends with ``seal``.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from .errors import LibraryError

_APPLICATION: Final = 0x48554D53  # "HUMS" in the file's header tells it from other SQLite files
_PATIENCE_S: Final = 10.0


class SealedDatabase:
    """One connection to a database file; safe to use from several threads.

    A subclass says what is in it.

    Args:
        path: of the file, which must be there.
        readonly: never write; chosen by itself where the folder cannot be written.

    Raises:
        LibraryError: the file is missing, damaged, of another kind, or of a newer version.
    """

    migrations: tuple[str, ...] = ()
    """Each entry takes the tables from the version before it; a change of the layout adds one and never edits one."""
    tables: tuple[str, ...] = ()

    def __init__(self, path: Path, readonly: bool = False) -> None:
        self.path: Final = path
        self.readonly = readonly or not _is_writable(path)
        self._guard = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._connection = self._connect()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Makes a new catalogue in an existing folder."""
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA application_id={_APPLICATION}")
        connection.close()
        return cls(path)

    def close(self) -> None:
        """Closes the connection; the last one folds the write-ahead log into the file."""
        with self._guard:
            self._connection.close()

    def reopen(self) -> None:
        """Closes the connection and opens the file again, which may be another one by now."""
        with self._guard:
            self._connection.close()
            self._connection = self._connect()

    def _connect(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise LibraryError(self._absence())
        with _told(self.path):
            connection = (None if self.readonly else self._connect_for_writing()) or self._connect_for_reading()
            try:
                connection = self._brought_up_to_date(connection)
            except (LibraryError, sqlite3.Error):
                connection.close()
                raise
        return connection

    def _absence(self) -> str:
        """Why there is no file to open, and what to do."""
        return f"There is no library in {self.path.parent}; make one with: hums index LIBRARY FOLDER."

    def _connect_for_writing(self) -> sqlite3.Connection | None:
        """A connection that has shown that it can write (or could, if another did not just now); else None."""
        connection = self._opened(str(self.path), uri=False)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                connection.close()
                self.readonly = True
                return None
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _connect_for_reading(self) -> sqlite3.Connection:
        """A read-only connection; without SQLite's own locks where it cannot put its files beside the catalogue."""
        self._stamp = None
        address = "file://" + "/" * (not self.path.as_posix().startswith("/")) + quote(self.path.absolute().as_posix())
        connection = self._opened(address + "?mode=ro", uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            connection.close()
            status = self.path.stat()
            self._stamp = (status.st_mtime_ns, status.st_size)
            connection = self._opened(address + "?mode=ro&immutable=1", uri=True)
        return connection

    def _opened(self, address: str, uri: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=uri, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        connection.create_function("folded", 1, lambda text: str(text).casefold(), deterministic=True)
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    def _brought_up_to_date(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Brings an older catalogue to this version; refuses a newer one and a file of another kind."""
        name = self.path.parent.name
        if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise LibraryError(f"{self.path} is not a library's catalogue; choose another folder.")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(self.migrations):
            raise LibraryError(f"The library {name} was made by a newer version of hums; update this one to open it.")
        if version == len(self.migrations):
            return connection
        if self.readonly:
            connection = self._in_memory(connection)
        self._migrate(connection)
        return connection

    def _in_memory(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """A copy that may be changed, of a catalogue that may not; it is copied again when the file changes."""
        status = self.path.stat()
        self._stamp = (status.st_mtime_ns, status.st_size)
        copy = self._opened(":memory:", uri=False)
        connection.backup(copy)
        connection.close()
        return copy

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # stays as it is on file systems that do not allow it
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()  # another may have been faster
        for script in self.migrations[version:]:
            for statement in script.split(";")[:-1]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(self.migrations)}")
        connection.execute("COMMIT")

    # reading and writing

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._guard, _told(self.path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside counts together, once the block has ended; nothing of it if it raises.

        Raises:
            LibraryError: the library is read-only, busy for too long, or the disk is full.
        """
        if self.readonly:
            name = self.path.parent.name
            raise LibraryError(f"The library {name} cannot be written here; it is open for reading only.")
        with self._guard:
            self._all("BEGIN IMMEDIATE")
            try:
                yield
                self._all("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.rollback()
                raise

    @contextmanager
    def moment_in_time(self) -> Iterator[None]:
        """Everything read inside is of one state of the catalogue, whatever others write meanwhile."""
        with self._guard:
            self._refresh()
            self._all("BEGIN")
            try:
                yield
            finally:
                self._connection.rollback()

    def state(self) -> tuple[int, int]:
        """Two numbers that differ whenever the catalogue may have changed."""
        self._refresh()
        if self._stamp is not None:
            return self._stamp
        ((version,),) = self._all("PRAGMA data_version")
        return version, self._connection.total_changes

    def _refresh(self) -> None:
        """Opens a catalogue without locks anew when its file has changed: nothing else would tell."""
        if self._stamp is None:
            return
        status = self.path.stat()
        if (status.st_mtime_ns, status.st_size) != self._stamp:
            self.reopen()

    def fold_log(self) -> None:
        """Moves the write-ahead log into the file, so that readers who cannot lock see everything."""
        with self._guard, _told(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def back_up(self, path: Path) -> None:
        """Writes a copy of the catalogue to ``path``, which appears whole or not at all."""
        beside = path.with_name(path.name + ".writing")
        beside.unlink(missing_ok=True)
        with self._guard, _told(self.path):
            copy = sqlite3.connect(beside)
            try:
                self._connection.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            finally:
                copy.close()
        beside.replace(path)

    # rows and their seals

    def _insert(self, table: str, **values: Any) -> int:  # noqa: ANN401 - what SQLite holds
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        with self._guard, _told(self.path):
            row_id = self._connection.execute(sql, tuple(values.values())).lastrowid
        assert row_id is not None
        self._seal(table, row_id)
        return row_id

    def _update(self, table: str, row_id: int, **values: Any) -> None:  # noqa: ANN401 - what SQLite holds
        assignments = ", ".join(f"{column}=?" for column in values)
        self._all(f"UPDATE {table} SET {assignments} WHERE id=?", (*values.values(), row_id))
        self._seal(table, row_id)

    def _seal(self, table: str, row_id: int) -> None:
        (row,) = self._all(f"SELECT * FROM {table} WHERE id=?", (row_id,))
        self._all(f"UPDATE {table} SET seal=? WHERE id=?", (_seal_of(row), row_id))

    def broken_rows(self) -> list[tuple[str, int]]:
        """Table and id of the rows whose values have changed since they were written."""
        rows = ((table, row) for table in self.tables for row in self._all(f"SELECT * FROM {table}"))
        return [(table, row[0]) for table, row in rows if _seal_of(row) != row[-1]]

    def mend_rows(self, rows: Sequence[tuple[str, int]], backup: SealedDatabase | None) -> None:
        """Puts rows back as a backup has them; those that it lacks are removed. Part of a `transaction`."""
        broken = set(backup.broken_rows()) if backup is not None else set()
        for table, row_id in rows:
            self._all(f"DELETE FROM {table} WHERE id=?", (row_id,))
            if backup is not None and (table, row_id) not in broken:
                for row in backup._all(f"SELECT * FROM {table} WHERE id=?", (row_id,)):
                    self._all(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def is_sound(self) -> bool:
        """Whether SQLite finds its own structure unbroken."""
        return self._all("PRAGMA integrity_check") == [("ok",)]


def _seal_of(row: tuple[Any, ...]) -> int:
    """The CRC-32 of a row's values, the last of which is the seal itself."""
    return zlib.crc32(repr(row[:-1]).encode("utf-8", "surrogatepass"))


def _is_writable(path: Path) -> bool:
    return os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into sentences."""
    name = path.parent.name
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            told = f"The library {name} is being changed by another program; try again when it is done."
        elif "full" in text or "disk I/O" in text:
            told = f"The library {name} cannot be written: the disk is full or failing; free some space and try again."
        elif "malformed" in text or "not a database" in text or "no such" in text or "decode" in text:
            told = f"The catalogue of the library {name} is damaged; mend it with: hums verify --repair."
        else:
            told = f"The catalogue of the library {name} cannot be used ({text}); see: hums verify."
        raise LibraryError(told) from error
