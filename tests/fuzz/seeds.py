#!/usr/bin/env python3
"""Writes what each fuzzer begins with to DIR/<target>/: small fixtures, their pickles, the rule files.

    tests/fuzz/seeds.py DIR
"""

import hashlib
import pathlib
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LARGEST = 64 << 10  # a fuzzer mutates small inputs best, and its longest seed sets its longest input


def checkpoints():
    for folder in ("valid", "variants", "reports", "broken"):
        for path in sorted((ROOT / "fixtures" / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".json", ".md") and path.stat().st_size <= LARGEST:
                yield path.read_bytes(), path


def folders():
    """Each folder of a checkpoint as one input; see folder_fuzz.cpp."""
    formats = ROOT / "fixtures/valid/formats"
    for folder in sorted(path for path in formats.iterdir() if path.is_dir()):
        packed = b""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name, data = path.relative_to(folder).as_posix().encode(), path.read_bytes()
            packed += bytes([len(name)]) + name + len(data).to_bytes(3, "little") + data
        yield packed, folder


def pickles():
    for data, path in checkpoints():
        if not zipfile.is_zipfile(path):
            yield data, path  # the old format is pickles in a row
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(".pkl"):
                        yield archive.read(name), path
        except Exception:  # broken on purpose
            pass


def rules():
    for path in sorted((ROOT / "rules").rglob("*.yaml")):
        yield path.read_bytes(), path


SEEDS = {
    "zip_directory_fuzz": checkpoints,
    "pickle_fuzz": pickles,
    "checkpoint_fuzz": checkpoints,
    "folder_fuzz": folders,
    "rules_fuzz": rules,
}


def main():
    for target, seeds in SEEDS.items():
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for data, _ in seeds():
            if len(data) <= LARGEST:
                (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
        print(f"{target}: {len(list(folder.iterdir()))} seeds")


main()
