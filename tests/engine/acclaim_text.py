# SPDX-License-Identifier: GPL-3.0-or-later
"""An ASF skeleton of a person and an AMC of it walking, as text."""

from __future__ import annotations

import math

# bone, parent, its way in inches times .45 (Y up, facing +Z)
BONES = (
    ("lhipjoint", "root", (1.6, -0.8, 0)), ("lfemur", "lhipjoint", (0, -7.4, 0)), ("ltibia", "lfemur", (0, -7.2, 0)),
    ("lfoot", "ltibia", (0, -0.6, 2.2)), ("ltoes", "lfoot", (0, 0, 1.1)),
    ("rhipjoint", "root", (-1.6, -0.8, 0)), ("rfemur", "rhipjoint", (0, -7.4, 0)), ("rtibia", "rfemur", (0, -7.2, 0)),
    ("rfoot", "rtibia", (0, -0.6, 2.2)), ("rtoes", "rfoot", (0, 0, 1.1)),
    ("lowerback", "root", (0, 2.0, 0)), ("upperback", "lowerback", (0, 2.0, 0)), ("thorax", "upperback", (0, 2.0, 0)),
    ("lowerneck", "thorax", (0, 1.6, 0)), ("upperneck", "lowerneck", (0, 1.6, 0)), ("head", "upperneck", (0, 1.7, 0)),
    ("lclavicle", "thorax", (3.2, 0.8, 0)), ("lhumerus", "lclavicle", (5.0, 0, 0)),
    ("lradius", "lhumerus", (3.2, 0, 0)), ("lwrist", "lradius", (1.6, 0, 0)), ("lhand", "lwrist", (0.6, 0, 0)),
    ("rclavicle", "thorax", (-3.2, 0.8, 0)), ("rhumerus", "rclavicle", (-5.0, 0, 0)),
    ("rradius", "rhumerus", (-3.2, 0, 0)), ("rwrist", "rradius", (-1.6, 0, 0)), ("rhand", "rwrist", (-0.6, 0, 0)),
)  # fmt: skip
_TURNS = ("lfemur", "rfemur", "lhumerus", "rhumerus")


def asf(size: float = 1.0) -> str:
    """The skeleton, ``size`` times as large as an adult's."""
    lines = [":version 1.10", ":name person", ":units", "  length 0.45", "  angle deg", ":root"]
    lines += ["  order TX TY TZ RX RY RZ", "  axis XYZ", "  position 0 0 0", "  orientation 0 0 0", ":bonedata"]
    for number, (name, _, way) in enumerate(BONES, start=1):
        length = math.hypot(*way)
        direction = " ".join(f"{part / length:.9f}" for part in way)
        lines += ["  begin", f"    id {number}", f"    name {name}", f"    direction {direction}"]
        lines += [
            f"    length {size * length:.9f}",
            "    axis 0 0 0 XYZ",
            *(["    dof rx"] * (name in _TURNS)),
            "  end",
        ]
    lines += [":hierarchy", "  begin"]
    return "\n".join([*lines, *(f"    {parent} {name}" for name, parent, _ in BONES), "  end", ""])


def amc(frames: int = 90) -> str:
    """The motion: legs and arms swing, and the figure goes forward."""
    lines = [":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(frames):
        swing = 30.0 * math.sin(frame / 8.0)
        lines += [str(frame + 1), f"root 0 17 {0.2 * frame:.3f} 0 0 0"]
        lines += [f"{name} {swing if name in ('lfemur', 'rhumerus') else -swing:.4f}" for name in _TURNS]
    return "\n".join([*lines, ""])
