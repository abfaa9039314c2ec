#!/usr/bin/env python3
"""Manual pages and completions, held by the programs that read them: bash, zsh, fish, groff, mandoc.

usage: shells_test.py --bin DIR [--require]

What is not installed is named and passed over; with --require that is a failure.
"""
import argparse
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("ckpt-diff", "ckpt-lint", "ckpt-show")

# What is typed, and what must be offered; the last word is completed.
EXPECTED = (
    ("ckpt-diff", ["--compa"], {"--compat"}),
    ("ckpt-diff", ["--compat", ""], {"resume", "load", "load-partial", "numeric"}),
    ("ckpt-diff", ["--sort", "re"], {"rel-l2"}),
    ("ckpt-diff", ["--only", "optim"], {"optimizers"}),
    ("ckpt-diff", ["--dtype", "bfl"], {"bfloat16"}),
    ("ckpt-diff", ["--nan", "d"], {"differ"}),
    ("ckpt-lint", ["--profile", "in"], {"inference"}),
    ("ckpt-lint", ["--explain", "weights-nonf"], {"weights-nonfinite"}),
    ("ckpt-lint", ["--select", "weights-nonf"], {"weights-nonfinite"}),
    ("ckpt-lint", ["--fail-on", ""], {"error", "warning", "note", "never"}),
    ("ckpt-lint", ["--rules", "stri"], {"strict"}),
    ("ckpt-show", ["--color", "al"], {"always"}),
    ("ckpt-show", ["--stat"], {"--stats"}),
    ("ckpt-show", ["--print-completion", ""], {"bash", "zsh", "fish"}),
)
ABSENT = (("ckpt-show", ["--compa"], "--compat"), ("ckpt-show", ["--format", "sar"], "sarif"))


def fail(what, seen=""):
    print(f"shells_test: {what}\n{seen}", file=sys.stderr)
    sys.exit(1)


def output(command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, **more).stdout


def bash_offers(script, program, words):
    function = "_" + program.replace("-", "_")
    typed = " ".join(f"'{word}'" for word in [program, *words])
    return set(output(["bash", "--norc", "-c",
                       f"source '{script}'; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; {function} 2>/dev/null; "
                       'printf "%s\\n" "${COMPREPLY[@]}"']).split())


def fish_offers(script, program, words):
    lines = output(["fish", "--no-config", "-c", f"source '{script}'; complete -C'{' '.join([program, *words])}'"]).splitlines()
    return {line.split("\t")[0] for line in lines}


class Terminal:
    """An interactive shell that is typed at."""

    def __init__(self, command, **variables):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.execvpe(command[0], command, {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": "/nonexistent", **variables})

    def type(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, pattern, seconds=30):
        seen, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    seen += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            if re.search(pattern, seen):
                return seen
        fail(f"waited in vain for {pattern!r}", seen)
        return seen

    def close(self):
        os.close(self.fd)
        os.waitpid(self.child, 0)


def test_bash(bin_dir, folder):
    for program in PROGRAMS:
        script = folder / f"{program}.bash"
        script.write_text(output([f"{bin_dir}/{program}", "--print-completion", "bash"]))
        for name, words, expected in EXPECTED:
            if name == program and not expected <= (seen := bash_offers(script, program, words)):
                fail(f"bash: {program} {words}: expected {expected}", seen)
        for name, words, unwanted in ABSENT:
            if name == program and unwanted in (seen := bash_offers(script, program, words)):
                fail(f"bash: {program} {words} offers {unwanted}", seen)
    lint, diff = folder / "ckpt-lint.bash", folder / "ckpt-diff.bash"
    for script, program, words, expected in (
            (lint, "ckpt-lint", ["--select", "container-crc,weights-nonf"], {"container-crc,weights-nonfinite"}),
            (diff, "ckpt-diff", ["--sort", "=", "re"], {"rel-l2"}),  # --sort=re, as bash splits it
            (diff, "ckpt-diff", ["--sort", "="], {"change", "rel-l2", "max", "name"}),
            (diff, "ckpt-diff", ["--report", "sar"], {"sarif="}),
            (diff, "ckpt-diff", ["--report", "sarif", "=", "fi"], set()),  # files: readline's
            (diff, "ckpt-diff", ["-f", "sar"], {"sarif"}),
            (diff, "ckpt-diff", ["--", "--so"], set()),
            (diff, "ckpt-diff", ["--width", ""], set())):
        if bash_offers(script, program, words) != expected:
            fail(f"bash: {program} {words}: expected {expected}", bash_offers(script, program, words))
    shell = Terminal(["bash", "--norc", "-i"], PS1="ready> ")
    shell.read_until("ready> ")
    shell.type(f"cd {folder}; touch 'a file.ckpt'; source ckpt-diff.bash\n")
    shell.read_until("ready> ")
    shell.type("ckpt-diff a\t")
    shell.read_until(r"a\\ file\.ckpt")  # readline quotes names
    shell.close()


def test_zsh(bin_dir, folder):
    functions = folder / "zsh"
    functions.mkdir()
    for program in PROGRAMS:
        (functions / f"_{program}").write_text(output([f"{bin_dir}/{program}", "--print-completion", "zsh"]))
    shell = Terminal(["zsh", "-f", "-i"], PS1="ready> ")
    shell.read_until("ready> ")
    shell.type(f"cd {folder}; fpath=({functions} $fpath); autoload -U compinit; compinit -u -d {folder}/dump; "
               "setopt no_list_ambiguous; LISTMAX=10000; PS1='set''> '\n")
    shell.read_until("set> ")
    for program, words, expected in EXPECTED:
        shell.type(f"{program} {' '.join(words)}\t\t")
        shell.read_until("(?s)" + "".join(f"(?=.*{re.escape(one)})" for one in expected))
        shell.type("\x15\n")  # kills the line
        shell.read_until("set> ")
    shell.type("ckpt-lint --select=container-crc,weights-nonf\t")
    shell.read_until("weights-nonfinite")
    shell.close()


def test_fish(bin_dir, folder):
    for program in PROGRAMS:
        script = folder / f"{program}.fish"
        script.write_text(output([f"{bin_dir}/{program}", "--print-completion", "fish"]))
        subprocess.run(["fish", "--no-config", "--no-execute", str(script)], check=True)
        for name, words, expected in EXPECTED:
            if name == program and not expected <= (seen := fish_offers(script, program, words)):
                fail(f"fish: {program} {words}: expected {expected}", seen)
        for name, words, unwanted in ABSENT:
            if name == program and unwanted in (seen := fish_offers(script, program, words)):
                fail(f"fish: {program} {words} offers {unwanted}", seen)
    seen = fish_offers(folder / "ckpt-lint.fish", "ckpt-lint", ["--select", "container-crc,weights-nonf"])
    if "container-crc,weights-nonfinite" not in seen:
        fail("fish: a list of rules", seen)


def pages(bin_dir, folder):
    for program in PROGRAMS:
        page = folder / f"{program}.1"
        page.write_text(output([f"{bin_dir}/{program}", "--print-man"]))
        yield program, page


def test_groff(bin_dir, folder):
    for program, page in pages(bin_dir, folder):
        done = subprocess.run(["groff", "-Kutf8", "-man", "-Tutf8", "-ww", "-z", str(page)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0 or done.stderr:
            fail(f"groff warns of {program}'s page", done.stderr)
        text = output(["groff", "-Kutf8", "-man", "-Tutf8", "-P-cbou", str(page)])
        plain = " ".join(text.replace("\u2010\n", "").split())
        for option in re.findall(r"^ +(?:-., )?(--[a-z0-9-]+)", output([f"{bin_dir}/{program}", "--help"]), re.MULTILINE):
            if option not in plain:
                fail(f"{program}'s page has no {option}", text)
        for example in re.findall(rf"^  ({program} .*)$", output([f"{bin_dir}/{program}", "--help"]), re.MULTILINE):
            if " ".join(example.split()) not in plain:
                fail(f"{program}'s page spells an example in another way: {example}", text)


def test_mandoc(bin_dir, folder):
    for program, page in pages(bin_dir, folder):
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(page)], capture_output=True, text=True, timeout=60)
        said = [line for line in done.stdout.splitlines() if "missing date" not in line]  # a date would change with each build
        if said:
            fail(f"mandoc -Tlint about {program}'s page", "\n".join(said))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--require", action="store_true")
    arguments = parser.parse_args()
    held = []
    for name, test in (("bash", test_bash), ("zsh", test_zsh), ("fish", test_fish), ("groff", test_groff), ("mandoc", test_mandoc)):
        if shutil.which(name) is None:
            print(f"shells_test: {name} is not installed, so it held nothing")
            if arguments.require:
                sys.exit(1)
            continue
        with tempfile.TemporaryDirectory() as folder:
            test(arguments.bin.resolve(), pathlib.Path(folder))
        held.append(name)
    print(f"shells_test: manual pages and completions of {len(PROGRAMS)} programs hold with {', '.join(held)}")


if __name__ == "__main__":
    main()
