#!/usr/bin/python3
"""Times whole programs on two checkpoints of your own against limits in the same run.

usage: programs.py [--bin FOLDER] [--runs N] OLD NEW

The limits are `cat` (reading both files) and, where the script of a PyTorch user is given with --against,
that script. Every command runs in turn, N times after one warm-up; printed are medians of the wall time and
ratios to `cat`. Nothing is asserted: a benchmark is no test.
"""
import argparse
import statistics
import subprocess
import sys
import time


def wall(command):
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/bench", help="where the programs are")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", help="a further command; OLD and NEW are appended")
    parser.add_argument("old")
    parser.add_argument("new")
    options = parser.parse_args()
    files = [options.old, options.new]
    commands = {
        "cat": ["cat", *files],
        "ckpt-diff": [f"{options.bin}/ckpt-diff", "-q", *files],
        "ckpt-lint": [f"{options.bin}/ckpt-lint", "-q", *files],
        "ckpt-show --stats": [f"{options.bin}/ckpt-show", "-q", "--stats", options.old],
    }
    if options.against:
        commands[options.against] = [*options.against.split(), *files]
    times = {name: [] for name in commands}
    for run in range(options.runs + 1):
        for name, command in commands.items():
            seconds = wall(command)
            if run > 0:
                times[name].append(seconds)
    floor = statistics.median(times["cat"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{median:8.3f} s  {median / floor:6.2f} x cat  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
