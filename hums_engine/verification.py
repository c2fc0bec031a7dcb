# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification: finding every changed byte of a library, and mending what can be mended.

What is mended from what: a catalogue from its backup, joints from their source file, signatures from the joints, a
search graph from the signatures. What has no source any more is named and taken out, so that nothing wrong is ever
shown.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .catalogue import BACKUP, CATALOGUE, Catalogue
from .errors import LibraryError
from .joint_store import JointStore
from .reading import read_file, sign
from .records import Model, Stored
from .signature_store import Rows, SignatureStore, row_type
from .writer import FOLDERS, KINDS, Kind, Writer, crc_of, model_of, rows_of
from .writer_lock import WriterLock

if TYPE_CHECKING:
    from .encoder import Encoder

_DAMAGED: Final = "catalogue.damaged"


@dataclass
class VerifyReport:
    """What `Library.verify` found.

    Attributes:
        clips: how many clips were checked.
        signatures: how many signatures were checked.
        problems: what is damaged and was left so, in one line each.
        mended: what was damaged and is sound again, in one line each.
    """

    clips: int = 0
    signatures: int = 0
    problems: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged now."""
        return not self.problems


@dataclass
class _Damage:
    """What was found damaged."""

    rows: list[tuple[str, int]] = field(default_factory=list)
    short: list[Path] = field(default_factory=list)
    joints: list[Stored] = field(default_factory=list)
    signatures: list[Stored] = field(default_factory=list)
    graphs: list[tuple[Kind, str]] = field(default_factory=list)
    catalogue: bool = False
    backup: bool = False

    def lines(self, catalogue: Catalogue) -> list[str]:
        """What is damaged, for people."""
        if self.catalogue:
            return [f"{CATALOGUE}: its structure is damaged"]
        names = {clip.id: f"{clip.name} ({clip.source})" for clip in catalogue.clips()}
        return [
            *(f"{CATALOGUE}: row {row_id} of {table} is damaged" for table, row_id in self.rows),
            *(f"{path.name}: the file is missing or has lost its end" for path in self.short),
            *(f"{one.joints.segment}: the joints of {names.get(one.clip_id)} are damaged" for one in self.joints),
            *(f"signatures of {names.get(one.clip_id)} are damaged" for one in self.signatures),
            *(f"{name}: the search graph is damaged" for _, name in self.graphs),
            *([f"{BACKUP}: the copy of the catalogue is damaged"] if self.backup else []),
        ]


def check(folder: Path, catalogue: Catalogue) -> VerifyReport:
    """Looks at every byte that counts."""
    report = VerifyReport()
    damage = _find(folder, catalogue, report)
    report.problems = damage.lines(catalogue)
    return report


def _find(folder: Path, catalogue: Catalogue, report: VerifyReport) -> _Damage:
    try:
        if catalogue.is_sound():
            return _find_in_files(folder, catalogue, report)
    except LibraryError:  # SQLite stumbled over the damage
        pass
    return _Damage(catalogue=True)


def _find_in_files(folder: Path, catalogue: Catalogue, report: VerifyReport) -> _Damage:
    damage = _Damage()
    with catalogue.moment_in_time():
        damage.rows = catalogue.broken_rows()
        stored = catalogue.stored()
        report.clips = len(stored)
        damage.short = list(_short_files(folder, catalogue))
        joints = JointStore(folder / FOLDERS["joints"])
        durations = {one.clip_id: _duration_s(joints, one) for one in stored}
        damage.joints = [one for one in stored if durations[one.clip_id] is None]
        model = catalogue.model()
        if model is not None:
            _check_signatures(folder, catalogue, model, stored, durations, damage, report)
        damage.graphs = [(kind, name) for kind in KINDS for name in _damaged_graph(folder, catalogue, kind)]
    damage.backup = (folder / BACKUP).exists() and not _is_sound_backup(folder)
    return damage


def _is_sound_backup(folder: Path) -> bool:
    try:
        backup = Catalogue(folder / BACKUP, readonly=True)
    except LibraryError:
        return False
    try:
        return backup.is_sound() and not backup.broken_rows()
    except LibraryError:
        return False
    finally:
        backup.close()


def _short_files(folder: Path, catalogue: Catalogue) -> Iterator[Path]:
    for kind in ("joints", *KINDS):
        for name, length in catalogue.files(kind).items():
            path = folder / FOLDERS[kind] / name
            if length and (not path.exists() or path.stat().st_size < length):
                yield path


def _duration_s(joints: JointStore, one: Stored) -> float | None:
    """How long a clip's motion is, or None where its record is damaged."""
    try:
        return joints.motion(one.joints).duration_s
    except LibraryError:
        return None


def _check_signatures(
    folder: Path,
    catalogue: Catalogue,
    model: Model,
    stored: list[Stored],
    durations: dict[int, float | None],
    damage: _Damage,
    report: VerifyReport,
) -> None:
    bad: dict[Kind, set[int]] = {}
    stores: dict[Kind, SignatureStore] = {}
    for kind in KINDS:
        bad[kind] = set()
        for name, length in catalogue.files(kind).items():
            path = folder / FOLDERS[kind] / name
            count = length // row_type(model.dimension).itemsize
            report.signatures += count
            if path in damage.short:
                bad[kind] = set(range(count))
            else:
                stores[kind] = SignatureStore(path, model.dimension, count)
                bad[kind] = set(stores[kind].damaged().tolist())
    damage.signatures = [
        one
        for one in stored
        if one.signature_row in bad["clips"]
        or not bad["moments"].isdisjoint(range(one.moment_row, one.moment_row + one.moment_count))
        or not _is_of_its_clip(stores, one, durations[one.clip_id])
    ]


def _is_of_its_clip(stores: dict[Kind, SignatureStore], one: Stored, duration_s: float | None) -> bool:
    """Whether rows stand for what they should: whole files may have been exchanged, each sound in itself."""
    if len(stores) < len(KINDS) or duration_s is None:  # damaged otherwise
        return True
    clip, moments = rows_of(stores, one)
    end_s = np.float32(duration_s)
    whole = clip.start_s[0] == 0 and clip.end_s[0] == end_s
    return bool(whole and (moments.start_s >= 0).all() and (moments.end_s <= end_s * (1 + 1e-6)).all())


def _damaged_graph(folder: Path, catalogue: Catalogue, kind: Kind) -> Iterator[str]:
    graph = catalogue.graph(kind)
    if graph is None:
        return
    try:
        sound = crc_of(folder / FOLDERS["graph"] / graph.name) == graph.check
    except OSError:
        sound = False
    if not sound:
        yield graph.name


# mending


def restore(folder: Path) -> None:
    """Puts the backup in the place of a damaged catalogue; see `Library.repair`."""
    with WriterLock(folder / "writer.lock"):
        _restore(folder)


def _restore(folder: Path) -> None:
    """The same for one who holds the lock. The damaged file is kept beside the new one."""
    if not (folder / BACKUP).is_file():
        raise LibraryError(f"The catalogue of {folder.name} has no backup; index its folders into a new library.")
    if not _is_sound_backup(folder):
        raise LibraryError(f"The backup in {folder.name} is damaged too; index its folders into a new library.")
    copy = folder / f"{BACKUP}.copy"
    shutil.copyfile(folder / BACKUP, copy)
    for name in (f"{CATALOGUE}-wal", f"{CATALOGUE}-shm"):
        (folder / name).unlink(missing_ok=True)
    if (folder / CATALOGUE).exists():
        (folder / CATALOGUE).replace(folder / _DAMAGED)
    copy.replace(folder / CATALOGUE)


def repair(folder: Path, catalogue: Catalogue, encoder: Encoder) -> VerifyReport:
    """Mends what can be mended; see `Library.verify`."""
    with WriterLock(folder / "writer.lock"):
        found = check(folder, catalogue).problems
        _mend_catalogue(folder, catalogue)
        damage = _find(folder, catalogue, VerifyReport())
        found += [line for line in damage.lines(catalogue) if line not in found]
        lost = _mend_files(folder, catalogue, encoder, damage) if found else []
        catalogue.fold_log()
        catalogue.back_up(folder / BACKUP)
        report = check(folder, catalogue)
    report.mended = [line for line in found if line not in report.problems]
    report.problems += lost
    return report


def _mend_catalogue(folder: Path, catalogue: Catalogue) -> None:
    damage = _find(folder, catalogue, VerifyReport())
    if damage.catalogue or any(table in ("files", "model") for table, _ in damage.rows):
        _restore(folder)
        catalogue.reopen()
    elif damage.rows:
        backup = Catalogue(folder / BACKUP, readonly=True) if (folder / BACKUP).is_file() else None
        with catalogue.transaction():
            catalogue.mend_rows(damage.rows, backup)
            read = catalogue.paths_with_clips()
            catalogue.read_again(source for source in catalogue.sources().values() if source.path not in read)
        if backup is not None:
            backup.close()


def _mend_files(folder: Path, catalogue: Catalogue, encoder: Encoder, damage: _Damage) -> list[str]:
    """Mends joints, signatures and graphs; returns a line for each clip that had to be taken out."""
    _fill_up(folder, catalogue, damage.short)
    with Writer(folder, catalogue, model_of(encoder)) as writer:
        lost = _mend_joints(writer, catalogue, encoder, damage.joints)
        if damage.signatures:
            _mend_signatures(writer, folder, encoder, {one.clip_id for one in damage.signatures})
        if damage.graphs:
            writer.commit(lambda into: [into.set_graph(kind, None) for kind, _ in damage.graphs])
        writer.update_graphs()
    return lost


def _fill_up(folder: Path, catalogue: Catalogue, short: list[Path]) -> None:
    """Brings files that lost their end back to their length, so that what they still have can be read."""
    for path in short:
        kind = path.name.rsplit("-", 1)[0]
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.truncate(catalogue.files(kind)[path.name])


def _mend_joints(writer: Writer, catalogue: Catalogue, encoder: Encoder, damaged: list[Stored]) -> list[str]:
    """Reads the files of damaged clips again; clips whose file is gone are taken out."""
    lost = []
    clips = {one.clip_id: catalogue.clip(one.clip_id) for one in damaged}
    for path in dict.fromkeys(clip.source for clip in clips.values()):
        read = read_file(path, encoder)
        if read.takes:
            writer.add(read)
            writer.commit()
            continue
        source = catalogue.sources()[path]
        gone = {clip.take: clip for clip in clips.values() if clip.source == path}
        writer.commit(lambda into, source=source, gone=gone: into.remove_clips(source, gone))
        told = f"its joints are damaged and {path} cannot be read"
        lost += [f"{clip.name} was taken out: {told}" for clip in gone.values()]
    return lost


def _mend_signatures(writer: Writer, folder: Path, encoder: Encoder, damaged: set[int]) -> None:
    """Signs damaged clips anew from their joints; the others keep their signatures."""
    joints = JointStore(folder / FOLDERS["joints"])
    stores = writer.stores()

    def signed(one: Stored) -> tuple[Rows, Rows]:
        return sign(joints.motion(one.joints), encoder) if one.clip_id in damaged else rows_of(stores, one)

    writer.replace_signatures(signed, lambda done: True)
    joints.close()
