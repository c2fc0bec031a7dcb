# SPDX-License-Identifier: GPL-3.0-or-later
"""The library: what goes in can be found, read, marked and trusted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hums_engine as hums
from hums_engine import dtw, joint_store, quat
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.encoder import SHIPPED_MODEL, Encoder
from hums_engine.library import Library
from hums_engine.moments import windows
from hums_engine.normalize import normalize
from hums_engine.records import Clip
from hums_engine.search import Scope
from hums_engine.skeleton import PARENTS, TWINS
from tests.engine import posed_bvh

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Library:
    """The repository's CMU excerpts, and one long take of three motions."""
    folder = tmp_path_factory.mktemp("samples")
    take = posed_bvh.write(folder / "parade.bvh", posed_bvh.parade, seconds=27.0)
    library = Library.create(folder / "samples.hums", encoder)
    report = library.add([SAMPLES, take], workers=1)
    assert (report.failed, report.added) == ([], len(list(SAMPLES.glob("*.bvh"))) + 1)
    return library


@pytest.fixture
def three(library: Library, tmp_path: Path) -> Library:
    """A walk, a jump and a wave of two seconds each."""
    for motion in (posed_bvh.walk, posed_bvh.jump, posed_bvh.wave):
        posed_bvh.write(tmp_path / "mocap" / f"{motion.__name__}.bvh", motion)
    library.add([tmp_path / "mocap"])
    return library


def other_body(motion: CanonicalMotion, seed: int) -> CanonicalMotion:
    """The motion as a figure of other proportions and size performs it, facing elsewhere."""
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.75, 1.3, len(TWINS))
    lengths = 1.4 * (lengths + lengths[TWINS]) / 2
    positions = motion.positions.astype(np.float64)
    moved = 1.4 * positions
    for joint in np.flatnonzero(motion.valid)[1:]:
        parent = PARENTS[joint]
        while not motion.valid[parent]:
            parent = PARENTS[parent]
        moved[:, joint] = moved[:, parent] + lengths[joint] * (positions[:, joint] - positions[:, parent])
    moved = quat.rotate(quat.from_axis_angle([0, 0, 1], rng.uniform(0, 6)), moved)
    return replace(motion, positions=np.where(motion.valid[:, None], moved, 0.0).astype(np.float32))


def cut(library: Library, name: str, start_s: float, end_s: float) -> CanonicalMotion:
    (clip,) = library.clips({"name": name})
    return library.motion(clip.id).cut(start_s, end_s)


# what is stored


def test_a_stored_motion_is_what_the_file_says_to_a_tenth_of_a_millimetre(samples: Library) -> None:
    path = SAMPLES / "cartwheel_49_06.bvh"
    original = joint_store.thinned(canonicalize(hums.load(path)))
    (clip,) = samples.clips({"source": str(path)})
    stored = samples.motion(clip.id)
    assert stored.positions.shape == original.positions.shape
    assert stored.fps == original.fps <= 90.0
    assert np.abs(stored.positions - original.positions).max() < 1e-4
    assert np.degrees(quat.angle(stored.rotations, original.rotations).max()) < 0.02
    np.testing.assert_array_equal(stored.valid, original.valid)
    assert (stored.name, stored.source) == (clip.name, str(path))


@pytest.mark.parametrize(("fps", "kept"), [(30, 30), (60, 60), (90, 90), (100, 50), (120, 60), (240, 60)])
def test_a_high_frame_rate_is_thinned_to_about_sixty(tmp_path: Path, fps: float, kept: float) -> None:
    path = posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk, fps=fps)
    motion = joint_store.thinned(canonicalize(hums.load(path)))
    assert motion.fps == pytest.approx(kept, rel=1e-4)
    assert motion.duration_s == pytest.approx(2.0, abs=0.02)


def test_a_second_of_motion_takes_23_kilobytes(tmp_path: Path) -> None:
    path = posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk, seconds=20.0, fps=60.0)
    motion = canonicalize(hums.load(path))
    record = joint_store.pack(motion, dtw.frames(normalize(motion)))
    assert len(record) / 20.0 == pytest.approx(23_000, rel=0.01)


def test_windows_cover_a_clip_to_its_last_moment() -> None:
    stretches = windows(9.7)
    for length in (1.0, 2.0, 4.0):
        those = stretches[np.isclose(stretches[:, 1] - stretches[:, 0], length)]
        assert those[0, 0] == 0.0
        assert those[-1, 1] == pytest.approx(9.7)
        assert np.diff(those[:, 0]).max() <= length / 2 + 1e-9
    assert len(windows(1.2)) == 0


# opening


def test_a_library_says_what_it_holds(three: Library) -> None:
    info = three.info()
    assert (info.clips, info.files, info.duration_s) == (3, 3, pytest.approx(6.0))
    assert info.model_hash == three.encoder.model_hash
    assert info.moments == 3 * len(windows(2.0))
    assert 0 < info.bytes < 600_000
    assert not info.readonly


def test_what_is_closed_can_be_opened_again(three: Library, encoder: Encoder) -> None:
    clips = three.clips()
    three.close()
    with Library.open(three.path, encoder=encoder) as again:
        assert again.clips() == clips
        assert again.search(clips[0].id, k=1)[0].clip_id == clips[0].id


def test_making_a_library_where_something_is_leaves_it_alone(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "scene.blend").write_text("precious")
    with pytest.raises(hums.LibraryError, match="already"):
        Library.create(tmp_path / "work")
    assert [path.name for path in tmp_path.rglob("*")] == ["work", "scene.blend"]


def test_opening_what_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(hums.LibraryError, match="hums index"):
        Library.open(tmp_path / "nothing.hums")
    assert not (tmp_path / "nothing.hums").exists()


def test_an_empty_library_finds_nothing(library: Library, tmp_path: Path) -> None:
    query = hums.load(posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk))
    assert library.search(query) == []
    assert library.search(query, scope="moments", rerank=False) == []


def test_a_moved_library_works_where_it_is_now(three: Library, tmp_path: Path, encoder: Encoder) -> None:
    three.close()
    moved = three.path.rename(tmp_path / "elsewhere 📁.hums")
    with Library.open(moved, encoder=encoder) as library:
        assert library.search(library.clips()[0].id, k=1)[0].score > 99
        assert library.verify().sound


# searching


@pytest.mark.parametrize("scope", ["clips", "moments"])
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*_0[2-6].bvh")), ids=lambda path: path.stem)
def test_an_excerpt_on_another_body_finds_its_take_first(samples: Library, path: Path, scope: Scope) -> None:
    (clip,) = samples.clips({"source": str(path)})
    start_s = 0.3 * clip.duration_s
    end_s = min(start_s + 1.5, clip.duration_s)
    query = other_body(samples.motion(clip.id).cut(start_s, end_s), seed=clip.id)
    hit = samples.search(query, k=5, scope=scope)[0]
    assert hit.name == clip.name
    assert hit.start_s == pytest.approx(start_s, abs=0.12)
    assert hit.end_s == pytest.approx(end_s, abs=0.12)


@pytest.mark.parametrize("start_s", [0.4, 3.5, 6.8, 12.6, 24.9])
def test_an_excerpt_of_a_long_take_is_found_at_its_second(samples: Library, start_s: float) -> None:
    query = cut(samples, "parade", start_s, start_s + 1.8)
    hit = samples.search(query, k=1, scope="moments")[0]
    assert hit.name == "parade"
    assert (hit.start_s, hit.end_s) == (pytest.approx(start_s, abs=0.1), pytest.approx(start_s + 1.8, abs=0.1))


def test_scores_fall_from_a_hundred_and_the_stretches_lie_in_the_clips(samples: Library) -> None:
    query = cut(samples, "walk_02_01", 0.0, 0.0)
    for scope in ("clips", "moments"):
        for rerank in (True, False):
            hits = samples.search(query, k=30, scope=scope, rerank=rerank)
            scores = [hit.score for hit in hits]
            assert len(hits) == 30
            assert scores == sorted(scores, reverse=True)
            assert 95 < scores[0] <= 100
            assert scores[-1] >= 0
            assert all(0 <= hit.start_s <= hit.end_s <= hit.duration_s for hit in hits)


@pytest.mark.parametrize("scope", ["clips", "moments"])
def test_each_clip_is_found_once(samples: Library, scope: Scope) -> None:
    hits = samples.search(cut(samples, "parade", 6.5, 7.5), k=100, scope=scope)
    assert len({hit.clip_id for hit in hits}) == len(hits) == 50


def test_the_mirror_image_is_found_when_asked_for(three: Library) -> None:
    (clip,) = three.clips({"name": "wave"})
    right = three.motion(clip.id)
    flipped = right.positions[:, TWINS] * np.array([-1, 1, 1], dtype=np.float32)
    left = replace(right, positions=flipped, valid=right.valid[TWINS])
    plain = three.search(left, k=1)[0]
    mirrored = three.search(left, k=1, mirror=True)[0]
    assert plain.score < 90 < mirrored.score
    assert mirrored.mirrored
    assert not three.search(right, k=1, mirror=True)[0].mirrored


def test_a_motion_a_canonical_motion_and_a_clip_ask_the_same(samples: Library) -> None:
    path = SAMPLES / "jump_02_04.bvh"
    (clip,) = samples.clips({"source": str(path)})
    queries = [hums.load(path), canonicalize(hums.load(path)), clip.id]
    answers = [[(hit.clip_id, round(hit.score)) for hit in samples.search(query, k=5)] for query in queries]
    assert answers[0] == answers[1] == answers[2]


def test_a_missing_arm_and_a_frame_do_not_stop_a_search(samples: Library) -> None:
    query = cut(samples, "kick_10_01", 0.5, 2.0)
    valid = query.valid.copy()
    valid[[18, 20]] = False
    lacking = replace(query, valid=valid, positions=np.where(valid[:, None], query.positions, np.float32(0)))
    assert samples.search(lacking, k=3)[0].name == "kick_10_01"
    assert len(samples.search(query.cut(0.2, 0.2), k=3)) == 3


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"name": "WAL"}, {"walk"}),
        ({"tags": ["slow"]}, {"walk", "jump"}),
        ({"tags": ["Slow", "on the spot"]}, {"jump"}),
        ({"tags": "slo"}, set()),
        ({"favourite": True}, {"wave"}),
        ({"favourite": False, "name": "w"}, {"walk"}),
        ({"min_duration_s": 2.5}, set()),
        ({"max_duration_s": 2.5, "tags": "slow", "name": "a"}, {"walk"}),
        ({"favorites": "Yes", "min_duration": 1}, {"wave"}),
        ({"favourite": "no", "tag": "SLOW"}, {"walk", "jump"}),
        ({"fps": 30}, {"walk", "jump", "wave"}),
        ({"fps": [24, "29.97"], "max_fps": 30}, {"walk", "jump", "wave"}),
        ({"min_fps": 31}, set()),
        ({"fps": 25}, set()),
        ({"rig": "CMU"}, {"walk", "jump", "wave"}),
        ({"rig": ["mixamo", "cmu-daz"]}, {"walk", "jump", "wave"}),
        ({"rig": "mixamo"}, set()),
        ({}, {"walk", "jump", "wave"}),
    ],
)
def test_filters_let_through_what_they_name(three: Library, where: dict[str, object], names: set[str]) -> None:
    ids = {clip.name: clip.id for clip in three.clips()}
    three.set_tags(ids["walk"], ["slow"])
    three.set_tags(ids["jump"], [" on  the spot ", "slow", "slow"])
    three.set_favourite(ids["wave"])
    assert {clip.name for clip in three.clips(where)} == names
    assert {hit.name for hit in three.search(ids["walk"], where=where)} == names
    assert {hit.name for hit in three.search(ids["walk"], where=where, scope="moments", rerank=False)} == names


def test_folders_and_sources_filter_by_path(three: Library, tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "mocap2" / "walk.bvh", posed_bvh.walk)
    three.add([tmp_path / "mocap2"])
    assert len(three.clips({"folder": tmp_path / "mocap"})) == 3
    assert len(three.clips({"folder": str(tmp_path)})) == 4
    assert len(three.clips({"source": tmp_path / "mocap2" / "walk.bvh"})) == 1


def test_what_cannot_be_asked_is_refused_in_a_sentence(three: Library) -> None:
    with pytest.raises(hums.LibraryError, match=r"filtered by 'colour'.*favourite"):
        three.search(1, where={"colour": "red"})
    with pytest.raises(hums.LibraryError, match="seconds, not 'long'"):
        three.search(1, where={"min_duration_s": "long"})
    with pytest.raises(hums.LibraryError, match="frames a second, not 'film'"):
        three.search(1, where={"fps": "film"})
    with pytest.raises(hums.LibraryError, match="yes or no, not 'maybe'"):
        three.search(1, where={"favorite": "maybe"})
    with pytest.raises(hums.LibraryError, match="no clip 77"):
        three.search(77)
    with pytest.raises(hums.LibraryError, match="no scope"):
        three.search(1, scope="films")  # pyright: ignore[reportArgumentType]
    with pytest.raises(hums.LibraryError, match="1 or more"):
        three.search(1, k=0)
    positions, parents = np.zeros((5, 3, 3), dtype=np.float32), np.array([-1, 0, 1])
    mesh = hums.Motion(positions=positions, fps=30, joint_names=["a", "b", "c"], parents=parents)
    with pytest.raises(hums.MappingError):
        three.search(mesh)


# marks


def test_tags_favourites_and_notes_are_kept(three: Library, encoder: Encoder) -> None:
    clip = three.clips()[0]
    three.set_tags(clip.id, ["zombie", "ünïcode 🧟"])
    three.set_favourite(clip.id)
    three.set_notes(clip.id, "take 2;\nDROP TABLE clips")
    three.close()
    with Library.open(three.path, encoder=encoder) as again:
        marked = again.clip(clip.id)
        assert marked.tags == ("zombie", "ünïcode 🧟")
        assert (marked.favourite, marked.notes) == (True, "take 2;\nDROP TABLE clips")
        assert [hit.tags for hit in again.search(clip.id, k=1)] == [marked.tags]
        again.set_favourite(clip.id, False)
        again.set_tags(clip.id, [])
        assert (again.clip(clip.id).tags, again.clip(clip.id).favourite) == ((), False)
        assert again.verify().sound


def test_clips_come_in_the_order_of_their_names_and_in_pages(samples: Library) -> None:
    names = [clip.name for clip in samples.clips()]
    assert names == sorted(names, key=str.casefold)
    assert [clip.name for clip in samples.clips(limit=7, offset=10)] == names[10:17]


# other models


@pytest.fixture
def other_encoder(tmp_path: Path) -> Encoder:
    """The shipped model with another remark in it: the same network, but not the same file."""
    path = tmp_path / "other.onnx"
    remark = b"made for a test"
    path.write_bytes(SHIPPED_MODEL.read_bytes() + bytes([6 << 3 | 2, len(remark)]) + remark)
    return Encoder(path, provider="cpu")


def test_a_library_of_another_model_is_refused_with_the_way_out(three: Library, other_encoder: Encoder) -> None:
    with pytest.raises(hums.LibraryError, match="--reencode"):
        Library.open(three.path, encoder=other_encoder)
    assert three.search(1, k=1)


def test_signing_anew_needs_no_source_files(three: Library, other_encoder: Encoder, tmp_path: Path) -> None:
    three.set_tags(1, ["kept"])
    before = [(hit.clip_id, round(hit.score, 1)) for hit in three.search(1)]
    for path in (tmp_path / "mocap").iterdir():
        path.unlink()
    told: list[tuple[int, int]] = []
    assert three.reencode(other_encoder, lambda done, total: told.append((done, total))) == 3
    assert told == [(1, 3), (2, 3), (3, 3)]
    three.close()
    with Library.open(three.path, encoder=other_encoder) as again:
        assert [(hit.clip_id, round(hit.score, 1)) for hit in again.search(1)] == before
        assert again.clip(1).tags == ("kept",)
        assert again.verify().sound
        assert len(list((again.path / "signatures").iterdir())) == 2


def test_signing_anew_can_be_stopped_and_leaves_all_as_it_was(three: Library, other_encoder: Encoder) -> None:
    assert three.reencode(other_encoder, lambda done, total: done < 2) == 0
    assert three.info().model_hash != other_encoder.model_hash
    assert three.search(1, k=1)[0].clip_id == 1
    assert three.verify().sound


# growing


def test_a_large_library_is_searched_by_its_graph_as_it_was_without(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posed_bvh.write_several(tmp_path / "first", 6, seconds=5.0)
    library.add([tmp_path / "first"])
    queries = [clip.id for clip in library.clips()]
    before = [[hit.clip_id for hit in library.search(query, k=5)] for query in queries]
    monkeypatch.setattr("hums_engine.writer.GRAPH_FROM", 30)
    posed_bvh.write(tmp_path / "second" / "walk.bvh", posed_bvh.walk)
    library.add([tmp_path / "second"])
    assert [path.name.rpartition("-")[0] for path in (library.path / "graphs").iterdir()] == ["moments-000001"]
    library.remove([tmp_path / "second"])
    assert [[hit.clip_id for hit in library.search(query, k=5)] for query in queries] == before
    posed_bvh.write_several(tmp_path / "third", 5, seconds=4.0)
    library.add([tmp_path / "third"])
    assert len(list((library.path / "graphs").iterdir())) == 1
    newest = library.clips({"folder": tmp_path / "third"})[0]
    assert library.search(newest.id, k=1)[0].clip_id == newest.id
    assert library.verify().sound


def test_joints_that_outgrow_a_file_go_on_in_the_next(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hums_engine.writer.SEGMENT_BYTES", 100_000)
    posed_bvh.write_several(tmp_path / "mocap", 9, seconds=2.0)
    library.add([tmp_path / "mocap"])
    segments = {path.name: path.stat().st_size for path in (library.path / "joints").iterdir()}
    assert len(segments) > 2
    assert library._catalogue.files("joints") == segments
    assert library.verify().clips == 9
    assert library.verify().sound
    for path in sorted((tmp_path / "mocap").iterdir())[:7]:
        path.unlink()
    library.add([tmp_path / "mocap"])
    assert len(list((library.path / "joints").iterdir())) < len(segments)
    assert library.verify().sound
    assert len(library.search(library.clips()[0].id)) == 2


def test_what_is_left_in_every_file_of_joints_outlives_the_clearing_away(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hums_engine.writer.SEGMENT_BYTES", 150_000)
    posed_bvh.write_several(tmp_path / "mocap", 16, seconds=2.0)
    library.add([tmp_path / "mocap"])
    clips = library.clips()
    of_segment: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        of_segment[library._catalogue.place(clip.id).joints.segment].append(clip)
    assert len(of_segment) > 2
    kept = {some[0].id: library.motion(some[0].id) for some in of_segment.values()}
    library.remove([clip.source for clip in clips if clip.id not in kept])
    assert library.verify().sound
    assert {clip.id for clip in library.clips()} == set(kept)
    assert not set(of_segment) & {path.name for path in (library.path / "joints").iterdir()}
    for clip_id, motion in kept.items():
        np.testing.assert_array_equal(library.motion(clip_id).positions, motion.positions)


def test_a_reader_sees_what_a_writer_adds(three: Library, tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(three.path, readonly=True, encoder=encoder) as reader:
        query = reader.clips({"name": "walk"})[0].id
        assert len(reader.search(query)) == 3
        posed_bvh.write(tmp_path / "mocap" / "stroll.bvh", lambda t: posed_bvh.walk(t, speed=1.0))
        three.add([tmp_path / "mocap"])
        assert {hit.name for hit in reader.search(query)} == {"walk", "jump", "wave", "stroll"}
        three.remove([tmp_path / "mocap" / "jump.bvh"])
        assert {hit.name for hit in reader.search(query)} == {"walk", "wave", "stroll"}


def test_removed_clips_give_back_their_room(library: Library, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "many", 12, seconds=3.0)
    posed_bvh.write(tmp_path / "few" / "walk.bvh", posed_bvh.walk)
    library.add([tmp_path / "many", tmp_path / "few"])
    kept = library.clips({"folder": tmp_path / "few"})[0]
    before, motion = library.info().bytes, library.motion(kept.id)
    assert library.remove([tmp_path / "many"]) == 12
    assert library.info().bytes < before / 2
    assert [clip.id for clip in library.clips()] == [kept.id]
    np.testing.assert_array_equal(library.motion(kept.id).positions, motion.positions)
    assert library.search(kept.id)[0].clip_id == kept.id
    assert library.verify().sound


def test_clip_ids_are_never_given_twice(three: Library, tmp_path: Path) -> None:
    highest = max(clip.id for clip in three.clips())
    three.remove([tmp_path / "mocap"])
    posed_bvh.write(tmp_path / "new" / "run.bvh", lambda t: posed_bvh.walk(t, speed=3.0))
    three.add([tmp_path / "new"])
    assert three.clips()[0].id > highest


@pytest.mark.parametrize("name", ["joints", "signatures"])
def test_a_row_or_record_that_is_damaged_is_told_not_shown(three: Library, name: str) -> None:
    path = next((three.path / name).iterdir())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    assert not three.verify().sound
    assert len(three.search(three.clips()[0].id)) >= 2


def test_unit_and_up_of_files_are_told_filtered_by_and_merged(
    library: Library, tmp_path: Path, encoder: Encoder
) -> None:
    posed_bvh.write(tmp_path / "mocap" / "centimetres.bvh", posed_bvh.walk)
    posed_bvh.write(tmp_path / "mocap" / "metres.bvh", posed_bvh.walk, size=0.01)
    library.add([tmp_path / "mocap"])
    assert [(clip.name, clip.unit, clip.up) for clip in library.clips()] == [
        ("centimetres", "cm", "Y"),
        ("metres", "m", "Y"),
    ]
    assert library.info().axes == [("cm", "Y", 1), ("m", "Y", 1)]
    assert [clip.name for clip in library.clips({"unit": "m", "up": "y"})] == ["metres"]
    assert [hit.name for hit in library.search(library.clips()[0].id, where={"unit": ["M"]})] == ["metres"]
    assert library.clips({"up": "Z"}) == []
    other = Library.create(tmp_path / "other.hums", encoder)
    other.merge(library)
    assert other.info().axes == library.info().axes
    (tmp_path / "mocap" / "metres.bvh").unlink()
    library.add()
    assert library.info().axes == [("cm", "Y", 1)]
