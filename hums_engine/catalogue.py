# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalogue: the library's SQLite file, where a row is what makes work count.

Joints and signatures are appended to files first; the transaction that writes their clip's row is the commit point.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import clip_filters
from .clip_filters import CLIPS, Where
from .errors import LibraryError
from .joint_store import Location
from .migrations import MIGRATIONS, TABLES
from .records import Clip, Graph, Model, Source, Stored
from .sealed_database import SealedDatabase
from .source_paths import RELATIVE, SourcePaths

CATALOGUE: Final = "catalogue.sqlite"
BACKUP: Final = "catalogue.backup"
_AMONG: Final = "{} IN (SELECT value FROM json_each(?))"  # as many values as wanted, where ? takes one each
_LOOKED_AT: Final = 20  # files that tell whether a library's files moved with it


class Catalogue(SealedDatabase):
    """Files, clips, and where their data lie. Writing is done inside `transaction`."""

    migrations = MIGRATIONS
    tables = TABLES

    def _absence(self) -> str:
        folder = self.path.parent
        if (folder / BACKUP).exists():
            return f"The catalogue of the library {folder.name} is gone; mend it with: hums verify {folder} --repair."
        return super()._absence()

    # where files lie

    _paths: tuple[str | None, SourcePaths] | None = None  # the home that is written down, and what follows of it

    def _opened(self, address: str, uri: bool) -> sqlite3.Connection:
        connection = super()._opened(address, uri)
        connection.create_function("home", 0, self._home, deterministic=True)
        return connection

    def _home(self) -> str:
        return "" if self._paths is None else self._paths[1].home.replace(os.sep, "/")

    def _places(self) -> SourcePaths:
        """How paths are kept as the catalogue is now; another process may have moved its home."""
        recorded = next((path for (path,) in self._all("SELECT path FROM home")), None)
        if self._paths is None or self._paths[0] != recorded:
            self._paths = recorded, SourcePaths(self._found_home(recorded))
        return self._paths[1]

    def _found_home(self, recorded: str | None) -> str:
        """Where relative paths begin: at the library's place, unless its files stayed where it was before."""
        here = str(self.path.parent.parent)
        if recorded is None or _is_same_place(recorded, here):
            return recorded or here
        rows = self._all("SELECT path FROM sources WHERE substr(path, 1, 2) = ? LIMIT ?", (RELATIVE, _LOOKED_AT))
        came_along = any(os.path.exists(SourcePaths(here).whole(path)) for (path,) in rows)  # noqa: PTH110
        return here if came_along or not rows else recorded

    def settle_paths(self) -> bool:
        """Keeps all paths as is right from the library's place of now; returns whether that was new. For writers."""
        here = str(self.path.parent.parent)
        old, new = self._places(), SourcePaths(here)
        recorded = self._paths[0] if self._paths else None
        if recorded is not None and _is_same_place(recorded, here):
            return False
        with self.transaction():
            self._keep_anew(old, new)
            self._all("DELETE FROM home")
            self._insert("home", path=here.replace(os.sep, "/"))
        return True

    def _keep_anew(self, old: SourcePaths, new: SourcePaths) -> None:
        sources = {source.path: source for source in self._kept_sources()}
        for path, source in sources.items():
            kept = new.kept(old.whole(path))
            if kept in sources and kept != path:  # both the file that came along and the one here were known
                self.absorb(source, sources[kept])
            elif kept != path:
                self._update("sources", source.id, path=kept)
        roots = {new.kept(path) for path in self.roots()}
        self._all("DELETE FROM roots")
        for path in sorted(roots):
            self._insert("roots", path=path)

    # model, roots, files

    def model(self) -> Model | None:
        """The model of the signatures, or None before the first is made."""
        rows = self._all("SELECT hash, name, dimension FROM model")
        return Model(*rows[0]) if rows else None

    def set_model(self, model: Model) -> None:
        """Remembers the model of the signatures."""
        self._all("DELETE FROM model")
        self._insert("model", hash=model.hash, name=model.name, dimension=model.dimension)

    def roots(self) -> list[str]:
        """Folders that were added, which `Library.add` looks through again."""
        places = self._places()
        return sorted(places.whole(path) for (path,) in self._all("SELECT path FROM roots"))

    def add_root(self, path: str) -> None:
        """Remembers a folder that was added."""
        if path not in self.roots():
            self._insert("roots", path=self._places().kept(path))

    def remove_root(self, path: str) -> None:
        """Forgets a folder."""
        self._all("DELETE FROM roots WHERE path=?", (self._places().kept(path),))

    def files(self, kind: str) -> dict[str, int]:
        """Names and committed lengths of the append-only files of a kind, in the order they were begun."""
        return dict(self._all("SELECT name, length FROM files WHERE kind=? ORDER BY id", (kind,)))  # pyright: ignore

    def set_length(self, kind: str, name: str, length: int) -> None:
        """Sets how many bytes of a file count."""
        rows = self._all("SELECT id FROM files WHERE name=?", (name,))
        if rows:
            self._update("files", rows[0][0], length=length)
        else:
            self._insert("files", kind=kind, name=name, length=length)

    def forget_file(self, name: str) -> None:
        """A file counts no longer."""
        self._all("DELETE FROM files WHERE name=?", (name,))

    def graph(self, kind: str) -> Graph | None:
        """The saved search graph over the signatures of a kind."""
        rows = self._all("SELECT name, rows, crc FROM graphs WHERE kind=?", (kind,))
        return Graph(*rows[0]) if rows else None

    def set_graph(self, kind: str, graph: Graph | None) -> None:
        """Replaces the search graph of a kind; None: there is none."""
        self._all("DELETE FROM graphs WHERE kind=?", (kind,))
        if graph is not None:
            self._insert("graphs", kind=kind, name=graph.name, rows=graph.rows, crc=graph.check)

    # sources

    def sources(self) -> dict[str, Source]:
        """Every file that was read, by path."""
        places = self._places()
        found = (source._replace(path=places.whole(source.path)) for source in self._kept_sources())
        return {source.path: source for source in found}

    def _kept_sources(self) -> list[Source]:
        return [Source(*row) for row in self._all("SELECT id, path, size, mtime_ns, hash, error FROM sources")]

    def paths_with_clips(self) -> set[str]:
        """Paths of the files that have clips."""
        places = self._places()
        rows = self._all("SELECT DISTINCT path FROM sources JOIN clips ON source_id = sources.id")
        return {places.whole(path) for (path,) in rows}

    def put_source(self, path: str, size: int, mtime_ns: int, content: str, error: str) -> int:
        """Writes down a file as it was read; returns its id."""
        values = {"size": size, "mtime_ns": mtime_ns, "hash": content, "error": error}
        kept = self._places().kept(path)
        rows = self._all("SELECT id FROM sources WHERE path=?", (kept,))
        if not rows:
            return self._insert("sources", path=kept, **values)
        self._update("sources", rows[0][0], **values)
        return rows[0][0]

    def move_source(self, source_id: int, path: str, mtime_ns: int) -> None:
        """A file was renamed or touched; all else is as before, but clips that are named after it have its new name."""
        (old,) = self._all("SELECT path FROM sources WHERE id=?", (source_id,))[0]
        self._update("sources", source_id, path=self._places().kept(path), mtime_ns=mtime_ns)
        before, now = Path(old).stem, Path(path).stem
        for clip in self.takes(source_id).values() if before != now else ():
            if clip.name == before or clip.name.startswith(f"{before}: "):
                self._update("clips", clip.id, name=now + clip.name.removeprefix(before))

    def read_again(self, sources: Iterable[Source]) -> None:
        """Lets files count as changed, so that the next index run reads them."""
        for source in sources:
            self._update("sources", source.id, size=-1)

    def remove_source(self, source: Source) -> None:
        """Removes a file and its clips; what people marked on them comes back with the same content."""
        self.remove_clips(source, self.takes(source.id))
        self._all("DELETE FROM sources WHERE id=?", (source.id,))

    def absorb(self, gone: Source, kept: Source) -> None:
        """Removes a file in favour of another of the same content, whose clips take over what people marked."""
        clips = self.takes(kept.id)
        for take, clip in self.takes(gone.id).items():
            if take in clips and gone.hash == kept.hash:
                self.add_marks(clips[take].id, clip)
        self.remove_source(gone)

    # clips

    def takes(self, source_id: int) -> dict[int, Clip]:
        """The clips of a file by their take."""
        return {clip.take: clip for clip in self._clips("clips.source_id=?", (source_id,))}

    def put_clip(self, source_id: int, clip: Clip, content: str) -> int:
        """Writes a clip and returns its id; one of the same source and take keeps its id and people's marks."""
        values: dict[str, Any] = {"name": clip.name, "family": clip.family}
        values |= {"duration_s": clip.duration_s, "fps": clip.fps, "frames": clip.frames}
        known = self._all("SELECT id FROM clips WHERE source_id=? AND take=?", (source_id, clip.take))
        if known:
            clip_id: int = known[0][0]
            self._update("clips", clip_id, **values)
        else:
            marks = self._marks(content, clip.take)
            clip_id = self._insert("clips", source_id=source_id, take=clip.take, **values, **marks)
        self._all("DELETE FROM axes WHERE id=?", (clip_id,))
        if clip.unit:
            self._insert("axes", id=clip_id, unit=clip.unit, up=clip.up)
        return clip_id

    def _marks(self, content: str, take: int) -> dict[str, Any]:
        """Id, tags, favourite and notes that a removed clip of the same content had."""
        rows = self._all(
            "SELECT id, clip_id, tags, favourite, notes FROM marks WHERE hash=? AND take=? ORDER BY id DESC",
            (content, take),
        )
        if not rows:
            return {}
        mark, clip_id, tags, favourite, notes = rows[0]
        self._all("DELETE FROM marks WHERE id=?", (mark,))
        return {"id": clip_id, "tags": tags, "favourite": favourite, "notes": notes}

    def place_clip(self, stored: Stored) -> None:
        """Writes down where a clip's data lie: from here on it can be found."""
        segment, offset, length, check = stored.joints
        self._update(
            "clips", stored.clip_id, segment=segment, offset=offset, length=length, crc=check,
            signature_row=stored.signature_row, moment_row=stored.moment_row, moment_count=stored.moment_count,
        )  # fmt: skip

    def remove_clips(self, source: Source, takes: Mapping[int, Clip]) -> None:
        """Removes clips of a file, keeping what people marked on them for when the same content returns."""
        for take, clip in takes.items():
            if source.hash:
                self._insert(
                    "marks", hash=source.hash, take=take, clip_id=clip.id, tags=_joined(clip.tags),
                    favourite=int(clip.favourite), notes=clip.notes,
                )  # fmt: skip
            self._all("DELETE FROM clips WHERE id=?", (clip.id,))
            self._all("DELETE FROM axes WHERE id=?", (clip.id,))

    def mark_clip(self, clip_id: int, **marks: Any) -> None:  # noqa: ANN401 - tags, favourite or notes
        """Sets tags (a sequence), favourite or notes of a clip."""
        self.clip(clip_id)
        if "tags" in marks:
            marks["tags"] = _joined(marks["tags"])
        self._update("clips", clip_id, **marks)

    def add_marks(self, clip_id: int, clip: Clip) -> None:
        """Adds what people marked on another clip of the same motion."""
        if clip.tags or clip.favourite or clip.notes:
            mine = self.clip(clip_id)
            self.mark_clip(
                clip_id,
                tags=mine.tags + clip.tags,
                favourite=int(mine.favourite or clip.favourite),
                notes=mine.notes or clip.notes,
            )

    def clip(self, clip_id: int) -> Clip:
        """One clip.

        Raises:
            LibraryError: there is no clip of this id.
        """
        found = self._clips("clips.id=?", (clip_id,))
        if not found:
            raise LibraryError(f"There is no clip {clip_id} in the library {self.path.parent.name}; search it again.")
        return found[0]

    def clips(self, where: Where | None = None, limit: int = -1, offset: int = 0) -> list[Clip]:
        """Clips in the order of their names."""
        condition, values = clip_filters.condition(where)
        return self._clips(
            f"{condition} ORDER BY folded(clips.name), clips.id LIMIT ? OFFSET ?", (*values, limit, offset)
        )

    def _clips(self, rest: str, values: Sequence[Any]) -> list[Clip]:
        places = self._places()
        rows = self._all(
            "SELECT clips.id, name, path, take, family, duration_s, fps, frames, tags, favourite, notes, unit, up"
            f" FROM {CLIPS} WHERE {rest}",
            values,
        )
        return [_clip(row, places) for row in rows]

    def clips_of(self, ids: Sequence[int]) -> list[Clip]:
        """Clips in the order of these ids.

        Raises:
            LibraryError: one is there no longer.
        """
        found = {clip.id: clip for clip in self._clips(_AMONG.format("clips.id"), (json.dumps(ids),))}
        return [found[one] if one in found else self.clip(one) for one in ids]

    def rows(self) -> NDArray[np.int64]:
        """Id, signature's row, first moment's row and number of moments ``[N, 4]`` of all clips, by ascending id."""
        rows = self._all("SELECT id, signature_row, moment_row, moment_count FROM clips ORDER BY id")
        return np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=4 * len(rows)).reshape(-1, 4)

    def locations(self, ids: Sequence[int]) -> list[Location]:
        """Where the joints of clips lie, in the order of these ids.

        Raises:
            LibraryError: one is there no longer.
        """
        found = {one.clip_id: one for one in self._stored(_AMONG.format("id"), (json.dumps(ids),))}
        return [(found[one] if one in found else self.place(one)).joints for one in ids]

    def stored(self) -> list[Stored]:
        """Where the data of all clips lie, in the order of their ids."""
        return self._stored("1", ())

    def place(self, clip_id: int) -> Stored:
        """Where the data of one clip lie.

        Raises:
            LibraryError: there is no clip of this id.
        """
        self.clip(clip_id)
        return self._stored("id=?", (clip_id,))[0]

    def _stored(self, condition: str, values: Sequence[Any]) -> list[Stored]:
        columns = "id, segment, offset, length, crc, signature_row, moment_row, moment_count"
        rows = self._all(f"SELECT {columns} FROM clips WHERE {condition} ORDER BY id", values)
        return [Stored(row[0], Location(*row[1:5]), *row[5:]) for row in rows]

    def ids(self, where: Where) -> list[int]:
        """Ids of clips, ascending."""
        condition, values = clip_filters.condition(where)
        self._places()
        sql = f"SELECT clips.id FROM {CLIPS} WHERE {condition} ORDER BY clips.id"
        return [clip_id for (clip_id,) in self._all(sql, values)]

    def totals(self) -> tuple[int, int, float]:
        """How many files and clips there are, and how many seconds they last."""
        ((files,),) = self._all("SELECT count(DISTINCT source_id) FROM clips")
        ((clips, seconds),) = self._all("SELECT count(*), coalesce(sum(duration_s), 0.0) FROM clips")
        return files, clips, seconds

    def vocabulary(self) -> tuple[list[str], list[str]]:
        """All tags, and all rig families, in the order of the alphabet."""
        rows = self._all("SELECT DISTINCT tags, family FROM clips", ())
        return sorted({tag for tags, _ in rows for tag in _split(tags)}), sorted({family for _, family in rows} - {""})

    def axes(self) -> list[tuple[str, str, int]]:
        """Unit and up of the files, as they were taken, and how many clips have them; the most frequent first."""
        sql = f"SELECT coalesce(unit, ''), coalesce(up, ''), count(*) FROM {CLIPS} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        return [(unit, up, count) for unit, up, count in self._all(sql)]

    def moment_count(self) -> int:
        """How many moments have signatures."""
        ((count,),) = self._all("SELECT coalesce(sum(moment_count), 0) FROM clips")
        return count


def _clip(row: tuple[Any, ...], places: SourcePaths) -> Clip:
    number, name, path, take, family, duration_s, fps, frames, tags, favourite, notes, unit, up = row
    return Clip(
        number, name, places.whole(path), take, family, duration_s, fps, frames, _split(tags), bool(favourite), notes,
        unit or "", up or "",
    )  # fmt: skip


def _is_same_place(one: str, other: str) -> bool:
    try:
        return one == other or os.path.samefile(one, other)  # noqa: PTH121 - a place of another system is no error
    except OSError:
        return False


def _joined(tags: Sequence[str]) -> str:
    """Tags as one text with a line end before and behind each, so that a whole tag can be looked for."""
    words = sorted({" ".join(tag.split()) for tag in tags} - {""})
    return "\n" + "\n".join(words) + "\n" if words else ""


def _split(joined: str) -> tuple[str, ...]:
    """What `_joined` joined."""
    return tuple(joined.split("\n")[1:-1])
