"""BERT with mean pooling in ONNX Runtime, float32: the graph is written down here, not exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from habitus.retrievers.bert import BertModel, Tensors, n_threads
from habitus.retrievers.encoder import Vectors

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_OPSET = 20
_IR_VERSION = 10
_MASKED = -10_000.0


class OnnxBert:
    """Runs batches of token ids through a BERT encoder. Safe to call from several threads.

    Args:
        model: which weights.
    """

    def __init__(self, model: BertModel) -> None:
        import onnxruntime

        graph, initializers = build(model, model.tensors())
        options = onnxruntime.SessionOptions()
        # Left to itself, the runtime pins threads to cores and spins between calls: bad company in a
        # process that does other work, and no gain was measured.
        options.intra_op_num_threads = n_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in initializers.values()]
        options.add_external_initializers(list(initializers), values)
        self._session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, ids: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Vectors:
        """Encode one batch.

        Args:
            ids: token ids, shape `(n, longest)`, padded on the right with any valid id.
            lengths: shape `(n,)`, how many of a row's ids count.

        Returns:
            Vectors of shape `(n, dim)`, each of length 1.
        """
        positions = np.arange(ids.shape[1])
        mask = (positions < lengths[:, None]).astype(np.float32)
        found = self._session.run(None, {"ids": ids, "positions": positions, "mask": mask})
        return np.asarray(found[0], dtype=np.float32)


def build(model: BertModel, tensors: Tensors) -> tuple[ModelProto, dict[str, npt.NDArray[Any]]]:
    """Write the graph of a model.

    Returns:
        The graph, whose weights are declared but not held, and the weights by name. Kept apart
        because copying 90 MB through protobuf would double the time to start.
    """
    from onnx import TensorProto, helper

    graph = _Graph(model, tensors)
    graph.pooled(graph.layers())
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "longest"]),
        helper.make_tensor_value_info("positions", TensorProto.INT64, ["longest"]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", "longest"]),
    ]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", model.dim])]
    declared = [_declared(name, value) for name, value in graph.large.items()]
    proto = helper.make_graph(graph.nodes, "bert", inputs, outputs, [*graph.small, *declared])
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(proto, opset_imports=[opset], ir_version=_IR_VERSION), graph.large


def _declared(name: str, value: npt.NDArray[Any]) -> Any:
    from onnx import TensorProto, helper

    tensor = TensorProto(name=name, dims=value.shape, data_location=TensorProto.EXTERNAL)
    tensor.data_type = helper.np_dtype_to_tensor_dtype(value.dtype)
    tensor.external_data.add(key="location", value="in-memory")
    return tensor


class _Graph:
    """The nodes of a graph under construction; methods take and return names of values."""

    def __init__(self, model: BertModel, tensors: Tensors) -> None:
        self.model = model
        self.tensors = tensors
        self.nodes: list[NodeProto] = []
        self.small: list[Any] = []
        self.large: dict[str, npt.NDArray[Any]] = {}

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, name: str, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        from onnx import numpy_helper

        if all(tensor.name != name for tensor in self.small):
            self.small.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def weight(self, name: str, value: Vectors) -> str:
        self.large[name] = np.ascontiguousarray(value)
        return name

    def normalised(self, x: str, module: str) -> str:
        scale, shift = f"{module}.weight", f"{module}.bias"
        self.weight(scale, self.tensors[scale])
        self.weight(shift, self.tensors[shift])
        return self.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=self.model.epsilon)

    def linear(self, x: str, module: str, factor: float = 1.0) -> str:
        weight = self.weight(f"{module}.weight", self.tensors[f"{module}.weight"].T * np.float32(factor))
        bias = self.weight(f"{module}.bias", self.tensors[f"{module}.bias"] * np.float32(factor))
        return self.node("Add", self.node("MatMul", x, weight), bias)

    def embedded(self) -> str:
        word = self.weight("word", self.tensors["embeddings.word_embeddings.weight"])
        # One sentence a text: every token is of type 0, so its embedding joins that of the position.
        kind = self.tensors["embeddings.token_type_embeddings.weight"][0]
        position = self.weight("position", self.tensors["embeddings.position_embeddings.weight"] + kind)
        words, places = self.node("Gather", word, "ids"), self.node("Gather", position, "positions")
        return self.normalised(self.node("Add", words, places), "embeddings.LayerNorm")

    def heads(self, x: str, order: list[int]) -> str:
        split = [0, 0, self.model.n_heads, self.model.dim // self.model.n_heads]
        shape = self.constant("split_heads", split, np.int64)
        return self.node("Transpose", self.node("Reshape", x, shape), perm=order)

    def attention(self, x: str, module: str, bias: str) -> str:
        scale = (self.model.dim // self.model.n_heads) ** -0.5
        query = self.heads(self.linear(x, f"{module}.self.query", scale), [0, 2, 1, 3])
        key = self.heads(self.linear(x, f"{module}.self.key"), [0, 2, 3, 1])
        value = self.heads(self.linear(x, f"{module}.self.value"), [0, 2, 1, 3])
        scores = self.node("Add", self.node("MatMul", query, key), bias)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), value)
        joined = self.constant("join_heads", [0, 0, self.model.dim], np.int64)
        return self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), joined)

    def layers(self) -> str:
        padding = self.node("Sub", self.constant("one", 1.0), "mask")
        masked = self.node("Mul", padding, self.constant("masked", _MASKED))
        bias = self.node("Unsqueeze", masked, self.constant("head_axes", [1, 2], np.int64))
        x = self.embedded()
        for layer in range(self.model.n_layers):
            at = f"encoder.layer.{layer}"
            mixed = self.linear(self.attention(x, f"{at}.attention", bias), f"{at}.attention.output.dense")
            x = self.normalised(self.node("Add", x, mixed), f"{at}.attention.output.LayerNorm")
            inner = self.node("Gelu", self.linear(x, f"{at}.intermediate.dense"))
            outer = self.linear(inner, f"{at}.output.dense")
            x = self.normalised(self.node("Add", x, outer), f"{at}.output.LayerNorm")
        return x

    def pooled(self, x: str) -> str:
        # The mean's divisor is left out: scaling to length 1 undoes it.
        kept = self.node("Mul", x, self.node("Unsqueeze", "mask", self.constant("last", [-1], np.int64)))
        total = self.node("ReduceSum", kept, self.constant("tokens", [1], np.int64), keepdims=0)
        return self.node("LpNormalization", total, output="vectors", axis=-1, p=2)
