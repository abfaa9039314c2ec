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
    for folder in ("valid", "variants", "broken"):
        for path in sorted((ROOT / "fixtures" / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".json", ".md") and path.stat().st_size <= LARGEST:
                yield path.read_bytes(), path


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
