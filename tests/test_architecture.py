"""DESIGN's rules about files: who may import whom, what an import loads, sizes, and words that have no place."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "rnn_from_scratch"
MODULES = sorted(PACKAGE.rglob("*.py"))
RANKS = {  # DESIGN "Layout": a folder or module directly under the package, and its rank
    "arrays": 0, "validate": 0, "plots": 0,
    "activations": 1, "attention": 1, "scan": 1, "initializers": 1, "normalization": 1, "losses": 1, "optim": 1,
    "metrics": 1, "compression": 1, "data": 1, "gradcheck": 1,
    "cells": 2,
    "bptt": 3, "fused": 3,
    "layers": 4,
    "models": 5,
    "training": 6, "diagnosis": 6, "interop": 6, "looking": 6,
    "article": 7, "course": 7,
    "cli": 8, "__main__": 8,
}  # fmt: skip
LONGEST = 330
RANDOM_ALLOWED = {"default_rng", "Generator", "BitGenerator", "SeedSequence", "PCG64"}


def module_name(path: Path) -> str:
    """rnn_from_scratch/cells/rnn.py -> rnn_from_scratch.cells.rnn"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path): path for path in MODULES}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


@cache
def imports(path: Path) -> list[tuple[str, bool, int]]:
    """Return (full module name, whether it runs at import time, line) for every import of a file."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]

    def walk(node: ast.AST, eager: bool) -> Iterator[tuple[str, bool, int]]:
        for child in ast.iter_child_nodes(node):
            inside = eager and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                yield from ((alias.name, eager, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    above = package.split(".")[: len(package.split(".")) - child.level + 1]
                    base = ".".join([*above, *([base] if base else [])])
                for alias in child.names:  # "from . import x": x may be a module of its own
                    full = f"{base}.{alias.name}"
                    yield (full if full in NAMES else base), eager, child.lineno
            elif is_type_checking(child):
                for part in child.body:
                    yield from walk(ast.Module([part], []), False)
                for part in child.orelse:
                    yield from walk(ast.Module([part], []), eager)
            else:
                yield from walk(child, inside)

    return list(walk(tree_of(path), True))


def top(name: str) -> str:
    """The part under the package: rnn_from_scratch.cells.rnn -> cells; the package itself -> ''."""
    return name.split(".")[1] if "." in name else ""


def within(path: Path) -> list[tuple[str, bool, int]]:
    """The file's imports of this package's own modules."""
    return [found for found in imports(path) if found[0].split(".")[0] == "rnn_from_scratch"]


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


# Ranks


def test_the_reader_of_imports_reads_imports(tmp_path):
    """A test of the tests: relative, absolute, lazy and type-checking imports are told apart."""
    sample = PACKAGE / "cells" / "rnn.py"
    assert ("rnn_from_scratch.cells.base", True) in {found[:2] for found in imports(PACKAGE / "cells" / "__init__.py")}
    assert {"rnn_from_scratch.initializers", "rnn_from_scratch.validate", "rnn_from_scratch.activations"} <= {
        found[0] for found in imports(sample)
    }
    styles = list(imports(PACKAGE / "plots" / "style.py"))
    assert any(name.startswith("matplotlib") and not eager for name, eager, _ in styles)
    assert not any(name.startswith("matplotlib") and eager for name, eager, _ in styles)


def test_every_folder_and_module_has_a_rank():
    unknown = sorted({top(name) for name in NAMES if top(name)} - set(RANKS))
    assert not unknown, f"{unknown} stand in no row of DESIGN's layout: give them a rank there and in RANKS"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down_or_to_a_sibling(path):
    own = top(module_name(path))
    for name, _, line in within(path):
        other = top(name)
        if not own or not other or own == other:
            continue  # the package's own __init__; a sibling in the same folder
        assert RANKS[other] <= RANKS[own], (
            f"{where(path, line)}: {own} (rank {RANKS[own]}) imports {other} (rank {RANKS[other]}); DESIGN's imports "
            "go to a lower rank"
        )


def test_no_circle_between_modules():
    """Equal ranks are siblings, and siblings may import each other, but never in a circle (lazy imports count)."""
    graph = {name: {found[0] for found in within(path)} - {name, "rnn_from_scratch"} for name, path in NAMES.items()}
    for name, path in NAMES.items():
        if path.name == "__init__.py":  # a folder's front gathers its own files; they may not import the front
            inner = {other for other in graph if other.startswith(name + ".")}
            fronts = {other for other in inner if name in graph[other]}
            assert not fronts or name == "rnn_from_scratch", f"{sorted(fronts)} import {name}, which imports them"
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> None:
        assert name not in trail, "a circle of imports: " + " → ".join([*trail[trail.index(name):], name])
        if name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, [*trail, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])


# What an import loads


def test_matplotlib_stands_in_plots_alone_and_is_imported_lazily():
    found = [
        (top(module_name(path)), eager, where(path, line))
        for path in MODULES for name, eager, line in imports(path)
        if name.split(".")[0] in ("matplotlib", "mpl_toolkits")
    ]
    assert found, "the reader of imports found no matplotlib at all: it is broken"
    outside = [place for folder, _, place in found if folder != "plots"]
    assert not outside, f"matplotlib is imported outside plots/: {outside}"
    early = [place for _, eager, place in found if eager]
    assert not early, f"matplotlib is imported at import time: {early}; move it into the function that draws"


def test_numpy_is_the_only_third_party_import_at_import_time():
    allowed = {*sys.stdlib_module_names, "numpy", "rnn_from_scratch"}
    early = [
        f"{where(path, line)} imports {name}" for path in MODULES for name, eager, line in imports(path)
        if eager and name.split(".")[0] not in allowed
    ]
    assert not early, early


LOADER = """
import importlib, json, pkgutil, sys
before = set(sys.modules)
import rnn_from_scratch
first = set(sys.modules) - before
for module in pkgutil.walk_packages(rnn_from_scratch.__path__, "rnn_from_scratch."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps([sorted(first), sorted(set(sys.modules) - before)]))
"""


def test_importing_every_module_loads_numpy_and_nothing_else():
    command = [sys.executable, "-W", "error", "-c", LOADER]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first, everything = json.loads(done.stdout)
    known = {*sys.stdlib_module_names, "numpy", "rnn_from_scratch"}
    for loaded in (first, everything):
        tops = {name.split(".")[0] for name in loaded} - known
        # Names that NumPy's compiled parts and Python's site put there themselves.
        strangers = {name for name in tops if not name.startswith(("_", "cython_runtime", "__mp_main__"))}
        assert not strangers, f"importing rnn_from_scratch loaded {sorted(strangers)}"
        assert not tops & {"matplotlib", "tqdm", "nbformat", "nbclient", "torch", "scipy", "jax", "tensorflow"}
    assert "rnn_from_scratch.models.truncated" in everything
    assert "rnn_from_scratch.plots" not in first


# Sizes and words


def test_no_file_holds_two_ideas():
    long = {
        str(path.relative_to(ROOT)): lines for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long, f"longer than {LONGEST} lines, so asking to be split: {long}"


def committed() -> list[Path]:
    """The files git would commit; without git (a source archive), those beside the package."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run([git, "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=True)
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        folders = ("rnn_from_scratch", "tests", "notebooks", "benchmarks", "tools")
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*.*"))
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts]


def sources_with(*words: str) -> list[Path]:
    """Python files where one of the words stands at all: the others need no parsing."""
    sources = [path for path in committed() if path.suffix == ".py"]
    return [path for path in sources if any(word in path.read_text(encoding="utf-8") for word in words)]


def test_there_is_no_global_random_state():
    found = []
    for path in sources_with("random"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                if node.attr not in RANDOM_ALLOWED | ({"RandomState"} if "tests" in path.parts else set()):
                    found.append(f"{where(path, node.lineno)}: {ast.unparse(node)}")
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names}
                module = getattr(node, "module", None)
                if "random" in names or module == "random" or (module == "numpy.random" and names - RANDOM_ALLOWED):
                    found.append(f"{where(path, node.lineno)}: {ast.unparse(node)}")
    assert not found, f"randomness comes from a Generator by keyword: {found}"


def test_nothing_is_pickled():
    found, picklers = [], {"pickle", "dill", "joblib", "shelve", "marshal"}
    for path in sources_with(*picklers, "allow_pickle"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names} | {getattr(node, "module", None)}
                if names & picklers and "tests" not in path.parts:
                    found.append(where(path, node.lineno))
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
                found.append(where(path, node.value.lineno))
    assert not found, f"files that run code when they are read: {found}"


# Put together from pieces, so that this file does not find itself.
FORBIDDEN = {
    "a machine's path": r"(?<![\w.])/(?:home|Users|root|work|tmp|mnt|opt)" + r"/[\w.-]+|[A-Z]:\\Users",
    "a package registry's host": "|".join([
        "pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)", "anaconda" + r"\.org",
        "conda" + r"\.io",
    ]),
}


def test_every_file_from_others_is_in_the_notice():
    bundled = PACKAGE / "data" / "bundled"
    sections = (bundled / "NOTICE").read_text(encoding="utf-8").splitlines()
    files = [path.relative_to(bundled).as_posix() for path in bundled.rglob("*") if path.is_file()]
    assert len(files) > 1, "the folder was looked for in the wrong place"
    assert not [name for name in files if name != "NOTICE" and name not in sections], "each has a section of its name"


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_committed_files_hold_no(kind):
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image or an archive
        for number, line in enumerate(text.splitlines(), 1):
            match = re.search(FORBIDDEN[kind], line)
            if match and path != Path(__file__).resolve():
                found.append(f"{where(path, number)}: {match.group()}")
    assert not found, f"{kind} in {found[:20]}"


def test_the_words_are_found_where_they_stand():
    """A test of the patterns: each finds what it forbids, and leaves a web address alone."""
    paths, hosts = FORBIDDEN.values()
    assert re.search(paths, "see /" + "home/ada/notes")
    assert re.search(paths, '"/' + 'tmp/ipykernel_7/1.py"')
    assert not re.search(paths, "https://example.org/" + "work/things")
    assert re.search(hosts, "https://pypi" + ".org/simple")
