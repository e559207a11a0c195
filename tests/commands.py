"""The command line in this process, since starting one takes longer than most commands, and a run that is stopped."""

from contextlib import contextmanager

from rnn_from_scratch.cli import main
from rnn_from_scratch.training import Step


def here(capsys, *arguments):
    """Return a command's code, output and errors."""
    try:
        code = main(list(arguments))
    except SystemExit as stop:  # from argparse
        code = stop.code
    return code, *capsys.readouterr()


@contextmanager
def interrupted_at(monkeypatch, update):
    """Let Ctrl-C come as the run tells its callbacks of this update."""
    original, calls = Step.__new__, 0

    def interrupted(cls, *fields):
        nonlocal calls
        calls += 1
        if calls == update:
            raise KeyboardInterrupt
        return original(cls, *fields)

    with monkeypatch.context() as patch:
        patch.setattr(Step, "__new__", interrupted)
        yield
