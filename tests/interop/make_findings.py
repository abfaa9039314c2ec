#!/usr/bin/env python3
"""Writes checkpoints with a known number of findings: N weights of one NaN each, at most 1,000 a file.

    tests/interop/make_findings.py FOLDER N

Without torch: an archive as torch.save lays it out, with a pickle of the standard library. Every second name is
one that a careless writer would break at.
"""

import io
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path

PER_FILE = 1000  # ckpt-lint lists as many findings of a rule and a file
ODD = ["a b", "a#b%20c", "é\u202ex", "](x)`|", "{0}{1}", "::error::x", "##vso[task]", "\x1b[31m", "line\nline", "<b>&\"'"]


class Storage:
    def __init__(self, key):
        self.key = key


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", FloatStorage, value.key, "cpu", 1) if isinstance(value, Storage) else None


class Tensor:
    def __init__(self, key):
        self.key = key

    def __reduce__(self):
        return _rebuild_tensor_v2, (Storage(self.key), 0, (1,), (1,), False, {})


def _rebuild_tensor_v2(*_):
    raise NotImplementedError("only its name is written")


class FloatStorage:
    pass


def pretend(module, thing):
    sys.modules.setdefault(module, types.ModuleType(module))
    setattr(sys.modules[module], thing.__name__, thing)
    thing.__module__ = module


def write(path, first, count):
    names = [f"layer.{i}." + (ODD[i // 2 % len(ODD)] if i % 2 else "weight") for i in range(first, first + count)]
    out = io.BytesIO()
    Pickler(out, protocol=2).dump({"state_dict": {name: Tensor(str(k)) for k, name in enumerate(names)}})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        archive.writestr("archive/byteorder", "little")
        for k in range(count):
            archive.writestr(f"archive/data/{k}", struct.pack("<f", float("nan")))
        archive.writestr("archive/version", "3\n")


def main(folder, total):
    pretend("torch", FloatStorage)
    pretend("torch._utils", _rebuild_tensor_v2)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for first in range(0, max(total, 1), PER_FILE):
        write(Path(folder) / f"{first:06d}.ckpt", first, max(min(PER_FILE, total - first), 0))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
