# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion out of Blender."""

from __future__ import annotations

from tests.addon.conftest import Blender


def test_curves_posed_by_arrays_agree_with_blender_in_every_rotation_mode(blender: Blender) -> None:
    facts = blender.run("read_both_ways")
    assert facts["error"] < 1e-5, "metres"
    assert facts["frame"] == 17, "the current frame is as it was"


def test_constraints_drivers_scale_and_a_moving_object_show_in_the_motion(blender: Blender) -> None:
    facts = blender.run("reading_falls_back")
    assert facts["alone"]
    for what in ("constraint", "driver", "scale", "object"):
        assert facts[what] > 0.01, what


def test_a_thousand_frames_are_read_in_a_fraction_of_a_second(blender: Blender) -> None:
    facts = blender.run("time_reading", frames=1000)
    print(facts)
    assert facts["fast_s"] < 1.0
    assert facts["write_s"] < 2.0
