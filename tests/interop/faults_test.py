#!/usr/bin/env python3
"""The programs on a system that fails: reads, writes and maps that go wrong, no memory, no descriptors, no room.

usage: faults_test.py --bin DIR [--table]

Every fault is tried at many moments. A run must end by itself with the status and the output that it has without
the fault, or with status 2 and a line that says why; never by a signal, never with part of a report in a file, never
with a changed input. --table prints what happened. Needs a C compiler.
"""
import argparse
import collections
import errno
import hashlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAST = "valid/lightning-2.6.5/base/last.ckpt"
NAN = "variants/nan_weight.ckpt"
FOLDER = "valid/formats/dcp-2"
PAIR = ["pairs/transformer-finetune/old.ckpt", "pairs/transformer-finetune/new.ckpt"]
COMMANDS = [["ckpt-show", "--stats", "--digest", "--format", "json", LAST], ["ckpt-diff", *PAIR],
            ["ckpt-lint", "--rules", "strict", NAN, FOLDER]]
FAULTS = [  # calls, kind, how many in a row
    ("read,pread,", errno.EIO, 1), ("read,pread,", errno.EIO, 1000), ("read,pread,", errno.EINTR, 1),
    ("read,pread,", errno.EINTR, 5), ("read,pread,", "short", 1), ("read,pread,", "short", 1000),
    ("mmap,", errno.ENOMEM, 1), ("mmap,", errno.ENODEV, 1000), ("write,", errno.EIO, 1), ("write,", errno.ENOSPC, 1000),
    ("write,", errno.EINTR, 3), ("write,", "short", 1000), ("write,", errno.EPIPE, 1000),
    ("fsync,", errno.EIO, 1), ("rename,", errno.EACCES, 1),
]


class Runner:
    def __init__(self, bin_dir, folder):
        self.bin_dir = bin_dir
        self.folder = folder
        self.fixtures = folder / "fixtures"
        self.report = folder / "report.json"
        self.library = folder / "faults.so"
        self.table = collections.defaultdict(collections.Counter)
        shutil.copytree(ROOT / "fixtures", self.fixtures)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.library, ROOT / "tests/interop/faults.c", "-ldl"],
                       check=True)

    def run(self, command, environment=None, limits=None):
        self.report.unlink(missing_ok=True)
        arguments = [self.bin_dir / command[0], *command[1:], "--report", f"json={self.report}"]
        # Sanitizers map and read on their own: they are run without preloading by the other tests.
        return subprocess.run(arguments, cwd=self.fixtures, capture_output=True, timeout=120, preexec_fn=limits,
                              env={"PATH": os.environ["PATH"], **(environment or {})})

    def judge(self, what, command, good, done):
        """`good`: status, stdout and report of the run without a fault."""
        status, report = done.returncode, self.report.read_bytes() if self.report.exists() else None
        left = [name for name in os.listdir(self.folder) if name not in ("fixtures", "report.json", "faults.so")]
        same = (status, done.stdout, report) == good
        said = status == 2 and done.stderr.strip()
        quiet_pipe = "EPIPE" in what and status == good[0] and good[1].startswith(done.stdout)
        whole = report is None or report == good[2] or (status == 2 and report.rstrip().endswith(b"}"))
        # Out of memory inside of glibc, which then ends the process itself; no program can answer that.
        glibc = status == -6 and b"Fatal glibc error" in done.stderr and whole and not left
        if glibc:
            self.table[what]["ended by glibc"] += 1
            return
        if status < 0 or not (same or said or quiet_pipe) or not whole or left:
            sys.exit(f"faults_test: {what}: {command}: status {status}, files left {left}\n{done.stderr.decode()[-2000:]}")
        self.table[what]["as without" if same else "status 2, said" if said else "quiet"] += 1


def digest_of(folder):
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def moments(count):
    """Every early one, then fewer."""
    return sorted({*range(1, 12), *(int(1.5**k) for k in range(7, 14))})[:count]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(given.bin.resolve(), pathlib.Path(scratch))
        before = digest_of(runner.fixtures)
        for command in COMMANDS:
            done = runner.run(command)
            good = (done.returncode, done.stdout, runner.report.read_bytes())
            for calls, kind, times in FAULTS:
                name = kind if isinstance(kind, str) else errno.errorcode[kind]
                for at in moments(14):
                    fault = {"LD_PRELOAD": str(runner.library), "FAULT_CALLS": calls, "FAULT_KIND": str(kind),
                             "FAULT_AT": str(at), "FAULT_TIMES": str(times)}
                    runner.judge(f"{calls.rstrip(',')} {name} x{times}", command, good, runner.run(command, fault))
            for descriptors in (4, 5, 6, 7, 8, 10, 16):
                limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
                runner.judge("few descriptors", command, good, runner.run(command, limits=limit))
            for mebibytes in (24, 32, 40, 48, 56, 64, 72, 80, 96, 128, 160):
                limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
                done = runner.run(command, limits=limit)
                if b"error while loading shared libraries" not in done.stderr and done.returncode != 127:
                    runner.judge("little memory", command, good, done)
            for size in (0, 1, 100, 4096):
                limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
                runner.judge("no room in files", command, good, runner.run(command, limits=limit))
        if digest_of(runner.fixtures) != before:
            sys.exit("faults_test: an input was changed")
    if given.table:
        for what, outcomes in runner.table.items():
            print(f"{what:32} {sum(outcomes.values()):4} tries: " + ", ".join(f"{n} {how}" for how, n in outcomes.items()))
    print(f"faults_test: {sum(sum(o.values()) for o in runner.table.values())} runs with faults ended as they should")


if __name__ == "__main__":
    main()
