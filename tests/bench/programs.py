#!/usr/bin/python3
"""Times whole programs beside what limits them in the same run, and prints a table.

usage: programs.py [--bin FOLDER] [--work FOLDER] [--runs N] [--torch SCRIPT] [--large] [--only PART,..] [--write]

The checkpoints are written first, by make_checkpoints, and stay in the work folder. The limit is plain_read:
files mapped and every byte read once, by as many threads as the programs use. Figures are ratios: the limit's
time over the program's, so that 1 is as fast as reading and more is better. Each is of the shortest of N runs,
the program and its limit in turn. --torch names a script that compares two checkpoints with torch. --large
adds 4 GiB files and a million tensors. --only: some of reading, growth, many, memory, start, cold, hdf5, torch.
--write puts the tables into tests/bench/RESULTS.md, too. Nothing is asserted: a benchmark is no test.
"""
import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests/bench/RESULTS.md"
BEGIN, END = "<!-- ./dev bench --write: -->", "<!-- end of what ./dev bench wrote -->"
lines = []  # of this run


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


def say(line):
    lines.append(line)
    print(line, flush=True)


def row(text, *cells):
    say("| " + " | ".join([text, *cells]) + " |")


def heading(title, *columns):
    for line in ("", f"## {title}", ""):
        say(line)
    row(*columns)
    row(*["---"] * len(columns))


def fit(points):
    """a + b x through (x, y): the smallest sum of squares of relative residuals, as sizes span four orders."""
    weights = [1 / y**2 for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points)) / total
    b = sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points)) / sum(
        w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points))
    return mean_y - b * mean_x, b


def fitted(title, unit, points):
    """How far each time lies from a line through all of them; `points`: (label, amount, seconds)."""
    if len(points) < 3:
        return
    a, b = fit([(x, y) for _, x, y in points])
    heading(title, unit, "time over that of the line")
    for label, x, y in points:
        row(label, f"{y / (a + b * x):.2f}")
    say("")
    say(f"The line: what takes no longer for more ({a * 1000:.1f} ms), and {b * 1e6:.3g} µs for each {unit}.")


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


def pickle_mib(file):
    with zipfile.ZipFile(file) as archive:
        return sum(entry.file_size for entry in archive.infolist() if entry.filename.endswith("/data.pkl")) / 2**20


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
    points = []
    for amount in (1, 8, 64, 512, *([4096] if large else [])):
        files = bench.pair("f32", amount)
        mine, plain = bench.times(bench.program("ckpt-diff", "-q", *files), bench.plain(files))
        row(f"diff, f32, 2 x {amount} MiB", f"{plain / mine:.2f}")
        points.append((str(amount), amount, mine))
    fitted("Growth with the size: diff, f32, against a straight line", "MiB", points)


def of_many(bench, large):
    heading("Many tensors of 16 floats, one changed", "tensors", "diff: time of the row above x",
            "lint: time of the row above x", "tensors x", "diff: peak memory, MiB", "64 MiB + 3 x the pickles")
    before, diffs, lints = None, [], []
    for amount in (1, 10, 50, 200, *([1000] if large else [])):
        files = bench.pair("many", amount)
        command = bench.program("ckpt-diff", "-q", *files)
        diff, lint = bench.times(command, bench.program("ckpt-lint", "-q", files[0]))
        grown = [f"{diff / before[1]:.1f}", f"{lint / before[2]:.1f}", f"{amount / before[0]:.0f}"] if before else [""] * 3
        row(f"{amount * 1000:,}", *grown, f"{peak_mib(command):.0f}", f"{64 + 3 * sum(map(pickle_mib, files)):.0f}")
        before = (amount, diff, lint)
        diffs.append((f"{amount * 1000:,}", amount * 1000, diff))
        lints.append((f"{amount * 1000:,}", amount * 1000, lint))
    fitted("Growth with the number of tensors: diff, against a straight line", "tensor", diffs)
    fitted("Growth with the number of tensors: lint, against a straight line", "tensor", lints)


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
    for kind in ("f32", "bf16"):
        both = bench.pair(kind, 512)
        for name, files, command in (
                (f"diff, {kind}, 2 x 512 MiB", both, bench.program("ckpt-diff", "-q", *both)),
                (f"lint, recommended, {kind}, 512 MiB", both[:1], bench.program("ckpt-lint", "-q", both[0]))):
            mine, plain, cat = bench.times(command, bench.plain(files), ["cat", *files], before=lambda: drop(files))
            row(name, f"{plain / mine:.2f}", f"{cat / mine:.2f}")


def hdf5_copy(bench, file):
    """The one storage of `file` as a data set of float32."""
    copy = file.with_suffix(".h5")
    if copy.exists():
        return copy
    raw, config = file.with_suffix(".raw"), file.with_suffix(".conf")
    with zipfile.ZipFile(file) as archive, open(raw, "wb") as out:
        [storage] = [name for name in archive.namelist() if name.endswith("/data/0")]
        with archive.open(storage) as opened:
            shutil.copyfileobj(opened, out, 1 << 22)
    config.write_text(f"PATH weight\nINPUT-CLASS FP\nINPUT-SIZE 32\nINPUT-BYTE-ORDER LE\nRANK 1\n"
                      f"DIMENSION-SIZES {raw.stat().st_size // 4}\nOUTPUT-CLASS FP\nOUTPUT-SIZE 32\n")
    subprocess.run(["h5import", raw, "-c", config, "-o", copy], stdout=subprocess.DEVNULL, check=True)
    raw.unlink()
    return copy


def of_hdf5(bench):
    if shutil.which("h5diff") is None or shutil.which("h5import") is None:
        for line in ("", "Not measured beside h5diff: it is not installed (Debian's hdf5-tools has it)."):
            say(line)
        return
    heading("Beside h5diff, on the same array", "work", "x as fast")
    files = bench.pair("one", 64)
    copies = [hdf5_copy(bench, file) for file in files]
    subprocess.run(["cat", *copies], stdout=subprocess.DEVNULL, check=True)
    mine, theirs = bench.times(bench.program("ckpt-diff", "-q", *files), ["h5diff", "-q", *map(str, copies)])
    row("diff, f32, one tensor of 64 MiB, all changed", f"{theirs / mine:.0f}")
    old = files[0]
    mine, theirs = bench.times(bench.program("ckpt-diff", "-q", old, old), ["h5diff", "-q", str(copies[0]), str(copies[0])])
    row("diff, a file and itself", f"{theirs / mine:.0f}")


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


def write_results():
    text = RESULTS.read_text()
    head, rest = text.split(BEGIN, 1)
    RESULTS.write_text(head + "\n".join([BEGIN, "", *lines, "", END]) + rest.split(END, 1)[1])
    print(f"written to {RESULTS.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/bench", help="where the programs are")
    parser.add_argument("--work", default="build/bench/files", help="where the checkpoints go (6 GiB; 20 with --large)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--torch", metavar="SCRIPT")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", default="", metavar="PART,..", help="parts of the table")
    parser.add_argument("--write", action="store_true", help="put the tables into tests/bench/RESULTS.md")
    options = parser.parse_args()
    bench = Bench(options)
    parts = {"reading": lambda: of_reading(bench), "growth": lambda: of_growth(bench, options.large),
             "many": lambda: of_many(bench, options.large), "memory": lambda: of_memory(bench),
             "start": lambda: of_starting(bench), "cold": lambda: of_cold(bench), "hdf5": lambda: of_hdf5(bench)}
    if options.torch:
        parts["torch"] = lambda: of_torch(bench, options.torch)
    wanted = options.only.split(",") if options.only else list(parts)
    if unknown := [part for part in wanted if part not in parts]:
        parser.error(f"no part {unknown[0]}: there are {', '.join(parts)}")
    if options.write and options.only:
        parser.error("--write needs all parts: drop --only")
    say(f"Measured on {machine()}; the shortest of {options.runs} runs, each beside its limit.")
    for part in wanted:
        parts[part]()
    if options.write:
        write_results()
    return 0


if __name__ == "__main__":
    sys.exit(main())
