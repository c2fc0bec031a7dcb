# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums search``: the motions of a library that are most like some."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict

from ..library import Library
from ..search import Hit, Stretch
from .arguments import AddVerb, add_paths, add_where, frame_range, where_of
from .output import DONE, print_json, print_paths
from .queries import motion_of


def add_verbs(verb: AddVerb) -> None:
    """Adds the verb of this module."""
    _search_words(verb("search", _search, "find the motions of a library that are most like a motion"))


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
    parser.add_argument("--frames", type=frame_range, help="only the frames A:B of the queries, from 0")
    parser.add_argument("-k", type=int, default=20, help="how many results (default: 20)")
    parser.add_argument(
        "--scope", choices=("clips", "moments"), default="clips", help="whole clips, or stretches of them"
    )
    add_where(parser)
    add_paths(parser)
    parser.add_argument("--mirror", action="store_true", help="also find the query with left and right exchanged")
    parser.add_argument("--no-rerank", action="store_true", help="compare signatures only, do not align")


def _search(options: argparse.Namespace) -> int:
    with Library.open(options.library, readonly=True) as library:
        queries = [motion_of(query, options.frames, library) for query in options.queries]
        unlike = [motion_of(query, None, library) for query in options.unlike]
        started = time.perf_counter()
        where, rerank = where_of(options.where), not options.no_rerank
        hits = library.search(queries, options.k, options.scope, where, rerank, options.mirror, unlike)
        seconds = time.perf_counter() - started
    if options.json:
        asked = {"queries": options.queries, "unlike": options.unlike}
        print_json({**asked, "seconds": seconds, "hits": [asdict(hit) for hit in hits]})
        return DONE
    if options.paths:
        print_paths(hit.source for hit in hits)
        return DONE
    for rank, hit in enumerate(hits, start=1):
        print(f"{rank:3}  {hit.score:5.1f}  {hit.name:32}  {_stretch(hit)} of {hit.duration_s:.2f} s  #{hit.clip_id}")
        for other in hit.others:
            print(f"     {other.score:5.1f}  {'':32}  {_stretch(other)}")
    why = "" if hits or not where else ": no clip passes the filters"
    print(f"{len(hits)} of {library.path.name} in {1000 * seconds:.0f} ms{why}", file=sys.stderr)
    return DONE


def _stretch(found: Hit | Stretch) -> str:
    return f"{found.start_s:7.2f} - {found.end_s:.2f}{' mirrored' if found.mirrored else ''}"
