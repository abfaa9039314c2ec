#!/usr/bin/env python3
"""Holds ckpt-lint and ckpt-show against real torch, on inputs that no healthy program writes.

    tests/interop/differential.py [--bin DIR] [--seed N] [--keep DIR] [N]

Judges every case of hostile/cases.py and N mutations of the small fixtures (default 20,000), by this property:
  where torch.load(weights_only=False) raises, ckpt-lint has an error or status 2, with every built-in rule set;
  where ckpt-lint has neither, torch loads the file, and ckpt-show sees the same tensors, number by number;
  where torch.load(weights_only=True) raises and ckpt-lint has neither, the rule security-not-weights-only-loadable says so.
Where a name's package is not installed here, a stand-in replaces it: whether it is installed is no fact about the file.

Exit status: 0 no disagreement (or torch is not installed: "skipped"), 1 disagreements, each with the file that shows it.
torch runs what a file says: each is judged in a child process without rights (hostile/torch_judge.py).
"""

import argparse
import collections
import functools
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from hostile import cases, mutations  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("valid", "variants", "reports", "broken", "pairs")
MOST_BYTES = 48 << 10
BATCH = 100
KINDS = ("zip", "legacy", "safetensors", "metadata")
SETS = ("recommended", "strict")
WEIGHTS_ONLY = "security-not-weights-only-loadable"
# Errors of other rules (a rate that is NaN, a loop that stands still) say nothing of whether torch loads a file.
FAMILIES = ("container", "security")


# --- inputs ----------------------------------------------------------------------------------------------
class Input:
    def __init__(self, name, kind, content, folder=None):
        self.name, self.kind, self.content, self.folder = name, kind, content, folder
        self.path = None

    def write(self, place, number):
        """A file, or for metadata a copy of its folder."""
        if self.folder:
            self.path = place / f"{number}"
            shutil.copytree(self.folder, self.path)
            (self.path / ".metadata").write_bytes(self.content)
        else:
            self.path = place / (f"{number}.safetensors" if self.kind == "safetensors" else f"{number}.pt")
            self.path.write_bytes(self.content)

    def judged_as(self):
        return {"safetensors": "safetensors", "metadata": "dcp"}.get(self.kind, "torch")


def kind_of(path, head):
    if path.name == ".metadata":
        return "metadata"
    if path.suffix == ".safetensors":
        return "safetensors"
    if head[:4] == b"PK\3\4":
        return "zip"
    return "legacy" if head[:2] in (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5") else None


def seeds():
    """The small files that torch or safetensors might read, each once."""
    found, seen = [], set()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / "fixtures" / folder).rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix in (".json", ".npz", ".md") or path.stat().st_size > MOST_BYTES:
            continue
        if any((parent / ".metadata").exists() for parent in (path.parent,)) and path.name != ".metadata":
            continue  # a part of a folder
        content = path.read_bytes()
        kind, digest = kind_of(path, content[:8]), hashlib.sha256(content).digest()
        if kind is None or digest in seen:
            continue
        seen.add(digest)
        found.append(Input(str(path.relative_to(ROOT)), kind, content, path.parent if kind == "metadata" else None))
    return found


def inputs(count, seed):
    for name, content in cases.all_cases():
        yield Input(f"case: {name}", "zip", content)
    sources = seeds()
    by_kind = collections.defaultdict(list)
    for source in sources:
        by_kind[source.kind].append(source)
    for i in range(count):
        rng = random.Random(f"{seed}/{i}")
        kind = rng.choices(KINDS, (12, 4, 2, 2))[0]
        source = rng.choice(by_kind[kind])
        yield Input(f"mutation {seed}/{i} of {source.name}", kind, mutations.mutate(rng, kind, source.content), source.folder)


# --- what torch says -------------------------------------------------------------------------------------
class Judge:
    """`answers`: what torch said of the same bytes before, by their digest."""

    def __init__(self, python, answers):
        self.answers = answers
        script = Path(__file__).resolve().parent / "hostile" / "torch_judge.py"
        self.process = subprocess.Popen([python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = json.loads(self.process.stdout.readline())

    def ask(self, one):
        key = hashlib.sha256(f"{one.judged_as()} {self.hello['torch']} ".encode() + one.content).hexdigest()
        if key not in self.answers:
            self.answers[key] = self.ask_torch(one)
        return self.answers[key]

    def ask_torch(self, one):
        self.process.stdin.write(json.dumps({"file": str(one.path), "kind": one.judged_as()}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# --- what ckpt says --------------------------------------------------------------------------------------
class Verdict:
    def __init__(self):
        self.refused = False  # an error, or unreadable
        self.rules = set()
        self.errors = set()


@functools.cache
def rules_that_refuse():
    return {path.stem for family in FAMILIES for path in (ROOT / "rules" / "catalog" / family).glob("*.yaml")}


def lint(program, rules, batch):
    refusing = rules_that_refuse()
    command = [str(program), "--no-config", "--rules", rules, "--profile", "inference", "--format", "json", "--", *[str(one.path) for one in batch]]
    run = subprocess.run(command, capture_output=True, timeout=600, check=False)
    try:
        document = json.loads(run.stdout)
    except ValueError:
        raise SystemExit(f"ckpt-lint ended with status {run.returncode}: {run.stderr.decode(errors='replace')[-500:]}") from None
    verdicts = {str(one.path): Verdict() for one in batch}
    for entry in document["inputs"]:
        if entry.get("error") and entry["path"] in verdicts:
            verdicts[entry["path"]].refused = True
    for finding in document["findings"]:
        verdict = verdicts.get(finding.get("file"))
        if verdict is None:
            continue
        verdict.rules.add(finding["rule"])
        if finding["level"] == "error" and finding["rule"] in refusing:
            verdict.refused = True
            verdict.errors.add(finding["rule"])
    return verdicts


def show(program, one):
    run = subprocess.run([str(program), "--format", "json", "--digest", "--", str(one.path)], capture_output=True, timeout=60, check=False)
    try:
        return json.loads(run.stdout), run.returncode
    except ValueError:
        return None, run.returncode


# --- comparing -------------------------------------------------------------------------------------------
def below(path, objects):
    return "<root>" in objects or any(path.startswith(place) for place in objects)


def same_number(ours, torchs):
    return torchs is None or ours == torchs


def tensor_problems(document, answer):
    """Texts; at most a few."""
    ours = {row["path"] or "<root>": row for row in document["tensors"]}
    objects = answer.get("objects", [])
    for path, (dtype, shape, stride, digest) in answer["tensors"].items():
        row = ours.get(path)
        if row is None:
            if not below(path, objects):
                yield f"torch has a tensor at {path}, ckpt-show has not"
            continue
        for field, torchs in (("dtype", dtype), ("shape", shape), ("stride", stride), ("sha256", digest)):
            if torchs is not None and row.get(field) != torchs:
                yield f"{path}: {field}: ours {row.get(field)!r}, torch {torchs!r}"
    for path in ours:
        if path not in answer["tensors"] and not below(path, objects) and ".<" not in path:
            yield f"ckpt-show has a tensor at {path}, torch has not"


def problems(one, answer, verdicts, program):
    """(kind, text) of every disagreement."""
    if "gave_up" in answer:
        return
    loads, silent = answer["loads"], [rules for rules in SETS if not verdicts[rules].refused]
    if not loads["ok"]:
        for rules in silent:
            yield "torch refuses it", f"{rules} is silent: {loads['error']}"
            return
        return
    if not silent:
        return
    restricted = answer.get("weights_only", {"ok": True})
    if not restricted["ok"]:
        for rules in silent:
            if WEIGHTS_ONLY not in verdicts[rules].rules and not is_matter_of_opcodes(rules, restricted["error"]):
                yield "weights_only refuses it", f"{rules} is silent: {restricted['error']}"
                break
    if "tensors" not in answer:
        return
    document, status = show(program, one)
    if document is None or status != 0:
        yield "only ckpt-show refuses it", f"status {status}"
        return
    for text in list(tensor_problems(document, answer))[:3]:
        yield "other tensors", text


def is_matter_of_opcodes(rules, error):
    """recommended says nothing of protocols and opcodes: people choose them on purpose (rules/catalog/security)."""
    return rules == "recommended" and ("Unsupported operand" in error or "Unsupported opcode" in error)


# --- many inputs -----------------------------------------------------------------------------------------
class Run:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.source = inputs(options.count, options.seed)
        self.done = self.refused = self.loaded = self.gave_up = 0
        self.found = collections.Counter()
        self.shown = []

    def next_batch(self):
        with self.lock:
            return [one for one, _ in zip(self.source, range(BATCH))]

    def work(self, judge):
        while batch := self.next_batch():
            with tempfile.TemporaryDirectory(prefix="differential-") as name:
                place = Path(name)
                place.chmod(0o755)
                for number, one in enumerate(batch):
                    one.write(place, number)
                by_set = {rules: lint(self.options.bin / "ckpt-lint", rules, batch) for rules in SETS}
                for one in batch:
                    verdicts = {rules: by_set[rules][str(one.path)] for rules in SETS}
                    self.judge_one(one, judge.ask(one), verdicts)

    def judge_one(self, one, answer, verdicts):
        texts = list(problems(one, answer, verdicts, self.options.bin / "ckpt-show"))
        with self.lock:
            self.done += 1
            self.gave_up += "gave_up" in answer
            self.refused += not answer.get("loads", {"ok": True})["ok"]
            self.loaded += answer.get("loads", {"ok": False})["ok"]
            for kind, text in texts:
                self.found[kind] += 1
                self.report(one, kind, text)

    def report(self, one, kind, text):
        self.shown.append({"input": one.name, "kind": kind, "text": text})
        if len(self.shown) <= self.options.most:
            print(f"{one.name}\n  {kind}: {text}", flush=True)
        if self.options.keep:
            self.options.keep.mkdir(parents=True, exist_ok=True)
            name = "".join(c if c.isalnum() else "_" for c in one.name)[:150]
            if one.folder:
                shutil.copytree(one.path, self.options.keep / name, dirs_exist_ok=True)
            else:
                (self.options.keep / f"{name}{one.path.suffix}").write_bytes(one.content)


def python_with_torch():
    """This one, or the one that CKPT_PYTHON_TORCH names."""
    return os.environ.get("CKPT_PYTHON_TORCH", sys.executable)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=20000, metavar="N", help="mutations to judge")
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release", help="where the programs are")
    parser.add_argument("--seed", default="1", help="other seeds give other mutations")
    parser.add_argument("--answers", type=Path, help="a file that keeps what torch says, for further runs")
    parser.add_argument("--keep", type=Path, help="where to write the inputs that show a disagreement")
    parser.add_argument("--most", type=int, default=40, help="disagreements to print")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    answers = json.loads(options.answers.read_text()) if options.answers and options.answers.exists() else {}
    judges = [Judge(python_with_torch(), answers) for _ in range(options.processes)]
    if "missing" in judges[0].hello:
        print(f"skipped: torch is not installed here ({judges[0].hello['missing']})")
        return 0
    begin = time.monotonic()
    run = Run(options)
    threads = [threading.Thread(target=run.work, args=(judge,)) for judge in judges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for judge in judges:
        judge.close()
    if options.answers:
        options.answers.write_text(json.dumps(answers))
    if options.keep and run.shown:
        (options.keep / "found.json").write_text(json.dumps(run.shown, indent=1), encoding="utf-8")
    print(f"{run.done} inputs, torch {judges[0].hello['torch']}: {run.loaded} load, {run.refused} are refused, {run.gave_up} without an answer; "
          f"{sum(run.found.values())} disagreements {dict(run.found)}; {time.monotonic() - begin:.0f} s")
    return 1 if run.found or not run.done else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
