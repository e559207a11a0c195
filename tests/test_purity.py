"""Nothing passed in is changed, twice is the same twice, and no call overwrites what another returned.

For every public function and method of the package: purity_cases.py says how each is called, and a new one without a
line there fails the first test.
"""

import copy
import dataclasses
import importlib.util
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import rnn_from_scratch
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.diagnosis.museum import EXHIBITS
from rnn_from_scratch.fused.pool import Lease

_spec = importlib.util.spec_from_file_location("purity_cases", Path(__file__).with_name("purity_cases.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
CASES, Numbers = _module.CASES, _module.Numbers

MODULES_LEFT_OUT = {
    "plots": "tests/plots: their results are figures",
    "course": "tests/course: they read and write notebooks",
    "article": "tests/article: experiments and printed tables",
    "cli": "tests/test_cli.py: it prints and exits", "__main__": "as cli",
    **{f"fused.{name}": "buffers are written into: tests/fused/test_buffers.py" for name in (
        "passes", "feature_major", "products", "pool", "rnn", "lstm", "gru")},
    **{f"diagnosis.{name}": "tests/diagnosis/test_diagnose.py: functions go in, a diagnosis comes out" for name in (
        "naming", "explaining", "adapters", "mutants", "edits")},
}
LEFT_OUT = {
    "validate.fail": "it returns nothing, it raises", "diagnosis.suite.ending_with": "a decorator: it takes no array",
    "validate.cache": "it looks at a type alone", "validate.float_dtype": "it takes no array",
    **{f"training.{name}": "train runs through it" for name in (
        "loop.run", "calling.check_source", "calling.check_fits", "calling.gradients", "plan.check_rate",
        "plan.checked_clip", "plan.clipped", "updating.paced", "updating.updated", "updating.try_validation",
        "checkpoint.save_run", "checkpoint.restore_run", "evaluating.loss_of", "state.generator_state",
        "state.restore_generator", "state.RunState.counted", "plan.checked_plan", "failing.stopped_message")},
    **{f"training.{name}": "save_params and load_params run through it" for name in (
        "archive.checked_path", "archive.seal", "archive.write_entries", "archive.write_whole", "params.named_arrays",
        "params.nested_arrays")},
    "training.progress.progress_bar": "it prints", "training.checkpoint.Checkpoint.build_model": "as build",
    "validate.sizes": "it takes no array", "data.files.checked_path": "it takes no array",
    **{f"cells.base.Cell.{name}": "a protocol has no code" for name in (
        "param_shapes", "init_params", "initial_state", "project", "step", "step_backward", "param_grads")},
    **{f"fused.kernel.Kernel.{name}": "a protocol has no code" for name in ("fits", "forward", "backward")},
    "fused.engine.FusedKernel.one_step": "it returns buffers: tests/layers/test_stream.py",
    "fused.layout.aligned": "what it returns holds anything", "fused.layout.slab_by_slab": "it takes no array",
    **{f"fused.scanned.{name}": "min_gru and min_lstm run through it" for name in (
        "scan_forward", "scan_chunks_backward")},
    **{f"attention.Attention.{name}": "a protocol has no code" for name in (
        "param_shapes", "init_params", "project_memory", "score", "query_grad", "param_grads")},
    **{f"diagnosis.museum.{exhibit}.{name}": "wrong on purpose, the right one beside it: tests/diagnosis/test_museum.py"
       for exhibit in EXHIBITS for name in ("wrong", "right")},
    **{f"diagnosis.museum.styles.{name}": "every exhibit runs through it: tests/diagnosis/test_museum.py" for name in (
        "zeros", "one_hot", "softmax_columns", "cross_entropy", "rnn_forward", "lstm_forward", "rnn_in_columns",
        "lstm_in_columns", "cross_entropy_rows", "rnn_forward_rows", "gru_forward_rows")},
    **{f"diagnosis.museum.riddles.{name}": "it takes no array" for name in ("riddle", "reference_of", "find")},
    **{f"diagnosis.museum.showing.{name}": "texts: tests/diagnosis/test_showing.py" for name in (
        "show", "show_all", "Shown.row", "Shown.as_object", "entries", "catalogue", "heading", "summary")},
    **{f"diagnosis.museum.checking.{name}": "functions go in, a report comes out: tests/diagnosis/test_showing.py"
       for name in ("checked", "diagnosed", "common_factor")},
}
SHARING = {  # a result that holds an argument itself, and why it may
    "activations.identity": "it returns what it was given",
    "arrays.leaves": "it walks the caller's own arrays",
    "gradcheck.report.GradientReport.without_losses": "the rows keep the gradients that they show",
    "gradcheck.compare.as_real": "an array that is float64 already is handed on",
    "validate.float_array": "a check hands the array on", "validate.mask": "a check hands the array on",
    "validate.as_array": "a check hands the array on", "data.series.checked_series": "a check hands the series on",
    **{f"cells.{name}.step": "the cache holds the state before the step" for name in (
        "rnn.RNNCell", "lstm.LSTMCell", "gru.GRUCell", "indrnn.IndRNNCell", "layer_norm_lstm.LayerNormLSTMCell",
        "bahdanau.BahdanauCell", "luong.LuongCell", "low_rank.LowRankRNNCell", "low_rank.LowRankLSTMCell",
        "coupled_lstm.CoupledLSTMCell", "min_gru.MinGRUCell", "min_lstm.MinLSTMCell", "gru_d.GRUDCell")},
    **{f"cells.{name}.project": "the keys of dot-product scores are the memory itself" for name in (
        "bahdanau.BahdanauCell", "luong.LuongCell")},
    "fused.min_gru.forward": "what is saved for the backward holds the inputs, the mask and the initial state",
    "fused.min_lstm.forward": "as in min_gru",
    "fused.engine.FusedKernel.forward": "what is saved for the backward holds the inputs and the mask",
    **{f"layers.engines.{name}.forward": "what is saved holds the inputs, the mask and the initial state" for name in (
        "Stepwise", "Segments")},
    "cells.attending.as_rows": "another view of the same numbers",
    "attention.MultiplicativeAttention.project_memory": "the keys of dot-product scores are the memory itself",
    "attention.attend": "the cache holds the query and the keys",
    "attention.attend_backward": "the delta holds dcontext",
    "attention.stack_queries": "the stack has the keys of all its queries",
    "bptt.unroll": "the first cache holds the initial state",
    "bptt.unroll_backward": "dstates[T] is dfinal_state",
    "cells.gru_d.GRUDCell.mixed_inputs": "its columns are views of the inputs",
    "looking.running.checked": "a check hands the arrays on",
    "data.missing.Entries.shaped": "a view of what it is given",
    "data.batching.Batch.arguments": "the batch's own arrays, by name",
    "data.text.PairBatch.arguments": "the batch's own arrays, by name",
    "data.sources.text_streams": "its streams are views of the text", "data.sources.Streams.epoch": "windows are views",
    "layers.dense.Dense.forward": "the cache holds xs",
    **{f"layers.arguments.{name}": "a check hands the arrays on" for name in (
        "checked_arguments", "checked_state", "checked_params")},
    "layers.recurrent.Recurrent.forward": "the cache holds the mask and the initial state",
    "layers.stacked.Stacked.forward": "the cache, as in its layers",
    "layers.stacked.Stacked.layer_states": "the same arrays, grouped by layer",
    "layers.bidirectional.Bidirectional.forward": "the cache, as in its layers",
    "layers.bidirectional.Bidirectional.layer_states": "views of the two halves",
    "layers.attention.AttentionLayer.forward": "the cache holds the mask",
    "models.sequence.SequenceModel.forward": "the cache, as in the layers",
    **{f"models.{name}.forward": "the caches, as in the layers" for name in (
        "encoder.TokenEncoder", "language.LanguageModel", "classifier.SequenceClassifier",
        "encoder_decoder.EncoderDecoder")},
    "models.imputation.ImputationModel.forward": "the cache, as in the layers",
    "models.encoder.token_array": "a check hands the array on",
    "models.bridge.Bridge.forward": "the cache holds the summary",
    "models.encoder_decoder.EncoderDecoder.encode": "the decoder's own parameters, with the memory's mask beside them",
    "models.truncated.window_loss_and_grads": "start_state is the state given",
    "models.truncated.truncated_bptt": "start_state is the state given",
    "diagnosis.own_cells.OwnCell.step": "the cache holds the state before the step",
    "diagnosis.own_cells.OwnCell.step_backward": "the delta holds dh where c_t is h_t",
    "diagnosis.probe.make_probe": "the probe holds xs",
    **{f"diagnosis.rules.{name}": "the rows keep the gradients that they show" for name in ("renamed", "joined")},
    "optim.decay.decayed": "without a decay the gradients themselves; the optimisers return none of them",
    "interop.foreign.entries": "another dictionary of the caller's arrays",
    "interop.foreign.real_array": "a check hands the array on",
    "interop.foreign.take": "it picks among the caller's arrays; those who call it copy",
    "metrics.sequences.list_of": "its rows are the caller's own",
}


def public_functions():
    """Return the names of all public functions and methods, each under the module that defines it."""
    found = set()
    for module in pkgutil.walk_packages(rnn_from_scratch.__path__, "rnn_from_scratch."):
        short = module.name.removeprefix("rnn_from_scratch.")
        if any(short == left or short.startswith(f"{left}.") for left in MODULES_LEFT_OUT):
            continue
        for name, thing in vars(importlib.import_module(module.name)).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != module.name:
                continue
            if inspect.isfunction(thing):
                found.add(f"{short}.{name}")
            elif inspect.isclass(thing):
                methods = {key for key, value in vars(thing).items()
                           if inspect.isfunction(value) or isinstance(value, staticmethod | classmethod)}
                found |= {f"{short}.{name}.{key}" for key in methods if not key.startswith("_")}
    return found


def test_every_public_function_has_a_case():
    covered = {name.split(" ")[0] for name in CASES} | set(LEFT_OUT)
    missing = sorted(public_functions() - covered)
    assert not missing, (
        f"these public functions have no case: {missing}. Add a line to CASES in tests/purity_cases.py that calls each "
        "with arrays, or to LEFT_OUT in tests/test_purity.py with the reason."
    )
    gone = sorted(covered - public_functions())
    gone += sorted(set(SHARING) - covered)
    assert not gone, f"tests/purity_cases.py has cases for functions that no longer exist: {gone}"


# The three rules


def parts(thing):
    """Return what is inside a container, or None for a leaf."""
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, list | tuple):
        return list(thing)
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return [getattr(thing, field.name) for field in dataclasses.fields(thing)]
    return None


def every_array(thing):
    if isinstance(thing, np.ndarray):
        return [thing]
    return [array for part in parts(thing) or () for array in every_array(part)]


def same(one, other):
    """Compare bit for bit, NaN equal to NaN.

    Generators and functions are not compared; nor are a fused kernel's buffers: tests/fused/test_buffers.py does that.
    """
    if isinstance(one, np.random.Generator | Lease) or callable(one):
        return True
    if isinstance(one, np.ndarray | np.generic | float | complex):
        one, other = np.asarray(one), np.asarray(other)
        kinds = one.dtype == other.dtype and one.shape == other.shape
        return bool(kinds and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    inside = parts(one)
    if inside is None:
        return one == other
    if type(one) is not type(other) or (isinstance(one, dict) and list(one) != list(other)):
        return False
    return len(inside) == len(parts(other)) and all(map(same, inside, parts(other)))


def answer(call):
    result = call()
    return list(result) if inspect.isgenerator(result) else result


def arguments_of(call):
    bound = getattr(call.func, "__self__", None)  # a report's method has its numbers in the report
    return [bound if dataclasses.is_dataclass(bound) else None, list(call.args), dict(call.keywords)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the few cases that write a file write it: a folder for each of 860 tests takes longer than most of them."""
    return tmp_path_factory.mktemp("purity")


@pytest.fixture(scope="module", autouse=True)
def without_layout():
    """Pictures are compared by the numbers in them. Where their texts stand takes longer; tests/plots looks at that."""
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "draw_without_rendering", lambda figure: None)
        yield


@pytest.mark.parametrize("locked", [False, True], ids=["writeable", "locked"])
@pytest.mark.parametrize("name", CASES)
def test_pure(name, locked, folder):
    call = CASES[name](Numbers(0, folder))
    arguments = arguments_of(call)
    before = copy.deepcopy(arguments)
    if locked:  # whoever writes into one of these raises
        for array in every_array(arguments):
            array.flags.writeable = False
    first = answer(call)
    kept = copy.deepcopy(first)
    assert same(arguments, before), f"{name} changed an argument"

    random = any(isinstance(value, np.random.Generator) for value in (*call.args, *call.keywords.values()))
    if not random:
        assert same(answer(call), kept), f"{name}, called twice with the same arguments, gives two answers"
    assert same(answer(CASES[name](Numbers(0, folder))), kept), f"{name} gives two answers to equal arguments"
    given, own = every_array(arguments), []
    for array in every_array(first):
        if any(np.shares_memory(array, other) for other in given):
            assert name.split(" ")[0] in SHARING, f"{name} returns an argument's own memory: copy it, or say why not"
        else:
            own.append(array)
    if locked:
        return  # later calls get arguments of their own, which nobody locks

    answer(CASES[name](Numbers(1, folder)))  # the same shapes with other numbers
    assert same(first, kept), f"{name}: a later call overwrote what an earlier one returned"
    assert same(arguments, before), f"{name} changed an argument of an earlier call"
    for array in own:  # what came back is the caller's: scribbling on it reaches no later answer
        if array.flags.writeable:
            array[...] = array.dtype.type(1)
    assert same(answer(CASES[name](Numbers(0, folder))), kept), f"{name} returned an array that it goes on using"


def test_the_rules_catch_offenders():
    """A test of the tests: one function for each rule, broken."""
    z = np.arange(3.0)
    assert not same(z, np.nextafter(z, 9.0))
    assert not same(z, z.astype(np.float32))
    assert not same([z], (z,))
    assert same({"a": [z, np.nan]}, {"a": [z.copy(), np.nan]})
    z.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        z += 1
    assert len(every_array([{"a": z}, (z, [z]), RNNCell(3, 4)])) == 3
    assert "losses.softmax_cross_entropy" in public_functions()
    assert "layers.recurrent.Recurrent.forward" in public_functions()
