#!/usr/bin/env python3
"""Markdown reports, rendered as GitHub does (cmark-gfm): names of files and of keys stay names.

    tests/interop/markdown_test.py --bin build/release
"""

import argparse
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from html.parser import HTMLParser
from pathlib import Path

TAGS = {"p", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "b", "br", "details", "summary"}
NAMES = ["<img src=x onerror=alert(1)>", "</details>", "</code><script>", "<!-- x", "a|b", "a\\|b", "a\\", "`", "``x`", "`a`|`b`",
         "[x](http://y.example)", "[x](y)", "![x](y)", "[x][y]", "[x]: y", "[[x]]", "[^1]", "@octocat", "a@b.example", "#1",
         "org/repo#12", "GH-12", "!12", "~3", "$x$", "http://x.example/y", "www.x.example", "*a*", "**a**", "_a_", "__a__", "~~a~~",
         "# a", "- a", "1. a", "> a", "---", "    a", "&lt;b&gt;", "&#64;octocat", ":smile:", "deadbeef1", "a\nb\n\n# c", "\\@a",
         "{+ a +}", "[- a -]", "x<br>y", "a  b", "*|*", "\\*a\\*", "|", "||", "\\", "***", "a`b``c", "\u202ea", "\x1b[31m", "é <é>"]
# What services make of the words of a rendered text, outside of code.
SERVICES = re.compile(r"(^|\W)@\w|#\d|\bGH-\d|\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b|:\w+:|(^|\s)[!~$]\w|://|www\.")


class Page(HTMLParser):
    def __init__(self, markdown):
        super().__init__()
        self.tags, self.code, self.words, self.inside = set(), [], "", 0
        self.feed(subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough"],
                                 input=markdown.encode(), stdout=subprocess.PIPE, check=True).stdout.decode())

    def handle_starttag(self, tag, _):
        self.tags.add(tag)
        if tag == "code":
            self.inside += 1
            self.code.append("")

    def handle_endtag(self, tag):
        self.inside -= tag == "code"
        self.words += "\n"

    def handle_comment(self, data):
        self.tags.add("a comment")

    def handle_data(self, data):
        if self.inside:
            self.code[-1] += data
        else:
            self.words += data


def checkpoint(path, content):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
        file.writestr("archive/version", "3\n")


def one_line(name):
    """As the programs write it: control characters are escaped."""
    return re.sub(r"[\x00-\x1f\u202e]", lambda m: f"\\u{ord(m.group()):04x}", name)


def problems(markdown, names):
    page = Page(markdown)
    found = [f"the tag {tag}" for tag in page.tags - TAGS]
    if (match := SERVICES.search(page.words)) is not None:
        found.append(f"a service would see {match.group()!r} in {page.words[max(0, match.start() - 60):match.end() + 60]!r}")
    if len(markdown.encode()) > 60000:
        found.append("too long")
    squeezed = " ".join((page.words + " ".join(page.code)).split())
    for name in names:
        if " ".join(one_line(name).split()) not in squeezed:
            found.append(f"{one_line(name)!r} is not shown")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=Path)
    programs = parser.parse_args().bin.resolve()
    if shutil.which("cmark-gfm") is None:
        print("markdown_test: skipped: cmark-gfm is not installed")
        return 0
    count = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            base, new = Path(folder) / "base", Path(folder) / (name.replace("/", "\u2215") + " ")
            checkpoint(base, {"epoch": 1, name: 1, "same": name, "value": "x"})
            checkpoint(new, {"epoch": 1, name + "2": 2, "same": name, "value": name})
            for words in (["ckpt-diff", base, new], ["ckpt-lint", new], ["ckpt-show", new]):
                done = subprocess.run([programs / words[0], "--format", "markdown", *words[1:]], capture_output=True, cwd=folder)
                count += 1
                shown = [name] if words[0] == "ckpt-diff" and len(name) < 60 and name.strip() == name else []
                for problem in problems(done.stdout.decode(), shown):
                    failed += 1
                    print(f"markdown_test: FAILED: {words[0]} with {name!r}: {problem}", file=sys.stderr)
            new.unlink()
    print(f"markdown_test: {count} reports of {len(NAMES)} names, {failed} problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
