# SPDX-License-Identifier: GPL-3.0-or-later
"""How motions land on rigs: the choices of a person, which last for the session, and the settings of operators.

Buttons and drags use the person's choices; scripts say what they want and get the defaults for the rest.
"""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty
from bpy.types import Operator, PropertyGroup, UILayout

from . import translations
from .core.clip_writer import Reduction
from .core.engine import retarget
from .core.landing import Landing

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

_ONCE = {"SKIP_SAVE"}  # else Blender would fill in what the last call said

MODES = (
    ("new", "New Action", "A new action, which becomes the rig's; the one that it had stays in the file"),
    ("replace", "Replace Keys", "In the action that the rig has, in place of the keys in these frames"),
    ("insert", "Insert", "In the action that the rig has; all that comes later in it shifts by the clip's length"),
    ("strip", "NLA Strip", "A strip on a track of its own above all others; the rig's action stays as it is"),
)
ROOTS = (
    ("motion", "As Recorded", "The figure travels as it was recorded"),
    ("in_place", "In Place", "The figure stays over its start"),
    ("object", "On the Object", "The rig's object travels over the ground, and the bones move in place"),
)
PLACEMENTS = (
    ("rig", "Where the Rig Stands", "Start where the rig rests, facing as it rests"),
    ("pose", "From the Pose", "Go on from where the rig's pose stands at the start frame, facing as it does"),
    ("source", "Where It Was Recorded", "Keep the recorded place and heading"),
)
_CURVES = (
    ("bezier", "Bezier", "Smooth curves, which need the fewest keys"),
    ("linear", "Linear", "Straight lines"),
)


class LandingOptions:
    """The settings that the session and the operators share."""

    mode: EnumProperty(name="Land As", description="Where the keys go", items=MODES, options=_ONCE)
    root: EnumProperty(
        name="Path", description="What becomes of the way that the figure travels", items=ROOTS, options=_ONCE
    )
    placement: EnumProperty(name="Start", description="Where the figure starts", items=PLACEMENTS, options=_ONCE)
    blend_in: IntProperty(
        name="Blend In",
        description="Frames over which what the rig does becomes the motion",
        min=0,
        soft_max=50,
        subtype="TIME",
        options=_ONCE,
    )
    blend_out: IntProperty(
        name="Blend Out",
        description="Frames over which the motion becomes what the rig does after it",
        min=0,
        soft_max=50,
        subtype="TIME",
        options=_ONCE,
    )
    before_s: FloatProperty(
        name="Handles Before",
        description="Seconds of the motion to keep before the stretch; the stretch still starts at the start frame",
        min=0.0,
        soft_max=5.0,
        unit="TIME_ABSOLUTE",
        options=_ONCE,
    )
    after_s: FloatProperty(
        name="After",
        description="Seconds of the motion to keep after the stretch",
        min=0.0,
        soft_max=5.0,
        unit="TIME_ABSOLUTE",
        options=_ONCE,
    )
    scale: FloatProperty(
        name="Path Scale",
        description="Size of the path; 0 takes the ratio of the legs",
        default=0.0,
        min=0.0,
        soft_max=2.0,
        options=_ONCE,
    )
    plant_feet: BoolProperty(
        name="Plant Feet",
        description="Bend the legs so that feet stay in place while they stand in the motion",
        default=True,
        options=_ONCE,
    )
    reach_hands: BoolProperty(
        name="Reach with Hands",
        description="Bend the arms so that hands come where they are in the motion, at the size of the rig",
        default=False,
        options=_ONCE,
    )
    match_ik: BoolProperty(
        name="Match IK",
        description="On control rigs, key the IK controls and poles too, so that a limb keeps its pose when it is "
        "switched to IK",
        default=True,
        options=_ONCE,
    )
    fewer_keys: BoolProperty(
        name="Fewer Keys",
        description="Leave out keys as long as no frame is farther off than the bounds below",
        default=False,
        options=_ONCE,
    )
    most_degrees: FloatProperty(
        name="Degrees",
        description="The largest error of a bone's rotation at any frame",
        default=0.5,
        min=0.01,
        soft_max=5.0,
        precision=2,
        options=_ONCE,
    )
    most_millimetres: FloatProperty(
        name="Millimeters",
        description="The largest error of the figure's path at any frame",
        default=2.0,
        min=0.01,
        soft_max=20.0,
        precision=2,
        options=_ONCE,
    )
    curve: EnumProperty(name="Curves", description="What goes from key to key", items=_CURVES, options=_ONCE)


NAMES = tuple(LandingOptions.__annotations__)
"""The shared settings."""


class HUMS_Landing(LandingOptions, PropertyGroup):
    """What the person chose for all motions to come."""

    mirror: EnumProperty(
        name="Mirror",
        description="Whether left and right are exchanged",
        items=(
            ("found", "As Found", "Where the mirror image of the motion is similar to yours"),
            ("always", "Always", "Always"),
            ("never", "Never", "Never"),
        ),
        translation_context=translations.OWN,
    )


def take_over(operator: Operator, chosen: HUMS_Landing) -> None:
    """Gives an operator the person's choices for all that its caller did not say."""
    for name in NAMES:
        if not operator.properties.is_property_set(name):
            setattr(operator, name, getattr(chosen, name))


def landing(options: LandingOptions, frame: int, before_s: float) -> Landing:
    """The settings as the core takes them.

    Args:
        options: the settings.
        frame: where the stretch starts.
        before_s: seconds of the motion before the stretch that there are.
    """
    reduction = Reduction(options.most_degrees, options.most_millimetres, options.curve == "bezier")
    return Landing(
        options=retarget.RetargetOptions(
            root=options.root,
            placement="source" if options.placement == "source" else "rig",
            anchor_s=before_s,
            scale=options.scale,
            plant_feet=options.plant_feet,
            reach_hands=options.reach_hands,
        ),
        mode=options.mode,
        frame=frame,
        continues=options.placement == "pose",
        blend_in=options.blend_in,
        blend_out=options.blend_out,
        reduction=reduction if options.fewer_keys else None,
        match_ik=options.match_ik,
    )


def draw_essentials(layout: UILayout, options: LandingOptions) -> None:
    """Where the keys go, and where the figure goes."""
    layout.prop(options, "mode")
    column = layout.column(align=True)
    column.prop(options, "blend_in")
    column.prop(options, "blend_out")
    layout.prop(options, "root")
    layout.prop(options, "placement")


def draw_details(layout: UILayout, options: LandingOptions) -> None:
    """Handles, and what `draw_body` draws."""
    column = layout.column(align=True)
    column.prop(options, "before_s")
    column.prop(options, "after_s")
    draw_body(layout, options)


def draw_body(layout: UILayout, options: LandingOptions) -> None:
    """Size, feet and hands, and the number of keys."""
    layout.prop(options, "scale")
    layout.prop(options, "plant_feet")
    layout.prop(options, "reach_hands")
    layout.prop(options, "match_ik")
    layout.prop(options, "fewer_keys")
    if options.fewer_keys:
        column = layout.column(align=True)
        column.prop(options, "most_degrees")
        column.prop(options, "most_millimetres")
        layout.prop(options, "curve")


def register() -> None:
    """Registers the choices."""
    bpy.utils.register_class(HUMS_Landing)


def unregister() -> None:
    """Unregisters the choices."""
    bpy.utils.unregister_class(HUMS_Landing)
