#!/usr/bin/env python3
"""What real torch makes of a file, said by a child process that may do nothing else.

A server: reads lines {"file": PATH, "kind": "torch" | "safetensors" | "dcp"} and answers each with a line of JSON:
  loads, weights_only   {"ok": true} or {"ok": false, "error": "Type: first line"}
  foreign               names that are not installed here; stand-ins replaced them
  tensors, objects      what torch sees, by our spelling of the path; below `objects` both sides may see different things
  gave_up               why there is no answer: the child died, or took too long

torch.load runs what a file says. Every file gets a child of its own: without rights, with limits on memory, time and
written bytes, and with a hook that refuses processes, sockets and files opened for writing.
"""

import gc
import hashlib
import importlib
import json
import os
import pickle
import resource
import select
import signal
import sys
import time
import types
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
SECONDS = 20
MEMORY = 3 << 30
MOST_PLACES = 20000
NOBODY = 65534
# Of these every name is known (src/checkpoint/formats/closed_modules.cpp). Another module may have a name in one
# version and not in another: that a name is missing here says nothing of the file.
CLOSED = {"builtins", "collections", "_codecs", "__builtin__", "copy_reg", "exceptions"}


def import_packages():
    """Before forking, so that no child pays for it."""
    global torch, oracle, torch_oracle
    warnings.simplefilter("ignore")
    import torch
    import torch.distributed.checkpoint
    import torch.distributed.tensor  # noqa: F401

    torch.set_num_threads(1)
    for name in ("numpy", "lightning.pytorch", "safetensors.torch", "omegaconf"):
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    sys.path[:0] = [str(ROOT / "fixtures"), str(ROOT / "tests" / "interop")]
    import oracle
    import torch_oracle


# --- in the child ----------------------------------------------------------------------------------------
REFUSED = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.remove", "os.rename", "os.rmdir", "os.mkdir",
           "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate", "os.kill", "pty.", "subprocess.", "socket.", "shutil.",
           "urllib.", "webbrowser.", "ftplib.", "smtplib.", "http.", "ctypes.", "os.startfile", "os.putenv")


def refuse(event, arguments):
    if event.startswith(REFUSED):
        raise PermissionError(f"refused: {event}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise PermissionError("refused: open for writing")


def open_to_all(path):
    """Whether a user without rights may import from there."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


def confine():
    if os.getuid() == 0 and all(open_to_all(Path(module.__file__).parent) for module in (os, torch)):
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with open("/proc/self/statm", encoding="ascii") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    sys.addaudithook(refuse)


def lenient_pickle(foreign):
    """pickle, with stand-ins for what packages have that are not installed here."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if module in CLOSED:
                return super().find_class(module, name)
            try:
                return super().find_class(module, name)
            except (ImportError, AttributeError, ValueError):
                foreign.append(f"{module}.{name}"[:200])
                return oracle.MissingType(name, (oracle.Missing,), {"__module__": module})

    found = types.ModuleType("lenient_pickle")
    found.__dict__.update(pickle.__dict__)
    found.Unpickler = Unpickler
    found.load = lambda file, **options: Unpickler(file, **options).load()
    return found


def load_dcp(folder):
    from torch.distributed.checkpoint import FileSystemReader
    from torch.distributed.checkpoint.default_planner import _EmptyStateDictLoadPlanner
    from torch.distributed.checkpoint.state_dict_loader import _load_state_dict

    state = {}
    _load_state_dict(state, storage_reader=FileSystemReader(folder), planner=_EmptyStateDictLoadPlanner(), no_dist=True)
    return state


def load_all(file, kind, foreign):
    if kind == "safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    if kind == "dcp":
        return load_dcp(file)
    return torch.load(file, map_location="cpu", weights_only=False, pickle_module=lenient_pickle(foreign))


def attempt(action):
    """The value, and {"ok": ...}."""
    try:
        return action(), {"ok": True}
    except BaseException as error:  # a file can make torch raise anything  # pylint: disable=broad-except
        return None, {"ok": False, "error": f"{type(error).__name__}: {telling_line(str(error))[:300]}"}


def telling_line(message):
    mark = "WeightsUnpickler error:"
    text = message[message.find(mark) + len(mark):] if mark in message else message
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def bounded_places(root):
    for count, place in enumerate(oracle.places(root)):
        if count >= MOST_PLACES:
            raise OverflowError("too many places")
        yield place


def describe(tensor):
    """dtype, shape, stride, digest; what it has not is None."""
    if tensor.is_nested or torch.nn.parameter.is_lazy(tensor) or hasattr(tensor, "_local_tensor"):
        return [str(tensor.dtype)[6:], None, None, None]
    if tensor.layout != torch.strided:
        return [str(tensor.dtype)[6:], list(tensor.shape), None, None]
    digest = None
    if tensor.device.type != "meta" and tensor.numel() < 1 << 24:
        with torch.no_grad():
            digest = hashlib.sha256(oracle.raw_bytes(tensor.detach())).hexdigest()
    return [str(tensor.dtype)[6:], list(tensor.shape), list(tensor.stride()), digest]


def tensors_of(root):
    tensors, objects = {}, set()
    for steps, value in bounded_places(root):
        path = torch_oracle.spell(steps)
        attribute = next((i for i, step in enumerate(steps) if step.kind in ("attr", "field")), None)
        if attribute is not None:
            objects.add(torch_oracle.spell(steps[:attribute]))
        if torch.is_tensor(value) and value.is_nested and value.layout != torch.strided:
            objects.add(path)
        elif torch.is_tensor(value):
            tensors[path] = describe(value)
        elif value is not None and not isinstance(value, (bool, int, float, str, bytes, dict, list, tuple)):
            objects.add(path)
    return tensors, sorted(objects)


def judge(file, kind):
    foreign = []
    answer = {}
    if kind == "torch":
        answer["weights_only"] = attempt(lambda: torch.load(file, map_location="cpu", weights_only=True))[1]
    root, answer["loads"] = attempt(lambda: load_all(file, kind, foreign))
    answer["foreign"] = sorted(set(foreign))[:20]
    if answer["loads"]["ok"]:
        both, seen = attempt(lambda: tensors_of(root))
        if seen["ok"]:
            answer["tensors"], answer["objects"] = both
        else:
            answer["unseen"] = seen["error"]
    return answer


def child(file, kind, pipe):
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    confine()
    sys.setrecursionlimit(5000)
    text = json.dumps(judge(file, kind)).encode()
    while text:
        text = text[os.write(pipe, text):]


# --- the server ------------------------------------------------------------------------------------------
def read_all(pipe, until):
    parts = []
    while time.monotonic() < until:
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            break
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def answer_in_child(file, kind):
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(out)
            child(file, kind, into)
        finally:
            os._exit(0)
    os.close(into)
    text = read_all(out, time.monotonic() + SECONDS)
    os.close(out)
    if not text.endswith(b"}"):
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    try:
        return json.loads(text)
    except ValueError:
        return {"gave_up": f"the child ended with status {status}"}


def main():
    try:
        import_packages()
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return 0
    print(json.dumps({"torch": torch.__version__}), flush=True)
    gc.collect()
    gc.freeze()  # so that no child copies pages to count references
    gc.disable()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer_in_child(request["file"], request["kind"])), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
