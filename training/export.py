# SPDX-License-Identifier: GPL-3.0-or-later
"""From a trained encoder to one ONNX file that carries its card, and is checked against torch.

The IndRNN is written as an ONNX ``Scan`` node by node: exporters unroll a Python loop over the frames and
then silently read only as many frames as the example had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from .model import CHANNELS, JOINTS, SIGNATURE, DeepHuMS, IndRNN, MotionInput
from .signature_net import (
    HEADING_WINDOW,
    HIPS,
    LEFT,
    RIGHT,
    SPEED_WEIGHT,
    STATISTICS,
    STRAY_WINDOW,
    STRIDE,
    Block,
    LocalInput,
    SignatureNet,
    Statistics,
)

OPSET = 20
IR_VERSION = 9  # both old enough for every onnxruntime that the add-on bundles
CHECKED_LENGTHS = (1, 15, 60, 150, 600)
TOLERANCE = 1e-4


class _Graph:
    """ONNX nodes in the making; each ``add`` gives the name of what the node computes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def _name(self) -> str:
        return f"v{len(self.nodes) + len(self.constants)}"

    def constant(self, value: Tensor | ArrayLike) -> str:
        """A constant from a tensor, a list or a number; whole numbers become int64."""
        array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind in "iu" else np.float32)
        name = self._name()
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """One node with one output."""
        name = self._name()
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def linear(self, x: str, layer: nn.Linear) -> str:
        """``x W^T + b``: one MatMul for all frames."""
        return self.add("Add", self.add("MatMul", x, self.constant(layer.weight.T)), self.constant(layer.bias))

    def norm(self, x: str, layer: nn.LayerNorm) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = self.constant(layer.weight), self.constant(layer.bias)
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=layer.eps)

    def frames_before(self, joints: str, limit: str) -> str:
        """``[N, T]`` 1.0 for frame numbers below ``limit [N]``."""
        count = self.add("Gather", self.add("Shape", joints), self.constant(1))
        frames = self.add("Range", self.constant(0), count, self.constant(1))
        below = self.add(
            "Less", self.add("Unsqueeze", frames, self.constant([0])), self.add("Unsqueeze", limit, self.constant([1]))
        )
        return self.add("Cast", below, to=TensorProto.FLOAT)


def _motion(g: _Graph) -> str:
    """``[N, T, 22, 3]`` the motion to the next frame, zero in the last one of each row."""
    start, end, far, time = (g.constant([v]) for v in (1, -1, 2**31, 1))
    following = g.add("Slice", "joints", start, far, time)
    last = g.add("Slice", "joints", end, far, time)
    motion = g.add("Sub", g.add("Concat", following, last, axis=1), "joints")
    has_next = g.frames_before("joints", g.add("Sub", "length", g.constant(1)))
    return g.add("Mul", motion, g.add("Unsqueeze", has_next, g.constant([2, 3])))


def _standardised(g: _Graph, features: str, layer: MotionInput) -> str:
    """``features [N, T, 22, 6]`` by the constants of ``layer``, missing joints zero, as ``[N, T, 132]``."""
    features = g.add("Mul", g.add("Sub", features, g.constant(layer.mean)), g.constant(layer.scale))
    features = g.add("Mul", features, g.add("Unsqueeze", "valid", g.constant([1, 3])))
    return g.add("Reshape", features, g.constant([0, 0, -1]))


def _within(g: _Graph) -> str:
    """``[N, T, 1]`` 1.0 for the frames of each motion, 0 for its padding."""
    return g.add("Unsqueeze", g.frames_before("joints", "length"), g.constant([2]))


def _input_features(g: _Graph, layer: MotionInput) -> str:
    """``MotionInput.forward`` in ONNX."""
    features = g.add("Concat", "joints", _motion(g), axis=-1)
    return g.add("Mul", _standardised(g, features, layer), _within(g))


def _scan_body(weight: NDArray[np.float32]) -> onnx.GraphProto:
    """One frame of the recurrence: ``h = relu(drive + weight * h)``."""
    size = len(weight)
    nodes = [
        helper.make_node("Mul", ["weight", "state"], ["kept"]),
        helper.make_node("Add", ["kept", "drive"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["next"]),
        helper.make_node("Identity", ["next"], ["out"]),
    ]
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])  # noqa: E731
    return helper.make_graph(
        nodes, "frame", [value("state"), value("drive")], [value("next"), value("out")],
        [numpy_helper.from_array(weight, "weight")],
    )  # fmt: skip


def _recur(g: _Graph, drive: str, layer: IndRNN) -> str:
    """``model.recur`` as a Scan over the frames of ``drive [N, T, size]``, padded instead of packed."""
    weight = layer.recurrent.detach().numpy()
    first = g.add("Gather", drive, g.constant(0), axis=1)
    zero = g.add("Mul", first, g.constant(0.0))
    node = helper.make_node(
        "Scan", [zero, drive], [f"{drive}_last", f"{drive}_states"], body=_scan_body(weight),
        num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1],
    )  # fmt: skip
    g.nodes.append(node)
    return f"{drive}_states"


def deephums_graph(model: DeepHuMS) -> _Graph:
    """``DeepHuMS.forward`` in ONNX; the result is named ``signature``."""
    g = _Graph()
    x = g.linear(_input_features(g, model.input), model.embed)
    for norm, layer in zip(model.norms, model.layers, strict=True):
        assert isinstance(norm, nn.LayerNorm)
        assert isinstance(layer, IndRNN)
        x = g.add("Add", x, _recur(g, g.linear(g.norm(x, norm), layer.input), layer))
    index = g.add("Unsqueeze", g.add("Sub", "length", g.constant(1)), g.constant([1]))
    last = g.add("GatherND", x, index, batch_dims=1)
    vector = g.linear(g.norm(last, model.norm), model.signature)
    _unit(g, vector)
    return g


def _unit(g: _Graph, vector: str) -> None:
    """The output ``signature``: ``vector [N, 512]`` at unit length."""
    length = g.add("ReduceL2", vector, g.constant([-1]), keepdims=1)
    g.nodes.append(helper.make_node("Div", [vector, g.add("Max", length, g.constant(1e-12))], ["signature"]))


def _columns(g: _Graph, x: str, first: int, end: int) -> str:
    """``x[..., first:end]``."""
    return g.add("Slice", x, g.constant([first]), g.constant([end]), g.constant([-1]))


def _planes(g: _Graph, vectors: str) -> list[str]:
    """``vectors [N, T, 22, 3]`` as x, y and z, each ``[N, T, 22]``."""
    return [g.add("Gather", vectors, g.constant(axis), axis=3) for axis in range(3)]


def _to_planes(layer_inputs: int) -> NDArray[np.intp]:
    """Where the numbers of ``[22, layer_inputs]`` stand once each kind of number has a plane of 22 joints.

    Axes of three or six numbers are slow to compute over; planes of all joints are not. So the graph has planes, and
    constants and the weights behind them are put into their order.
    """
    return np.arange(JOINTS * layer_inputs).reshape(JOINTS, layer_inputs).T.ravel()


def _heading(g: _Graph, planes: list[str], within: str) -> tuple[str, str]:
    """``LocalInput._heading`` in ONNX: cosine and sine ``[N, T, 1]``."""
    both = [g.add("Gather", "valid", g.constant(side), axis=1) for side in (LEFT, RIGHT)]
    pairs = np.zeros((len(LEFT), JOINTS), dtype=np.float32)
    pairs[range(len(LEFT)), LEFT], pairs[range(len(LEFT)), RIGHT] = 1.0, -1.0
    sides = g.add("Unsqueeze", g.add("MatMul", g.add("Mul", *both), g.constant(pairs)), g.constant([2]))
    across = g.add("Concat", *(g.add("MatMul", plane, sides) for plane in planes[:2]), axis=-1)
    across = g.add("Transpose", g.add("Mul", across, within), perm=[0, 2, 1])
    window = g.constant(torch.ones(2, 1, HEADING_WINDOW))
    across = g.add("Conv", across, window, pads=[HEADING_WINDOW // 2] * 2, group=2, kernel_shape=[HEADING_WINDOW])
    across = g.add("Transpose", across, perm=[0, 2, 1])
    x, y = _columns(g, across, 0, 1), _columns(g, across, 1, 2)
    x = g.add("Add", x, g.constant(1e-4))
    size = g.add("Sqrt", g.add("Add", g.add("Mul", x, x), g.add("Mul", y, y)))
    size = g.add("Add", size, g.constant(1e-9))
    return g.add("Div", x, size), g.add("Div", y, size)


def _turned(g: _Graph, planes: Sequence[str], heading: tuple[str, str]) -> list[str]:
    """``signature_net._turned`` in ONNX, the vertical plane kept."""
    cos, sin = heading
    x, y, z = planes
    along = g.add("Add", g.add("Mul", x, cos), g.add("Mul", y, sin))
    aside = g.add("Sub", g.add("Mul", y, cos), g.add("Mul", x, sin))
    return [along, aside, z]


def _local(g: _Graph, layer: LocalInput, within: str) -> str:
    """``LocalInput.local`` in ONNX, as planes: ``[N, T, 132]``."""
    left, right = (g.add("Gather", "valid", g.constant([hip]), axis=1) for hip in HIPS)
    both = g.add("Mul", left, right)
    hips = g.add("Mul", g.add("Add", both, g.constant(1e-4)), g.constant(layer.hips))
    pelvis = g.add("Mul", g.add("Sub", g.constant(1.0), both), g.constant(layer.pelvis))
    weight = g.add("Mul", "valid", g.add("Add", hips, pelvis))
    total = g.add("Add", g.add("ReduceSum", weight, g.constant([1]), keepdims=1), g.constant(1e-9))
    weight = g.add("Unsqueeze", g.add("Div", weight, total), g.constant([2]))
    x, y, z = planes = _planes(g, "joints")
    place = [g.add("Sub", plane, g.add("MatMul", plane, weight)) for plane in (x, y)]
    heading = _heading(g, planes, within)
    motion = _planes(g, _motion(g))
    return g.add("Concat", *_turned(g, (*place, z), heading), *_turned(g, motion, heading), axis=-1)


def _local_features(g: _Graph, local: str, layer: LocalInput, within: str) -> str:
    """``LocalInput.forward`` in ONNX, as planes, the joints' validity behind them."""
    order = _to_planes(CHANNELS)
    mean, scale = (constant.reshape(-1)[order] for constant in (layer.standard.mean, layer.standard.scale))
    scale = g.add("Mul", _for_planes(g, CHANNELS), g.constant(scale))
    features = g.add("Mul", g.add("Sub", local, g.constant(mean)), scale)
    seen = g.add("Unsqueeze", "valid", g.constant([1]))
    return g.add("Concat", g.add("Mul", features, within), g.add("Mul", seen, within), within, axis=-1)


def _for_planes(g: _Graph, count: int) -> str:
    """Which joints are valid ``[N, 1, count * 22]``, for so many planes."""
    return g.add("Unsqueeze", g.add("Concat", *["valid"] * count, axis=-1), g.constant([1]))


def _block(g: _Graph, x: str, within: str, block: Block) -> str:
    """``signature_net.Block`` in ONNX."""
    mix = block.mix
    inner = g.add("Transpose", g.add("Mul", x, within), perm=[0, 2, 1])
    assert mix.bias is not None
    kernel = mix.kernel_size[0]
    inner = g.add("Conv", inner, g.constant(mix.weight), g.constant(mix.bias), pads=[kernel // 2] * 2, group=mix.groups)
    inner = g.norm(g.add("Transpose", inner, perm=[0, 2, 1]), block.norm)
    inner = g.add("Gelu", g.linear(inner, block.up), approximate="tanh")
    weight, bias = block.down.weight * block.scale[:, None], block.down.bias * block.scale
    return g.add("Add", x, g.add("Add", g.add("MatMul", inner, g.constant(weight.T)), g.constant(bias)))


def _moving_mean(g: _Graph, x: str, window: int) -> str:
    """Mean of ``x [N, T, F]`` over ``window`` frames about each, zero beyond its ends: by sums of all frames before."""
    half = window // 2
    padded = g.add("Pad", x, g.constant([0, half + 1, 0, 0, half, 0]))
    sums = g.add("CumSum", padded, g.constant(1))
    start, far, time = (g.constant([v]) for v in (0, 2**31, 1))
    after = g.add("Slice", sums, g.constant([window]), far, time)
    before = g.add("Slice", sums, start, g.constant([-window]), time)
    return g.add("Mul", g.add("Sub", after, before), g.constant(1.0 / window))


def _statistics(g: _Graph, local: str, layer: Statistics, within: str) -> str:
    """``Statistics.forward`` in ONNX, as planes: ``[N, T, 198]``."""
    place = _columns(g, local, 0, JOINTS * 3)
    means = _moving_mean(g, g.add("Concat", g.add("Mul", place, within), within, axis=-1), STRAY_WINDOW)
    share = g.add("Max", _columns(g, means, JOINTS * 3, JOINTS * 3 + 1), g.constant(1e-6))
    around = g.add("Div", _columns(g, means, 0, JOINTS * 3), share)
    stray = g.add("Abs", g.add("Sub", place, around))
    speed = g.add("Mul", g.add("Abs", _columns(g, local, JOINTS * 3, JOINTS * 6)), g.constant(SPEED_WEIGHT))
    centre = layer.centre.transpose(1, 2).reshape(-1)
    values = g.add("Sub", g.add("Concat", place, stray, speed, axis=-1), g.constant(centre))
    return g.add("Mul", g.add("Mul", values, _for_planes(g, STATISTICS * 3)), within)


def _patches(g: _Graph, features: str, width: int) -> str:
    """``signature_net._patches`` in ONNX: ``[N, K, 4, width]``."""
    frames = g.add("Gather", g.add("Shape", "joints"), g.constant([1]))
    spare = g.add("Mod", g.add("Neg", frames), g.constant([STRIDE]))
    pads = g.add("Concat", g.constant([0, 0, 0, 0]), spare, g.constant([0]), axis=0)
    return g.add("Reshape", g.add("Pad", features, pads, g.constant(0.0)), g.constant([0, -1, STRIDE, width]))


def signature_graph(model: SignatureNet) -> _Graph:
    """``SignatureNet.encode`` in ONNX; the results are named ``signature`` and ``tokens``."""
    g = _Graph()
    within = _within(g)
    local = _local(g, model.input, within)
    x = _stem(g, _local_features(g, local, model.input, within), model.stem)
    statistics = _patches(g, _statistics(g, local, model.statistics, within), model.shortcut.in_features)
    statistics = g.add("ReduceMean", statistics, g.constant([2]), keepdims=0)
    count = g.add("Div", g.add("Add", "length", g.constant(STRIDE - 1)), g.constant(STRIDE))
    shown = g.add("Unsqueeze", g.frames_before(x, count), g.constant([2]))
    for block in model.blocks:
        assert isinstance(block, Block)
        x = _block(g, x, shown, block)
    tokens = g.linear(g.norm(x, model.norm), model.head)
    planes = model.shortcut.weight.unflatten(1, (STATISTICS, JOINTS, 3)).transpose(2, 3).flatten(1)
    tokens = g.add("Add", tokens, g.add("MatMul", statistics, g.constant(planes.T)))
    g.nodes.append(helper.make_node("Mul", [tokens, shown], ["tokens"]))
    _unit(g, g.add("ReduceSum", "tokens", g.constant([1]), keepdims=0))
    return g


def _stem(g: _Graph, features: str, stem: nn.Linear) -> str:
    """The first layer over patches of four frames of ``features``, which lie in planes: ``[N, K, width]``."""
    width = stem.in_features // STRIDE
    order = np.concatenate([_to_planes(CHANNELS), np.arange(JOINTS * CHANNELS, width)])
    weight = stem.weight.unflatten(1, (STRIDE, width))[:, :, order].flatten(1)
    patches = g.add("Reshape", _patches(g, features, width), g.constant([0, 0, -1]))
    return g.add("Add", g.add("MatMul", patches, g.constant(weight.T)), g.constant(stem.bias))


def _poses(g: _Graph, model: SignatureNet) -> dict[str, list[Any]]:
    """How poses are distributed, as results that are the same whatever the inputs are; their shapes."""
    constants = {"pose_mean": model.pose_mean, "pose_covariance": model.pose_covariance}
    for name, value in constants.items():
        g.nodes.append(helper.make_node("Identity", [g.constant(value)], [name]))
    return {name: list(value.shape) for name, value in constants.items()}


def has_onnx_form(model: nn.Module) -> bool:
    """Whether `export` can write it; peers of the table cannot all be."""
    return isinstance(model, SignatureNet | DeepHuMS)


def to_onnx(model: nn.Module, card: Mapping[str, Any]) -> onnx.ModelProto:
    """The model as ONNX, its card in the metadata as one JSON string a key.

    Raises:
        ValueError: it is a peer that has no ONNX form.
    """
    outputs: dict[str, list[Any]] = {"signature": ["N", SIGNATURE]}
    if isinstance(model, SignatureNet):
        g = signature_graph(model.eval())
        outputs |= {"tokens": ["N", "K", SIGNATURE], **_poses(g, model)}
    elif isinstance(model, DeepHuMS):
        g = deephums_graph(model.eval())
    else:
        raise ValueError(f"There is no ONNX form of {type(model).__name__}; evaluate its run folder as it is.")
    inputs = [
        helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["N", "T", 22, 3]),
        helper.make_tensor_value_info("valid", TensorProto.FLOAT, ["N", 22]),
        helper.make_tensor_value_info("length", TensorProto.INT64, ["N"]),
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
    graph = helper.make_graph(g.nodes, "hums", inputs, results, g.constants)
    proto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="hums-train"
    )
    helper.set_model_props(proto, {key: json.dumps(value) for key, value in card.items()})
    onnx.checker.check_model(proto)
    return proto


def export(model: nn.Module, card: Mapping[str, Any], path: Path) -> float:
    """Writes the model and checks the file against torch.

    Returns:
        The largest difference of any number of any signature.

    Raises:
        ValueError: the model has no ONNX form, or the file does not compute what torch does; it is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_onnx(model, card).SerializeToString())
    return check(model, path)


def check(model: nn.Module, path: Path) -> float:
    """Compares a file with torch; arguments, result and errors as `export`."""
    difference = largest_difference(model, path)
    if not difference <= TOLERANCE:
        path.unlink()
        raise ValueError(f"The exported model differs from torch by {difference:.2g}; it was not kept.")
    return difference


def largest_difference(model: nn.Module, path: Path) -> float:
    """The file against torch at several lengths, alone and in one padded batch with joints missing."""
    import onnxruntime  # noqa: PLC0415

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for lengths in (*([n] for n in CHECKED_LENGTHS), list(CHECKED_LENGTHS)):
        count = np.array(lengths, dtype=np.int64)
        joints = rng.normal(size=(len(lengths), max(lengths), 22, 3)).astype(np.float32).cumsum(1) * 0.05
        valid = (rng.random((len(lengths), 22)) > 0.2).astype(np.float32)
        got = np.asarray(session.run(["signature"], {"joints": joints, "valid": valid, "length": count})[0])
        with torch.no_grad():
            wanted = model.eval()(torch.from_numpy(joints), torch.from_numpy(valid), torch.from_numpy(count)).numpy()
        worst = max(worst, float(np.abs(got - wanted).max()))
    return worst
