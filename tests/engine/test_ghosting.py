# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from hums_engine.ghosting import body_of, play
from hums_engine.retarget import RetargetOptions, retarget
from hums_engine.skeleton import INDEX
from tests.engine.test_retarget import EVERY_JOINT, posed, resting, wandering


@pytest.mark.parametrize("placement", ["rig", "source"])
@pytest.mark.parametrize("root", ["motion", "in_place"])
def test_the_ghost_is_where_the_rig_will_be(
    placement: Literal["rig", "source"], root: Literal["motion", "in_place"]
) -> None:
    motion, rig = wandering(), resting(arm_drop_deg=45, yaw_deg=57, scale=0.6)
    options = RetargetOptions(placement=placement, root=root)
    ghost = play(motion, body_of(rig, EVERY_JOINT), options, motion.fps)
    landed = posed(rig, retarget(motion, rig, EVERY_JOINT, options))
    assert np.abs(ghost - landed).max() < 1e-3


def test_joints_that_the_rig_lacks_are_left_out_and_the_others_stay() -> None:
    motion, rig = wandering(), resting()
    places = EVERY_JOINT.joints.copy()
    places[[INDEX["spine2"], INDEX["left_collar"]]] = -1
    whole = play(motion, body_of(rig, EVERY_JOINT), RetargetOptions(), 30.0)
    partly = play(motion, body_of(rig, replace(EVERY_JOINT, joints=places)), RetargetOptions(), 30.0)
    assert (partly[:, INDEX["spine2"]] == 0).all()
    assert np.abs(whole - partly)[:, INDEX["left_ankle"]].max() < 1e-3
    assert np.isfinite(partly).all()
