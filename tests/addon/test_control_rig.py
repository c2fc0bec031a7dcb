# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion put on a control rig is seen on the bones that move the skin."""

from __future__ import annotations

import pytest

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT


def test_a_rigify_character_follows_the_source_whatever_its_switches_said(blender: Blender) -> None:
    facts = blender.run("apply_to_control_rig", take=ROOT / "samples" / "kick_11_01.bvh")
    assert "upper_arm_parent.L IK_FK 1" in facts["switches"]
    assert "thigh_parent.R IK_FK 1" in facts["switches"]
    switch, hand, hips = facts["after_trial"]
    assert switch == 0.0, "trying leaves the rig as it was"
    assert hand == pytest.approx([0.3, 0.1, 0.2])
    assert hips == pytest.approx([0.0, 0.2, 0.0])
    assert facts["worst_deg"] < 1.0
    assert facts["under_ik_deg"] < 3.0, "switched to IK, limbs stay, but for what Rigify's IK bones give in length"
    assert facts["unmatched_deg"] > 10.0, "which is because the IK controls were keyed"
    assert facts["hips"] == [0.0, 0.0, 0.0], "a control that would add to the pose goes to rest"


@pytest.mark.parametrize(
    ("owner", "top", "nameless"),
    [
        ("control", 1.0, False),
        ("control", 1.0, True),
        ("object", 1, False),
        ("data", 1.0, False),
        ("control", 10.0, False),
    ],
    ids=["as made", "without names", "switches on the object", "switches on its data", "switches from 0 to 10"],
)
def test_a_rig_like_auto_rig_pro_s_follows_the_source_and_is_else_untouched(
    blender: Blender, owner: str, top: float, nameless: bool
) -> None:
    take = ROOT / "samples" / "kick_11_01.bvh"
    facts = blender.run("apply_to_auto_rig", take=take, owner=owner, top=top, nameless=nameless)
    assert facts["worst_deg"] < 1.0
    assert facts["under_ik_deg"] < 1.0
    assert list(facts["switches"].values()) == [top] * 4
    assert facts["changed"] == []
    assert facts["rests"] == [0.0, 0.0], "controls that would add to the pose go to rest"


def test_the_ghost_stands_where_the_motion_lands_on_control_rigs_and_under_tilted_parents(blender: Blender) -> None:
    facts = blender.run("ghost_and_landing", take=ROOT / "samples" / "kick_11_01.bvh")
    assert max(facts.values()) < 0.01, facts
