"""Runs a program in several processes: as `torchrun` does, or sooner, by splitting up a process that has torch already."""

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path


def torchrun(processes: int, *program: str | Path, timeout: float = 120) -> subprocess.CompletedProcess:
    """`program` is a file and its arguments, or ``"-m"``, a module and its arguments."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return subprocess.run(
        [*command, *map(str, program)], capture_output=True, text=True, timeout=timeout, env=_environment()
    )


def split(processes: int, *program: str | Path, timeout: float = 120) -> subprocess.CompletedProcess:
    """What `torchrun` gives, for a file and its arguments, without its seconds to start: on Linux only, else by it.

    The processes find the variables that torchrun sets. Where one fails, the others are ended, as there.
    """
    if sys.platform != "linux":
        return torchrun(processes, *program, timeout=timeout)
    server = _server()
    job = {"processes": processes, "program": [str(part) for part in program], "timeout": timeout}
    server.stdin.write(json.dumps(job) + "\n")
    server.stdin.flush()
    answer = server.stdout.readline()
    if not answer:
        raise RuntimeError(f"the process to be split up has ended with {server.wait()}")
    return subprocess.CompletedProcess(job["program"], **json.loads(answer))


def _environment() -> dict[str, str]:
    here = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": here}


@cache
def _server() -> subprocess.Popen:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    )
    atexit.register(server.stdin.close)  # which ends it
    return server


# Imports what takes long and trains nothing: a process that has begun to compute must not be split up.
SERVER = '''
import json, os, runpy, signal, socket, sys, tempfile, time
import torch, torch.distributed, torch.utils.data
import course_utils.models.basenji, course_utils.training

torch.set_num_threads(1)

def begin(rank, processes, port, program, out, err):
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for stream, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out.fileno()), (2, err.fileno())):
            os.dup2(file, stream)
        os.environ.update(
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes), LOCAL_WORLD_SIZE=str(processes),
            MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
        )
        sys.argv = program
        try:
            runpy.run_path(program[0], run_name="__main__")
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush(), sys.stderr.flush()
    finally:
        os._exit(code)

def run(processes, program, timeout):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        alive = {begin(rank, processes, port, program, out, err) for rank in range(processes)}
        failed, deadline = 0, time.monotonic() + timeout
        while alive:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child:
                alive.discard(child)
                failed = failed or status
            if (failed or time.monotonic() > deadline) and alive:
                failed = failed or 1
                time.sleep(0.2)  # for what another one has to say
                for child in alive:
                    os.kill(child, signal.SIGKILL)
                for child in alive:
                    os.waitpid(child, 0)
                alive = set()
            elif not child:
                time.sleep(0.01)
        for file in (out, err):
            file.seek(0)
        return {"returncode": int(failed != 0), "stdout": out.read(), "stderr": err.read()}

for line in sys.stdin:
    answer = run(**json.loads(line))
    print(json.dumps(answer), flush=True)
'''
