#!/usr/bin/env python3
"""What the programs do on a terminal and not in a pipe: the pager, the width, colors and links.

usage: terminal_test.py --bin DIR

Needs nothing but Python: the terminal is a pseudo-terminal of the size that each test asks for.
"""
import argparse
import fcntl
import os
import pathlib
import pty
import struct
import subprocess
import sys
import termios

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
LAST = "valid/lightning-2.6.5/base/last.ckpt"
PAIR = ["pairs/transformer-finetune/old.ckpt", "pairs/transformer-finetune/new.ckpt"]


def on_terminal(command, columns=80, rows=24, **variables):
    """Output and status of a command whose input and output are a terminal."""
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **variables}
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.chdir(FIXTURES)
        os.execve(command[0], command, environment)
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        output += piece
    _, status = os.waitpid(child, 0)
    return output.decode("utf-8", "replace").replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def in_pipe(command, **variables):
    done = subprocess.run(command, cwd=FIXTURES, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], **variables})
    return done.stdout, done.returncode


def plain(text):
    """Without colors and links."""
    out, i = "", 0
    while i < len(text):
        if text[i] != "\x1b":
            out += text[i]
            i += 1
        elif text.startswith("\x1b]8;", i):
            i = text.index("\x1b\\", i) + 2
        else:
            i = text.index("m", i) + 1
    return out


def check(what, holds, seen=""):
    if holds:
        return
    print(f"terminal_test: {what}\n{seen}", file=sys.stderr)
    sys.exit(1)


def test_pager(bin_dir):
    show = [f"{bin_dir}/ckpt-show", LAST]
    paged, status = on_terminal(show, CKPT_PAGER="sed s/^/P:/")
    check("the pager gets all lines", status == 0 and all(line.startswith("P:") for line in paged.splitlines()), paged)
    own, _ = on_terminal(show, PAGER="sed s/^/Q:/", CKPT_PAGER="sed s/^/P:/")
    check("$CKPT_PAGER wins over $PAGER", own == paged, own)
    for arguments, variables in ((["--no-pager"], {"PAGER": "sed s/^/P:/"}), ([], {"PAGER": "cat"}), ([], {"PAGER": ""}),
                                 ([], {"PAGER": "no-such-pager-anywhere"}), (["--format", "json"], {"PAGER": "sed s/^/P:/"})):
        text, status = on_terminal(show + arguments, **variables)
        check(f"no pager with {arguments} {variables}", status == 0 and "P:" not in text and len(text) > 500, text)
    piped, _ = in_pipe(show, PAGER="sed s/^/P:/")
    check("no pager in a pipe", "P:" not in piped and "\x1b" not in piped, piped)
    _, status = on_terminal([f"{bin_dir}/ckpt-diff", *PAIR], PAGER="head -n 3")
    check("a pager that ends early does not change the status", status == 1)
    _, status = on_terminal([f"{bin_dir}/ckpt-lint", "variants/nan_weight.ckpt"], PAGER="sed s/^/P:/")
    check("the status of the program is its own, not the pager's", status == 1)


def test_width(bin_dir):
    commands = ([f"{bin_dir}/ckpt-show", "--no-pager", LAST], [f"{bin_dir}/ckpt-diff", "--no-pager", *PAIR],
                [f"{bin_dir}/ckpt-lint", "--no-pager", "variants/nan_weight.ckpt", "variants/scheduler_lr_drift.ckpt"])
    for command in commands:
        for columns in (80, 120, 200):
            text, _ = on_terminal(command, columns=columns)
            wide = [line for line in plain(text).splitlines() if len(line) > columns]
            check(f"{command[0]} fits {columns} columns", not wide, "\n".join(wide))
    text, _ = on_terminal(commands[1], columns=80)
    joined = " ".join(plain(text).split())
    check("no reason is cut at 80 columns", "raises ValueError: group sizes differ from the base" in joined, text)
    text, _ = on_terminal(commands[2], columns=80)
    joined = " ".join(plain(text).split())
    check("no message is cut at 80 columns", "only one of them was set, or a manual warm-up moves it" in joined, text)


def test_links(bin_dir):
    lint = [f"{bin_dir}/ckpt-lint", "--no-pager", "variants/nan_weight.ckpt"]
    link = "\x1b]8;;https://github.com/ckpt-tools/ckpt/"
    check("links where the terminal is known to have them", link in on_terminal(lint, VTE_VERSION="6800")[0])
    check("no links where it is not", link not in on_terminal(lint)[0])
    check("no links without colors", link not in on_terminal(lint, VTE_VERSION="6800", NO_COLOR="1")[0])
    check("no links in a pipe", link not in in_pipe(lint, VTE_VERSION="6800")[0])
    check("forced links", link in in_pipe(lint, FORCE_HYPERLINK="1")[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    bin_dir = parser.parse_args().bin.resolve()
    for test in (test_pager, test_width, test_links):
        test(bin_dir)
    print("terminal_test: pager, widths and links are right")


if __name__ == "__main__":
    main()
