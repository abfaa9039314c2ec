#!/usr/bin/env python3
"""Holds ckpt-show against real torch: every tensor of every file, number by number.

    tests/interop/torch_oracle.py [--ckpt-show PROGRAM] [--values] [--verbose] [FILE|FOLDER...]

Without arguments: fixtures/valid. Exit status: 0 all agree (or torch is not installed: "skipped"), 1 a difference.
torch.load runs what the files say: only point this at files you trust.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = (".ckpt", ".pt", ".pth", "")


# --- our spelling of a place (src/value/path.h) ----------------------------------------------------------
def spell(steps):
    path = ""
    for kind, value in steps:
        if kind == "part":
            path += f".{value}"
        elif isinstance(value, str):
            path += dotted(path, value)
        elif isinstance(value, type):  # Lightning up to 1.4 keys callbacks by their class
            path += f"[<class {value.__module__}.{value.__qualname__}>]"
        else:
            path += f"[{value!r}]"
    return path or "<root>"


def dotted(path, key):
    if key.isascii() and key.isidentifier():
        return f".{key}" if path else key
    return f"[{quote(key)}]"


_INVISIBLE = [(0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200F), (0x2028, 0x202E),
              (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F)]


def quote(text):
    """JSON with other scripts as they are; what cannot be seen is escaped, beyond the BMP as a pair."""
    out = []
    for char in text:
        code = ord(char)
        hidden = 0xD800 <= code <= 0xDFFF or any(low <= code <= high for low, high in _INVISIBLE)
        out.append(json.dumps(char)[1:-1] if hidden else json.dumps(char, ensure_ascii=False)[1:-1])
    return '"' + "".join(out) + '"'


# --- comparing -------------------------------------------------------------------------------------------
def close(ours, torchs, scale):
    """Sums in another order: a relative error of the size of a few rounding errors, measured at the data's scale."""
    ours, torchs = number(ours), number(torchs)
    if ours is None or torchs is None:
        return empty(ours) and empty(torchs)
    if isinstance(torchs, list) or isinstance(ours, list):
        ours = ours if isinstance(ours, list) else [ours, None]
        return all(b is None or a is None or close(a, b, scale) for a, b in zip(ours, torchs))
    if not math.isfinite(torchs) or not math.isfinite(ours):
        return ours == torchs or (math.isnan(ours) and math.isnan(torchs)) or scale > 1e150
    return math.isclose(ours, torchs, rel_tol=1e-9, abs_tol=1e-9 * scale)


def number(value):
    return float(value) if isinstance(value, (int, str)) else value


def empty(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


EXACT = ("nan", "posinf", "neginf", "zeros", "min", "max")


def tensor_differences(ours, torchs):
    """Texts "field: ours X, torch Y"."""
    for field in ("dtype", "shape", "stride", "requires_grad", "numel"):
        if field in torchs and ours.get(field) != torchs[field]:
            yield difference(field, ours, torchs)
    if "sha256" not in torchs:  # meta, sparse as a whole, nested: no elements of its own
        return
    if ours.get("sha256") != torchs["sha256"]:
        yield difference("sha256", ours, torchs)
    if "stats_error" in torchs:
        return  # torch has no numbers
    scale = max((abs(number(torchs.get(f)) or 0) for f in ("min", "max", "std") if not_infinite(torchs.get(f))), default=1.0)
    for field in EXACT:
        if field in torchs and not same(ours.get(field), torchs[field]):
            yield difference(field, ours, torchs)
    for field in ("mean", "std"):
        if torchs.get(field) is not None and not close(ours.get(field), torchs[field], scale or 1.0):
            yield difference(field, ours, torchs)


def difference(field, ours, torchs):
    return f"{field}: ours {ours.get(field)!r}, torch {torchs.get(field)!r}"


def not_infinite(value):
    return value is not None and math.isfinite(number(value))


def same(ours, torchs):
    """null and "nan" both say: there is no such element."""
    if ours == torchs or (empty(ours) and torchs is None):
        return True
    if isinstance(torchs, bool) or isinstance(ours, (str, bool)) and isinstance(torchs, int):
        return str(int(ours) if isinstance(ours, bool) else ours) == str(int(torchs))
    return False


def sharing_differences(pairs):
    """The same tensors must share storages on both sides: storages map one to one."""
    forward, backward = {}, {}
    for path, ours, torchs in pairs:
        if "alias" not in torchs or ours.get("storage") is None:
            continue
        a, b = str(ours["storage"]), torchs["alias"]
        if forward.setdefault(a, b) != b or backward.setdefault(b, a) != a:
            yield f"{path}: storage sharing: ours {a!r} goes with torch's {forward[a]!r}, here torch has {b!r}"


def value_differences(ours, leaves):
    for path, value in leaves.items():
        if path not in ours:
            yield f"{path}: torch has {value!r}, ckpt-show has nothing there"
        elif not same_value(ours[path], value):
            yield f"{path}: ours {ours[path]!r}, torch {value!r}"


def same_value(ours, value):
    if isinstance(value, float) and isinstance(ours, (int, float)) or ours in ("nan", "inf", "-inf"):
        return number(ours) == value or (math.isnan(value) and empty(number(ours)))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(ours) == str(value)
    if isinstance(value, str):  # JSON has no lone surrogates: ckpt-show replaces their bytes
        value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return ours == value and isinstance(ours, bool) == isinstance(value, bool)


# --- one file --------------------------------------------------------------------------------------------
def show(program, file):
    command = [program, "--format", "json", "--stats", "--digest", "--", str(file)]
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if run.returncode != 0:
        return None, f"status {run.returncode}: {run.stderr.decode(errors='replace').strip() or 'no message'}"
    return json.loads(run.stdout), ""


def torch_side(oracle, root):
    """Tensors and scalars by path, and the places of objects, below which both sides may see different things."""
    import torch

    tensors, leaves, objects, aliases = {}, {}, set(), {}
    for steps, value in oracle.places(root):
        path = spell(steps)
        attribute = next((i for i, step in enumerate(steps) if step.kind in ("attr", "field")), None)
        if attribute is not None:
            objects.add(spell(steps[:attribute]))
        if torch.is_tensor(value) and value.is_nested and value.layout != torch.strided:
            objects.add(path)  # a jagged tensor is an object that torch builds from others
        elif torch.is_tensor(value):
            tensors[path] = oracle.describe(value, aliases)
        elif value is None or type(value) in (bool, int, float, str):
            leaves[path] = value
        elif not isinstance(value, (dict, list, tuple)):
            objects.add(path)
    return tensors, {p: v for p, v in leaves.items() if not below(p, objects)}, objects


def below(path, objects):
    return "<root>" in objects or any(path.startswith(place) for place in objects)


def compare(oracle, program, file, with_values):
    """(number of tensors compared, differences)."""
    try:
        root, _ = oracle.load(file)
    except Exception as error:  # whatever a foreign file makes torch raise: then there is no oracle
        return None, [f"torch cannot load it: {type(error).__name__}: {str(error).splitlines()[0]}"]
    document, trouble = show(program, file)
    if document is None:
        return 0, [trouble]
    try:
        tensors, leaves, objects = torch_side(oracle, root)
    except Exception as error:  # a tensor of a kind that this torch loads but cannot read
        return None, [f"torch cannot read it: {type(error).__name__}: {str(error).splitlines()[0]}"]
    ours = {row["path"] or "<root>": row for row in document["tensors"]}
    pairs = [(path, ours[path], torchs) for path, torchs in tensors.items() if path in ours]
    problems = [f"{path}: {text}" for path, a, b in pairs for text in tensor_differences(a, b)]
    problems += [f"{path}: torch has this tensor, ckpt-show has not"
                 for path in tensors if path not in ours and not below(path, objects)]
    problems += [f"{path}: ckpt-show has this tensor, torch has not"
                 for path in ours if path not in tensors and not below(path, objects) and ".<" not in path]
    problems += sharing_differences(pairs)
    if with_values:
        problems += value_differences({row["path"]: row.get("value") for row in document["values"]}, leaves)
    return len(pairs), problems


# --- many files ------------------------------------------------------------------------------------------
def files_of(arguments):
    for argument in map(Path, arguments):
        if argument.is_dir():
            yield from sorted(f for f in argument.rglob("*") if f.is_file() and f.suffix in SUFFIXES and not f.name.startswith("."))
        else:
            yield argument


def find_program(given):
    if given:
        return given
    built = [ROOT / "build" / preset / "ckpt-show" for preset in ("release", "debug", "asan", "clang")]
    built = [program for program in built if program.exists()]
    return str(max(built, key=os.path.getmtime)) if built else "ckpt-show"


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt-show", help="the program; default: the newest one below build/, else the PATH's")
    parser.add_argument("--values", action="store_true", help="also compare scalars that are no tensors")
    parser.add_argument("--verbose", action="store_true", help="a line for every file")
    parser.add_argument("inputs", nargs="*", metavar="FILE|FOLDER")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    try:
        import torch
    except ImportError:
        print("skipped: torch is not installed here")
        return 0
    import warnings

    warnings.simplefilter("ignore")
    sys.path.insert(0, str(ROOT / "fixtures"))
    import oracle

    program = find_program(options.ckpt_show)
    files = tensors = bad = unread = 0
    for file in files_of(options.inputs or [ROOT / "fixtures" / "valid"]):
        count, problems = compare(oracle, program, file, options.values)
        if count is None:
            unread += 1
            print(f"{file}: skipped: {problems[0]}")
            continue
        files, tensors, bad = files + 1, tensors + count, bad + bool(problems)
        if options.verbose or problems:
            print(f"{file}: {count} tensors, {len(problems)} differences")
        for problem in problems[:20]:
            print(f"  {problem}")
        if len(problems) > 20:
            print(f"  ... {len(problems) - 20} more")
    print(f"{files} files, {tensors} tensors compared with torch {torch.__version__}: {bad} files differ, {unread} skipped")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
