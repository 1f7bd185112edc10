"""ONNX Runtime as the reference: no graph optimisation, one thread, the CPU's own kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime

Arrays = Mapping[str, np.ndarray]


class ReferenceError(Exception):
    """ONNX Runtime does not run the model; the text says why."""


def open_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session of the model; raises ReferenceError where ONNX Runtime refuses it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong comes as an exception
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common class of their own
        raise ReferenceError(str(error)) from error


def run_session(session: onnxruntime.InferenceSession, inputs: Arrays, outputs: Sequence[str]) -> list[np.ndarray]:
    """The named outputs."""
    try:
        return session.run(list(outputs), dict(inputs))
    except Exception as error:
        raise ReferenceError(str(error)) from error


def run_model(model: onnx.ModelProto, inputs: Arrays) -> list[np.ndarray]:
    """All outputs of the model."""
    return run_session(open_session(model), inputs, [output.name for output in model.graph.output])
