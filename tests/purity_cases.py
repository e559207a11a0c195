"""How tests/test_purity.py calls every public function and method of the package.

A case takes `Numbers` and returns a call that is ready to be made. Its name is the function's, with a word in brackets
where a function has several.
"""

from datetime import date
from functools import cached_property, partial

import numpy as np

from rnn_from_scratch import (
    activations,
    arrays,
    attention,
    bptt,
    compression,
    fused,
    initializers,
    losses,
    normalization,
    scan,
    validate,
)
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import (
    BahdanauCell,
    CoupledLSTMCell,
    GRUCell,
    GRUDCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LowRankRNNCell,
    LSTMCell,
    LuongCell,
    MinGRUCell,
    MinLSTMCell,
    RNNCell,
    attending,
    chrono_params,
    irnn_params,
    low_rank,
    min_lstm,
)
from rnn_from_scratch.data import (
    batching,
    benchmark_tasks,
    colors,
    corpus,
    csv_table,
    date_patterns,
    dates,
    deletion,
    files,
    filling,
    holes,
    loading,
    missing,
    numpy_files,
    prices,
    running_tasks,
    scaling,
    series,
    sources,
    tasks,
    text,
    windows,
)
from rnn_from_scratch.diagnosis import attention as attention_checks
from rnn_from_scratch.diagnosis import (
    conformance,
    contract,
    faults,
    functions,
    models,
    own_cells,
    own_parts,
    own_solution,
    own_text,
    padding,
    probe,
    rules,
    steps,
    translation,
)
from rnn_from_scratch.diagnosis import suite as suites
from rnn_from_scratch.fused import layout
from rnn_from_scratch.gradcheck import (
    compare,
    curve,
    direction,
    kink,
    ladder,
    metric,
    numerical,
    projected,
    purity,
    second_order,
    verdict,
)
from rnn_from_scratch.gradcheck import steps as v_steps
from rnn_from_scratch.interop import foreign, torch_layout
from rnn_from_scratch.interop import keras as keras_interop
from rnn_from_scratch.interop import torch as torch_interop
from rnn_from_scratch.layers import (
    AttentionLayer,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    Recurrent,
    Stacked,
    arguments,
    dropout_mask,
    engines,
    over_time,
    states,
)
from rnn_from_scratch.looking import changing, components, flow, jacobians, probes, running, saliency, surface
from rnn_from_scratch.metrics import (
    bleu,
    classification,
    dividing,
    intervals,
    labels,
    regression,
    report,
    sequences,
)
from rnn_from_scratch.metrics import text as text_metrics
from rnn_from_scratch.models import (
    EncoderDecoder,
    LanguageModel,
    SequenceClassifier,
    SequenceModel,
    TokenEncoder,
    decoding,
    encoder,
    encoder_decoder,
    imputation,
    imputation_inputs,
    imputing,
    ngram,
    sequence,
    truncated,
)
from rnn_from_scratch.optim import (
    AdaGrad,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    RMSprop,
    adaptive,
    clipping,
    decay,
    descent,
    diagnostics,
    schedules,
)
from rnn_from_scratch.training import archive, checkpoint, describing, evaluating, failing, fitting, loop
from rnn_from_scratch.training import params as params_on_disk
from rnn_from_scratch.training.range_test import range_test, suggest

T, N, D, H, K, S, M = 5, 3, 3, 4, 2, 6, 4


class Numbers:
    """Arguments for every case, drawn from one seed. A second one of the same seed has equal, not the same, arrays."""

    def __init__(self, seed, folder):
        self.folder, self.rng = folder, np.random.default_rng(seed)
        draw = self.rng.standard_normal
        self.cell, self.layer, self.dense = RNNCell(D, H), Recurrent(RNNCell(D, H), "stepwise"), Dense(H, K)
        self.model = SequenceModel(self.layer, K)
        self.small, self.few = SequenceModel(Recurrent(RNNCell(1, 2), "stepwise"), 1, "regression"), draw((3, 2, 1))
        self.last = SequenceModel(self.layer, K, "regression", "many-to-one")
        self.weights = {"W_xh": draw((D, H)), "W_hh": draw((H, H)), "b_h": draw(H)}
        self.readout = {"W_hy": draw((H, K)), "b_y": draw(K)}
        self.params = {"recurrent": self.weights, "output": self.readout}
        self.grads = {"recurrent": {name: draw(array.shape) for name, array in self.weights.items()},
                      "output": {name: draw(array.shape) for name, array in self.readout.items()}}
        self.xs, self.dhs, self.state, self.dstate = draw((T, N, D)), draw((T, N, H)), (draw((N, H)),), (draw((N, H)),)
        self.mask = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 0]], bool)
        self.logits, self.values = draw((T, N, K)), draw((T, N, K))
        self.targets = self.rng.integers(0, K, (T, N))
        self.z = draw((N, K))
        self.lengths = [draw((length, D)) for length in (2, 4, 1)]
        self.norm, self.scale = LayerNorm(H), {"gain": draw(H), "bias": draw(H)}
        self.table = {"W_embed": draw((K, H))}
        self.memory, self.memory_mask = draw((S, N, M)), draw((S, N)) > -1.0

    @cached_property
    def caches(self):
        return bptt.unroll(self.cell, self.weights, self.xs, self.state, None)[2]

    @cached_property
    def deltas(self):
        return bptt.unroll_backward(self.cell, self.weights, self.dhs, self.caches)[1]

    @cached_property
    def report(self):
        return compare.check_gradients(squares, self.weights, {name: 2 * w for name, w in self.weights.items()})

    @cached_property
    def v_curve(self):
        return self.report.step_curve("b_h")

    def drawn(self, shapes):
        """Draw parameters of these shapes, nested or not."""
        draw = self.rng.standard_normal
        return {name: self.drawn(shape) if isinstance(shape, dict) else draw(shape) for name, shape in shapes.items()}

    def like(self, parts):
        """Draw a state with the parts of this one."""
        return tuple(self.rng.standard_normal(part.shape) for part in parts)

    def gated(self, cell):
        """Return a cell's parameters, state, upstream gradient, caches and deltas."""
        draw, params = self.rng.standard_normal, self.drawn(cell.param_shapes())
        if hasattr(cell, "memory_shapes"):
            params |= {"memory": self.memory, "memory_mask": self.memory_mask}
        state, dstate = ([draw(part.shape) for part in cell.initial_state(N)] for _ in range(2))
        _, _, caches = bptt.unroll(cell, params, self.xs, tuple(state))
        _, deltas = bptt.unroll_backward(cell, params, self.dhs, caches)
        return params, tuple(state), tuple(dstate), caches, deltas

    def file(self):
        return params_on_disk.save_params(self.folder / "params.npz", self.params)

    @property
    def source(self):
        return sources.Sequences(self.xs, self.targets, 2, self.mask)

    @property
    def pairs(self):
        words = ["ab", "b", "ba"]
        return sources.Pairs(words, words, (text.Vocabulary.of(words),) * 2, 2)

    def kept(self):
        """A checkpoint that `train` wrote."""
        path = self.folder / "run.npz"
        if not path.exists():
            loop.train(self.model, self.params, self.source, Adam(0.1), updates=2, checkpoint=path, rng=rng())
        return path


SOURCES = {
    "Sequences": lambda n: n.source, "Streams": lambda n: sources.Streams(n.xs, n.targets, 2, n.mask),
    "Pairs": lambda n: n.pairs,
    "Fresh": lambda n: sources.Fresh(lambda rng: benchmark_tasks.adding_data(rng=rng, T=4, N=2), 3),
}


def squares(tree):
    return sum((array * array).sum() for _, array in arrays.leaves(tree))


def step(params, x, h_prev):
    return np.tanh(x @ params["W_xh"] + h_prev @ params["W_hh"] + params["b_h"])


def step_back(params, x, h_prev, dh):
    delta = dh * (1 - step(params, x, h_prev) ** 2)
    grads = {"W_xh": x.T @ delta, "W_hh": h_prev.T @ delta, "b_h": delta.sum(axis=0)}
    return delta @ params["W_xh"].T, delta @ params["W_hh"].T, grads


def plotted(report):
    """What the picture of an error shows."""
    return np.asarray(report.plot("W_hh").axes[0].images[0].get_array())


def followed(figure):
    """What the picture of a V curve shows."""
    return [np.asarray(line.get_xydata()) for line in figure.axes[0].get_lines()]


def swept(n):
    """A short range test."""
    batches = list(batching.minibatches(n.xs, n.values[0], 2, over_time=False))
    return range_test(n.last, n.params, batches, Adam(0.1), highest=0.1, updates=20)


def prices_of(n):
    """A series of positive numbers with a gap, the numbers' own."""
    values = np.exp(n.rng.standard_normal((12, 3)))
    values[1, 0] = np.nan
    return series.make_series(values)


def table_file(n):
    """A table of the numbers' own, in a file that is there for as long as the case."""
    path = n.folder / f"{n.rng.integers(2**40)}.csv"
    path.write_text("time,a\n" + "".join(f"{t},{value}\n" for t, value in enumerate(n.xs[:, 0, 0])))
    return path


def array_file(n, kind=".npy"):
    """An array of the numbers' own in NumPy's format."""
    path = n.folder / f"{n.rng.integers(2**40)}{kind}"
    (np.save if kind == ".npy" else np.savez)(path, n.xs[:, 0])
    return path


def attempted():
    """A suite's findings after code that raised."""
    whole = suites.Suite()
    with whole.attempt(" (here)"):
        raise ValueError("no")
    return whole.findings


def cell_case(cell, method):
    """Call one method of a cell that is not the vanilla one."""
    def case(n):
        params, state, dstate, caches, deltas = n.gated(cell)
        x_proj = cell.project(params, n.xs)[1]
        return partial(getattr(cell, method), *{
            "param_shapes": (), "init_params": (), "initial_state": (N,), "project": (params, n.xs),
            "step": (params, x_proj, state), "step_backward": (params, dstate, caches[2]),
            "param_grads": (params, n.xs, caches, deltas), "memory_shapes": (S, N),
        }[method], **({"rng": rng()} if method == "init_params" else {}))
    return case


def attention_case(score, f):
    """Call a method of a score, or a function that takes one, on T queries."""
    def case(n):
        params, memory, mask = n.drawn(score.param_shapes()), n.memory, n.memory_mask
        keys = score.project_memory(params, memory)
        _, cache = attention.attend(score, params, n.dhs, keys, memory, mask)
        dcontexts = 2.0 * n.dhs
        _, delta = attention.attend_backward(score, params, dcontexts, memory, cache)
        return partial(getattr(score, f, None) or partial(getattr(attention, f), score), *{
            "param_shapes": (), "init_params": (), "project_memory": (params, memory), "score": (params, n.dhs, keys),
            "query_grad": (params, delta.dscores, cache), "param_grads": (params, memory, cache, delta),
            "attend": (params, n.dhs, keys, memory, mask), "attend_backward": (params, dcontexts, memory, cache),
            "attend_grads": (params, memory, cache, delta),
        }[f], **({"rng": rng()} if f == "init_params" else {}))
    return case


def stacked_queries(n):
    """Two caches and two deltas of single queries."""
    score = SCORES["AdditiveAttention"]
    params = n.drawn(score.param_shapes())
    keys = score.project_memory(params, n.memory)
    caches = [attention.attend(score, params, query, keys, n.memory)[1] for query in n.dhs[:2]]
    return caches, [attention.attend_backward(score, params, n.dhs[0], n.memory, cache)[1] for cache in caches]


def deep_case(layer, method, training=False):
    """Call one method of a layer made of layers."""
    def case(n):
        params, parts = n.drawn(layer.param_shapes()), layer.initial_state(N)
        state, dstate = (tuple(n.rng.standard_normal(part.shape) for part in parts) for _ in range(2))
        hs, _, cache = layer.forward(params, n.xs, state, n.mask, rng=rng() if training else None)
        return partial(getattr(layer, method), *{
            "param_shapes": (), "init_params": (), "initial_state": (N,), "check_state": ("Here", "state", state, N),
            "layer_states": (state,), "forward": (params, n.xs, state, n.mask),
            "backward": (params, 2.0 * hs, cache, dstate),
        }[method], **({"rng": rng()} if method == "init_params" or (training and method == "forward") else {}))
    return case


def attention_layer_case(layer, method):
    """Call one method of an attention layer."""
    def case(n):
        params = n.drawn(layer.param_shapes())
        contexts, cache = layer.forward(params, n.dhs, n.memory, n.mask, n.memory_mask)
        return partial(getattr(layer, method), *{
            "param_shapes": (), "init_params": (), "forward": (params, n.dhs, n.memory, n.mask, n.memory_mask),
            "backward": (params, 2.0 * contexts, cache),
        }[method], **({"rng": rng()} if method == "init_params" else {}))
    return case


def token_case(model, method, training=False):
    """Call one method of a model of tokens: what stands on padding is no token at all."""
    def case(n):
        params = n.drawn(arrays.tree_map(np.shape, model.init_params(rng=rng())))
        state, dstate = (tuple(n.rng.standard_normal(part.shape) for part in model.initial_state(N)) for _ in range(2))
        tokens = np.where(n.mask, n.rng.integers(0, V, (T, N)), -1)
        ys, _, cache = model.forward(params, tokens, state, n.mask, rng=rng() if training else None)
        targets = n.rng.integers(0, ys.shape[-1], ys.shape[:-1])
        counted = n.mask if ys.ndim == 3 else n.mask.any(axis=0)
        return partial(getattr(model, method), *{
            "init_params": (), "initial_state": (N,), "forward": (params, tokens, state, n.mask),
            "backward": (params, 2.0 * ys, cache, dstate), "loss": (ys, targets, counted, 7.0),
            "loss_and_grads": (params, tokens, targets, state, n.mask, counted),
            "predict": (params, tokens, state, n.mask), "generate": (params, [1, 0], 3),
        }[method], **({"rng": rng()} if method in ("init_params", "generate") or training else {}))
    return case


def token_encoder_case(method):
    """Call one method of an embedding under a layer."""
    def case(n):
        both = TokenEncoder(Recurrent(GRUCell(D, H)), V)
        params = n.drawn(both.param_shapes())
        tokens = np.where(n.mask, n.rng.integers(0, V, (T, N)), -1)
        hs, _, cache = both.forward(params, tokens, n.state, n.mask)
        return partial(getattr(both, method), *{
            "param_shapes": (), "init_params": (), "forward": (params, tokens, n.state, n.mask),
            "backward": (params, 2.0 * hs, cache, n.dstate),
        }[method], **({"rng": rng()} if method == "init_params" else {}))
    return case


def translation_case(model, method):
    """Call one method of an encoder–decoder, or a function that takes one."""
    def case(n):
        params = n.drawn(model.param_shapes())
        sources = np.where(n.memory_mask, n.rng.integers(0, V, (S, N)), -1)
        targets = np.where(n.mask, n.rng.integers(0, K + 2, (T, N)), 99)
        batch = params, sources, targets, n.memory_mask, n.mask
        inputs = model.shifted(targets, n.mask)
        logits, _, cache = model.forward(params, sources, inputs, *batch[3:])
        _, dstate, (_, bridge_cache) = model.encode(params, sources, n.memory_mask)
        function, arguments, keywords = {
            "param_shapes": (model.param_shapes, (), {}), "init_params": (model.init_params, (), {"rng": rng()}),
            "encode": (model.encode, (params, sources, n.memory_mask), {}),
            "forward": (model.forward, (params, sources, inputs, n.memory_mask, n.mask), {}),
            "backward": (model.backward, (params, 2.0 * logits, cache), {}),
            "loss": (model.loss, (logits, targets, n.mask, 7.0), {}),
            "loss_and_grads": (model.loss_and_grads, batch, {}),
            "shifted": (model.shifted, (targets, n.mask), {}),
            "Bridge.param_shapes": (model.bridge.param_shapes, (), {}),
            "Bridge.init_params": (model.bridge.init_params, (), {"rng": rng()}),
            "Bridge.forward": (model.bridge.forward, (params["bridge"], n.memory[0]), {}),
            "Bridge.backward": (model.bridge.backward, (params["bridge"], dstate, bridge_cache), {}),
            "attention_map": (encoder_decoder.attention_map, (cache,), {}),
            "greedy": (decoding.greedy, (model, *batch[:2], n.memory_mask), {"max_length": 4}),
            "beam_search": (decoding.beam_search, (model, *batch[:2], n.memory_mask),
                            {"max_length": 4, "beam_width": 3, "length_penalty": 0.7}),
        }[method]
        return partial(function, *arguments, **keywords)
    return case


def kernel_case(kernel, cell, method):
    """The case of a kernel's forward, which keeps what its backward needs, or of that backward; with a mask."""
    def case(n):
        params = n.drawn(cell.param_shapes())
        forward = partial(kernel.forward, cell, params, n.xs, n.state, n.mask, keep=True)
        if method == "forward":
            return forward
        return partial(kernel.backward, cell, params, n.dhs, forward()[2], n.dstate, input_grad=True)
    return case


def engine_case(engine, method):
    """Call one method of an engine, with a mask."""
    def case(n):
        given = n.cell, n.weights
        if method == "fits":
            return partial(engine.fits, n.cell)
        forward = partial(engine.forward, *given, n.xs * n.mask[..., None], n.state, n.mask, keep=True)
        if method == "forward":
            return forward
        return partial(engine.backward, *given, n.dhs, forward()[2], n.dstate, input_grad=True)
    return case


def streamed(layer, params, xs, state):
    """Take a stream through a sequence; what it gave, and its state."""
    stream = layer.stream(params, len(state[0]), state)
    return [stream(x) for x in xs], stream.state


def reset(layer, params, xs, state, other):
    """Take a stream a step on, and back to its own state, and to another."""
    stream, states = layer.stream(params, len(state[0]), state), []
    for to in (None, other):
        stream(xs[0])
        stream.reset(to)
        states.append(stream.state)
    return states, stream(xs[1])


def written(function, shape, *arguments):
    """Call a function that writes to its first argument: what it wrote to zeros."""
    out = np.zeros(shape)
    function(out, *arguments)
    return out


def rng():
    return np.random.default_rng(3)


def holey(n):
    """Whole numbers with a third of them missing, never a feature's all."""
    xs = np.round(n.xs)
    xs[::3, 1:], xs[1, 0, 0] = np.nan, np.nan
    return xs


def imputer_at(n):
    """The imputation model's weights, and inputs of 4K columns."""
    weights = {**IMPUTER.init_params(rng=rng()), "output": {"W_hy": np.ones((6, K)), "b_y": n.z[0]}}
    return weights, np.concatenate([n.logits, n.dhs, n.values], 2)


FILLINGS = [
    filling.MeanFilling(), filling.MedianFilling(), filling.ModeFilling(), filling.LastValueFilling(),
    filling.InterpolationFilling(), filling.MaskAndTime(relative=True),
]
SCORES = {
    "AdditiveAttention": AdditiveAttention(H, M, 2), "MultiplicativeAttention": MultiplicativeAttention(H, M),
    "MultiplicativeAttention (dot)": MultiplicativeAttention(H, M, "dot"),
}
DOT = SCORES["MultiplicativeAttention (dot)"]
CELLS = {
    "lstm.LSTMCell": {"": LSTMCell(D, H), " (peepholes)": LSTMCell(D, H, peepholes=True)},
    "gru.GRUCell": {"": GRUCell(D, H), " (before)": GRUCell(D, H, reset_after=False)},
    "indrnn.IndRNNCell": {"": IndRNNCell(D, H)}, "layer_norm_lstm.LayerNormLSTMCell": {"": LayerNormLSTMCell(D, H)},
    "low_rank.LowRankRNNCell": {"": LowRankRNNCell(D, H, 2)},
    "low_rank.LowRankLSTMCell": {"": LowRankLSTMCell(D, H, 2)},
    "coupled_lstm.CoupledLSTMCell": {"": CoupledLSTMCell(D, H)},
    "min_gru.MinGRUCell": {"": MinGRUCell(D, H)}, "min_lstm.MinLSTMCell": {"": MinLSTMCell(D, H)},
    "gru_d.GRUDCell": {"": GRUDCell(D, H)},
    "bahdanau.BahdanauCell": {
        "": BahdanauCell(GRUCell(D, H), SCORES["AdditiveAttention"]), " (dot)": BahdanauCell(RNNCell(D, H), DOT)},
    "luong.LuongCell": {
        "": LuongCell(LSTMCell(D, H), SCORES["MultiplicativeAttention"]),
        " (not fed)": LuongCell(RNNCell(D, H), DOT, input_feeding=False)},
}
OWN_FORMS = [
    own_parts.OwnForm("sech", "learned", "input", "weighted"), own_parts.OwnForm("swish", 0.3, "output", "input"),
    own_parts.OwnForm("sine", None, "reset", "state"),
]
OWN_CELLS = {
    word: own_solution.own_cell_solution(own_cells.OwnCell(D, H, form))
    for word, form in zip(("", " (output)", " (reset)"), OWN_FORMS, strict=True)
}
METHODS = ("param_shapes", "init_params", "initial_state", "project", "step", "step_backward", "param_grads")
DEEP = {
    "stacked.Stacked": Stacked((Recurrent(LSTMCell(D, 2)), Recurrent(LSTMCell(2, H))), dropout=0.5),
    "bidirectional.Bidirectional": Bidirectional(Recurrent(GRUCell(D, 2)), Recurrent(GRUCell(D, H))),
}
V = 6
TOKENS = {
    "language.LanguageModel": LanguageModel(Recurrent(GRUCell(D, H)), V, dropout=0.5),
    "language.LanguageModel (tied)": LanguageModel(Recurrent(GRUCell(H, H)), V, tied=True),
    "classifier.SequenceClassifier": SequenceClassifier(DEEP["bidirectional.Bidirectional"], V, K, 0.5),
}
METHODS_OF_TOKENS = ("init_params", "initial_state", "forward", "backward", "loss", "loss_and_grads", "predict")
IMPUTER = imputation.bidirectional_imputer(K, 3)
FILLER = imputing.ModelFilling(imputation.bidirectional_imputer(D, 2), updates=2, window=4)
TRANSLATION = EncoderDecoder(Recurrent(RNNCell(D, M)), Recurrent(CELLS["luong.LuongCell"][""].cell), V, K + 2)
ATTENDING = EncoderDecoder(Recurrent(RNNCell(D, M)), Recurrent(CELLS["bahdanau.BahdanauCell"][""]), V, K + 2)
PAIR = EncoderDecoder(Recurrent(RNNCell(1, 2)), Recurrent(RNNCell(2, 1)), 2, 3)
GATED = GRUCell(D, H)
ABROAD = {  # layers whose weights other libraries keep too
    "": Recurrent(GATED), " (dense)": Dense(H, K),
    " (deep)": Stacked(tuple(Bidirectional(*(Recurrent(LSTMCell(size, H)) for _ in "ab")) for size in (D, 2 * H))),
}
DAY, FORMATS = date(1998, 3, 17), date_patterns.date_formats()[:2]
SHAPES = {"W_xh": (3, 4), "W_hh": (4, 4), "b_h": (4,)}
OPTIMISERS = {
    "adaptive": [AdaGrad(0.1), RMSprop(0.1), Adam(0.1), AdamW(0.1)],
    "descent": [GradientDescent(0.1), Momentum(0.1), Nesterov(0.1)],
}
CASES = {
    # activations: a function takes z, a derivative takes the function's output
    **{f"activations.{f}": lambda n, f=f: partial(getattr(activations, f), n.z)
       for name in ("sigmoid", "tanh", "relu", "identity", "softmax") for f in (name, f"{name}_derivative")},
    "arrays.leaves": lambda n: partial(arrays.leaves, n.params),
    "arrays.tree_map": lambda n: partial(arrays.tree_map, np.subtract, n.params, n.grads),
    "arrays.tree_copy": lambda n: partial(arrays.tree_copy, n.params),
    "arrays.tree_add": lambda n: partial(arrays.tree_add, n.params, n.grads, n.grads),
    "arrays.tree_scale": lambda n: partial(arrays.tree_scale, n.params, 0.5),
    "arrays.global_norm": lambda n: partial(arrays.global_norm, n.params),
    "validate.float_array": lambda n: partial(validate.float_array, "Here", "xs", n.xs),
    "validate.as_array": lambda n: partial(validate.as_array, "Here", "xs", n.xs),
    "validate.shape": lambda n: partial(validate.shape, "Here", "xs", n.xs, ("T", "N", D)),
    "validate.same_dtype": lambda n: partial(validate.same_dtype, "Here", params=n.params, xs=n.xs),
    "validate.finite": lambda n: partial(validate.finite, "Here", "xs", n.xs, n.mask),
    "validate.mask": lambda n: partial(validate.mask, "Here", "mask", n.mask, (T, N)),
    "validate.integer_targets": lambda n: partial(validate.integer_targets, "Here", n.targets, K, n.mask),
    "validate.indices": lambda n: partial(validate.indices, "Here", "xs", n.targets, K, n.mask),
    "validate.params": lambda n: partial(validate.params, "Here", n.weights, SHAPES),
    "validate.size": lambda n: partial(validate.size, "Here", "k1", 3),
    "validate.number": lambda n: partial(validate.number, "Here", "C", 0.3, above=0.0),
    "validate.option": lambda n: partial(validate.option, "Here", "engine", None, ["stepwise", None]),
    "validate.generator": lambda n: partial(validate.generator, "Here", rng()),
    **{f"initializers.{f}": lambda n, f=f: partial(getattr(initializers, f), (3, 4), rng=rng())
       for f in ("glorot_uniform", "glorot_normal", "orthogonal")},
    "initializers.identity": lambda n: partial(initializers.identity, (3, 3)),
    "initializers.zeros": lambda n: partial(initializers.zeros, (3,)),
    "losses.softmax_cross_entropy": lambda n: partial(losses.softmax_cross_entropy, n.logits, n.targets, n.mask),
    "losses.mean_squared_error": lambda n: partial(losses.mean_squared_error, n.logits, n.values, n.mask, 7.0),
    "normalization.layer_norm": lambda n: partial(
        normalization.layer_norm, n.dhs, n.scale["gain"], n.scale["bias"]),
    "normalization.layer_norm_backward": lambda n: partial(
        normalization.layer_norm_backward, n.dhs, n.scale["gain"], n.norm.forward(n.scale, 2 * n.dhs)[1]),
    "normalization.layer_norm_param_grads": lambda n: partial(
        normalization.layer_norm_param_grads, n.dhs, n.norm.forward(n.scale, 2 * n.dhs)[1]),
    "compression.magnitude_mask": lambda n: partial(compression.magnitude_mask, n.xs, 0.5),
    "compression.prune": lambda n: partial(compression.prune, n.params, 0.5),
    "compression.quantize": lambda n: partial(compression.quantize, n.z),
    "compression.dequantize": lambda n: partial(compression.dequantize, compression.quantize(n.z)),
    "compression.count": lambda n: partial(compression.count, n.params),
    "compression.size_in_bytes": lambda n: partial(compression.size_in_bytes, [n.params, compression.quantize(n.z)]),
    # metrics of text: the rows of targets are T sentences of indices
    "metrics.text.perplexity": lambda n: partial(text_metrics.perplexity, np.square(n.z).mean()),
    "metrics.text.bits_per_character": lambda n: partial(text_metrics.bits_per_character, np.square(n.z).mean()),
    "metrics.text.exact_match": lambda n: partial(text_metrics.exact_match, n.targets, 1 - n.targets),
    "metrics.text.corpus_bleu": lambda n: partial(text_metrics.corpus_bleu, n.targets, n.targets[::-1, None]),
    "metrics.intervals.mean_interval": lambda n: partial(intervals.mean_interval, n.z.ravel()),
    "metrics.intervals.wilson_interval": lambda n: partial(intervals.wilson_interval, int(n.targets.sum()), T * N),
    "metrics.text.sentence_bleu": lambda n: partial(text_metrics.sentence_bleu, n.targets[0], n.targets[1:]),
    "metrics.bleu.match": lambda n: partial(bleu.match, [(n.targets[0].tolist(), n.targets[1:].tolist())], 2),
    "metrics.bleu.score": lambda n: partial(bleu.score, bleu.Matches((4, 2), (5, 4), 5, 6), "exp", 0.0, True),
    "metrics.sequences.tokenize_13a": lambda n: partial(sequences.tokenize_13a, "Is it 3.14, or not?"),
    "metrics.sequences.list_of": lambda n: partial(sequences.list_of, "Here", "tokens", n.targets, "a list"),
    "metrics.sequences.sequence": lambda n: partial(sequences.sequence, "Here", "tokens", n.targets[0]),
    "metrics.sequences.same_kind": lambda n: partial(sequences.same_kind, "Here", [("one", "a b"), ("other", "c")]),
    # metrics of classes and of numbers
    **{f"metrics.classification.{f}": lambda n, f=f: partial(
        getattr(classification, f), n.targets, 1 - n.targets, n.mask) for f in ("confusion_matrix", "accuracy")},
    **{f"metrics.classification.{f}": lambda n, f=f: partial(
        getattr(classification, f), n.targets, n.targets[::-1], n.mask, average=None, labels=np.array([1, 0, 2]),
        zero_division=0) for f in ("precision", "recall", "f1")},
    "metrics.classification.confusion": lambda n: partial(
        classification.confusion, "Here", n.targets, n.targets[::-1], n.mask, np.array([1, 0])),
    "metrics.classification.fraction": lambda n: partial(
        classification.fraction, "f1", np.array([[1, 2], [3, int(n.targets.sum())]])),
    "metrics.dividing.divide": lambda n: partial(dividing.divide, n.targets[0], n.targets[1], 1.0),
    "metrics.dividing.mean": lambda n: partial(dividing.mean, n.z[0], np.square(n.z[1])),
    "metrics.dividing.zero_division": lambda n: partial(dividing.zero_division, "Here", 1),
    "metrics.labels.pair": lambda n: partial(labels.pair, "Here", n.targets, n.targets[::-1], n.mask),
    "metrics.labels.pair (no mask)": lambda n: partial(labels.pair, "Here", n.targets, n.targets[::-1], None),
    "metrics.labels.classes": lambda n: partial(labels.classes, "Here", np.array([1, 0]), n.targets[0]),
    "metrics.labels.shown": lambda n: partial(labels.shown, n.targets[0, 0]),
    "metrics.report.classification_report": lambda n: partial(
        report.classification_report, n.targets, n.targets[::-1], n.mask),
    "metrics.report.report_of_confusion": lambda n: partial(
        report.report_of_confusion, np.array([[1, 2], [3, int(n.targets.sum())]]), ["a", "b"]),
    "metrics.report.ClassificationReport.of": lambda n: partial(
        lambda made: made.of(1), report.report_of_confusion(np.array([[1, 2], [3, int(n.targets.sum())]]))),
    **{f"metrics.regression.{f}{word}": lambda n, f=f, choices=choices: partial(
        getattr(regression, f), n.values, n.logits, n.mask, **choices) for f in ("mse", "rmse", "mae", "r2")
       for word, choices in (("", {}), (" (per output)", {"per_output": True}))},
    # cells and the time loop
    "cells.rnn.RNNCell.param_shapes": lambda n: partial(n.cell.param_shapes),
    "cells.rnn.RNNCell.init_params": lambda n: partial(n.cell.init_params, rng=rng()),
    "cells.rnn.RNNCell.initial_state": lambda n: partial(n.cell.initial_state, N),
    "cells.rnn.RNNCell.project": lambda n: partial(n.cell.project, n.weights, n.xs),
    "cells.rnn.RNNCell.step": lambda n: partial(n.cell.step, n.weights, n.dhs[0], n.state),
    **{f"{module}.{cell.__name__}.step_backward": lambda n, cell=cell: partial(
        cell(D, H).step_backward, n.weights, n.dstate, n.caches[2])
       for module, group in (("cells.rnn", [RNNCell]), ("diagnosis.faults", faults.FAULTS.values()))
       for cell in group if "step_backward" in vars(cell)},
    **{f"{module}.{cell.__name__}.param_grads": lambda n, cell=cell: partial(
        cell(D, H).param_grads, n.weights, n.xs, n.caches, n.deltas)
       for module, group in (("cells.rnn", [RNNCell]), ("diagnosis.faults", faults.FAULTS.values()))
       for cell in group if "param_grads" in vars(cell)},
    **{f"cells.{name}.memory_shapes": cell_case(group[""], "memory_shapes")
       for name, group in CELLS.items() if hasattr(group[""], "memory_shapes")},
    "cells.gru_d.GRUDCell.mixed_inputs": lambda n: partial(
        GRUDCell(D, H).mixed_inputs, GRUDCell(D, H).init_params(rng=rng()), n.xs),
    "cells.low_rank.factor_grads": lambda n: partial(
        low_rank.factor_grads, {"U": n.weights["W_xh"].T, "V": n.weights["W_xh"]}, n.dhs[0], n.dhs[1]),
    "cells.attending.check_inner": lambda n: partial(attending.check_inner, "Here", RNNCell(D, H), DOT),
    "cells.attending.projected_size": lambda n: partial(attending.projected_size, GRUCell(D, H)),
    "cells.attending.as_rows": lambda n: partial(attending.as_rows, n.dhs),
    **{f"attention.{name.split(' ')[0]}.{f} {name.partition(' ')[2]}".rstrip(): attention_case(score, f)
       for name, score in SCORES.items()
       for f in ("param_shapes", "init_params", "project_memory", "score", "query_grad", "param_grads")},
    **{f"attention.{f} ({name})": attention_case(score, f)
       for name, score in SCORES.items() for f in ("attend", "attend_backward", "attend_grads")},
    "attention.masked_softmax": lambda n: partial(attention.masked_softmax, n.memory[..., 0], n.memory_mask),
    "attention.stack_queries": lambda n: partial(attention.stack_queries, *stacked_queries(n)),
    "cells.chrono.chrono_params": lambda n: partial(chrono_params, LSTMCell(D, H), rng=rng(), longest=9),
    "cells.rnn.irnn_params": lambda n: partial(irnn_params, RNNCell(D, H, "relu"), rng=rng()),
    **{f"cells.{name}.{method}{word}": cell_case(cell, method)
       for name, group in CELLS.items() for word, cell in group.items() for method in METHODS},
    **{f"scan.{f}": lambda n, f=f: partial(getattr(scan, f), n.dhs, n.dhs[::-1].copy(), n.state[0])
       for f in ("scan", "scan_loop", "scan_blelloch")},
    "scan.scan_backward": lambda n: partial(
        scan.scan_backward, n.dhs, scan.scan(n.dhs, n.dhs, n.state[0]), n.state[0], n.dhs[::-1].copy(), n.dstate[0]),
    "cells.min_lstm.normalized_gates": lambda n: partial(min_lstm.normalized_gates, n.logits, n.values),
    **{f"fused.{name}.{method}": kernel_case(kernel, cell, method)
       for name, kernel, cell in (("min_gru", fused.min_gru, MinGRUCell(D, H)),
                                  ("min_lstm", fused.min_lstm, MinLSTMCell(D, H)))
       for method in ("forward", "backward")},
    "fused.min_gru.fits": lambda n: partial(fused.min_gru.fits, MinGRUCell(D, H)),
    "fused.min_lstm.fits": lambda n: partial(fused.min_lstm.fits, MinLSTMCell(D, H)),
    **{f"fused.engine.FusedKernel.{method} ({cell.__name__})": kernel_case(fused.KERNELS[cell], cell(D, H), method)
       for cell in (RNNCell, GRUCell) for method in ("forward", "backward")},
    "fused.engine.FusedKernel.fits": lambda n: partial(fused.KERNELS[RNNCell].fits, n.cell),
    "fused.layout.add_index_rows": lambda n: partial(
        written, layout.add_index_rows, (K, H), n.targets, n.dhs.reshape(-1, H)),
    "fused.layout.make_plan": lambda n: partial(layout.make_plan, "rnn", "tanh", n.cell, n.xs, np.float64, True),
    "fused.layout.paddings": lambda n: partial(layout.paddings, n.mask),
    "fused.layout.pieces": lambda n: partial(layout.pieces, 2, 9, 3),
    "fused.layout.transpose_into": lambda n: partial(written, layout.transpose_into, (T, D, N), n.xs),
    "bptt.unroll": lambda n: partial(bptt.unroll, n.cell, n.weights, n.xs, n.state, n.mask),
    "bptt.unroll_backward": lambda n: partial(
        bptt.unroll_backward, n.cell, n.weights, n.dhs, n.caches, n.dstate, n.mask),
    "bptt.without_padding": lambda n: partial(bptt.without_padding, n.xs, n.mask),
    "looking.running.checked": lambda n: partial(running.checked, "Here", n.cell, n.weights, n.xs, n.state, n.mask),
    "looking.jacobians.step_jacobians": lambda n: partial(
        jacobians.step_jacobians, n.cell, n.weights, n.xs, n.state, n.mask),
    "looking.jacobians.jacobian_products": lambda n: partial(
        jacobians.jacobian_products, n.drawn({"": (T, N, H, H)})[""]),
    "looking.jacobians.singular_values": lambda n: partial(jacobians.singular_values, n.drawn({"": (T, H, H)})[""]),
    "looking.flow.gradient_flow": lambda n: partial(
        flow.gradient_flow, n.cell, n.weights, n.xs, n.dhs, n.state, n.mask, n.dstate),
    "looking.flow.gradient_flow (gates)": lambda n: partial(
        flow.gradient_flow, GATED, *((g := n.gated(GATED))[0], n.xs, n.dhs, g[1]), None, g[2]),
    "looking.flow.split_gates": lambda n: partial(flow.split_gates, GATED, n.drawn({"": (T, N, 3 * H)})[""]),
    "looking.changing.unroll_changed": lambda n: partial(
        changing.unroll_changed, n.cell, n.weights, n.xs, changing.clamp_units([1], n.scale["bias"]), n.state, n.mask),
    "looking.changing.remove_directions": lambda n: partial(
        changing.remove_directions, n.z.T @ n.dhs[0], n.scale["bias"]),
    "looking.changing.clamp_units": lambda n: partial(changing.clamp_units, [0, 2], n.scale["bias"]),
    "looking.components.principal_components": lambda n: partial(components.principal_components, n.dhs, 2, n.mask),
    "looking.components.Components.project": lambda n: partial(
        components.Components(n.scale["bias"], n.readout["W_hy"].T, n.readout["b_y"]).project, n.dhs),
    "looking.probes.fit_least_squares": lambda n: partial(
        probes.fit_least_squares, n.dhs.reshape(-1, H), n.values.reshape(-1, K), ridge=0.1),
    "looking.probes.fit_classifier": lambda n: partial(
        probes.fit_classifier, n.dhs.reshape(-1, H), np.arange(T * N) % K, ridge=0.1),
    "looking.probes.class_directions": lambda n: partial(
        probes.class_directions, n.dhs.reshape(-1, H), np.arange(T * N) % K),
    "looking.probes.Probe.read": lambda n: partial(probes.Probe(*n.readout.values()).read, n.dhs),
    "looking.probes.Probe.classes": lambda n: partial(probes.Probe(*n.readout.values()).classes, n.dhs),
    "looking.saliency.input_gradient": lambda n: partial(
        saliency.input_gradient, n.model, n.params, n.xs, n.readout["b_y"], 2, n.state),
    "looking.saliency.integrated_gradients": lambda n: partial(
        saliency.integrated_gradients, n.last, n.params, n.xs, 0, -1, n.state, n.mask, baseline=n.xs[0], points=3),
    "looking.saliency.occlusion": lambda n: partial(
        saliency.occlusion, n.last, n.params, n.xs, 1, -1, n.state, n.mask, fill=n.xs[0]),
    "looking.surface.loss_surface": lambda n: partial(
        surface.loss_surface, squares, n.params, n.grads, n.params, n.scale["gain"], n.readout["b_y"]),
    "fused.has_kernel": lambda n: partial(fused.has_kernel, n.cell),
    "fused.kernel_for": lambda n: partial(fused.kernel_for, n.cell),
    # layers and models
    "layers.dense.Dense.param_shapes": lambda n: partial(n.dense.param_shapes),
    "layers.dense.Dense.init_params": lambda n: partial(n.dense.init_params, rng=rng()),
    "layers.dense.Dense.forward": lambda n: partial(n.dense.forward, n.readout, n.dhs),
    "layers.dense.Dense.backward": lambda n: partial(
        n.dense.backward, n.readout, n.logits, n.dense.forward(n.readout, n.dhs)[1]),
    **{f"layers.{module}.{type(layer).__name__}.{f}": lambda n, layer=layer, f=f, random=random: partial(
        getattr(layer, f), **({"rng": rng()} if random else {}))
       for module, layer in (("layer_norm", LayerNorm(H)), ("embedding", Embedding(K, H)), ("dropout", Dropout(0.5)))
       for f, random in (("param_shapes", False), ("init_params", True))},
    "layers.layer_norm.LayerNorm.forward": lambda n: partial(n.norm.forward, n.scale, n.dhs),
    "layers.layer_norm.LayerNorm.backward": lambda n: partial(
        n.norm.backward, n.scale, n.dhs, n.norm.forward(n.scale, 2 * n.dhs)[1]),
    "layers.embedding.Embedding.forward": lambda n: partial(Embedding(K, H).forward, n.table, n.targets),
    "layers.embedding.Embedding.backward": lambda n: partial(
        Embedding(K, H).backward, n.table, n.dhs, Embedding(K, H).forward(n.table, n.targets)[1]),
    "layers.dropout.dropout_mask": lambda n: partial(dropout_mask, (T, N, H), 0.5, rng=rng()),
    **{f"layers.dropout.Dropout.forward{case}": lambda n, layer=layer, training=training: partial(
        layer.forward, {}, n.dhs, **({"rng": rng()} if training else {}))
       for case, layer, training in (("", Dropout(0.5), True), (" (inference)", Dropout(0.5), False),
                                (" (rate 0)", Dropout(0.0), True), (" (over time)", Dropout(0.5, True), True))},
    **{f"layers.dropout.Dropout.backward{case}": lambda n, layer=layer, training=training: partial(
        layer.backward, {}, n.dhs, layer.forward({}, n.dhs, rng=training and rng())[1])
       for case, layer, training in (("", Dropout(0.5), True), (" (inference)", Dropout(0.5), None),
                                (" (over time)", Dropout(0.5, True), True))},
    "layers.recurrent.Recurrent.initial_state": lambda n: partial(n.layer.initial_state, N),
    "layers.recurrent.Recurrent.param_shapes": lambda n: partial(n.layer.param_shapes),
    "layers.recurrent.Recurrent.init_params": lambda n: partial(n.layer.init_params, rng=rng()),
    "layers.recurrent.Recurrent.forward": lambda n: partial(n.layer.forward, n.weights, n.xs, n.state, n.mask),
    "layers.recurrent.Recurrent.backward": lambda n: partial(
        n.layer.backward, n.weights, n.dhs, n.layer.forward(n.weights, n.xs, n.state, n.mask)[2], n.dstate),
    "layers.recurrent.Recurrent.infer": lambda n: partial(n.layer.infer, n.weights, n.xs, n.state, n.mask),
    "layers.recurrent.Recurrent.infer (fused)": lambda n: partial(
        Recurrent(n.cell).infer, n.weights, n.xs, n.state, n.mask),
    **{f"layers.recurrent.Recurrent.stream{word}": lambda n, engine=engine: partial(
        streamed, Recurrent(n.cell, engine), n.weights, n.xs, n.state)
       for word, engine in (("", "stepwise"), (" (fused)", "fused"))},
    **{f"layers.stream.Stream.reset{word}": lambda n, engine=engine: partial(
        reset, Recurrent(n.cell, engine), n.weights, n.xs, n.state, n.dstate)
       for word, engine in (("", "stepwise"), (" (fused)", "fused"))},
    **{f"layers.engines.{type(engine).__name__}.{method}{word}": engine_case(engine, method)
       for word, engine in (("", engines.STEPWISE), ("", engines.Segments(engines.STEPWISE, 2)),
                            (" (fused)", engines.Segments(fused.KERNELS[RNNCell], 2)))
       for method in ("fits", "forward", "backward")},
    **{f"layers.recurrent.Recurrent.{f} (dropout)": deep_case(Recurrent(GRUCell(D, H), None, 0.5), f, training=True)
       for f in ("forward", "backward")},
    "layers.recurrent.Recurrent.memory_shapes": lambda n: partial(
        Recurrent(CELLS["luong.LuongCell"][""]).memory_shapes, S, N),
    **{f"layers.{name}.{f}": deep_case(layer, f) for name, layer in DEEP.items() for f in (
        "param_shapes", "init_params", "initial_state", "check_state", "layer_states", "forward", "backward")},
    **{f"layers.stacked.Stacked.{f} (dropout)": deep_case(DEEP["stacked.Stacked"], f, training=True)
       for f in ("forward", "backward")},
    **{f"layers.attention.AttentionLayer.{f}{word}": attention_layer_case(AttentionLayer(score), f)
       for word, score in (("", SCORES["AdditiveAttention"]), (" (dot)", DOT))
       for f in ("param_shapes", "init_params", "forward", "backward")},
    "layers.arguments.checked_arguments": lambda n: partial(
        arguments.checked_arguments, "Here", n.layer, n.weights, n.xs, n.state, n.mask),
    "layers.arguments.checked_arguments (indices)": lambda n: partial(
        arguments.checked_arguments, "Here", n.layer, n.weights, np.where(n.mask, n.targets, -1), None, n.mask),
    "layers.arguments.checked_state": lambda n: partial(
        arguments.checked_state, "Here", n.layer, n.state, N, n.weights),
    "layers.arguments.checked_params": lambda n: partial(arguments.checked_params, "Here", n.layer, n.weights, N),
    "layers.arguments.same_arrays": lambda n: partial(arguments.same_arrays, n.weights, dict(n.weights)),
    "layers.states.check_state": lambda n: partial(states.check_state, "Here", "state", n.state, n.dstate),
    "layers.over_time.check_over_time": lambda n: partial(over_time.check_over_time, "Here", "layer", n.layer),
    "layers.over_time.infer": lambda n: partial(over_time.infer, n.layer, n.weights, n.xs, n.state, n.mask),
    **{f"layers.{name}.infer": lambda n, layer=layer: partial(
        layer.infer, layer.init_params(rng=rng()), n.xs, None, n.mask) for name, layer in DEEP.items()},
    "layers.recurrent.Recurrent.check_state": lambda n: partial(n.layer.check_state, "Here", "state", n.state, N),
    "models.sequence.SequenceModel.initial_state": lambda n: partial(n.model.initial_state, N),
    "models.sequence.SequenceModel.init_params": lambda n: partial(n.model.init_params, rng=rng()),
    "models.sequence.SequenceModel.forward": lambda n: partial(n.model.forward, n.params, n.xs, n.state, n.mask),
    "models.sequence.SequenceModel.forward (last)": lambda n: partial(n.last.forward, n.params, n.xs, n.state),
    "models.sequence.SequenceModel.backward": lambda n: partial(
        n.model.backward, n.params, n.logits, n.model.forward(n.params, n.xs, n.state, n.mask)[2], n.dstate),
    "models.sequence.SequenceModel.backward (last)": lambda n: partial(
        n.last.backward, n.params, n.z, n.last.forward(n.params, n.xs, n.state, n.mask)[2], n.dstate),
    "models.sequence.SequenceModel.loss_and_grads": lambda n: partial(
        n.model.loss_and_grads, n.params, n.xs, n.targets, n.state, n.mask, n.mask),
    "models.sequence.SequenceModel.loss_and_grads (last)": lambda n: partial(
        n.last.loss_and_grads, n.params, n.xs, n.values[0], n.state, n.mask),
    "models.sequence.SequenceModel.predict": lambda n: partial(n.model.predict, n.params, n.xs, n.state, n.mask),
    "models.sequence.SequenceModel.predict (last)": lambda n: partial(n.last.predict, n.params, n.xs),
    "models.sequence.check_layers": lambda n: partial(
        sequence.check_layers, "Here", n.params, ("recurrent", "output")),
    **{f"models.{name.split(' ')[0]}.{f} {name.partition(' ')[2]}".rstrip(): token_case(model, f)
       for name, model in TOKENS.items() for f in METHODS_OF_TOKENS},
    **{f"models.{name}.{f} (dropout)": token_case(TOKENS[name], f, training=True)
       for name in ("language.LanguageModel", "classifier.SequenceClassifier") for f in ("forward", "loss_and_grads")},
    "models.language.LanguageModel.generate": token_case(TOKENS["language.LanguageModel"], "generate"),
    **{f"models.encoder.TokenEncoder.{f}": token_encoder_case(f)
       for f in ("param_shapes", "init_params", "forward", "backward")},
    "models.encoder.token_array": lambda n: partial(encoder.token_array, "Here", "tokens", n.targets),
    **{f"models.encoder_decoder.EncoderDecoder.{f}{word}": translation_case(model, f)
       for word, model in (("", ATTENDING), (" (no attention)", TRANSLATION))
       for f in ("param_shapes", "init_params", "encode", "forward", "backward", "loss", "loss_and_grads", "shifted")},
    **{f"models.bridge.{f}": translation_case(TRANSLATION, f)
       for f in ("Bridge.param_shapes", "Bridge.init_params", "Bridge.forward", "Bridge.backward")},
    "models.encoder_decoder.attention_map": translation_case(ATTENDING, "attention_map"),
    "models.ngram.NGramModel.fit": lambda n: partial(ngram.NGramModel(3, K).fit, n.targets.ravel()),
    **{f"models.ngram.NGramModel.{f}": lambda n, f=f: partial(
        getattr(ngram.NGramModel(2, K), f), ngram.NGramModel(3, K).fit(n.targets.ravel()), n.targets[0])
       for f in ("log_probabilities", "bits_per_character", "probabilities")},
    "models.ngram.NGramModel.generate": lambda n: partial(
        ngram.NGramModel(3, K).generate, ngram.NGramModel(3, K).fit(n.targets.ravel()), n.targets[0], 4, rng=rng()),
    **{f"models.decoding.{f}{word}": translation_case(model, f) for f in ("greedy", "beam_search")
       for word, model in (("", ATTENDING), (" (no attention)", TRANSLATION))},
    # imputation: two features, holes as in `holey`
    "models.imputation.bidirectional_imputer": lambda n: partial(imputation.bidirectional_imputer, 2, 3),
    "models.imputation.ImputationModel.initial_state": lambda n: partial(IMPUTER.initial_state, N),
    "models.imputation.ImputationModel.init_params": lambda n: partial(IMPUTER.init_params, rng=rng()),
    "models.imputation.ImputationModel.forward": lambda n: partial(IMPUTER.forward, *imputer_at(n), None, n.mask),
    "models.imputation.ImputationModel.predict": lambda n: partial(IMPUTER.predict, *imputer_at(n), None, n.mask),
    "models.imputation.ImputationModel.backward": lambda n: partial(
        IMPUTER.backward, imputer_at(n)[0], n.logits, IMPUTER.forward(*imputer_at(n), None, n.mask)[2]),
    "models.imputation.ImputationModel.loss": lambda n: partial(IMPUTER.loss, n.logits, n.values, n.values > 0.0),
    "models.imputation.ImputationModel.loss_and_grads": lambda n: partial(
        IMPUTER.loss_and_grads, *imputer_at(n), n.values, None, n.mask, n.mask[..., None] & (n.values > 0.0)),
    "models.imputation_inputs.imputation_statistics": lambda n: partial(
        imputation_inputs.imputation_statistics, "Here", missing.observed_entries("Here", holey(n))),
    "models.imputation_inputs.standardised": lambda n: partial(
        imputation_inputs.standardised,
        imputation_inputs.imputation_statistics("Here", missing.observed_entries("Here", n.xs)),
        missing.observed_entries("Here", holey(n))),
    "models.imputation_inputs.imputation_inputs": lambda n: partial(
        imputation_inputs.imputation_inputs, n.xs, n.xs > 0.0, n.mask, "interpolation"),
    "models.imputation_inputs.holes_to_learn": lambda n: partial(
        imputation_inputs.holes_to_learn, n.xs > 0.0, (0.2, 0.5), 2, rng()),
    "models.imputation_inputs.windows_to_learn": lambda n: partial(
        imputation_inputs.windows_to_learn, missing.observed_entries("Here", n.xs), 3, 4, rng()),
    "models.imputing.ModelFilling.fit": lambda n: partial(FILLER.fit, holey(n), None, n.mask, rng=rng()),
    "models.imputing.ModelFilling.transform": lambda n: partial(
        FILLER.transform, FILLER.fit(n.xs, rng=rng()), holey(n), None, n.mask),
    "models.imputing.impute": lambda n: partial(imputing.impute, holey(n), rng=rng(), hidden_size=2, updates=2),
    "models.truncated.windows": lambda n: partial(truncated.windows, T, 2, 3),
    "models.truncated.window_loss_and_grads": lambda n: partial(
        truncated.window_loss_and_grads, n.model, n.params, n.xs, n.targets, truncated.windows(T, 2, 3)[1], n.state,
        n.mask, n.mask),
    "models.truncated.truncated_bptt": lambda n: partial(
        truncated.truncated_bptt, n.model, n.params, n.xs, n.targets, 2, 3, n.state, n.mask),
    # optimisers, data, training
    **{f"optim.{module}.{type(rule).__name__}.init": lambda n, rule=rule: partial(rule.init, n.params)
       for module, group in OPTIMISERS.items() for rule in group},
    **{f"optim.{module}.{type(rule).__name__}.update": lambda n, rule=rule: partial(
        rule.update, n.params, n.grads, rule.update(n.params, n.grads, rule.init(n.params))[1])
       for module, group in OPTIMISERS.items() for rule in group},
    **{f"optim.adaptive.RMSprop.update (centered={centered}, decay)": lambda n, rule=rule: partial(
        rule.update, n.params, n.grads, rule.update(n.params, n.grads, rule.init(n.params))[1])
       for centered in (False, True) for rule in (RMSprop(0.1, 0.9, 1e-8, 0.5 * centered, centered, 0.1),)},
    "optim.adaptive.squares": lambda n: partial(adaptive.squares, "Here", n.grads),
    "optim.decay.check_decay": lambda n: partial(decay.check_decay, AdamW(0.1)),
    "optim.decay.decay_rates": lambda n: partial(decay.decay_rates, n.params, 0.1, ("b_",)),
    "optim.decay.decayed": lambda n: partial(decay.decayed, n.params, n.grads, 0.1, ("b_",)),
    "optim.decay.decayed (none)": lambda n: partial(decay.decayed, n.params, n.grads, 0.0, ()),
    "optim.diagnostics.gradient_noise_scale": lambda n: partial(
        diagnostics.gradient_noise_scale, [n.params, n.grads], [n.grads], small_batch=1, large_batch=3),
    "optim.diagnostics.update_ratios": lambda n: partial(diagnostics.update_ratios, n.params, n.grads),
    "optim.schedules.ReduceOnPlateau.init": lambda n: partial(schedules.ReduceOnPlateau().init),
    "optim.schedules.ReduceOnPlateau.update": lambda n: partial(
        schedules.ReduceOnPlateau(patience=0).update, schedules.PlateauState(3, 0.5, 0.25, 1, 0), 0.3),
    "optim.descent.check_momentum": lambda n: partial(descent.check_momentum, Momentum(0.1)),
    "optim.descent.check_learning_rate": lambda n: partial(descent.check_learning_rate, GradientDescent(0.1)),
    "optim.descent.check_number": lambda n: partial(descent.check_number, GradientDescent(0.1), "learning_rate"),
    "optim.descent.check_memory_fits": lambda n: partial(
        descent.check_memory_fits, "Here", n.params, Momentum(0.1).init(n.params), descent.MomentumState, "velocity"),
    "optim.descent.check_gradients_fit": lambda n: partial(descent.check_gradients_fit, "Here", n.params, n.grads),
    **{f"optim.clipping.{f}{case}": lambda n, f=f, C=C: partial(getattr(clipping, f), n.grads, C)
       for f in ("clip_as_printed", "clip_as_printed_by_norm", "clip_by_value", "clip_by_norm", "clip_by_global_norm")
       for case, C in (("", 0.3), (" (below C)", 1e3))},
    "data.batching.Batch.arguments": lambda n: partial(batching.Batch.arguments, next(n.source.epoch(None))),
    "data.text.PairBatch.arguments": lambda n: partial(text.PairBatch.arguments, next(n.pairs.epoch(None))),
    "data.sources.text_streams": lambda n: partial(sources.text_streams, n.rng.integers(0, 5, 20), 3, 2),
    **{f"data.sources.{name}.epoch": lambda n, make=make: partial(lambda source: list(source.epoch(rng())), make(n))
       for name, make in SOURCES.items()},
    **{f"data.sources.{name}.fingerprint": lambda n, make=make: partial(type(make(n)).fingerprint, make(n))
       for name, make in SOURCES.items()},
    "data.batching.minibatches": lambda n: partial(
        batching.minibatches, n.xs, n.targets, 2, mask=n.mask, rng=rng()),
    "data.batching.minibatches (in order)": lambda n: partial(batching.minibatches, n.xs, n.targets, mask=n.mask),
    "data.batching.bucketed_batches": lambda n: partial(
        batching.bucketed_batches, n.targets.ravel(), 2, rng=rng(), pool=3),
    "data.batching.pad_sequences": lambda n: partial(batching.pad_sequences, n.lengths),
    "data.batching.one_hot": lambda n: partial(batching.one_hot, n.targets, K),
    # missing values: the methods fit and transform the same holes
    "data.missing.observed_entries": lambda n: partial(missing.observed_entries, "Here", holey(n), None, n.mask),
    "data.missing.feature_names": lambda n: partial(missing.feature_names, "Here", ["a", "b"], 2),
    "data.missing.refuse_empty_features": lambda n: partial(missing.refuse_empty_features, "Here", n.xs > -9.0),
    "data.missing.refuse_overflow": lambda n: partial(missing.refuse_overflow, "Here", n.xs[0, 0]),
    "data.missing.describe_missing": lambda n: partial(missing.describe_missing, holey(n), mask=n.mask),
    "data.missing.time_since_seen": lambda n: partial(missing.time_since_seen, holey(n), mask=n.mask),
    "data.missing.Entries.shaped": lambda n: partial(
        missing.observed_entries("Here", holey(n)[:, 0]).shaped, n.mask[:, :1]),
    "data.holes.make_holes": lambda n: partial(holes.make_holes, holey(n), 0.4, rng=rng(), mask=n.mask),
    "data.holes.make_holes (blocks)": lambda n: partial(
        holes.make_holes, holey(n), 0.4, rng=rng(), block=2, together=True),
    "data.holes.hide": lambda n: partial(holes.hide, n.xs, n.xs > 1.0),
    **{f"data.filling.{type(f).__name__}.fit": lambda n, f=f: partial(f.fit, holey(n), None, n.mask)
       for f in FILLINGS},
    **{f"data.filling.{type(f).__name__}.transform": lambda n, f=f: partial(
        f.transform, f.fit(holey(n)), holey(n), None, n.mask) for f in FILLINGS},
    "data.filling.last_seen": lambda n: partial(filling.last_seen, n.mask),
    "data.filling.interpolated": lambda n: partial(
        filling.interpolated, n.xs, n.xs > 0.0, n.mask, n.xs[0, 0]),
    "data.deletion.Deletion.fit": lambda n: partial(deletion.Deletion().fit, holey(n)),
    **{f"data.deletion.Deletion.transform ({unit})": lambda n, unit=unit: partial(
        deletion.Deletion(unit).transform, deletion.NoStatistics(), np.where(n.mask[..., None], n.xs, np.nan))
       for unit in ("steps",)},
    "data.deletion.Deletion.transform": lambda n: partial(
        deletion.Deletion().transform, deletion.NoStatistics(), n.xs, None, n.mask),
    "data.series.make_series": lambda n: partial(series.make_series, n.xs[:, 0]),
    "data.series.checked_series": lambda n: partial(series.checked_series, "Here", prices_of(n)),
    "data.series.time_order": lambda n: partial(series.time_order, ["1", "3", "2"]),
    **{f"data.series.{f}": lambda n, f=f: partial(getattr(series, f), prices_of(n))
       for f in ("chronological_split", "reversed_series", "log_returns")},
    "data.series.select_series": lambda n: partial(series.select_series, prices_of(n), ["column 2"], first=1, last=5),
    "data.series.column_indices": lambda n: partial(series.column_indices, "Here", prices_of(n), ["column 2"]),
    "data.windows.series_windows": lambda n: partial(windows.series_windows, prices_of(n), 3, columns=["column 2"]),
    "data.scaling.fit_scaling": lambda n: partial(scaling.fit_scaling, prices_of(n)),
    "data.scaling.standardize": lambda n: partial(scaling.standardize, series.chronological_split(prices_of(n))),
    **{f"data.scaling.Scaling.{f}": lambda n, f=f: partial(
        getattr(scaling.fit_scaling(prices_of(n)), f), prices_of(n)) for f in ("transform", "inverse")},
    "data.scaling.Scaling.inverse_array": lambda n: partial(
        scaling.fit_scaling(prices_of(n)).inverse_array, prices_of(n).values[:, None]),
    "data.loading.load_text": lambda n: partial(loading.load_text, table_file(n)),
    "data.loading.load_series": lambda n: partial(loading.load_series, table_file(n)),
    "data.files.decode": lambda n: partial(files.decode, "Here", table_file(n), "utf-8"),
    "data.csv_table.read_table": lambda n: partial(
        csv_table.read_table, "Here", table_file(n).read_text(), None, None, None),
    "data.numpy_files.read_npy": lambda n: partial(numpy_files.read_npy, "Here", array_file(n)),
    "data.numpy_files.read_npz": lambda n: partial(numpy_files.read_npz, "Here", array_file(n, ".npz"), None),
    "data.prices.sample_prices": lambda n: partial(prices.sample_prices),
    "data.tasks.lamp": lambda n: partial(tasks.lamp),
    "data.tasks.laugh": lambda n: partial(tasks.laugh),
    "data.tasks.laugh_letters": lambda n: partial(tasks.laugh_letters, "haha!"),
    "data.tasks.check_drawing": lambda n: partial(tasks.check_drawing, "Here", rng(), T=4),
    "data.benchmark_tasks.adding_data": lambda n: partial(benchmark_tasks.adding_data, rng=rng(), T=4, N=3),
    "data.benchmark_tasks.temporal_order_data": lambda n: partial(
        benchmark_tasks.temporal_order_data, rng=rng(), T=20, N=3),
    "data.benchmark_tasks.temporal_order_6a_data": lambda n: partial(
        benchmark_tasks.temporal_order_6a_data, rng=rng(), N=3),
    "data.benchmark_tasks.copying_data": lambda n: partial(benchmark_tasks.copying_data, rng=rng(), T=4, N=3),
    "data.running_tasks.parity_data": lambda n: partial(running_tasks.parity_data, rng=rng(), T=4, N=3),
    "data.running_tasks.parity_data (at the end)": lambda n: partial(
        running_tasks.parity_data, rng=rng(), T=4, N=3, running=False),
    "data.running_tasks.echo_data": lambda n: partial(running_tasks.echo_data, rng=rng(), T=6, N=3, lag=2),
    "data.running_tasks.sine_data": lambda n: partial(running_tasks.sine_data, rng=rng(), T=6, N=3),
    "data.tasks.article_data": lambda n: partial(tasks.article_data, rng=rng(), T=4, N=3),
    "data.tasks.fading_sum_data": lambda n: partial(tasks.fading_sum_data, rng=rng(), T=4, N=3),
    "data.tasks.recall_data": lambda n: partial(tasks.recall_data, rng=rng(), lag=3, N=4),
    "data.date_patterns.render_date": lambda n: partial(date_patterns.render_date, DAY, FORMATS[0]),
    "data.date_patterns.collisions": lambda n: partial(date_patterns.collisions, FORMATS),
    "data.date_patterns.check_formats": lambda n: partial(date_patterns.check_formats, "Here", FORMATS),
    "data.dates.date_data": lambda n: partial(dates.date_data, rng=rng(), N=4),
    "data.dates.split_dates": lambda n: partial(dates.split_dates, rng=rng(), sizes=(4, 3, 2)),
    "data.colors.color_data": lambda n: partial(colors.color_data),
    "data.colors.named_colors": lambda n: partial(colors.named_colors),
    "data.colors.similar_names": lambda n: partial(colors.similar_names, ["sky blue", "skyblue", "red"]),
    "data.corpus.text_splits": lambda n: partial(corpus.text_splits, "ab c d e", (0.5, 0.25, 0.25), between=" "),
    "data.text.Vocabulary.of": lambda n: partial(text.Vocabulary.of, ["ab", "bc"]),
    "data.text.Vocabulary.encode": lambda n: partial(text.Vocabulary("abc").encode, "cab"),
    "data.text.Vocabulary.decode": lambda n: partial(text.Vocabulary("abc").decode, n.targets[:, 0] + 4),
    "data.text.Vocabulary.encode_batch": lambda n: partial(text.Vocabulary("abc").encode_batch, ["cab", "", "a"]),
    "data.text.pair_batches": lambda n: partial(
        text.pair_batches, ["ab", "c", "a"], ["x", "y", "xy"], (text.Vocabulary("abc"), text.Vocabulary("xy")), 2,
        rng=rng()),
    "training.params.save_params": lambda n: partial(params_on_disk.save_params, n.folder / "p.npz", n.params),
    "training.params.load_params": lambda n: partial(params_on_disk.load_params, n.file()),
    "training.archive.write_archive": lambda n: partial(
        archive.write_archive, n.folder / "a.npz", {"xs": n.xs}, {"a.json": "{}"}),
    "training.archive.read_archive": lambda n: partial(archive.read_archive, "x", n.file(), "a file"),
    "training.archive.described": lambda n: partial(archive.described, {"xs": n.xs}),
    "training.checkpoint.load_checkpoint": lambda n: partial(checkpoint.load_checkpoint, n.kept()),
    "training.describing.describe": lambda n: partial(describing.describe, n.model),
    "training.describing.build": lambda n: partial(describing.build, describing.describe(n.model)),
    "training.evaluating.evaluate": lambda n: partial(evaluating.evaluate, n.model, n.params, n.source),
    "training.failing.what_is_not_finite": lambda n: partial(failing.what_is_not_finite, 1.0, n.params),
    "training.loop.train": lambda n: partial(
        loop.train, n.model, n.params, n.source, Adam(0.1), epochs=2, validation=n.source, clip=0.1, rng=rng()),
    "training.range_test.range_test": lambda n: partial(
        range_test, n.last, n.params, [batching.Batch(np.arange(3), n.xs, n.values[0], None, None, 1.0)], Adam(0.1),
        highest=0.1, updates=20),
    "training.range_test.suggest": lambda n: partial(suggest, np.geomspace(1e-3, 1.0, 5), n.xs[:, 0, 0], False),
    "training.range_test.RangeTest.plot": lambda n: partial(lambda found: followed(found.plot()), swept(n)),
    "training.fitting.fit": lambda n: partial(
        fitting.fit, n.model, n.params, n.xs, n.targets, Adam(0.1), epochs=2, batch_size=2, mask=n.mask, rng=rng()),
    # gradient checks and the conformance suite
    **{f"gradcheck.numerical.numerical_gradient ({method})": lambda n, method=method: partial(
        numerical.numerical_gradient, squares, n.z, method) for method in ("forward", "richardson", "complex")},
    "gradcheck.numerical.numerical_gradient": lambda n: partial(numerical.numerical_gradient, squares, n.z),
    "gradcheck.numerical.real_value": lambda n: partial(numerical.real_value, "Here", n.z.sum()),
    "gradcheck.numerical.complex_value": lambda n: partial(numerical.complex_value, "Here", n.z.sum() + 1j),
    "gradcheck.compare.as_real": lambda n: partial(compare.as_real, n.z, n.z.shape),
    "gradcheck.projected.check_along_directions": lambda n: partial(
        projected.check_along_directions, squares, n.weights, n.weights, rng=rng()),
    "gradcheck.second_order.hessian_vector_product": lambda n: partial(
        second_order.hessian_vector_product, lambda at: arrays.tree_scale(at, 2.0), n.weights, n.weights),
    "gradcheck.second_order.check_hessian_vector_product": lambda n: partial(
        second_order.check_hessian_vector_product, lambda at: arrays.tree_scale(at, 2.0), n.weights, n.weights,
        n.weights),
    "gradcheck.second_order.check_symmetry": lambda n: partial(
        second_order.check_symmetry, lambda at: arrays.tree_scale(at, 2.0), n.weights, rng=rng()),
    "gradcheck.report.GradientReport.plot": lambda n: partial(plotted, n.report),
    "gradcheck.report.GradientReport.step_curve": lambda n: partial(n.report.step_curve, "b_h", steps=[1e-3, 1e-5]),
    "gradcheck.report.GradientReport.plot_steps": lambda n: partial(
        lambda report: followed(report.plot_steps("b_h")), n.report),
    "gradcheck.report.GradientReport.without_losses": lambda n: partial(n.report.without_losses),
    "gradcheck.curve.step_curve": lambda n: partial(
        curve.step_curve, squares, n.weights, arrays.tree_scale(n.weights, 2.1), steps=[1e-3, 1e-5]),
    "gradcheck.steps.measure_steps": lambda n: partial(
        v_steps.measure_steps, "Here", n.report["b_h"].check, "b_h", n.weights["b_h"], (0,)),
    "gradcheck.steps.of_one_array": lambda n: partial(
        v_steps.of_one_array, squares, n.weights, "b_h", np.float64),
    "gradcheck.steps.StepCurve.slopes": lambda n: partial(n.v_curve.slopes, "forward"),
    "gradcheck.steps.StepCurve.flat": lambda n: partial(n.v_curve.flat, "forward"),
    "gradcheck.steps.StepCurve.plot": lambda n: partial(lambda v: followed(v.plot()), n.v_curve),
    "gradcheck.direction.compare_along": lambda n: partial(
        direction.compare_along, squares, n.weights, n.weights, rng()),
    "gradcheck.direction.rounding_floor": lambda n: partial(direction.rounding_floor, 2.0, 1e-5),
    "gradcheck.verdict.Measured.says": lambda n: partial(
        verdict.Measured("central", n.z, 1e-10, 1e-7).says, 1.1 * n.z),
    "gradcheck.report.GradientReport.raise_if_wrong": lambda n: partial(n.report.raise_if_wrong),
    "gradcheck.compare.check_gradients": lambda n: partial(compare.check_gradients, squares, n.weights, n.weights),
    "gradcheck.metric.relative_error": lambda n: partial(metric.relative_error, n.z, 1.1 * n.z),
    "gradcheck.metric.largest_gap": lambda n: partial(metric.largest_gap, n.z, 1.1 * n.z),
    "gradcheck.metric.largest_entry": lambda n: partial(metric.largest_entry, n.z),
    "gradcheck.ladder.derivative_at": lambda n: partial(ladder.derivative_at, squares, n.z, (0, 0), 1.0),
    "gradcheck.compare.compared": lambda n: partial(compare.compared, "Here", squares, n.weights, n.weights),
    "gradcheck.compare.check_point": lambda n: partial(compare.check_point, "Here", n.weights),
    "gradcheck.kink.at_kink": lambda n: partial(kink.at_kink, squares, n.z, 2 * n.z, (0, 0), 1.0, 2e-16),
    "gradcheck.kink.reach_of": lambda n: partial(kink.reach_of, squares, n.z, 1.0, 2e-16, rng()),
    "gradcheck.purity.first_calls": lambda n: partial(purity.first_calls, "Here", squares, n.weights, "the loss"),
    "gradcheck.purity.first_gradients": lambda n: partial(
        purity.first_gradients, lambda at: arrays.tree_scale(at, 2.0), n.weights, lambda found: None),
    "gradcheck.purity.drifted": lambda n: partial(purity.drifted, "Here", 1.0, 2.0, None, "the loss"),
    "gradcheck.purity.written": lambda n: partial(purity.written, n.weights, n.weights, "the loss"),
    "gradcheck.purity.reached": lambda n: partial(purity.reached, n.weights, n.weights, "grads", "the loss"),
    "gradcheck.purity.shared": lambda n: partial(purity.shared, n.weights, n.weights, "grads"),
    "gradcheck.numerical.derivative": lambda n: partial(
        numerical.derivative, "Here", squares, n.z, (0, 0), 1e-5, "central"),
    "gradcheck.numerical.default_step": lambda n: partial(numerical.default_step, "central", 3.0),
    "diagnosis.steps.check_step": lambda n: partial(
        steps.check_step, step, step_back, SHAPES, rng=rng()),
    "diagnosis.conformance.check_cell": lambda n: partial(conformance.check_cell, n.cell, rng=rng(), xs=n.xs),
    "diagnosis.conformance.check_layer": lambda n: partial(conformance.check_layer, n.layer, rng=rng(), xs=n.xs),
    "diagnosis.conformance.check_layer (training)": lambda n: partial(
        conformance.check_layer, Dropout(0.5), rng=rng(), xs=n.dhs, training=True),
    "diagnosis.conformance.check_layer (dense)": lambda n: partial(
        conformance.check_layer, n.dense, rng=rng(), xs=n.dhs),
    "diagnosis.functions.check_activation": lambda n: partial(
        functions.check_activation, activations.tanh, activations.tanh_derivative, rng=rng()),
    "diagnosis.functions.check_loss": lambda n: partial(
        functions.check_loss, losses.softmax_cross_entropy, n.logits, n.targets, rng=rng()),
    "diagnosis.functions.random_mask_like": lambda n: partial(functions.random_mask_like, (4, 3), rng()),
    "diagnosis.models.check_model": lambda n: partial(models.check_model, n.small, rng=rng(), xs=n.few),
    "diagnosis.models.check_windows": lambda n: partial(models.check_windows, n.small, 2, 2, rng=rng(), xs=n.few),
    "diagnosis.attention.check_attention": lambda n: partial(
        attention_checks.check_attention, AttentionLayer(MultiplicativeAttention(1, 2)), rng=rng()),
    "diagnosis.translation.check_encoder_decoder": lambda n: partial(
        translation.check_encoder_decoder, PAIR, rng=rng()),
    # a cell of one's own
    **{f"diagnosis.own_cells.OwnCell.{method}{word}": cell_case(cell, method)
       for word, cell in OWN_CELLS.items() for method in METHODS},
    "diagnosis.own_cells.OwnCell.with_backward": lambda n: partial(OWN_CELLS[""].with_backward, np.square, np.square),
    "diagnosis.own_cells.own_cell": lambda n: partial(own_cells.own_cell, "Ada Lovelace"),
    "diagnosis.own_parts.OwnForm.leak_rate": lambda n: partial(OWN_FORMS[0].leak_rate, {"v": n.z}),
    **{f"diagnosis.own_solution.{f}": lambda n, f=f: partial(getattr(own_solution, f), OWN_CELLS[""])
       for f in ("own_cell_solution", "own_cell_derivation")},
    **{f"diagnosis.own_solution.{f}": lambda n, f=f: partial(getattr(own_solution, f), OWN_FORMS[0])
       for f in ("backward_equations", "gradient_equations")},
    "diagnosis.own_text.latex": lambda n: partial(own_text.latex, "x_t W_xh"),
    "diagnosis.own_text.aligned": lambda n: partial(own_text.aligned, OWN_FORMS[0].equations),
    "diagnosis.probe.different_sizes": lambda n: partial(probe.different_sizes, "Here", D, H),
    "diagnosis.probe.random_params": lambda n: partial(probe.random_params, n.params, rng()),
    "diagnosis.probe.random_like": lambda n: partial(probe.random_like, n.params, rng()),
    "diagnosis.probe.random_tokens": lambda n: partial(probe.random_tokens, V, T, N, rng()),
    "diagnosis.probe.random_mask": lambda n: partial(probe.random_mask, T, N, rng()),
    "diagnosis.probe.Probe.beside": lambda n: partial(
        probe.Probe(n.weights, n.xs, n.state, n.mask, ("memory",), n.memory_mask).beside, True),
    "diagnosis.probe.make_probe": lambda n: partial(probe.make_probe, n.layer, rng(), n.xs, "Here"),
    "diagnosis.contract.keeps_form": lambda n: partial(
        contract.keeps_form, n.cell, probe.Probe(n.weights, n.xs, n.state, n.mask)),
    "diagnosis.contract.check_linear": lambda n: partial(
        contract.check_linear, n.cell, probe.Probe(n.weights, n.xs, n.state, n.mask), rng()),
    "diagnosis.padding.check_padding": lambda n: partial(
        padding.check_padding, n.layer, probe.Probe(n.weights, n.xs, n.state, n.mask), rng()),
    "diagnosis.rules.contradicted": lambda n: partial(
        rules.contradicted, squares, n.weights, n.weights, rng(), "here"),
    "diagnosis.suite.Suite.attempt": lambda n: partial(attempted),
    "diagnosis.suite.Suite.report": lambda n: partial(suites.Suite().report),
    "diagnosis.suite.telling": lambda n: partial(lambda: suites.telling(squares)(n.weights)),
    "diagnosis.suite.students": lambda n: partial(lambda: suites.students() and None),
    "diagnosis.suite.told": lambda n: partial(lambda: suites.told(ValueError("no"))),
    "diagnosis.suite.lacking": lambda n: partial(suites.lacking, n.cell, "cell", ["step"]),
    "diagnosis.suite.returned": lambda n: partial(suites.returned, (1.0, 2.0), "it", "(a, b)", 2),
    "diagnosis.suite.described": lambda n: partial(suites.described, n.z),
    "diagnosis.suite.array_of": lambda n: partial(suites.array_of, n.z, "z", n.z.shape),
    "diagnosis.rules.distance": lambda n: partial(rules.distance, n.params, n.grads),
    "diagnosis.rules.differs_twice": lambda n: partial(rules.differs_twice, partial(np.square, n.z)),
    "diagnosis.rules.changed": lambda n: partial(rules.changed, [n.params], [n.grads], ["params"]),
    "diagnosis.rules.renamed": lambda n: partial(rules.renamed, n.report, str.upper),
    "diagnosis.rules.joined": lambda n: partial(rules.joined, [n.report, n.report], ["a finding"]),
    # weights of other libraries
    **{f"interop.torch.to_torch{word}": lambda n, layer=layer: partial(
        torch_interop.to_torch, layer, n.drawn(layer.param_shapes())) for word, layer in ABROAD.items()},
    **{f"interop.torch.from_torch{word}": lambda n, layer=layer: partial(
        torch_interop.from_torch, layer, torch_interop.to_torch(layer, n.drawn(layer.param_shapes()), prefix="a."),
        prefix="a.") for word, layer in ABROAD.items()},
    **{f"interop.torch.state_to_torch{word}": lambda n, layer=ABROAD[word]: partial(
        torch_interop.state_to_torch, layer, n.like(layer.initial_state(N))) for word in ("", " (deep)")},
    "interop.torch.state_from_torch": lambda n: partial(
        torch_interop.state_from_torch, ABROAD[" (deep)"], *(n.rng.standard_normal((2 * 2, N, H)) for _ in "hc")),
    **{f"interop.keras.to_keras{word}": lambda n, layer=layer: partial(
        keras_interop.to_keras, layer, n.drawn(layer.param_shapes())) for word, layer in ABROAD.items()},
    **{f"interop.keras.from_keras{word}": lambda n, layer=layer: partial(
        keras_interop.from_keras, layer, keras_interop.to_keras(layer, n.drawn(layer.param_shapes())))
       for word, layer in ABROAD.items()},
    "interop.torch_layout.floors": lambda n: partial(torch_layout.floors, ABROAD[" (deep)"]),
    "interop.torch_layout.places": lambda n: partial(torch_layout.places, "Here", ABROAD[" (deep)"]),
    "interop.torch_layout.slots": lambda n: partial(
        torch_layout.slots, torch_layout.places("Here", ABROAD[""])[0], "a."),
    "interop.torch_layout.check_extent": lambda n: partial(
        torch_layout.check_extent, "Here", ["a.weight_ih_l0"], torch_layout.places("Here", ABROAD[""]), "a."),
    "interop.torch_layout.hint_for_keys": lambda n: partial(
        torch_layout.hint_for_keys, ["a.weight_ih_l0"], "b.", "weight_ih_l0"),
    "interop.foreign.blocks": lambda n: partial(foreign.blocks, GATED),
    "interop.foreign.entries": lambda n: partial(foreign.entries, "Here", "weights", n.weights, "No list."),
    "interop.foreign.real_array": lambda n: partial(foreign.real_array, "Here", "W", n.z),
    "interop.foreign.take": lambda n: partial(
        foreign.take, "Here", "weights", {"W": n.z}, [foreign.Slot("W", (N, K), ""), foreign.Slot("b", (K,), "", True)],
        "of the layer"),
    "interop.foreign.check_own": lambda n: partial(foreign.check_own, "Here", n.layer, n.weights),
    "interop.foreign.two_biases": lambda n: partial(foreign.two_biases, GATED, n.drawn(GATED.param_shapes())),
    "interop.foreign.one_bias": lambda n: partial(
        foreign.one_bias, GATED, *foreign.two_biases(GATED, n.drawn(GATED.param_shapes()))),
}
