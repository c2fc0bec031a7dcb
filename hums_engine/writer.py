# SPDX-License-Identifier: GPL-3.0-or-later
"""Writer: the one who may change a library's files, and how a change is made to count all at once or not at all.

Records and rows are appended to files, the disk is waited for, and then one transaction of the catalogue says where
they lie. Before that transaction nothing has happened; after it nothing can be lost. Files that are
replaced as a whole (after a re-encode, a compaction, or by a new search graph) get a new name first.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self

import numpy as np

from .append_file import AppendFile
from .catalogue import BACKUP, Catalogue
from .errors import LibraryError
from .hnsw_index import HnswIndex, is_installed
from .joint_store import SEGMENT_BYTES, JointStore, Location
from .reading import ReadFile, TakeFacts
from .records import Clip, Graph, Model, Source, Stored
from .signature_store import Rows, SignatureStore, pack_rows, row_type
from .subspace import Subspace

if TYPE_CHECKING:
    from .encoder import Encoder

Kind = Literal["clips", "moments"]
KINDS: Final[tuple[Kind, Kind]] = ("clips", "moments")

FOLDERS: Final = {"joints": "joints", "clips": "signatures", "moments": "signatures", "graph": "graphs"}
GRAPH_FROM: Final = 10_000
"""Rows from which a search graph is kept. Below, comparing with all takes some 2 ms; building one costs some 0.15 ms a
row."""

_GRAPH_SLACK: Final = 8_000  # a graph is extended when more rows than this came after it
_GRAPH_PIECE: Final = 262_144  # rows that may have to be put into the graph once more if the writer is killed
_GRAPH_SAMPLE: Final = 8_192  # rows that the subspace of a graph is made for
_WASTE: Final = 0.5  # files are compacted when more than this share of them belongs to nothing


class Placed(NamedTuple):
    """Where the data of a take were appended."""

    facts: TakeFacts
    joints: Location
    signature_row: int
    moment_row: int
    moment_count: int


class Writer:
    """Appends to a library's files; the caller holds the writer's lock.

    Args:
        folder: of the library.
        catalogue: of the library, open for writing.
        model: of the signatures that will be added.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, model: Model) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self.model = model
        self._row_bytes = row_type(model.dimension).itemsize
        self._pending: list[tuple[ReadFile, list[Placed]]] = []
        if catalogue.settle_paths():
            catalogue.back_up(folder / BACKUP)
        self._clear_leftovers()
        self._files: dict[str, AppendFile] = {}
        self._full: list[tuple[str, str, int]] = []
        for kind in ("joints", *KINDS):
            self._open(kind)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def _path(self, kind: str, name: str) -> Path:
        return self._folder / FOLDERS[kind] / name

    def _clear_leftovers(self) -> None:
        """Deletes what a killed writer had begun: files that the catalogue does not know."""
        known = {name for kind in ("joints", *KINDS) for name in self._catalogue.files(kind)}
        known |= {graph.name for kind in KINDS if (graph := self._catalogue.graph(kind))}
        for folder in dict.fromkeys(FOLDERS.values()):
            (self._folder / folder).mkdir(exist_ok=True)
            for path in (self._folder / folder).iterdir():
                if path.name not in known:
                    _delete(path)

    def _open(self, kind: str) -> None:
        """Opens the newest file of a kind for appending, or begins the first one."""
        files = self._catalogue.files(kind)
        name = list(files)[-1] if files else f"{kind}-000001"
        self._files[kind] = AppendFile(self._path(kind, name), files.get(name, 0))

    def _begin(self, kind: str) -> None:
        """Begins a new file of a kind, with the next number."""
        old = self._files[kind]
        number = int(old.path.name.rsplit("-", 1)[1]) + 1
        old.sync()
        old.close()
        self._full.append((kind, old.path.name, old.length))
        path = self._path(kind, f"{kind}-{number:06d}")
        path.unlink(missing_ok=True)
        self._files[kind] = AppendFile(path, 0)

    # adding

    @property
    def pending(self) -> int:
        """How many files wait for `commit`."""
        return len(self._pending)

    def add(self, read: ReadFile) -> None:
        """Appends a file's takes; they count after `commit`.

        Raises:
            LibraryError: the disk is full or failing.
        """
        with self._disk():
            placed = [self._append(take.facts, take.record, take.signature, take.moments) for take in read.takes]
        self._pending.append((read, placed))

    def _append(self, facts: TakeFacts, record: bytes | memoryview, signature: Rows, moments: Rows) -> Placed:
        joints = self._append_record(record)
        return Placed(facts, joints, self._append_rows("clips", signature), *self._append_moments(moments))

    def _append_record(self, record: bytes | memoryview) -> Location:
        if self._files["joints"].length > SEGMENT_BYTES:
            self._begin("joints")
        file = self._files["joints"]
        return Location(file.path.name, file.append(record), len(record), zlib.crc32(record))

    def _append_rows(self, kind: Kind, rows: Rows) -> int:
        return self._files[kind].append(pack_rows(rows)) // self._row_bytes if len(rows.vectors) else 0

    def _append_moments(self, moments: Rows) -> tuple[int, int]:
        return self._append_rows("moments", moments), len(moments.vectors)

    def commit(self, also: Callable[[Catalogue], object] | None = None) -> dict[str, list[int]]:
        """Makes everything appended so far count, together with what ``also`` writes into the catalogue.

        Returns:
            The ids of each file's clips, by path.

        Raises:
            LibraryError: the disk is full or failing; nothing of it counts then.
        """
        ids: dict[str, list[int]] = {}
        with self._disk():
            for file in self._files.values():
                file.sync()
            with self._catalogue.transaction():
                for read, placed in self._pending:
                    ids[read.path] = self._write_down(read, placed)
                self._write_lengths()
                if also is not None:
                    also(self._catalogue)
                if self._catalogue.model() != self.model:
                    self._catalogue.set_model(self.model)
        self._pending.clear()
        self._full.clear()
        return ids

    def _write_lengths(self) -> None:
        now = [(kind, file.path.name, file.length) for kind, file in self._files.items()]
        for kind, name, length in self._full + now:
            if self._catalogue.files(kind).get(name) != length:
                self._catalogue.set_length(kind, name, length)

    def _write_down(self, read: ReadFile, placed: list[Placed]) -> list[int]:
        """The rows of a file and its clips. A file that cannot be read any more keeps the clips it had."""
        error = "; ".join(read.failures)
        source = self._catalogue.put_source(read.path, read.state.size, read.state.mtime_ns, read.content, error)
        if not placed:
            return []
        ids = [self._put_clip(source, read, one) for one in placed]
        gone = {take: clip for take, clip in self._catalogue.takes(source).items() if clip.id not in ids}
        self._catalogue.remove_clips(Source(source, read.path, 0, 0, read.content, ""), gone)
        return ids

    def _put_clip(self, source: int, read: ReadFile, placed: Placed) -> int:
        clip = Clip(id=0, source=read.path, tags=(), favourite=False, notes="", **asdict(placed.facts))
        clip_id = self._catalogue.put_clip(source, clip, read.content)
        self._catalogue.place_clip(Stored(clip_id, *placed[1:]))
        return clip_id

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Whatever fails inside leaves the files as long as the catalogue says they are."""
        try:
            yield
        except BaseException as error:
            self._pending.clear()
            for kind, file in self._files.items():
                file.rewind(self._catalogue.files(kind).get(file.path.name, 0))
            if isinstance(error, OSError):
                raise LibraryError(
                    f"The library {self._folder.name} cannot be written ({error.strerror}); what was indexed before is "
                    "safe: free some space and index again."
                ) from error
            raise

    # replacing whole files

    def replace_signatures(
        self, signed: Callable[[Stored], tuple[Rows, Rows]], progress: Callable[[int], bool]
    ) -> bool:
        """Writes all signatures anew, and lets them count at once.

        Args:
            signed: gives a clip's signature and those of its moments.
            progress: told how many clips are done; False stops, and all stays as it was.

        Returns:
            False if stopped.
        """
        stored = self._catalogue.stored()
        old = [name for kind in KINDS for name in self._catalogue.files(kind)]
        with self._disk():
            for kind in KINDS:
                self._begin(kind)
            placed: list[Stored] = []
            for one in stored:
                signature, moments = signed(one)
                rows = self._append_rows("clips", signature), *self._append_moments(moments)
                placed.append(Stored(one.clip_id, one.joints, *rows))
                if not progress(len(placed)):
                    return False
        self.commit(lambda catalogue: _put_anew(catalogue, placed, old))
        self._delete("clips", old)
        return True

    def compact(self) -> None:
        """Gives back the room of removed clips, where it is more than half of a file."""
        self._compact_signatures()
        self._compact_joints()

    def _compact_signatures(self) -> None:
        stored = self._catalogue.stored()
        used = len(stored) + sum(one.moment_count for one in stored)
        rows = sum(self._files[kind].length for kind in KINDS) // self._row_bytes
        if rows - used <= _WASTE * rows:
            return
        stores = self.stores()
        self.replace_signatures(lambda one: rows_of(stores, one), lambda done: True)

    def _compact_joints(self) -> None:
        """Copies the live records of wasteful segments to the end of the newest one, or of a new one if that is one.

        None of the segments that go may take in records that stay.
        """
        live: dict[str, list[Stored]] = {name: [] for name in self._catalogue.files("joints")}
        for one in self._catalogue.stored():
            live[one.joints.segment].append(one)
        wasteful = [
            name
            for name, length in self._catalogue.files("joints").items()
            if length - sum(one.joints.length for one in live[name]) > _WASTE * length
        ]
        if self._files["joints"].path.name in wasteful:
            with self._disk():
                self._begin("joints")
        joints = JointStore(self._folder / FOLDERS["joints"])
        for name in wasteful:
            with self._disk():
                moved = [one._replace(joints=self._append_record(joints.record(one.joints))) for one in live[name]]
            self.commit(lambda catalogue, moved=moved, name=name: _put_anew(catalogue, moved, [name], graphs=True))
            joints.close()
            self._delete("joints", [name])

    def _delete(self, kind: str, names: Iterable[str]) -> None:
        for name in names:
            _delete(self._path(kind, name))

    def stores(self) -> dict[Kind, SignatureStore]:
        """The committed signatures of both kinds."""
        return {kind: self.store(kind) for kind in KINDS}

    # search graphs

    def store(self, kind: Kind) -> SignatureStore:
        """The committed signatures of a kind."""
        file = self._files[kind]
        return SignatureStore(file.path, self.model.dimension, file.length // self._row_bytes)

    def update_graphs(self, progress: Callable[[int, int], bool] = lambda done, rows: True) -> bool:
        """Builds or extends the search graphs of what has grown large; does nothing where hnswlib is missing.

        Args:
            progress: told once a second or so how many rows of how many a graph covers; False stops, and what is
                covered by then is kept.

        Returns:
            False if stopped.
        """
        for kind in KINDS if is_installed() else ():
            store, graph = self.store(kind), self._catalogue.graph(kind)
            behind = graph is None or store.count - graph.rows > _GRAPH_SLACK
            if behind and store.count >= GRAPH_FROM and not self._extend_graph(kind, store, graph, progress):
                return False
        return True

    def _extend_graph(
        self, kind: Kind, store: SignatureStore, graph: Graph | None, progress: Callable[[int, int], bool]
    ) -> bool:
        index = self._begun_graph(store, graph)
        saved, goes_on = len(index), True
        for numbers, rows in store.blocks(len(index)):
            goes_on = progress(int(numbers[0]), store.count)
            if not goes_on:
                break
            index.add(rows.vectors)
            if len(index) - saved >= _GRAPH_PIECE:
                self._put_graph(kind, store, index)
                saved = len(index)
        if len(index) > saved:
            self._put_graph(kind, store, index)
        return goes_on

    def _begun_graph(self, store: SignatureStore, graph: Graph | None) -> HnswIndex:
        """The graph so far, or an empty one where it is damaged or its subspace is wrong for what came after it."""
        index = None if graph is None else load_graph(self._path("graph", graph.name), graph)
        if graph is not None and index is not None and index.holds(store.sample(_GRAPH_SAMPLE, graph.rows)):
            try:
                index.connect(self._path("graph", graph.name))
                return index
            except LibraryError:
                pass
        return HnswIndex(Subspace.of(store.sample(_GRAPH_SAMPLE)), store.count)

    def _put_graph(self, kind: Kind, store: SignatureStore, index: HnswIndex) -> None:
        old = self._catalogue.graph(kind)
        name = f"{store.path.name}-{len(index)}"
        path = self._path("graph", name)
        with self._disk():
            index.save(path)
            new = Graph(name, len(index), crc_of(path))
        self.commit(lambda catalogue: catalogue.set_graph(kind, new))
        if old is not None and old.name != name:
            _delete(self._path("graph", old.name))


def _put_anew(catalogue: Catalogue, placed: list[Stored], gone: list[str], graphs: bool = False) -> None:
    """Clips lie elsewhere now and files count no longer; graphs of replaced signatures neither."""
    for one in placed:
        catalogue.place_clip(one)
    for name in gone:
        catalogue.forget_file(name)
    if not graphs:
        for kind in KINDS:
            catalogue.set_graph(kind, None)


def model_of(encoder: Encoder) -> Model:
    """What the catalogue remembers of an encoder."""
    return Model(encoder.model_hash, encoder.model_name, encoder.dimension)


def rows_of(stores: dict[Kind, SignatureStore], one: Stored) -> tuple[Rows, Rows]:
    """A clip's signature and those of its moments, as they are stored."""
    return (
        stores["clips"].read(np.array([one.signature_row])),
        stores["moments"].read(np.arange(one.moment_row, one.moment_row + one.moment_count)),
    )


def load_graph(path: Path, graph: Graph) -> HnswIndex | None:
    """The vectors of a saved search graph, not yet connected, or None where it is damaged."""
    try:
        return HnswIndex.load(path) if crc_of(path) == graph.check else None
    except (LibraryError, OSError):
        return None


def crc_of(path: Path) -> int:
    """The CRC-32 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    check = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            check = zlib.crc32(block, check)
    return check


def _delete(path: Path) -> None:
    """Deletes a file that counts no longer; one that another program still reads is left for the next writer."""
    try:
        path.unlink()
    except OSError:
        return
