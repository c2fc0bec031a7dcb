# SPDX-License-Identifier: GPL-3.0-or-later
"""Library: a folder ``<name>.hums`` of motions that can be searched by motion; the door to everything about it.

| in the folder | what | written by |
|---|---|---|
| ``catalogue.sqlite`` | files, clips, tags, and which bytes of the other files count | `catalogue` |
| ``catalogue.backup`` | a copy of it, made after each index run | `catalogue` |
| ``joints/`` | the canonical motion of each clip | `joint_store` |
| ``signatures/`` | signatures of clips and of moments | `signature_store` |
| ``graphs/`` | search graphs over many signatures | `hnsw_index` |
| ``writer.lock`` | held by the one who writes | `writer_lock` |
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import indexing, merging, relinking, verification
from .canonical import CanonicalMotion, canonicalize
from .catalogue import BACKUP, CATALOGUE, Catalogue
from .clip_filters import Where
from .errors import LibraryError
from .indexing import IndexReport, ProgressCallback, Shard
from .joint_store import JointStore
from .motion import Motion
from .normalize import NormalizedMotion
from .reading import sign
from .records import Clip, Model
from .relinking import RelinkReport
from .search import Hit, Scope, Searcher
from .source_paths import absolute, is_below
from .verification import VerifyReport
from .writer import FOLDERS, Writer, model_of
from .writer_lock import WriterLock

if TYPE_CHECKING:
    from .encoder import Encoder


Example = Motion | CanonicalMotion | int
"""What a search asks with: a motion, or the id of a clip of the library."""

Read = TypeVar("Read")
_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class LibraryInfo:
    """What a library holds.

    Attributes:
        path: its folder.
        files: how many files it has clips of.
        clips: how many clips.
        duration_s: how long they last together.
        moments: how many signatures of moments.
        bytes: its size on disk.
        model: the name of the model of its signatures, empty before the first.
        model_hash: its hash.
        roots: folders that were added.
        axes: unit and up that files were taken to have, and how many clips; the most frequent first. Empty texts
            stand for clips that an older version read.
        failed: path and reason of files that could not be read.
        readonly: whether it can only be read here.
    """

    path: str
    files: int
    clips: int
    duration_s: float
    moments: int
    bytes: int
    model: str
    model_hash: str
    roots: list[str]
    axes: list[tuple[str, str, int]]
    failed: list[tuple[str, str]]
    readonly: bool


class Library:
    """A library of motions, open for use; make one with `create` or `open`.

    One process at a time may change it, any number may search it, also while it is changed. An instance may be used
    from several threads, one search or change at a time.
    """

    def __init__(self, path: Path, readonly: bool, encoder: Encoder | None) -> None:
        self.path: Final = path
        self._catalogue = Catalogue(path / CATALOGUE, readonly)
        self._joints = JointStore(path / FOLDERS["joints"])
        self._encoder = encoder
        self._searcher = Searcher(path, self._catalogue, self._joints, self._encode)

    @classmethod
    def create(cls, path: str | Path, encoder: Encoder | None = None) -> Self:
        """Makes an empty library; its folder appears whole or not at all.

        Args:
            path: of the folder, by convention ending in ``.hums``.
            encoder: to sign with; None for the shipped model, loaded when it is first needed.

        Raises:
            LibraryError: there is something already, or the place cannot be written.
        """
        folder = _absolute(path)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise LibraryError(f"There is something at {folder} already; open it, or choose another name.")
        beside = folder.with_name(f".{folder.name}.making-{os.getpid()}")
        try:
            beside.mkdir(parents=True)
            for name in dict.fromkeys(FOLDERS.values()):
                (beside / name).mkdir()
            Catalogue.create(beside / CATALOGUE).close()
            if folder.exists():
                folder.rmdir()
            beside.rename(folder)
        except OSError as error:
            raise LibraryError(
                f"No library can be made at {folder} ({error.strerror}); choose another place."
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return cls.open(folder, encoder=encoder)

    @classmethod
    def open(cls, path: str | Path, readonly: bool = False, encoder: Encoder | None = None) -> Self:
        """Opens a library.

        Args:
            path: of its folder.
            readonly: never change it; chosen by itself where the folder cannot be written.
            encoder: to sign with; None for the shipped model, loaded when it is first needed.

        Raises:
            LibraryError: there is none, it is damaged, of a newer version, or ``encoder`` is not its model.
        """
        folder = _absolute(path)
        library = cls(folder, readonly, encoder)
        if encoder is not None:
            library._check_model(encoder)
        return library

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the library's files."""
        self._joints.close()
        self._catalogue.close()

    # the encoder

    @property
    def encoder(self) -> Encoder:
        """The encoder, loaded on first use.

        Raises:
            LibraryError: its model is not the one that the library's signatures were made with.
            ModelError: it cannot be loaded.
        """
        if self._encoder is None:
            from .encoder import Encoder  # noqa: PLC0415 - reading a library needs no onnxruntime

            self._encoder = Encoder()
        self._check_model(self._encoder)
        return self._encoder

    def _check_model(self, encoder: Encoder) -> None:
        model = self._catalogue.model()
        if model is not None and model.hash != encoder.model_hash:
            raise LibraryError(
                f"The library {self.path.name} was made with the model '{model.name}' ({model.hash[:8]}), not with "
                f"'{encoder.model_name}' ({encoder.model_hash[:8]}); sign it anew with: hums index LIBRARY --reencode."
            )

    def _encode(self, motions: list[NormalizedMotion]) -> NDArray[np.float32]:
        return self.encoder.encode(motions)

    # changing

    @contextmanager
    def _writer(self, model: Model) -> Iterator[Writer]:
        if self._catalogue.readonly:
            raise LibraryError(f"The library {self.path.name} cannot be written here; it is open for reading only.")
        with WriterLock(self.path / "writer.lock"), Writer(self.path, self._catalogue, model) as writer:
            yield writer

    def add(
        self,
        paths: Sequence[str | Path] = (),
        workers: int = 0,
        progress: ProgressCallback | None = None,
        shard: Shard | None = None,
        again: bool = False,
        spare_cores: int = 0,
    ) -> IndexReport:
        """Brings the library up to date with files and folders.

        Only what is new or has changed is read. Clips of files that are gone from a folder given here are
        removed; what was marked on them comes back with the same content. A file that cannot be read is listed
        in the report, and stops nothing.

        Args:
            paths: files and folders; none for everything that was added before.
            workers: processes to read in; 1 for this one only, 0 for as many as are worth it.
            progress: told some times a second; returning False cancels. What is done by then is kept.
            shard: only a part of the files, for one of several machines.
            again: also read files that have not changed, for what a newer version or a map of one's own makes of
                them. Where that is cancelled, a run without it goes on.
            spare_cores: how many cores automatic workers leave to other programs.

        Raises:
            LibraryError: it cannot be written, another program writes, the disk is full, or it is of another model.
        """
        encoder = self.encoder
        with self._writer(model_of(encoder)) as writer:
            report = indexing.run(writer, self._catalogue, encoder, paths, workers, progress, shard, again, spare_cores)
            self._settle()
        return report

    def remove(self, paths: Sequence[str | Path]) -> int:
        """Takes files, and all files below folders, out of the library; returns how many. The files are not touched.

        Raises:
            LibraryError: it cannot be written, or another program writes.
        """
        model = self._catalogue.model()
        if model is None:
            return 0
        with self._writer(model) as writer:
            wanted = [absolute(path) for path in paths]
            gone = [
                source
                for path, source in self._catalogue.sources().items()
                if any(is_below(path, one) for one in wanted)
            ]
            writer.commit(lambda into: [*map(into.remove_source, gone), *map(into.remove_root, wanted)])
            writer.compact()
            self._settle()
        return len(gone)

    def reencode(self, encoder: Encoder, progress: Callable[[int, int], object] | None = None) -> int:
        """Signs all clips anew from their stored joints, for another model; returns how many.

        The old signatures serve until all new ones are there.

        Args:
            encoder: the new one.
            progress: told how many clips are done, and of how many; returning False cancels, and nothing changes.

        Raises:
            LibraryError: it cannot be written, another program writes, or stored joints are damaged.
        """
        stored = self._catalogue.totals()[1]
        with self._writer(model_of(encoder)) as writer:
            done = writer.replace_signatures(
                lambda one: sign(self._joints.motion(one.joints), encoder),
                lambda count: progress is None or progress(count, stored) is not False,
            )
            if not done:
                return 0
            writer.update_graphs()
            self._settle()
        self._encoder = encoder
        return stored

    def merge(self, other: Library, progress: Callable[[int, int], object] | None = None) -> IndexReport:
        """Takes over the clips of another library of the same model, such as a shard that another machine indexed.

        Raises:
            LibraryError: the models differ, it cannot be written, or another program writes.
        """
        with self._writer(model_of(self.encoder)) as writer:
            report = merging.run(writer, self._catalogue, other._catalogue, other.path, progress)
            self._settle()
        return report

    def relink(self, old: str | Path, new: str | Path) -> RelinkReport:
        """Tells the library where files are that it knows at another place; no motion is read again.

        Clips keep their ids and what people marked on them. Files are found at ``new`` as they lay at ``old``, and
        those that are not there anywhere below ``new`` by their content, also under other names.

        Args:
            old: file or folder as the library knows it (`missing`), also one of another computer.
            new: file or folder where it is now.

        Raises:
            LibraryError: there is nothing at ``new``, it cannot be written, or another program writes.
        """
        model = self._catalogue.model()
        if model is None:
            return RelinkReport()
        with self._writer(model):
            report = relinking.run(self._catalogue, str(old), str(new))
            self._settle()
        return report

    def _settle(self) -> None:
        """Leaves the catalogue where readers without locks and a later repair find it."""
        self._catalogue.fold_log()
        self._catalogue.back_up(self.path / BACKUP)

    def set_tags(self, clip_id: int, tags: Sequence[str]) -> None:
        """Replaces a clip's tags; works while another program indexes.

        Raises:
            LibraryError: there is no such clip, or the library cannot be written.
        """
        with self._catalogue.transaction():
            self._catalogue.mark_clip(clip_id, tags=tags)

    def set_favourite(self, clip_id: int, favourite: bool = True) -> None:
        """Marks a clip, or takes the mark away; works while another program indexes.

        Raises:
            LibraryError: there is no such clip, or the library cannot be written.
        """
        with self._catalogue.transaction():
            self._catalogue.mark_clip(clip_id, favourite=int(favourite))

    def set_notes(self, clip_id: int, notes: str) -> None:
        """Replaces a clip's notes; works while another program indexes.

        Raises:
            LibraryError: there is no such clip, or the library cannot be written.
        """
        with self._catalogue.transaction():
            self._catalogue.mark_clip(clip_id, notes=notes)

    # reading

    def search(
        self,
        query: Example | Sequence[Example],
        k: int = 20,
        scope: Scope = "clips",
        where: Where | None = None,
        rerank: bool = True,
        mirror: bool = False,
        unlike: Example | Sequence[Example] = (),
        joints: Collection[str] | None = None,
    ) -> list[Hit]:
        """The most similar motions, best first, each clip once.

        Args:
            query: a motion, or the id of a clip of this library; or several, for what they have in common.
            k: how many.
            scope: ``"clips"``: clips that are like the query as a whole; ``"moments"``: clips in which something like
                the query happens, with all the stretches where it does.
            where: filters: name (a part of it), tags (all of them), text (a part of name or tags), folder, source, rig
                (how its family begins), fps, min_fps, max_fps, min_duration_s, max_duration_s, favourite, unit, up;
                see docs/search.md.
            rerank: align the candidates with the query frame by frame; without, signatures alone decide.
            mirror: also find motions that are like the query with left and right exchanged.
            unlike: motions that the results must not be like.
            joints: names of the canonical joints that count, such as those of the arms; None for all.

        Raises:
            LibraryError: an unknown filter, scope, joint or clip, no motion to ask with, or the library is of another
                model.
            MappingError: the query is not a figure's motion.
        """
        if k < 1:
            raise LibraryError(f"The number of results must be 1 or more, not {k}.")
        if scope not in ("clips", "moments"):
            raise LibraryError(f"There is no scope '{scope}'; use 'clips' or 'moments'.")
        like, not_like = self._examples(query), self._examples(unlike)
        if not like:
            raise LibraryError("There is no motion to search with; give one or more.")
        return self._steadily(lambda: self._searcher.search(like, not_like, k, scope, where, rerank, mirror, joints))

    def _examples(self, given: Example | Sequence[Example]) -> list[CanonicalMotion]:
        """What a search is given, as canonical motions."""
        several = [given] if isinstance(given, Motion | CanonicalMotion | int) else given
        return [self._example(one) for one in several]

    def _example(self, given: Example) -> CanonicalMotion:
        if isinstance(given, int):
            return self.motion(given)
        return canonicalize(given) if isinstance(given, Motion) else given

    def clips(self, where: Where | None = None, limit: int = -1, offset: int = 0) -> list[Clip]:
        """Clips in the order of their names; ``where`` as in `search`."""
        return self._catalogue.clips(where, limit, offset)

    def clip(self, clip_id: int) -> Clip:
        """One clip.

        Raises:
            LibraryError: there is no clip of this id.
        """
        return self._catalogue.clip(clip_id)

    def motion(self, clip_id: int) -> CanonicalMotion:
        """A clip's stored motion, at 60 frames a second or less.

        Raises:
            LibraryError: there is no clip of this id, or its joints are damaged.
        """
        clip = self.clip(clip_id)
        return self._steadily(
            lambda: self._joints.motion(self._catalogue.place(clip_id).joints, clip.name, clip.source)
        )

    def _steadily(self, read: Callable[[], Read]) -> Read:
        """Reads once more where a writer has replaced a file between looking up where something lies and reading it."""
        for _ in range(_ATTEMPTS):
            state = self._catalogue.state()
            try:
                return read()
            except LibraryError:
                if self._catalogue.state() == state:
                    raise
        return read()

    def info(self) -> LibraryInfo:
        """What the library holds."""
        files, clips, duration_s = self._catalogue.totals()
        model = self._catalogue.model()
        sources = self._catalogue.sources().values()
        return LibraryInfo(
            path=str(self.path),
            files=files,
            clips=clips,
            duration_s=duration_s,
            moments=self._catalogue.moment_count(),
            bytes=sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file()),
            model=model.name if model else "",
            model_hash=model.hash if model else "",
            roots=self._catalogue.roots(),
            axes=self._catalogue.axes(),
            failed=[(source.path, source.error) for source in sources if source.error],
            readonly=self._catalogue.readonly,
        )

    def vocabulary(self) -> tuple[list[str], list[str]]:
        """All tags of clips, and the rig families that they were recognised as, in the order of the alphabet."""
        return self._catalogue.vocabulary()

    def missing(self) -> list[str]:
        """Paths of files that are not where they were; their clips can be found and shown all the same.

        Looks into each file's folder, which takes a second for 100,000 files, more on a slow share.
        """
        return relinking.missing_of(sorted(self._catalogue.paths_with_clips()))

    def verify(self, repair: bool = False) -> VerifyReport:
        """Checks every byte that counts, and with ``repair`` mends what can be mended.

        Raises:
            LibraryError: with ``repair``, it cannot be written, another program writes, or it is of another model.
        """
        if not repair:
            return verification.check(self.path, self._catalogue)
        self._joints.close()
        report = verification.repair(self.path, self._catalogue, self.encoder)
        self._settle()
        return report

    @classmethod
    def repair(cls, path: str | Path, encoder: Encoder | None = None) -> VerifyReport:
        """Mends a library, also one that cannot be opened: then its catalogue's backup takes the catalogue's place.

        Raises:
            LibraryError: there is no sound backup, it cannot be written, another program writes, or it is of another
                model.
        """
        restored = []
        try:
            library = cls.open(path, encoder=encoder)
        except LibraryError:
            verification.restore(_absolute(path))
            restored = ["the catalogue could not be opened: its backup is in its place"]
            library = cls.open(path, encoder=encoder)
        with library:
            report = library.verify(repair=True)
        report.mended = restored + report.mended
        return report


def _absolute(path: str | Path) -> Path:
    return Path(absolute(path))
