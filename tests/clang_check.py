#!/usr/bin/env python3
"""Compiles every file of a compile_commands.json with clang, all warnings as errors, without making objects.

    tests/clang_check.py build/clang

What headers of the standard library and of dependencies cost is paid once, in a precompiled header.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

HEADERS = """algorithm array bitset charconv cmath cstdint cstring deque filesystem fstream functional iostream
iterator limits map memory mutex optional set span sstream string string_view thread unordered_map utility variant
vector fmt/format.h doctest/doctest.h nlohmann/json.hpp yaml-cpp/yaml.h""".split()


def precompile(build, compiler):
    header = build / "clang_check.h"
    header.write_text("".join(f"#include <{name}>\n" for name in HEADERS))
    pch = build / "clang_check.pch"
    # The options that a precompiled header must share with what includes it: those of the preset `clang`.
    subprocess.run([compiler, "-std=c++20", "-g", "-D_GLIBCXX_ASSERTIONS", "-Wno-everything", "-x", "c++-header",
                    header, "-o", pch], check=True)
    return pch


def check(entry, pch):
    words = shlex.split(entry["command"])
    words = words[:words.index("-o")] + words[words.index("-c"):]
    words[words.index("-c")] = "-fsyntax-only"
    words = [word for word in words if word != "-pthread"]  # a precompiled header must have it everywhere or nowhere
    wide = any(word.startswith("-mavx") for word in words)  # and the header must be for the same instructions
    shared = [] if wide else ["-include-pch", str(pch)]
    done = subprocess.run([*words, *shared], cwd=entry["directory"], capture_output=True, text=True)
    return entry["file"], done.returncode, done.stdout + done.stderr


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    entries = json.loads((build / "compile_commands.json").read_text())
    pch = precompile(build, shlex.split(entries[0]["command"])[0])
    begin, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for file, status, output in pool.map(lambda entry: check(entry, pch), entries):
            if status != 0:
                failed += 1
                print(f"{file}\n{output}", flush=True)
    print(f"{len(entries)} files, {failed} failed, {time.monotonic() - begin:.0f} s")
    return 1 if failed or not entries else 0


sys.exit(main())
