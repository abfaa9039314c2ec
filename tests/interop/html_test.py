#!/usr/bin/env python3
"""Opens the pages of --format html in a real browser: they render, nothing is loaded, no error is in the console,
they work by keyboard, without their script, in both color schemes, and with 10,000 tensors.

    tests/interop/html_test.py --bin build/release

Exit status: 0 all of it holds (or Chromium is not installed: "skipped"), 1 something does not.
"""

import argparse
import array
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from browser import Browser, find_chromium

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
LIMIT = 2_000_000  # bytes of a page
SECONDS = 2.0  # until a page is loaded, and until a search is done

HOSTILE = ["<script>window.hit = 1</script>", "</script><script>window.hit = 2</script>", "<img src=x onerror=hit=3>",
           "\" onclick=\"hit=4", "a\u202egpj.exe", "line\nbreak\tand\x1b[31m", "x" * 65536, "<b>" * 500, "'&quot;&amp;",
           "layers.0.\u2066weight\u2069"]


def write_safetensors(path, tensors, seed):
    """{name: shape}; the elements are random."""
    source = random.Random(seed)
    header, data = {}, []
    offset = 0
    for name, shape in tensors.items():
        count = 1
        for size in shape:
            count *= size
        block = array.array("f", (source.gauss(0, 0.02) for _ in range(count))).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        data.append(block)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def many_tensors():
    tensors = {"embed_tokens.weight": [64, 8], "lm_head.weight": [64, 8]}
    for layer in range(12):
        for expert in range(208):
            for role in ("w1", "w2", "w3", "gate"):
                tensors[f"layers.{layer}.experts.{expert}.{role}.weight"] = [4, 4]
    return tensors


class Checker:
    def __init__(self, programs, folder, browser):
        self.programs, self.folder, self.browser = programs, folder, browser
        self.failed = 0
        self.checks = 0

    def check(self, holds, text):
        self.checks += 1
        if not holds:
            self.failed += 1
            print(f"FAILED: {text}")

    def write(self, name, program, *arguments):
        page = self.folder / f"{name}.html"
        run = subprocess.run([self.programs / program, "--report", f"html={page}", *arguments], cwd=self.folder,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        self.check(page.exists(), f"{name}: {program} wrote no page: {run.stderr}")
        self.check(page.stat().st_size < LIMIT, f"{name}: {page.stat().st_size} bytes")
        return page

    def open(self, path, what):
        page = self.browser.page()
        page.seconds = page.load(path.as_uri())
        title = page.evaluate("document.title")
        self.check("ckpt-" in title, f"{what}: its title is {title!r}")
        self.check(page.evaluate("document.querySelector('h1').getBoundingClientRect().height") > 10, f"{what}: no heading")
        self.check(not page.evaluate("document.getElementById('tools').hidden"), f"{what}: its script did not run")
        self.check(page.evaluate("getComputedStyle(document.body).margin") == "0px", f"{what}: its style was not used")
        self.check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what}: wider than the window")
        self.check(page.evaluate("document.scripts.length") == 1, f"{what}: more than one script")
        self.check(page.evaluate("typeof window.hit") == "undefined", f"{what}: a name was run")
        return page

    def close(self, page, what):
        for problem in page.problems():
            self.check(False, f"{what}: {problem}")
        page.socket.stream.close()


def visible_rows(page):
    return page.evaluate("Array.from(document.querySelectorAll('[data-s]')).filter((e) => !e.hidden).length")


def search(page, text):
    """Seconds that the search took."""
    page.evaluate(f"var q = document.getElementById('q'); q.value = {json.dumps(text)};"
                  "document.getElementById('found').textContent = '?'; q.dispatchEvent(new Event('input'))")
    start = time.monotonic()
    while time.monotonic() - start < 10 and page.evaluate("document.getElementById('found').textContent") == "?":
        time.sleep(0.02)
    return time.monotonic() - start


def check_keyboard(checker, page):
    page.evaluate("document.activeElement.blur()")
    for _ in range(4):
        page.press("Tab")
        if page.evaluate("document.activeElement.id") == "q":
            break
    checker.check(page.evaluate("document.activeElement.id") == "q", "Tab does not reach the search")
    for _ in range(40):
        page.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    checker.check(page.evaluate("document.activeElement.tagName") == "SUMMARY", "Tab does not reach a fold")
    before = page.evaluate("document.activeElement.parentElement.open")
    page.press("Enter", text="\r")
    checker.check(page.evaluate("document.activeElement.parentElement.open") != before, "Enter does not unfold")
    page.evaluate("document.activeElement.blur()")
    page.press("/", code="Slash", text="/")
    checker.check(page.evaluate("document.activeElement.id") == "q", "/ does not reach the search")


def check_search(checker, page):
    everything = visible_rows(page)
    search(page, "layers.3 mlp")
    some = visible_rows(page)
    checker.check(0 < some < everything, f"a search shows {some} of {everything} lines")
    search(page, "no such name anywhere")
    checker.check(visible_rows(page) == 0, "a search for what is not there shows lines")
    search(page, "")
    checker.check(visible_rows(page) == everything, "an empty search does not show everything again")


def check_sort(checker, page):
    column = ("Array.from(document.querySelector('table.sortable').tHead.rows[0].cells)"
              ".findIndex((c) => c.textContent.startsWith('rel L2'))")
    values = (f"Array.from(document.querySelector('table.sortable').tBodies[0].rows, (r) => parseFloat(r.cells[{column}]"
              ".textContent)).filter((v) => !Number.isNaN(v))")
    button = f"document.querySelector('table.sortable').tHead.rows[0].cells[{column}].querySelector('button')"
    page.evaluate(button + ".click()")
    down = page.evaluate(values)
    page.evaluate(button + ".click()")
    up = page.evaluate(values)
    checker.check(len(down) > 5 and down == sorted(down, reverse=True), "the first click does not sort downwards")
    checker.check(up == sorted(up), "the second click does not sort upwards")


def check_schemes(checker, page):
    colors = []
    for scheme in ("light", "dark"):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colors.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    checker.check(colors[0] != colors[1], f"both color schemes are {colors[0]}")
    page.call("Emulation.setEmulatedMedia", features=[])
    printed = page.call("Page.printToPDF")
    checker.check(len(printed["data"]) > 10_000, "it prints as nothing")
    page.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    checker.check(page.evaluate("document.documentElement.scrollWidth <= 400"), "wider than a telephone")
    page.call("Emulation.clearDeviceMetricsOverride")


def check_without_script(checker, path):
    page = checker.browser.page()
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.load(path.as_uri())
    text = page.call("Runtime.evaluate", expression="document.body.textContent", returnByValue=True)["result"]["value"]
    checker.check("mlp.down_proj.weight" in text, "without its script, names are missing")
    checker.check(page.evaluate("document.getElementById('tools').hidden"), "without its script, a search is offered")
    for problem in page.problems():
        if "script" not in problem.lower():
            checker.check(False, f"without its script: {problem}")
    page.socket.stream.close()


def check_pictures(checker, page, what):
    count = page.evaluate("document.querySelectorAll('svg[role=img]').length")
    checker.check(count > 0, f"{what}: no picture")
    named = page.evaluate("Array.from(document.querySelectorAll('svg[role=img]')).filter((s) => s.getAttribute("
                          "'aria-labelledby').split(' ').every((id) => document.getElementById(id).textContent)).length")
    checker.check(named == count, f"{what}: {count - named} pictures without a text alternative")
    tables = page.evaluate("Array.from(document.querySelectorAll('figure')).filter((f) => !f.querySelector('table')).length")
    checker.check(tables == 0, f"{what}: {tables} pictures without their numbers")
    clipped = page.evaluate("Array.from(document.querySelectorAll('svg[role=img]')).filter((s) => { const b = s.getBBox();"
                            " const v = s.viewBox.baseVal; return b.x < -1 || b.y < -1 || b.x + b.width > v.width + 1 ||"
                            " b.y + b.height > v.height + 1; }).length")
    checker.check(clipped == 0, f"{what}: {clipped} pictures are cut")


def check_small(checker):
    pair = FIXTURES / "pairs" / "transformer-finetune"
    path = checker.write("diff", "ckpt-diff", pair / "old.ckpt", pair / "new.ckpt")
    page = checker.open(path, "diff")
    check_pictures(checker, page, "diff")
    check_search(checker, page)
    check_sort(checker, page)
    check_keyboard(checker, page)
    check_schemes(checker, page)
    checker.close(page, "diff")
    check_without_script(checker, path)

    page = checker.open(checker.write("show", "ckpt-show", "--stats", pair / "new.ckpt"), "show")
    check_pictures(checker, page, "show")
    checker.close(page, "show")

    lint = checker.write("lint", "ckpt-lint", FIXTURES / "variants" / "nan_weight.ckpt",
                         FIXTURES / "variants" / "scheduler_lr_drift.ckpt", FIXTURES / "broken" / "lfs_pointer.ckpt")
    page = checker.open(lint, "lint")
    checker.check(page.evaluate("document.querySelectorAll('details.rule').length") >= 2, "lint: no rules")
    checker.check(page.evaluate("document.querySelectorAll('.why').length") >= 2, "lint: no explanation")
    checker.close(page, "lint")
    for name in ("nan-appeared", "frozen-backbone", "lora-merged"):
        files = sorted((FIXTURES / "pairs" / name).glob("[no]*.*"), reverse=True)
        page = checker.open(checker.write(name, "ckpt-diff", *files), name)
        checker.close(page, name)


def check_hostile(checker):
    write_safetensors(checker.folder / "old.safetensors", {name: [3] for name in HOSTILE}, 1)
    write_safetensors(checker.folder / "new.safetensors", {name: [3] for name in HOSTILE}, 2)
    for program, arguments in (("ckpt-diff", ["old.safetensors", "new.safetensors"]),
                               ("ckpt-show", ["--stats", "new.safetensors"]), ("ckpt-lint", ["new.safetensors"])):
        what = f"hostile names in {program}"
        page = checker.open(checker.write("hostile-" + program, program, *arguments), what)
        checker.check(page.evaluate("document.images.length") == 0, f"{what}: an image")
        checker.check(page.evaluate("document.querySelectorAll('[onclick], [onerror], [style]').length") == 0,
                      f"{what}: attributes")
        search(page, "script")
        checker.close(page, what)


def check_large(checker):
    tensors = many_tensors()
    write_safetensors(checker.folder / "large-a.safetensors", tensors, 1)
    write_safetensors(checker.folder / "large-b.safetensors", tensors, 2)
    for program, arguments in (("ckpt-diff", ["large-a.safetensors", "large-b.safetensors"]),
                               ("ckpt-show", ["--stats", "large-b.safetensors"])):
        what = f"{len(tensors)} tensors in {program}"
        page = checker.open(checker.write("large-" + program, program, *arguments), what)
        checker.check(page.seconds < SECONDS, f"{what}: loaded in {page.seconds:.1f} s")
        taken = search(page, "layers.7 experts.12 w2")
        checker.check(taken < SECONDS, f"{what}: searched in {taken:.1f} s")
        print(f"{what}: {(checker.folder / f'large-{program}.html').stat().st_size} bytes, loaded in {page.seconds:.2f} s, "
              f"searched in {taken:.2f} s")
        checker.close(page, what)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release", help="where the programs are")
    options = parser.parse_args()
    program = find_chromium()
    if program is None:
        print("html_test: skipped: no Chromium is installed (Debian: apt-get install chromium)")
        return 0
    with tempfile.TemporaryDirectory() as folder, Browser(program) as browser:
        checker = Checker(options.bin.resolve(), Path(folder), browser)
        check_small(checker)
        check_hostile(checker)
        check_large(checker)
    print(f"html_test: {checker.checks} checks, {checker.failed} failed")
    return 1 if checker.failed else 0


if __name__ == "__main__":
    sys.exit(main())
