# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpora that can be trained on and asked."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hums_engine.formats import asf_amc, bvh, mhad
from hums_engine.formats import ntu as ntu_file

from . import hdm05, labels, ntu
from .corpus import Corpus, Described

CMU_CITATION: Final = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
MHAD_CITATION: Final = (
    "F. Ofli, R. Chaudhry, G. Kurillo, R. Vidal, R. Bajcsy, 'Berkeley MHAD: A Comprehensive Multimodal Human "
    "Action Database', WACV 2013."
)

# The BVH conversions of CMU begin with the rest pose and blend it away within six frames at 120 a second.
_CMU_LEAD_IN_S: Final = 8 / 120


def _describe_cmu(path: Path, _folder: Path) -> Described:
    """``02_01.bvh`` is subject 02; the dances are filed by kind."""
    subject, _, trial = path.stem.partition("_")
    return Described(subject, "") if trial else Described(path.parent.name, "")


def _describe_mhad(path: Path, _folder: Path) -> Described:
    """``a01_s02_e03_skeleton.txt``: action, subject, repetition."""
    action, subject = path.stem.split("_")[:2]
    return Described(subject, action)


CORPORA: Final = {
    "cmu": Corpus("cmu", ".bvh", bvh.read, _describe_cmu, CMU_CITATION, _CMU_LEAD_IN_S),
    "mhad": Corpus("mhad", "_skeleton.txt", mhad.read, _describe_mhad, MHAD_CITATION),
    "hdm05": Corpus("hdm05", ".amc", asf_amc.read, hdm05.describe, hdm05.CITATION),
    "hdm05-130": Corpus("hdm05", ".amc", asf_amc.read, hdm05.describe_as(130), hdm05.CITATION),
    "hdm05-65": Corpus("hdm05", ".amc", asf_amc.read, hdm05.describe_as(65), hdm05.CITATION),
    "hdm05-25": Corpus("hdm05", ".amc", asf_amc.read, hdm05.describe_as(25), hdm05.CITATION),
    "ntu": Corpus("ntu", ".skeleton", ntu_file.read, ntu.describe, ntu.CITATION, keep=ntu.keep_with_skeletons),
    "bvh": Corpus("bvh", ".bvh", bvh.read, labels.describe, "BVH files of your own.", keep=labels.keep_all_and_check),
}
