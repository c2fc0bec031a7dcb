# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations: the tables of a library's catalogue, version by version.

Each entry takes the tables from the version before it; a change of the layout adds one and never edits one.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE model (id INTEGER PRIMARY KEY, hash TEXT, name TEXT, dimension INTEGER, seal INTEGER);
    CREATE TABLE roots (id INTEGER PRIMARY KEY, path TEXT UNIQUE, seal INTEGER);
    CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT, length INTEGER, seal INTEGER);
    CREATE TABLE graphs (id INTEGER PRIMARY KEY, kind TEXT UNIQUE, name TEXT, rows INTEGER, crc INTEGER, seal INTEGER);
    CREATE TABLE sources (
        id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT UNIQUE, size INTEGER, mtime_ns INTEGER, hash TEXT, error TEXT,
        seal INTEGER);
    CREATE TABLE clips (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source_id INTEGER REFERENCES sources(id) ON DELETE CASCADE,
        take INTEGER, name TEXT, family TEXT, duration_s REAL, fps REAL, frames INTEGER,
        tags TEXT DEFAULT '', favourite INTEGER DEFAULT 0, notes TEXT DEFAULT '',
        segment TEXT, offset INTEGER, length INTEGER, crc INTEGER,
        signature_row INTEGER, moment_row INTEGER, moment_count INTEGER, seal INTEGER);
    CREATE INDEX clips_of_source ON clips(source_id);
    CREATE TABLE marks (
        id INTEGER PRIMARY KEY, hash TEXT, take INTEGER, clip_id INTEGER, tags TEXT, favourite INTEGER, notes TEXT,
        seal INTEGER);
    CREATE INDEX marks_of_hash ON marks(hash, take);
    """,
    """
    CREATE TABLE home (id INTEGER PRIMARY KEY, path TEXT, seal INTEGER);
    """,
    """
    CREATE TABLE axes (id INTEGER PRIMARY KEY, unit TEXT, up TEXT, seal INTEGER);
    """,
)

TABLES: Final = ("model", "roots", "files", "graphs", "sources", "clips", "marks", "home", "axes")
