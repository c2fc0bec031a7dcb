# SPDX-License-Identifier: GPL-3.0-or-later
"""From a trained encoder to one ONNX file that carries its card, and is checked against torch.

The IndRNN is written as an ONNX ``Scan`` node by node: exporters unroll a Python loop over the frames and
then silently read only as many frames as the example had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from .model import SIGNATURE, DeepHuMS, IndRNN, MotionInput

OPSET = 17
IR_VERSION = 8  # both old enough for every onnxruntime that the add-on bundles
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


def _input_features(g: _Graph, layer: MotionInput) -> str:
    """``MotionInput.forward`` in ONNX."""
    start, end, far, time = (g.constant([v]) for v in (1, -1, 2**31, 1))
    following = g.add("Slice", "joints", start, far, time)
    last = g.add("Slice", "joints", end, far, time)
    motion = g.add("Sub", g.add("Concat", following, last, axis=1), "joints")
    has_next = g.frames_before("joints", g.add("Sub", "length", g.constant(1)))
    motion = g.add("Mul", motion, g.add("Unsqueeze", has_next, g.constant([2, 3])))
    features = g.add("Concat", "joints", motion, axis=-1)
    features = g.add("Mul", g.add("Sub", features, g.constant(layer.mean)), g.constant(layer.scale))
    features = g.add("Mul", features, g.add("Unsqueeze", "valid", g.constant([1, 3])))
    features = g.add("Reshape", features, g.constant([0, 0, -1]))
    return g.add("Mul", features, g.add("Unsqueeze", g.frames_before("joints", "length"), g.constant([2])))


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
    """``model.recur`` as a Scan over the frames of ``drive [N, T, size]``."""
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
    length = g.add("ReduceL2", vector, axes=[-1], keepdims=1)
    g.nodes.append(helper.make_node("Div", [vector, g.add("Max", length, g.constant(1e-12))], ["signature"]))
    return g


def to_onnx(model: nn.Module, card: Mapping[str, Any]) -> onnx.ModelProto:
    """The model as ONNX, its card in the metadata as one JSON string a key."""
    if not isinstance(model, DeepHuMS):
        raise TypeError(f"There is no ONNX form of {type(model).__name__}.")
    g = deephums_graph(model.eval())
    inputs = [
        helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["N", "T", 22, 3]),
        helper.make_tensor_value_info("valid", TensorProto.FLOAT, ["N", 22]),
        helper.make_tensor_value_info("length", TensorProto.INT64, ["N"]),
    ]
    outputs = [helper.make_tensor_value_info("signature", TensorProto.FLOAT, ["N", SIGNATURE])]
    graph = helper.make_graph(g.nodes, "hums", inputs, outputs, g.constants)
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
        ValueError: The file does not compute what torch does; it is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_onnx(model, card).SerializeToString())
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
