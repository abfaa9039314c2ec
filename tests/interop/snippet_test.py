#!/usr/bin/env python3
"""Runs the script that ckpt-lint --explain prints for a rule: the mended file must not have the finding any more.

    tests/interop/snippet_test.py --ckpt-lint PROGRAM

Exit status: 0 all scripts mend their fixture (or torch is not installed: "skipped"), 1 some do not.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADING = "Mend it, if you trust the file"

# Rule, a fixture that it reports, and what a reader puts in for the names of the example.
CASES = [
    ("state-dict-wrapper-prefix", "variants/orig_mod_partial.ckpt", {}),
    ("state-dict-wrapper-prefix", "reports/nanogpt_compiled.pt", {}),
    ("state-dict-wrapper-prefix", "reports/imagenet_dp.pth.tar", {'"_orig_mod."': '"module."'}),
    ("structure-missing-key", "variants/raw_state_dict.pt", {}),
    ("optimizer-lr-zero", "variants/lr_zero.ckpt", {}),
    ("scheduler-lr-drift", "variants/scheduler_lr_drift.ckpt", {}),
    ("scheduler-exhausted", "variants/scheduler_cosine_past_end.ckpt", {}),
    ("callbacks-early-stopping-done", "variants/stopped_early.ckpt", {}),
    ("structure-class-callback-key", "valid/lightning-1.0.8/base/last.ckpt", {}),
    ("precision-scaler-stale-key", "variants/scaler_stale_key.ckpt", {}),
    ("weights-oversized-storage", "variants/view_of_big_storage.ckpt", {}),
    ("hparams-contains-module", "variants/hparams_module.ckpt", {'"backbone"': '"loss"'}),
    ("security-not-weights-only-loadable", "valid/lightning-1.0.8/base/last.ckpt", {}),
]


def rules_with_snippets():
    catalog = ROOT / "rules/catalog"
    return {path.stem for path in catalog.rglob("*.yaml") if "\nsnippet: |\n" in path.read_text(encoding="utf-8")}


def findings(program, path):
    run = subprocess.run([program, "--format", "json", "--no-config", str(path)], capture_output=True, text=True)
    return {(finding["rule"], finding["level"]) for finding in json.loads(run.stdout)["findings"]}


def script_of(program, rule):
    page = subprocess.run([program, "--explain", rule], capture_output=True, text=True, check=True).stdout
    block = page.split("\n" + HEADING + "\n", 1)[1].split("\n\n", 1)[0]
    return "\n".join(line[2:] for line in block.split("\n"))


def check(program, rule, fixture, names):
    script = script_of(program, rule)
    for example, name in names.items():
        assert example in script, f"{rule}: {example} is not in the script"
        script = script.replace(example, name)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "fixtures" / fixture, Path(folder) / "model.ckpt")
        os.chdir(folder)
        before = {level for found, level in findings(program, "model.ckpt") if found == rule}
        if not before:
            return "the rule does not report the fixture"
        try:
            exec(script, {})
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        after = {level for found, level in findings(program, "mended.ckpt") if found == rule}
        os.chdir(ROOT)
    return f"still reported: {', '.join(sorted(after))}" if after else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ckpt-lint", required=True)
    program = str(Path(parser.parse_args().ckpt_lint).resolve())
    untested = rules_with_snippets() - {rule for rule, _, _ in CASES}
    if untested:
        print(f"no case for the snippet of {', '.join(sorted(untested))}")
        return 1
    try:
        import torch  # noqa: F401
    except ImportError:
        print("skipped: torch is not installed")
        return 0
    warnings.simplefilter("ignore")
    failed = 0
    for rule, fixture, names in CASES:
        if wrong := check(program, rule, fixture, names):
            failed += 1
            print(f"{rule} on {fixture}: {wrong}")
    print(f"{len(CASES) - failed} scripts mend their file, {failed} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
