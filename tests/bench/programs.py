#!/usr/bin/python3
"""Times whole programs beside what limits them in the same run, and prints a table.

usage: programs.py [--bin FOLDER] [--work FOLDER] [--runs N] [--torch SCRIPT] [--large]

The checkpoints are written first, by make_checkpoints, and stay in the work folder. The limit is plain_read:
files mapped and every byte read once, by as many threads as the programs use. Figures are ratios: the limit's
time over the program's, so that 1 is as fast as reading and more is better. Each is of the shortest of N runs,
the program and its limit in turn. --torch names a script that compares two checkpoints with torch. --large
adds 4 GiB files and a million tensors. Nothing is asserted: a benchmark is no test.
"""
import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Bench:
    def __init__(self, options):
        self.bin, self.work, self.runs = Path(options.bin), Path(options.work), options.runs
        self.threads = str(len(os.sched_getaffinity(0)))
        self.work.mkdir(parents=True, exist_ok=True)

    def pair(self, kind, amount):
        files = [self.work / f"{kind}-{amount}.{side}.ckpt" for side in ("old", "new")]
        if not all(file.exists() for file in files):
            subprocess.run([self.bin / "tests/bench/make_checkpoints", kind, str(amount), *files], check=True)
        subprocess.run(["cat", *files], stdout=subprocess.DEVNULL, check=True)  # into the page cache
        return files

    def program(self, name, *arguments):
        return [str(self.bin / name), *map(str, arguments)]

    def plain(self, files):
        return [str(self.bin / "tests/bench/plain_read"), self.threads, *map(str, files)]

    def times(self, *commands, before=lambda: None):
        """The shortest time of each command, all of them in turn."""
        best = [float("inf")] * len(commands)
        for _ in range(self.runs):
            for i, command in enumerate(commands):
                before()
                start = time.perf_counter()
                status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
                best[i] = min(best[i], time.perf_counter() - start)
                if status not in (0, 1):  # same, different; what failed early would seem fast
                    raise SystemExit(f"{' '.join(map(str, command))}: status {status}")
        return best

    def ratio(self, command, limit, before=lambda: None):
        mine, theirs = self.times(command, limit, before=before)
        return theirs / mine


def row(text, *cells):
    print("| " + " | ".join([text, *cells]) + " |", flush=True)


def heading(title, *columns):
    print(f"\n## {title}\n")
    row(*columns)
    row(*["---"] * len(columns))


def peak_mib(command):
    """Of a child of its own, so that no other is counted."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        os.write(write, str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return int(os.read(read, 32)) / 1024


def drop(files):
    """Out of the page cache, as far as the system follows the advice."""
    for file in files:
        with open(file, "rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def of_reading(bench):
    heading("Beside a plain read", "work", "of the plain read", "aim")
    for kind, aim in (("f32", 0.6), ("bf16", 0.5), ("f16", 0.5), ("f8", 0.4), ("f64", ""), ("i64", ""), ("scaled", 0.3)):
        files = bench.pair(kind, 512)
        ratio = bench.ratio(bench.program("ckpt-diff", "-q", *files), bench.plain(files))
        row(f"diff, {kind}, 2 x 512 MiB, all changed", f"{ratio:.2f}", str(aim))
    files = bench.pair("one", 512)
    row("diff, f32, one tensor of 512 MiB", f"{bench.ratio(bench.program('ckpt-diff', '-q', *files), bench.plain(files)):.2f}", "")
    old = bench.pair("f32", 512)[0]
    copy = bench.work / "f32-512.copy.ckpt"
    if not copy.exists():
        copy.write_bytes(old.read_bytes())
    diff, plain, cmp = bench.times(bench.program("ckpt-diff", "-q", old, copy), bench.plain([old, copy]), ["cmp", old, copy])
    row("diff, identical files, 2 x 512 MiB", f"{plain / diff:.2f}", "0.9")
    row("the same beside `cmp`", f"{cmp / diff:.1f} x as fast", "faster")
    for kind in ("f32", "bf16"):
        file = bench.pair(kind, 512)[0]
        for rules, aim in (("strict", 0.6 if kind == "f32" else ""), ("recommended", "")):
            ratio = bench.ratio(bench.program("ckpt-lint", "-q", "--rules", rules, file), bench.plain([file]))
            row(f"lint, {rules}, checksums included, {kind}, 512 MiB", f"{ratio:.2f}", str(aim))
    sha, plain = bench.times(["sha256sum", old], bench.plain([old]))
    row("`sha256sum` of one of them", f"{plain / sha:.2f}", "")


def of_growth(bench, large):
    heading("Growth", "work", "of the plain read")
    for amount in (1, 8, 64, 512, *([4096] if large else [])):
        files = bench.pair("f32", amount)
        row(f"diff, f32, 2 x {amount} MiB", f"{bench.ratio(bench.program('ckpt-diff', '-q', *files), bench.plain(files)):.2f}")
    heading("Many tensors of 16 floats, one changed", "tensors", "time of the row above x", "tensors x", "peak memory, MiB")
    before = None
    for amount in (1, 10, 50, 200, *([1000] if large else [])):
        files = bench.pair("many", amount)
        command = bench.program("ckpt-diff", "-q", *files)
        [mine] = bench.times(command)
        grown = f"{mine / before[1]:.1f}" if before else ""
        row(f"{amount * 1000:,}", grown, f"{amount / before[0]:.0f}" if before else "", f"{peak_mib(command):.0f}")
        before = (amount, mine)


def of_memory(bench):
    heading("Resident memory", "work", "MiB", "aim")
    files = bench.pair("f32", 512)
    row("diff, 2 x 512 MiB of float32", f"{peak_mib(bench.program('ckpt-diff', '-q', *files)):.0f}", "64")
    row("lint, strict, 512 MiB of float32", f"{peak_mib(bench.program('ckpt-lint', '-q', '--rules', 'strict', files[0])):.0f}", "64")


def of_starting(bench):
    heading("Start", "work", "x as long as `ckpt-lint --version`")
    small = ROOT / "fixtures/valid/lightning-2.6.5/base/last.ckpt"
    lint, show, start = bench.times(bench.program("ckpt-lint", "-q", small), bench.program("ckpt-show", small),
                                    bench.program("ckpt-lint", "--version"))
    row("lint, recommended, 12 KB", f"{lint / start:.1f}")
    row("show, 12 KB", f"{show / start:.1f}")


def of_cold(bench):
    heading("Cold: dropped from the page cache before each run", "work", "of the plain read, cold", "of `cat`, cold")
    files = bench.pair("f32", 512)
    for name, command in (("diff, f32, 2 x 512 MiB", bench.program("ckpt-diff", "-q", *files)),):
        mine, plain, cat = bench.times(command, bench.plain(files), ["cat", *files], before=lambda: drop(files))
        row(name, f"{plain / mine:.2f}", f"{cat / mine:.2f}")


def of_torch(bench, script):
    heading(f"Beside torch ({Path(script).name})", "work", "x as fast")
    python = os.environ.get("TORCH_PYTHON", sys.executable)
    for kind, amount in (("f32", 512), ("bf16", 512), ("many", 50)):
        files = bench.pair(kind, amount)
        mine, theirs = bench.times(bench.program("ckpt-diff", "-q", *files), [python, script, *map(str, files)])
        row(f"diff, {kind}, {amount}{',000 tensors' if kind == 'many' else ' MiB'}", f"{theirs / mine:.1f}")


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
    wide = [name for name in ("avx2", "avx512f") if f" {name}" in flags]
    return f"{model}, {os.cpu_count()} cores ({', '.join(wide) or 'no wide instructions'}), {platform.system()} {'.'.join(platform.release().split('.')[:2])}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/bench", help="where the programs are")
    parser.add_argument("--work", default="build/bench/files", help="where the checkpoints go (6 GiB; 20 with --large)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--torch", metavar="SCRIPT")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    print(f"Measured on {machine()}; the shortest of {options.runs} runs, each beside its limit.")
    of_reading(bench)
    of_growth(bench, options.large)
    of_memory(bench)
    of_starting(bench)
    of_cold(bench)
    if options.torch:
        of_torch(bench, options.torch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
