#!/usr/bin/env python3
"""Validates SARIF logs against the schema with an implementation that is not ours (python3-jsonschema).

usage: validate_sarif.py LOG...     status 0: all valid, 1: a log is not, 2: jsonschema is not installed
"""
import json
import pathlib
import sys

try:
    from jsonschema import Draft4Validator
except ImportError:
    sys.exit(print("validate_sarif.py: install python3-jsonschema", file=sys.stderr) or 2)

SCHEMA = pathlib.Path(__file__).parent.parent / "data" / "sarif-schema-2.1.0.json"


def main(paths):
    validator = Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    bad = 0
    for path in paths:
        log = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        for problem in validator.iter_errors(log):
            place = "/".join(str(part) for part in problem.absolute_path)
            print(f"{path}: /{place}: {problem.message[:200]}", file=sys.stderr)
            bad += 1
    print(f"{len(paths)} logs, {bad} violations of the SARIF schema")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else print(__doc__) or 2)
