# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the motion signature: data, models, losses, evaluation and the export to ONNX."""
