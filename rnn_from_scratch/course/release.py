"""Make the students' notebooks from the sources with solutions.

The source is notebooks/solutions/NN_name.ipynb, its release notebooks/NN_name.ipynb. Both are run
from top to bottom in notebooks/ (so that relative paths mean the same in both) and written with their
outputs. What a run adds by accident (times, versions, how a stream was cut) is taken out, so that a
second run changes nothing.
"""

from __future__ import annotations

import importlib
import itertools
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from ..validate import fail
from .notebook_files import Notebook, ReleaseError, install, needed, place, read, tidied, write
from .stripping import refuse_leaks, release_notebook


def execute_notebook(
    notebook: Notebook, folder: str | Path, timeout: int = 120, name: str = "the notebook"
) -> Notebook:
    """Return a copy of the notebook with the outputs of a fresh run in `folder`.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Left unchanged.
    folder : path
        The working directory of the kernel.
    timeout : int
        The seconds a cell may take.
    name : str
        How messages call the notebook.

    Raises
    ------
    ReleaseError
        If a cell raises or takes too long: notebook, cell number, exception.
    """
    nbclient = needed("nbclient")
    exceptions = importlib.import_module("nbclient.exceptions")
    kernels = importlib.import_module("jupyter_client.kernelspec")
    executed = tidied(notebook)
    index = 0

    def started(*, cell_index: int, **_: Any) -> None:
        nonlocal index
        index = cell_index

    client = nbclient.NotebookClient(
        executed, timeout=timeout, kernel_name="python3", record_timing=False, on_cell_start=started,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # a line on every start about local sockets
    )
    try:
        client.execute()
    except exceptions.CellExecutionError as error:
        _cell_failed(name, executed, index, f"{error.ename}: {error.evalue}")
    except exceptions.CellTimeoutError:
        _cell_failed(name, executed, index, f"it took more than {timeout} seconds")
    except exceptions.DeadKernelError:
        _cell_failed(name, executed, index, "the kernel died")
    except kernels.NoSuchKernel:
        raise ReleaseError(install("the Python kernel (ipykernel)")) from None
    return tidied(executed)


def release(
    folder: str | Path = "notebooks", names: Iterable[str] | None = None, execute: bool = True,
    progress: Callable[[str], None] = print, timeout: int = 120,
) -> list[Path]:
    """Run the sources in folder/solutions, make their releases, run these, and write both.

    A release in which somebody has written answers is kept beside the new one, as NN_name.answers-1.ipynb.

    Parameters
    ----------
    folder : path
        The folder of the releases, with solutions/ inside.
    names : iterable of str, optional
        "01", "01_one_recurrent_step" or its file name; all if None.
    execute : bool
        False: leave the sources as they are, and write releases without outputs.
    progress : function of a line
        Told each step.
    timeout : int
        The seconds a cell may take.

    Returns
    -------
    written : list of paths

    Raises
    ------
    ReleaseError
        If a notebook cannot be run or released. Nothing of that notebook is written; those before it are.
    """
    nbformat = needed("nbformat")
    folder = Path(folder)
    written = []
    for path in sources(folder, names):
        name = path.stem
        source = read(nbformat, path)
        if execute:
            progress(f"{name}: running the source")
            source = execute_notebook(source, folder, timeout, f"solutions/{name}")
        released = release_notebook(source, name)
        if execute:
            progress(f"{name}: running its release")
            released = execute_notebook(released, folder, timeout, name)
            refuse_leaks(source, released, name)
            write(nbformat, path, source)
            written.append(path)
        kept = keep_answers(nbformat, folder / path.name, released)
        if kept is not None:
            progress(f"{name}: holds answers; kept as {kept.name}")
        write(nbformat, folder / path.name, released)
        written.append(folder / path.name)
        progress(f"{name}: written")
    return written


def keep_answers(nbformat: Any, path: Path, released: Notebook) -> Path | None:
    """Copy a release whose exercise cells differ from the new one's, so that nobody's answers are lost."""
    if not path.exists():
        return None

    def answers(notebook: Notebook) -> dict[str, str]:
        graded = [(cell.metadata.get("nbgrader", {}), cell.source) for cell in notebook.cells]
        return {str(data.get("grade_id")): source for data, source in graded if data.get("solution")}

    old, new = answers(read(nbformat, path)), answers(released)
    if all(new.get(name, source) == source for name, source in old.items()):
        return None
    number = next(n for n in itertools.count(1) if not path.with_name(f"{path.stem}.answers-{n}.ipynb").exists())
    return Path(shutil.copy2(path, path.with_name(f"{path.stem}.answers-{number}.ipynb")))


def sources(folder: Path, names: Iterable[str] | None = None) -> list[Path]:
    """Return the paths of folder/solutions/NN_name.ipynb: those named ("01"), or all."""
    found = sorted((folder / "solutions").glob("*.ipynb"))
    if not found:
        fail("release", f"{folder / 'solutions'} holds no notebook", "sources such as 01_name.ipynb",
             hint="Run it from the repository's folder.", error=ReleaseError)
    if names is None:
        return found
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        matching = [path for path in found if path.stem == stem or path.stem.partition("_")[0] == stem]
        if not matching:
            fail("release", f"the notebook is {name!r}", "one of " + ", ".join(path.stem for path in found),
                 error=ReleaseError)
        chosen += matching
    return sorted(set(chosen))


def _cell_failed(name: str, notebook: Notebook, index: int, what: str) -> NoReturn:
    first = next((line for line in notebook.cells[index].source.split("\n") if line.strip()), "")
    raise ReleaseError(f"{place(name, notebook, index)}, which begins `{first.strip()}`, failed: {what}")
