# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line ``hums``: one function a verb, each of which prints for people or, with --json, for programs.

Exit code 0: did it; 1: did it with failures listed; 2: could not. Logs and progress go to stderr.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from . import formats, own_maps
from .canonical import CanonicalMotion, canonicalize
from .catalogue import BACKUP, CATALOGUE
from .clip_filters import FILTERS
from .errors import HumsError, LibraryError
from .indexing import IndexProgress, IndexReport, Shard
from .library import Library
from .motion import Motion
from .motion_facts import MotionFacts
from .records import Clip
from .search import Hit, Stretch

DONE: Final = 0
WITH_FAILURES: Final = 1
COULD_NOT: Final = 2

_FAILURES_SHOWN: Final = 20
_STOPPED: Final = "stopped; what was done is kept, and the same command goes on from there."


AddVerb = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
"""Adds a verb, its function and its help to a command line; gives the parser for its words."""


def main(argv: Sequence[str] | None = None, prog: str = "hums", more: Callable[[AddVerb], None] | None = None) -> int:
    """Runs one command; returns the exit code. No traceback reaches a person.

    Args:
        argv: the words behind the program's name; None for the process's own.
        prog: what the program is called in its help (inside Blender: ``blender --command hums``).
        more: adds the verbs that only this program has.
    """
    try:
        options = _parser(prog, more).parse_args(argv)
    except SystemExit as stop:  # argparse has printed its help or what is wrong
        return DONE if stop.code == 0 else COULD_NOT
    logging.basicConfig(
        stream=sys.stderr, format="%(message)s", level=logging.INFO if options.verbose else logging.WARNING
    )
    try:
        if options.rig_maps:
            folder = Path(options.rig_maps).expanduser()
            own_maps.check(folder)
            own_maps.use(folder)
        return options.verb(options)
    except HumsError as error:
        return _refused(prog, str(error), options)
    except KeyboardInterrupt:
        return _refused(prog, _STOPPED, options)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT
    except Exception as error:  # a fault of ours: still one sentence, with the details on request
        logging.getLogger(__name__).info("details", exc_info=True)
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return _refused(prog, f"an unexpected error ({told}); add --verbose and please report it.", options)


def _refused(prog: str, sentence: str, options: argparse.Namespace) -> int:
    print(f"{prog}: {sentence}", file=sys.stderr)
    if options.json:
        print_json({"error": sentence})
    return COULD_NOT


def print_json(document: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Prints the one document of ``--json``."""
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()


# the words of the command line


def _parser(prog: str, more: Callable[[AddVerb], None] | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Find similar human motion.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    shared.add_argument("--verbose", action="store_true", help="say more on stderr")
    shared.add_argument("--rig-maps", metavar="FOLDER", help="maps of your own, for skeletons that are mapped wrong")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, function: Any, text: str) -> argparse.ArgumentParser:  # noqa: ANN401 - a function of here
        one = verbs.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(verb=function)
        return one

    _index_words(verb("index", _index, "bring a library up to date with files and folders; makes it if need be"))
    _search_words(verb("search", _search, "find the motions of a library that are most like a motion"))
    info = verb("info", _info, "say what a library or a motion file holds")
    info.add_argument("library", metavar="path", help="a library's folder, or a motion file")
    verify = verb("verify", _verify, "check every byte of a library")
    verify.add_argument("library")
    verify.add_argument("--repair", action="store_true", help="mend what is damaged")
    _list_words(verb("list", _list, "list the clips of a library"))
    _mark_words(verb("mark", _mark, "give clips tags, notes or the mark of a favourite"))
    show = verb("show", _show, "render a picture of a motion")
    show.add_argument("clip", help="a motion file, or a clip's number with --library")
    show.add_argument("--library", help="the library of the clip")
    show.add_argument("--frames", type=_frame_range, help="only the frames A:B of a file, from 0")
    show.add_argument("-o", "--output", default="", help="the PNG to write (default: the clip's name)")
    relink = verb("relink", _relink, "say where files are now that have moved; nothing is read again")
    relink.add_argument("library")
    relink.add_argument("old", help="file or folder as the library knows it (hums info lists what is missing)")
    relink.add_argument("new", help="file or folder where it is now")
    remove = verb("remove", _remove, "take files or folders out of a library; the files themselves stay")
    remove.add_argument("library")
    remove.add_argument("paths", nargs="+", metavar="path", help="file or folder, as hums info and hums list tell it")
    merge = verb("merge", _merge, "take over the clips of other libraries, such as the shards of a farm")
    merge.add_argument("library")
    merge.add_argument("others", nargs="+", metavar="other")
    demo = verb("demo", _demo, "show the product at work on the sample motions")
    demo.add_argument("arguments", nargs=argparse.REMAINDER)
    if more is not None:
        more(verb)
    return parser


def _index_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library", help="the library's folder, by convention NAME.hums")
    parser.add_argument("paths", nargs="*", metavar="path", help="files and folders; none: all that were added before")
    parser.add_argument(
        "--workers", type=_count, default=0, help="processes to read in (default: as many as are worth it)"
    )
    parser.add_argument("--shard", type=_shard, help="only part I of N of the files, from 1, as 1/4")
    parser.add_argument("--reencode", action="store_true", help="sign all clips anew with this version's model first")


def _search_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library")
    parser.add_argument("queries", nargs="+", metavar="query", help="motion files, or numbers of clips of the library")
    parser.add_argument(
        "--unlike",
        action="append",
        default=[],
        metavar="QUERY",
        help="what results must not be like; may be repeated",
    )
    parser.add_argument("--frames", type=_frame_range, help="only the frames A:B of the queries, from 0")
    parser.add_argument("-k", type=int, default=20, help="how many results (default: 20)")
    parser.add_argument(
        "--scope", choices=("clips", "moments"), default="clips", help="whole clips, or stretches of them"
    )
    _where_words(parser)
    parser.add_argument("--mirror", action="store_true", help="also find the query with left and right exchanged")
    parser.add_argument("--no-rerank", action="store_true", help="compare signatures only, do not align")


def _where_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        type=_filter,
        metavar="NAME=VALUE",
        help=f"a filter, may be repeated: {', '.join(FILTERS)}",
    )


def _list_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library")
    parser.add_argument("-k", type=int, default=-1, help="how many at most (default: all)")
    _where_words(parser)


def _mark_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library")
    parser.add_argument("clips", nargs="+", metavar="clip", type=_clip_number, help="number of a clip")
    parser.add_argument("--tag", action="append", default=[], help="add a tag; may be repeated")
    parser.add_argument("--untag", action="append", default=[], metavar="TAG", help="take a tag off; may be repeated")
    parser.add_argument("--favourite", action=argparse.BooleanOptionalAction, help="mark as a favourite, or no more")
    parser.add_argument("--notes", help="replace the notes")


def _frame_range(text: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    if not colon or not (first or "0").isdigit() or not (last or "0").isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not A:B, two frame numbers from 0, such as 10:90")
    frames = int(first or 0), int(last) if last else -1
    if last and frames[1] < frames[0]:
        raise argparse.ArgumentTypeError(f"'{text}' ends before it begins")
    return frames


def _shard(text: str) -> Shard:
    number, slash, count = text.partition("/")
    if not slash or not number.isdigit() or not count.isdigit() or not 1 <= int(number) <= int(count):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N, a part of so many from 1, such as 1/4")
    return Shard(int(number), int(count))


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 (as many as are worth it)")
    return int(text)


def _clip_number(text: str) -> int:
    number = text.removeprefix("#")
    if not number.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not the number of a clip, such as 12; hums list tells them")
    return int(number)


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals and not name.startswith("favo"):  # favourite alone says all, in either spelling
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE, such as name=walk")
    return name, value if equals else "yes"


# the verbs


def _index(options: argparse.Namespace) -> int:
    with _open_or_create(options.library) as library:
        if options.reencode:
            with _Bar("signing", options) as bar:
                library.reencode(_shipped_encoder(), bar.counted)
            if bar.stopped:
                raise HumsError("stopped; the signatures are as they were.")
        with _Bar("indexing", options) as bar:
            report = library.add(options.paths, options.workers, bar.told, options.shard)
        return _reported(report, library, options)


def _open_or_create(path: str) -> Library:
    folder = Path(path).expanduser()
    there = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    if there and not there & {CATALOGUE, BACKUP}:
        named = f"hums index {folder.name}.hums {folder}"
        raise HumsError(f"{folder} is no library but a folder of other things; the library comes first: {named}.")
    return Library.open(folder) if there else Library.create(folder)


def _shipped_encoder() -> Any:  # noqa: ANN401 - loads onnxruntime, so only where it is needed
    from .encoder import Encoder  # noqa: PLC0415

    return Encoder()


def _reported(report: IndexReport, library: Library, options: argparse.Namespace) -> int:
    info = library.info()
    if options.json:
        failed = [{"path": path, "reason": reason} for path, reason in report.failed]
        print_json({**asdict(report), "failed": failed, "clips": info.clips})
    else:
        print(
            f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.removed} removed, "
            f"{len(report.failed)} failed in {report.seconds:.1f} s; {library.path.name} holds {info.clips} clips "
            f"({_duration(info.duration_s)})."
        )
        _print_some("failed", [f"{path}: {reason}" for path, reason in report.failed])
        for kind, count in report.left_out.items():
            print(f"  left out: {_counted(count, f'{kind} file')}: {formats.REFUSALS[kind]}")
        if report.cancelled:
            print(_STOPPED)
    return WITH_FAILURES if report.failed or report.cancelled else DONE


def _search(options: argparse.Namespace) -> int:
    with Library.open(options.library, readonly=True) as library:
        queries = [_query(query, options.frames, library) for query in options.queries]
        unlike = [_query(query, None, library) for query in options.unlike]
        started = time.perf_counter()
        where, rerank = _where(options.where), not options.no_rerank
        hits = library.search(queries, options.k, options.scope, where, rerank, options.mirror, unlike)
        seconds = time.perf_counter() - started
    if options.json:
        asked = {"queries": options.queries, "unlike": options.unlike}
        print_json({**asked, "seconds": seconds, "hits": [asdict(hit) for hit in hits]})
        return DONE
    for rank, hit in enumerate(hits, start=1):
        print(f"{rank:3}  {hit.score:5.1f}  {hit.name:32}  {_stretch(hit)} of {hit.duration_s:.2f} s  #{hit.clip_id}")
        for other in hit.others:
            print(f"     {other.score:5.1f}  {'':32}  {_stretch(other)}")
    print(f"{len(hits)} of {library.path.name} in {1000 * seconds:.0f} ms", file=sys.stderr)
    return DONE


def _stretch(found: Hit | Stretch) -> str:
    return f"{found.start_s:7.2f} - {found.end_s:.2f}{' mirrored' if found.mirrored else ''}"


def _where(filters: list[tuple[str, str]]) -> dict[str, Any] | None:
    """Filters of the command line as `Library.search` takes them; a repeated one collects its values."""
    where: dict[str, Any] = {}
    for name, value in filters:
        where.setdefault(name, []).append(value)
    return where or None


def _query(text: str, frames: tuple[int, int] | None, library: Library) -> CanonicalMotion:
    """The motion that a word of the command line stands for: a clip's number, or a file."""
    number = text.removeprefix("#")
    if number.isdigit() and not Path(text).exists():
        clip = library.motion(int(number))
        return clip.cut(*_seconds(frames, clip.frame_count, clip.fps))
    return canonicalize(_loaded(text, frames))


def _loaded(path: str, frames: tuple[int, int] | None) -> Motion:
    motion = formats.load(path)
    return motion.cut(*_seconds(frames, motion.frame_count, motion.fps))


def _seconds(frames: tuple[int, int] | None, frame_count: int, fps: float) -> tuple[float, float]:
    """Start and end in seconds, as `Motion.cut` takes them, of a range of frames."""
    if frames is None:
        return 0.0, 0.0
    first, last = frames
    if first >= frame_count:
        raise HumsError(f"the motion has the frames 0 to {frame_count - 1}; {first} is behind its end.")
    return first / fps, 0.0 if last < 0 else max(last / fps, 1e-9)


def _list(options: argparse.Namespace) -> int:
    with Library.open(options.library, readonly=True) as library:
        _print_clips(library.clips(_where(options.where), options.k), options)
    return DONE


def _mark(options: argparse.Namespace) -> int:
    with Library.open(options.library) as library:
        for clip in [library.clip(number) for number in options.clips]:  # all of them are there, or none is marked
            if options.tag or options.untag:
                library.set_tags(clip.id, [*(tag for tag in clip.tags if tag not in options.untag), *options.tag])
            if options.favourite is not None:
                library.set_favourite(clip.id, options.favourite)
            if options.notes is not None:
                library.set_notes(clip.id, options.notes)
        _print_clips([library.clip(number) for number in options.clips], options)
    return DONE


def _print_clips(clips: Sequence[Clip], options: argparse.Namespace) -> None:
    if options.json:
        print_json({"clips": [asdict(clip) for clip in clips]})
        return
    for clip in clips:
        marks = "  ".join(
            ["*" if clip.favourite else " ", ", ".join(clip.tags), clip.notes.replace("\n", " ")]
        ).rstrip()
        axes = f"{clip.unit}, {clip.up} up" if clip.unit else ""
        facts = f"{clip.duration_s:8.2f} s {clip.fps:6.4g} fps  {clip.family:16} {axes:13}"
        print(f"#{clip.id:<6} {clip.name:32} {facts} {marks}".rstrip())


def _info(options: argparse.Namespace) -> int:
    if Path(options.library).expanduser().is_file():
        return _file_info(options)
    with Library.open(options.library, readonly=True) as library:
        info, missing = library.info(), library.missing()
    if options.json:
        failed = [{"path": path, "reason": reason} for path, reason in info.failed]
        axes = [{"unit": unit, "up": up, "clips": clips} for unit, up, clips in info.axes]
        print_json({**asdict(info), "axes": axes, "failed": failed, "missing": missing})
        return DONE
    print(f"{info.path}")
    print(f"  {info.clips} clips of {info.files} files, {_duration(info.duration_s)}, {info.moments} moments")
    print(f"  {info.bytes / 1e6:.1f} MB on disk")
    print(f"  model: {info.model or 'none yet'} {info.model_hash[:8]}")
    for unit, up, clips in info.axes:
        known = f"in {unit} with {up} up" if unit else "of which the unit is not known: an older version read them"
        print(f"  {clips} clips of files {known}")
    for root in info.roots:
        print(f"  folder: {root}")
    for path, reason in info.failed:
        print(f"  failed: {path}: {reason}")
    _print_some("missing", missing)
    if missing:
        print(f"  {len(missing)} files are not where they were; say where with: hums relink {options.library} OLD NEW")
    return DONE


def _file_info(options: argparse.Namespace) -> int:
    """What is in a motion file, and what was taken for its unit and its up."""
    takes = [MotionFacts.of(motion) for motion in formats.load_all(options.library)]
    if options.json:
        print_json({"path": str(Path(options.library).expanduser().absolute()), "takes": [asdict(t) for t in takes]})
        return DONE
    for take in takes:
        print(f"{take.name}\n  {take.line()}")
        if take.problem:
            print(f"  {take.problem}")
    return DONE


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02} min" if hours else f"{rest // 60} min {rest % 60:02} s"


def _verify(options: argparse.Namespace) -> int:
    if options.repair:
        report = Library.repair(options.library)
    else:
        with Library.open(options.library, readonly=True) as library:
            report = library.verify()
    if options.json:
        print_json({**asdict(report), "sound": report.sound})
    else:
        print(f"{report.clips} clips and {report.signatures} signatures checked: ", end="")
        print("all sound." if report.sound else f"{len(report.problems)} damaged.")
        _print_some("mended", report.mended)
        _print_some("damaged", report.problems)
    return DONE if report.sound else WITH_FAILURES


def _show(options: argparse.Namespace) -> int:
    from . import pictures  # noqa: PLC0415 - loads Pillow's types only where pictures are made

    facts = None
    if options.library:
        with Library.open(options.library, readonly=True) as library:
            motion = _query(options.clip, options.frames, library)
    elif options.clip.removeprefix("#").isdigit() and not Path(options.clip).exists():
        raise LibraryError(f"Clip {options.clip} of which library? Name it with --library.")
    else:
        read = _loaded(options.clip, options.frames)
        motion, facts = canonicalize(read), MotionFacts.of(read)
    output = Path(options.output or f"{motion.name or 'motion'}.png")
    pictures.save_strip(motion, output, title=f"{motion.name}: {facts.line()}" if facts else motion.name)
    if options.json:
        shown = {"picture": str(output.absolute()), "name": motion.name, "duration_s": motion.duration_s}
        print_json(shown | {"facts": asdict(facts) if facts else None})
    else:
        print(output)
    return DONE


def _relink(options: argparse.Namespace) -> int:
    with Library.open(options.library) as library:
        report = library.relink(options.old, options.new)
    if options.json:
        print_json(asdict(report))
    else:
        print(f"{len(report.found)} files linked anew, {len(report.missing)} still missing.")
        _print_some("missing", report.missing)
    return WITH_FAILURES if report.missing else DONE


def _remove(options: argparse.Namespace) -> int:
    with Library.open(options.library) as library:
        removed, left = library.remove(options.paths), library.info().clips
    if options.json:
        print_json({"removed": removed, "clips": left})
    else:
        print(f"{_counted(removed, 'file')} taken out; {library.path.name} holds {_counted(left, 'clip')}.")
    return DONE if removed else WITH_FAILURES


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _print_some(what: str, lines: Sequence[str]) -> None:
    """Prints the first lines of a list that may be long."""
    for line in lines[:_FAILURES_SHOWN]:
        print(f"  {what}: {line}")
    if len(lines) > _FAILURES_SHOWN:
        print(f"  {what}: {len(lines) - _FAILURES_SHOWN} more, which --json lists")


def _merge(options: argparse.Namespace) -> int:
    total = IndexReport()
    with _open_or_create(options.library) as library:
        for path in options.others:
            with Library.open(path, readonly=True) as other, _Bar(f"merging {other.path.name}", options) as bar:
                report = library.merge(other, bar.counted)
            total.added += report.added
            total.updated += report.updated
            total.unchanged += report.unchanged
            total.seconds += report.seconds
            total.cancelled = report.cancelled
            if report.cancelled:
                break
        return _reported(total, library, options)


def _demo(options: argparse.Namespace) -> int:
    name = f"{__package__}.demo"
    if importlib.util.find_spec(name) is None:
        raise HumsError("the demo needs the whole repository: clone it and run 'make demo'.")
    return importlib.import_module(name).main(options.arguments)


class _Bar:
    """Progress on stderr: a bar on a terminal, else a line every few seconds, nothing with --json.

    The first Ctrl-C asks the work to stop where that loses nothing, which ``stopped`` says; a second one breaks off.
    """

    _EVERY_S = 5.0

    def __init__(self, what: str, options: argparse.Namespace) -> None:
        self._what = what
        self._quiet = options.json and not sys.stderr.isatty()
        self._bar: Any = None
        self._started = self._told_at = time.monotonic()
        self.stopped = False

    def __enter__(self) -> _Bar:
        self._handler = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread():  # Python hears signals in no other
            signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._handler or signal.SIG_DFL)  # Blender's own is not told: None
        if self._bar is not None:
            self._bar.close()

    def _stop(self, *_: object) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True

    def told(self, progress: IndexProgress) -> bool:
        """Shows how far an index run is; False to stop it."""
        return self.counted(progress.done, progress.total)

    def counted(self, done: int, total: int) -> bool:
        """Shows ``done`` of ``total``; False to stop."""
        if total and not self._quiet:
            self._show(done, total)
        return not self.stopped

    def _show(self, done: int, total: int) -> None:
        if sys.stderr.isatty() and self._bar is None:
            self._bar = _tqdm(total, self._what)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif done == total or time.monotonic() - self._told_at >= self._EVERY_S:
            self._told_at = time.monotonic()
            rate = done / max(self._told_at - self._started, 1e-6)
            left = f", {_duration((total - done) / rate)} left" if 0 < done < total else ""
            print(f"{self._what}: {done} of {total}, {rate:.1f} a second{left}", file=sys.stderr)


def _tqdm(total: int, what: str) -> Any:  # noqa: ANN401 - tqdm need not be installed
    try:
        from tqdm import tqdm  # noqa: PLC0415 - loads only for a person at a terminal
    except ImportError:
        return None
    return tqdm(total=total, desc=what, unit=" files", file=sys.stderr)
