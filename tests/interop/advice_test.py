#!/usr/bin/env python3
"""Pastes the advice of ckpt-lint into real torch: it must make torch.load(weights_only=True) work.

    tests/interop/advice_test.py --ckpt-lint PROGRAM [FILE|FOLDER...]

Without files: fixtures/valid and fixtures/reports. Exit status: 0 all advice works (or torch is not installed: "skipped"), 1 some does not.
"""

import argparse
import io
import json
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULE = "security-not-weights-only-loadable"
MARK = "if you trust the file: "


def advice(program, path):
    run = subprocess.run([program, "--format", "json", "--no-config", str(path)], capture_output=True, text=True)
    try:
        findings = json.loads(run.stdout)["findings"]
    except ValueError:
        return []
    return [f["message"].split(MARK, 1)[1] for f in findings if f["rule"] == RULE and MARK in f["message"]]


def files(paths):
    for path in paths:
        yield from sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ckpt-lint", required=True)
    parser.add_argument("paths", nargs="*", type=Path)
    args = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("skipped: torch is not installed")
        return 0
    warnings.simplefilter("ignore")
    tried = failed = 0
    for path in files(args.paths or [ROOT / "fixtures/valid", ROOT / "fixtures/reports"]):
        for line in advice(args.ckpt_lint, path):
            try:
                with torch.serialization.safe_globals([]):
                    exec(line, {"torch": torch})  # what a reader would paste
                    torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
                tried += 1
            except ModuleNotFoundError:
                pass  # a package that is not installed here
            except Exception as error:
                failed += 1
                print(f"{path}: {line}\n    {type(error).__name__}: {str(error)[:300]}")
            finally:
                torch.serialization.clear_safe_globals()
    print(f"{tried} pieces of advice work, {failed} do not")
    if not tried:
        print("no advice was tried: the test has lost its fixtures")
    return 1 if failed or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
