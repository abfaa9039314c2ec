#!/usr/bin/env python3
"""The programs with real git: REV:PATH operands, the external diff driver, textconv, LFS objects, pipes.

    tests/interop/git_test.py --bin build/release

Every test has a repository of its own. Git LFS need not be installed: its pointers and its store are plain files.
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "fixtures"
OLD, NEW = FIXTURES / "pairs/resumed/old.ckpt", FIXTURES / "pairs/resumed/new.ckpt"
NAN = FIXTURES / "variants/nan_weight.ckpt"
FOLDER = FIXTURES / "valid/formats"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failed(Exception):
    pass


def check(what, holds, *shown):
    if not holds:
        raise Failed("\n".join([what, *map(str, shown)]))


class Repo:
    def __init__(self, folder, programs):
        self.path = folder / "repo"
        self.path.mkdir()
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.programs = programs
        self.env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "TMPDIR": str(self.temp),
                    "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
                    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
        self.git("init", "-q", "-b", "main")

    def run(self, *words, cwd=None, stdin=None, env=None):
        done = subprocess.run(list(map(str, words)), cwd=cwd or self.path, env={**self.env, **(env or {})},
                              stdin=stdin or subprocess.DEVNULL, capture_output=True)
        done.out, done.err = done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")
        return done

    def git(self, *words, **options):
        done = self.run("git", *words, **options)
        check(f"git {words} works", done.returncode == 0, done.err)
        return done.out

    def put(self, name, source):
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)
        return target

    def commit(self, message="x"):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def two_commits(self, name="model.ckpt"):
        self.put(name, OLD)
        self.commit("old")
        self.put(name, NEW)
        self.commit("new")

    def setup(self, attribute="*.ckpt diff=ckpt\n"):
        """What --git-setup prints, run by a shell."""
        script = self.run("ckpt-diff", "--git-setup").out
        check("the setup is a script", self.run("sh", "-euc", script).returncode == 0)
        (self.path / ".gitattributes").write_text(attribute)

    def pointer(self, content):
        oid = hashlib.sha256(content).hexdigest()
        return oid, f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()

    def store(self, oid, content, store=None):
        path = (store or self.path / ".git/lfs") / "objects" / oid[:2] / oid[2:4] / oid
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


def body(text):
    """A report without the lines that name the files."""
    return [line for line in text.splitlines() if not line.startswith(("---", "+++"))]


@test
def a_revision_is_compared_as_its_file(repo):
    repo.two_commits()
    plain = repo.run("ckpt-diff", OLD, NEW)
    check("the files differ", plain.returncode == 1, plain.err)
    for operand in ("HEAD~1:model.ckpt", "main~1:model.ckpt", "@~1:./model.ckpt", "HEAD^{/old}:model.ckpt",
                    "HEAD@{1}:model.ckpt"):
        found = repo.run("ckpt-diff", operand, "model.ckpt")
        check(f"{operand} is the old file", body(found.out) == body(plain.out), found.out, found.err)
        check("and has its name", found.out.startswith(f"--- {operand} "), found.out)
    same = repo.run("ckpt-diff", "HEAD:model.ckpt", "model.ckpt")
    check("HEAD is the new one", same.returncode == 0, same.out, same.err)
    check("nothing is left in TMPDIR", not list(repo.temp.iterdir()))


@test
def the_index_is_a_revision(repo):
    repo.two_commits()
    repo.put("model.ckpt", OLD)
    repo.git("add", "model.ckpt")
    repo.put("model.ckpt", NEW)
    for operand in (":model.ckpt", ":0:model.ckpt", ":./model.ckpt"):
        staged = repo.run("ckpt-diff", operand, "HEAD~1:model.ckpt")
        check(f"{operand} is what is staged", staged.returncode == 0, staged.out, staged.err)


@test
def paths_are_from_the_top_or_from_here(repo):
    repo.two_commits("a/b/model.ckpt")
    here = repo.path / "a/b"
    for operand in ("HEAD:a/b/model.ckpt", "HEAD:./model.ckpt", "HEAD:../b/model.ckpt"):
        found = repo.run("ckpt-diff", operand, "model.ckpt", cwd=here)
        check(f"{operand} is found", found.returncode == 0, found.out, found.err)
    wrong = repo.run("ckpt-diff", "HEAD:model.ckpt", "model.ckpt", cwd=here)
    check("git's own hint is passed on", wrong.returncode == 2 and "a/b/model.ckpt" in wrong.err, wrong.err)


@test
def all_programs_take_revisions(repo):
    repo.two_commits()
    shown = repo.run("ckpt-show", "--format", "json", "HEAD~1:model.ckpt")
    check("ckpt-show", shown.returncode == 0 and '"path": "HEAD~1:model.ckpt"' in shown.out, shown.out[:500], shown.err)
    linted = repo.run("ckpt-lint", "--against", "HEAD~1:model.ckpt", "model.ckpt")
    plain = repo.run("ckpt-lint", "--against", OLD, "model.ckpt")
    check("ckpt-lint --against", (linted.returncode, linted.out) == (plain.returncode, plain.out), linted.out, linted.err)
    part = repo.run("ckpt-diff", "HEAD:model.ckpt#state_dict", "model.ckpt#state_dict")
    check("a part of a revision", part.returncode == 0, part.out, part.err)
    sarif = repo.run("ckpt-lint", "--format", "sarif", "--rules", "strict", "HEAD:model.ckpt")
    check("SARIF has a relative place", '"uri": "HEAD:model.ckpt"' not in sarif.out and "HEAD" in sarif.out, sarif.out[:3000])


@test
def rules_are_those_of_the_place(repo):
    repo.put("models/nan.ckpt", NAN)
    repo.put("models/.ckpt-lint.yaml", b"extends: recommended\nsuppressions:\n"
             b"  - {rule: weights-nonfinite, files: nan.ckpt, reason: a test, expires: 2099-12-31}\n")
    repo.commit()
    for operand in ("models/nan.ckpt", "HEAD:models/nan.ckpt", ":models/nan.ckpt"):
        found = repo.run("ckpt-lint", operand)
        check(f"{operand} has the suppression", found.returncode == 0 and "1 suppressed" in found.out, found.out, found.err)
    inside = repo.run("ckpt-lint", "HEAD:models/nan.ckpt", cwd=repo.path / "models")
    check("from a folder, too", inside.returncode == 0, inside.out, inside.err)


@test
def a_merge_base_is_compared(repo):
    repo.put("model.ckpt", OLD)
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "topic")
    repo.put("model.ckpt", NEW)
    repo.commit("topic")
    repo.git("checkout", "-q", "main")
    repo.put("model.ckpt", NAN)
    repo.commit("main moves on")
    repo.git("checkout", "-q", "topic")
    base = repo.git("merge-base", "main", "topic").strip()
    found = repo.run("ckpt-diff", f"{base}:model.ckpt", "topic:model.ckpt")
    check("two commits are compared", body(found.out) == body(repo.run("ckpt-diff", OLD, NEW).out), found.out, found.err)


@test
def a_file_of_that_name_wins(repo):
    repo.two_commits()
    repo.put("HEAD~1:model.ckpt", NEW)
    found = repo.run("ckpt-diff", "HEAD~1:model.ckpt", NEW)
    check("the file on disk is read", found.returncode == 0, found.out, found.err)


@test
def what_cannot_be_found_is_said_in_a_line(repo):
    repo.two_commits()
    repo.git("branch", "release")
    for operand, words in {"relaese:model.ckpt": "did you mean 'release'", "HEAD~99:model.ckpt": "no revision",
                           "HEAD:nothing.ckpt": "nothing.ckpt", ":nothing.ckpt": "nothing.ckpt"}.items():
        found = repo.run("ckpt-diff", operand, "model.ckpt")
        check(f"{operand}: status 2, one line", found.returncode == 2 and found.err.count("\n") == 1, found.err)
        check(f"{operand}: {words}", words in found.err and operand in found.err, found.err)
        check("and the same as a base", repo.run("ckpt-lint", "--against", operand, "model.ckpt").returncode == 2)
    with tempfile.TemporaryDirectory() as outside:
        found = repo.run("ckpt-show", "HEAD:model.ckpt", cwd=outside)
        check("outside of a repository", found.returncode == 2 and "not a git repository" in found.err, found.err)
    empty = repo.temp.parent / "empty"
    empty.mkdir()
    found = repo.run(repo.programs / "ckpt-show", "HEAD:model.ckpt", env={"PATH": str(empty)})
    check("without git", found.returncode == 2 and "git is not installed" in found.err, found.err)


@test
def a_shallow_clone_says_so(repo):
    repo.two_commits()
    clone = repo.temp.parent / "clone"
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.path}", clone)
    found = repo.run("ckpt-diff", "HEAD~1:model.ckpt", "model.ckpt", cwd=clone)
    check("it names the command", found.returncode == 2 and "git fetch --unshallow" in found.err, found.err)


@test
def names_that_are_no_revisions_never_reach_git(repo):
    repo.two_commits()
    trap = repo.temp.parent / "trap"
    trap.mkdir()
    log = repo.temp.parent / "called"
    (trap / "git").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexit 1\n')
    (trap / "git").chmod(0o755)
    env = {"PATH": f"{trap}:{repo.env['PATH']}"}
    for operand in ("C:\\models\\a.ckpt", "C:/models/a.ckpt", "c:a.ckpt", "https://example.org/a.ckpt", "https:a",
                    "s3://bucket/a.ckpt", "hf://org/model", ":/message", "nothing.ckpt", "model.ckpt", "ssh://x/y"):
        found = repo.run("ckpt-show", operand, env=env)
        check(f"{operand} is a path", not log.exists() and (found.returncode == 2) == (operand != "model.ckpt"), found.err)
    for operand in ("--upload-pack=touch pwned:x", "-x:model.ckpt", "--git-dir=/:x"):
        found = repo.run("ckpt-show", "--", operand, env=env)
        check(f"{operand} is a path", not log.exists() and found.returncode == 2, found.err)
    repo.run("ckpt-show", "HEAD:model.ckpt", env=env)
    check("the trap works", log.exists())


@test
def hostile_names_are_names(repo):
    names = ["-x", "--upload-pack=touch pwned", "a\nb.ckpt", "$(touch pwned)", "a;touch pwned", "a'b\".ckpt", "\u202ex.ckpt",
             ":colon.ckpt", "x{y:z.ckpt", "*.ckpt"]
    for name in names:
        repo.put(name, OLD)
    repo.commit()
    for name in names:
        for operand in (f"HEAD:{name}", f":0:{name}"):
            found = repo.run("ckpt-diff", "--", operand, OLD)
            check(f"{operand!r} is read", found.returncode == 0, found.out, found.err)
    for revision in ("--exec=touch pwned", "HEAD;touch pwned", "$(touch pwned)", "HEAD\n", "^HEAD", "a..b", "@{-9}", "HEAD^{bad}"):
        found = repo.run("ckpt-show", "--", f"{revision}:-x")
        check(f"{revision!r} is none", found.returncode == 2 and "\n" not in found.err[:-1], found.err)
    check("nothing was run", not (repo.path / "pwned").exists())
    repo.setup("* diff=ckpt\n")
    for name in names:
        repo.put(name, NEW)
    for command in (["diff"], ["diff", "HEAD"], ["log", "-p", "--ext-diff"], ["log", "-p"]):
        found = repo.git(*command)
        check(f"git {command} goes through", "different: " in found or "state_dict" in found or "(new file)" in found, found[:2000])
    check("nothing was run", not (repo.path / "pwned").exists())


@test
def a_folder_is_read_from_a_revision(repo):
    made = False
    for folder in sorted((FIXTURES / "valid").rglob(".metadata")):
        shutil.copytree(folder.parent, repo.path / "run/dcp")
        made = True
        break
    check("there is a fixture", made)
    repo.commit()
    found = repo.run("ckpt-diff", "HEAD:run/dcp", "run/dcp")
    check("it is the folder", found.returncode == 0 and "same" in found.out, found.out, found.err)
    (repo.path / "run/dcp/link").symlink_to("/etc/passwd")
    repo.commit()
    link = repo.run("ckpt-show", "HEAD:run/dcp")
    check("a link in it is refused", link.returncode == 2 and "symbolic link" in link.err, link.err)
    other = repo.run("ckpt-show", "HEAD:run")
    check("a folder of folders is no checkpoint", other.returncode == 2, other.err)
    check("nothing is left in TMPDIR", not list(repo.temp.iterdir()))


@test
def links_are_followed_within_the_revision(repo):
    repo.put("epoch=1.ckpt", OLD)
    (repo.path / "last.ckpt").symlink_to("epoch=1.ckpt")
    (repo.path / "out.ckpt").symlink_to("/etc/passwd")
    repo.commit()
    found = repo.run("ckpt-diff", "HEAD:last.ckpt", OLD)
    check("a link is its target", found.returncode == 0, found.out, found.err)
    out = repo.run("ckpt-show", "HEAD:out.ckpt")
    check("one that leads out is none", out.returncode == 2 and "symbolic link" in out.err, out.err)


@test
def lfs_pointers_are_resolved(repo):
    old, new = OLD.read_bytes(), NEW.read_bytes()
    oid, pointer = repo.pointer(old)
    repo.put("a model.ckpt", pointer)
    repo.commit()
    missing = repo.run("ckpt-diff", "HEAD:a model.ckpt", NEW)
    check("without the object it names the command",
          missing.returncode == 2 and "run: git lfs fetch origin HEAD -I 'a model.ckpt'" in missing.err, missing.err)
    path = repo.store(oid, old)
    found = repo.run("ckpt-diff", "HEAD:a model.ckpt", OLD)
    check("with it, it is the file", found.returncode == 0, found.out, found.err)
    for program in ("ckpt-show", "ckpt-diff"):
        on_disk = repo.run(program, *["a model.ckpt"] * (1 if program == "ckpt-show" else 2))
        check(f"{program} looks behind a pointer on disk", on_disk.returncode == 0, on_disk.err)
    lint = repo.run("ckpt-lint", "a model.ckpt")
    check("ckpt-lint judges what torch would load", lint.returncode == 2 and "pointer" in lint.err, lint.out, lint.err)
    against = repo.run("ckpt-lint", "--against", "HEAD:a model.ckpt", NEW)
    check("but resolves a base", against.returncode == repo.run("ckpt-lint", "--against", OLD, NEW).returncode, against.err)
    path.write_bytes(old[:-1] + b"x")
    damaged = repo.run("ckpt-show", "HEAD:a model.ckpt")
    check("a damaged object is refused", damaged.returncode == 2 and "damaged" in damaged.err, damaged.err)
    path.write_bytes(old[:-1])
    check("a short one, too", repo.run("ckpt-show", "HEAD:a model.ckpt").returncode == 2)
    path.unlink()
    repo.git("config", "lfs.storage", str(repo.temp.parent / "elsewhere"))
    repo.store(oid, old, repo.temp.parent / "elsewhere")
    check("lfs.storage is heeded", repo.run("ckpt-diff", "HEAD:a model.ckpt", OLD).returncode == 0)
    repo.git("config", "lfs.storage", "lfs2")
    repo.store(oid, old, repo.path / ".git/lfs2")
    shutil.rmtree(repo.temp.parent / "elsewhere")
    check("also a relative one", repo.run("ckpt-diff", "HEAD:a model.ckpt", OLD).returncode == 0)
    tree = repo.temp.parent / "tree"
    repo.git("worktree", "add", "-q", tree, "HEAD~0")
    check("also in another work tree", repo.run("ckpt-diff", "HEAD:a model.ckpt", OLD, cwd=tree).returncode == 0)


@test
def git_diff_shows_a_report(repo):
    repo.two_commits("models/model.ckpt")
    repo.setup()
    repo.put("models/model.ckpt", OLD)
    found = repo.git("diff")
    check("both sides have the path", found.startswith("--- models/model.ckpt ") and "\n+++ models/model.ckpt " in found, found)
    check("it is the report", body(found) == body(repo.run("ckpt-diff", NEW, OLD).out), found)
    check("git show --ext-diff", "+++ models/model.ckpt" in repo.git("show", "--ext-diff", "HEAD"))
    check("git log -p --ext-diff", repo.git("log", "-p", "--ext-diff").count("+++ models/model.ckpt") == 2)
    check("the index", "different: " in repo.git("diff", "HEAD~1", "HEAD"))
    check("from a folder", "different: " in repo.git("diff", cwd=repo.path / "models"))
    repo.put("b.ckpt", NEW)
    repo.git("add", "-A")
    both = repo.git("diff", "--cached", "HEAD")
    check("a new file", "+++ b.ckpt " in both and "(new file)" in both and "different: " in both, both)
    repo.commit()
    repo.git("rm", "-q", "b.ckpt")
    gone = repo.git("diff", "HEAD")
    check("a deleted file", gone.startswith("--- b.ckpt ") and "(deleted)" in gone, gone)
    repo.git("reset", "-q", "--hard")
    repo.git("mv", "b.ckpt", "c.ckpt")
    with open(repo.path / "c.ckpt", "r+b") as file:  # a byte of the weights
        data = file.read()
        file.seek(data.index(b"\x00", len(data) // 2))
        file.write(b"\x01")
    repo.git("add", "-A")
    moved = repo.git("diff", "-M10%", "HEAD")
    check("a renamed file", "--- b.ckpt " in moved and "+++ c.ckpt " in moved, moved)


@test
def git_diff_goes_on_after_a_file_that_cannot_be_read(repo):
    repo.put("a.ckpt", b"not a checkpoint\n")
    repo.put("b.ckpt", OLD)
    repo.put("c.ckpt", (FIXTURES / "broken/truncated_half.ckpt") if (FIXTURES / "broken/truncated_half.ckpt").exists()
             else OLD.read_bytes()[:1000])
    repo.commit()
    repo.setup()
    repo.put("a.ckpt", b"something else\n")
    repo.put("b.ckpt", NEW)
    repo.put("c.ckpt", NEW)
    found = repo.git("diff", "--", "*.ckpt")
    for words in ("a.ckpt: ", "+++ b.ckpt", "different: ", "c.ckpt: "):
        check(f"{words} is there", words in found, found)
    log = repo.git("log", "-p")
    check("git log -p, too", "this file: " in log and 'state_dict["' in log, log)
    repo.git("config", "--global", "diff.ckpt.command", "ckpt-diff --only 'no.such.*' --git")
    idle = repo.git("diff", "--", "b.ckpt")
    check("a filter that selects nothing is not the same", "matches nothing" in idle and "same" not in idle, idle)
    repo.git("config", "--global", "diff.ckpt.command", "ckpt-diff --summary --only weights --git")
    short = repo.git("diff", "--", "b.ckpt")
    check("options are heeded", "weights  " in short and "optimizer" not in short, short)
    wrong = repo.run("ckpt-diff", "--git", "a", "b")
    check("a wrong setup is an error", wrong.returncode == 2 and "--git-setup" in wrong.err, wrong.err)


@test
def git_diff_of_a_conflict_goes_on(repo):
    repo.put("model.ckpt", OLD)
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.put("model.ckpt", NEW)
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.put("model.ckpt", NAN)
    repo.commit()
    repo.setup()
    repo.run("git", "merge", "topic")
    found = repo.git("diff")
    check("it is said", "Unmerged path model.ckpt" in found or "model.ckpt" in found, found)
    stages = repo.run("ckpt-diff", ":2:model.ckpt", ":3:model.ckpt")
    check("its sides can be compared", stages.returncode == 1 and "different: " in stages.out, stages.err)


@test
def drivers_look_behind_lfs_pointers(repo):
    old, new = OLD.read_bytes(), NEW.read_bytes()
    first, pointer = repo.pointer(old)
    second, other = repo.pointer(new)
    repo.put("model.ckpt", pointer)
    repo.commit()
    repo.put("model.ckpt", other)
    repo.commit()
    repo.setup()
    missing = repo.git("diff", "HEAD~1", "HEAD", "--", "*.ckpt")
    check("a missing object is said", "git lfs fetch origin REV -I model.ckpt" in missing, missing)
    repo.store(first, old)
    repo.store(second, new)
    found = repo.git("diff", "HEAD~1", "HEAD", "--", "*.ckpt")
    check("git diff", body(found) == body(repo.run("ckpt-diff", OLD, NEW).out), found)
    check("git log -p", "global_step = " in repo.git("log", "-p"))


@test
def textconv_shows_what_changed_and_nothing_else(repo):
    repo.two_commits()
    repo.setup()
    log = repo.git("log", "-p", "-1")
    changed = [line for line in log.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    check("weights", any(line.startswith('+state_dict["') and " sha256 " in line for line in changed), log)
    check("values", any(line.startswith("+global_step = ") for line in changed), log)
    check("a tensor is a line", all("\x1b" not in line for line in changed))
    check("nothing of the file itself", str(repo.path) not in log and "KiB" not in log, log)
    narrow = repo.git("log", "-p", "-1", env={"COLUMNS": "20", "TERM": "dumb"})
    check("the width has no say", narrow == log)
    one = repo.run("ckpt-show", "--textconv", OLD)
    shutil.copyfile(OLD, repo.path / "-other name")
    two = repo.run("ckpt-show", "--jobs", "1", "--textconv", "-other name")
    check("the name has no say", one.out == two.out and one.out and two.returncode == 0, two.out, two.err)


@test
def pipes_are_read(repo):
    with open(OLD, "rb") as file:
        found = repo.run("ckpt-diff", "-", OLD, stdin=file)
        check("a file as standard input", found.returncode == 0 and found.out.startswith("--- - "), found.out, found.err)
    found = repo.run("bash", "-c", f"cat '{OLD}' | ckpt-diff - '{OLD}'")
    check("a pipe as standard input", found.returncode == 0, found.out, found.err)
    found = repo.run("bash", "-c", f"cat '{OLD}' | ckpt-lint --against - '{NEW}'")
    check("as a base", found.returncode == repo.run("ckpt-lint", "--against", OLD, NEW).returncode, found.out, found.err)
    found = repo.run("bash", "-c", f"ckpt-diff <(cat '{OLD}') <(cat '{NEW}')")
    check("process substitution", body(found.out) == body(repo.run("ckpt-diff", OLD, NEW).out), found.out, found.err)
    fifo = repo.path / "fifo.ckpt"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(OLD.read_bytes()))
    writer.start()
    found = repo.run("ckpt-show", "fifo.ckpt")
    writer.join()
    check("a named pipe", found.returncode == 0, found.err)
    walked = repo.run("timeout", "20", "ckpt-lint", repo.path)
    check("one in a folder is not waited for", walked.returncode == 2 and "named pipe" in walked.err, walked.err)
    for words in (["ckpt-diff", "-", "-"], ["ckpt-lint", "--against", "-", "-"]):
        twice = repo.run(*words)
        check("twice is an error", twice.returncode == 2 and "twice" in twice.err, twice.err)
    empty = repo.run("ckpt-show", "-")
    check("nothing is no checkpoint", empty.returncode == 2, empty.err)
    full = repo.run("bash", "-c", f"ulimit -f 1; cat '{OLD}' | ckpt-show -")
    check("no room is said", full.returncode == 2 and "TMPDIR" in full.err, full.err)
    check("nothing is left in TMPDIR", not list(repo.temp.iterdir()))


@test
def a_killed_program_leaves_nothing(repo):
    child = subprocess.Popen([str(repo.programs / "ckpt-show"), "-"], env=repo.env, stdin=subprocess.PIPE,
                             stdout=subprocess.DEVNULL)
    child.stdin.write(OLD.read_bytes()[:2000])
    child.stdin.flush()
    child.send_signal(signal.SIGKILL)
    child.wait()
    check("nothing is left in TMPDIR", not list(repo.temp.iterdir()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if shutil.which("git") is None:
        print("git_test: skipped: git is not installed")
        return 0
    failed = 0
    for run in TESTS:
        if options.names and run.__name__ not in options.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                run(Repo(Path(folder), options.bin.resolve()))
            except Failed as error:
                failed += 1
                print(f"git_test: FAILED: {run.__name__.replace('_', ' ')}: {error}", file=sys.stderr)
    print(f"git_test: {len(TESTS)} tests with {subprocess.check_output(['git', '--version'], text=True).strip()}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
