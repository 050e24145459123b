"""Children of a process that has everything imported: each is a process of its own, and none outlives us."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from habitus.retrievers import forked
from habitus.retrievers.forked import CAN_FORK, ForkedProcess

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes are forked on Linux alone")

ECHO = """
def prepare():
    pass

def serve(arguments, requests, answers):
    for line in requests:
        if line == b"fail\\n":
            raise RuntimeError("as asked")
        answers.write(arguments[0].encode() + b" " + line)
        answers.flush()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "echo_served.py").write_text(ECHO)
    monkeypatch.syspath_prepend(str(tmp_path))
    made: dict[str, tuple[int, forked._Nursery]] = {}
    monkeypatch.setattr(forked, "_nurseries", made)
    yield "echo_served"
    for _, nursery in made.values():
        nursery.close()


def said(child: ForkedProcess, word: bytes) -> bytes:
    child.stdin.write(word + b"\n")
    child.stdin.flush()
    return child.stdout.readline()


def ended(child: ForkedProcess) -> int:
    child.stdin.close()
    code = child.wait(30.0)
    child.stdout.close()
    return code


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_children_of_one_process_know_nothing_of_each_other(module: str) -> None:
    one, other = ForkedProcess(module, ["one"]), ForkedProcess(module, ["other"])
    assert (said(one, b"figs"), said(other, b"figs")) == (b"one figs\n", b"other figs\n")
    assert parent_of(one.pid) == parent_of(other.pid) != os.getpid()
    assert ended(one) == 0
    assert said(other, b"pears") == b"other pears\n"
    other.kill()
    assert ended(other) == -signal.SIGKILL
    other.kill()  # its number may be another's by now


def test_a_child_that_goes_on_is_told(module: str) -> None:
    child = ForkedProcess(module, ["one"])
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    assert ended(child) == 0


def test_an_error_of_a_child_is_its_own(module: str, capfd: pytest.CaptureFixture[str]) -> None:
    child = ForkedProcess(module, ["one"])
    assert said(child, b"fail") == b""
    assert ended(child) == 1
    assert "as asked" in capfd.readouterr().err
    again = ForkedProcess(module, ["again"])
    assert said(again, b"figs") == b"again figs\n"
    assert ended(again) == 0


def test_where_the_first_process_was_killed_another_begins_children(module: str) -> None:
    one = ForkedProcess(module, ["one"])
    os.kill(parent_of(one.pid), signal.SIGKILL)
    other = ForkedProcess(module, ["other"])
    assert said(other, b"figs") == b"other figs\n"
    assert said(one, b"figs") == b"one figs\n"
    one.kill()
    assert ended(one) == -signal.SIGKILL
    assert ended(other) == 0


def program(module: str, folder: Path, *lines: str) -> list[str]:
    """A command that begins a child of the module, named `child`, and goes on with these lines."""
    begins = (
        "import os, sys",
        f"sys.path.insert(0, {str(folder)!r})",
        "from habitus.retrievers.forked import ForkedProcess",
        f"child = ForkedProcess({module!r}, ['one'])",
    )
    return [sys.executable, "-c", "\n".join((*begins, *lines))]


def test_who_is_killed_before_the_answer_leaves_no_complaint(
    module: str, capfd: pytest.CaptureFixture[str]
) -> None:
    nursery = forked._Nursery(module)
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        question = json.dumps({"arguments": ["one"]}).encode()
        socket.send_fds(nursery._socket, [question], [nothing, nothing])
        nursery._socket.close()
        nursery._process.wait(30.0)
    finally:
        os.close(nothing)
    assert nursery._process.returncode == 0
    assert capfd.readouterr().err == ""


def test_all_end_with_the_process_that_began_them(module: str, tmp_path: Path) -> None:
    command = program(module, tmp_path, "print(child.pid, flush=True)", "sys.stdin.read()")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        nursery = parent_of(child)
        parent.kill()
    until = monotonic() + 60.0
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in (child, nursery)):
        assert monotonic() < until, "they outlived it"
        sleep(0.01)


def test_the_program_ends_though_a_fork_of_it_goes_on(module: str, tmp_path: Path) -> None:
    command = program(module, tmp_path, "if os.fork() == 0:", "    sys.stdin.read()", "    os._exit(0)")
    with subprocess.Popen(command, stdin=subprocess.PIPE) as parent:
        assert parent.wait(60.0) == 0
