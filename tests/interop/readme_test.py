#!/usr/bin/env python3
"""README.md, done as it says: a user who follows it must see what it shows.

    tests/interop/readme_test.py --bin build/release

In a scratch copy of fixtures/, from top to bottom: a ```console block is run, and what the programs write to
standard output must be what stands there; a ```yaml block that begins with "# NAME" is written to that file, and the
command behind the name, if there is one, must run. Every ckpt- command of a ```sh block must run on files that stand in
for the names in it. Rule files must load, with no other file than those that the README shows, the workflow may give the
action only inputs that it has, and the script of the GitLab job must write the reports that it names. Needs PyYAML.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def fail(what):
    sys.exit(f"readme_test: FAILED: {what}")


def sh(command, folder, env):
    return subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True)


def run_console(block, folder, env):
    """Commands are told from what they write by the '$ ' before them."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        done = sh(command, folder, env)
        if done.returncode not in (0, 1):
            fail(f"{command}: status {done.returncode}: {done.stderr}")
        if done.stdout.rstrip("\n") != expected.rstrip("\n"):
            lines = difflib.unified_diff(expected.splitlines(), done.stdout.splitlines(), "README.md", command, lineterm="")
            fail("\n".join(lines))


# What the README's names stand for.
STAND_INS = {
    "pairs/renamed-modules/old.ckpt": ["model.ckpt", "run.ckpt"],  # has an encoder
    "pairs/renamed-modules/new.ckpt": ["base.ckpt", "new.ckpt"],  # has a backbone
    "variants/lr_nan.ckpt": ["good.ckpt", "last.ckpt", "runs/a.ckpt", "exp/1/last.ckpt"],
    "pairs/resumed/old.ckpt": ["a.ckpt", "b.ckpt", "epoch=1.ckpt", "epoch=4.ckpt", "fp32.ckpt", "bf16.ckpt", "encoder.pt"],
}


# Of GitLab's environment.
CI = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD~1"}


def add_commits(folder, env):
    """So that HEAD and HEAD~1 have the files."""
    (folder / "models").mkdir()
    shutil.copy(folder / "model.ckpt", folder / "models")
    git = "git -c user.name=a -c user.email=a@example.org"
    done = sh(f"git init -q && git add -A && {git} commit -qm 1 && {git} commit -qm 2 --allow-empty", folder, env)
    if done.returncode != 0:
        fail(f"git: {done.stderr}")


def add_stand_ins(folder):
    for source, names in STAND_INS.items():
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / source, folder / name)


def run_command(command, folder, env):
    done = sh(command, folder, env)
    if done.returncode not in (0, 1) or done.stderr:
        fail(f"{command}: status {done.returncode}: {done.stderr}")


def run_shell(block, folder, env):
    """The commands of ours, without their comments; the rest of a block installs things."""
    commands = [line for line in block.splitlines() if line.startswith("ckpt-")]
    for command in commands:
        run_command(command, folder, env)
    return len(commands)


def check_rules(name, folder, env):
    done = sh(f"ckpt-lint --rules '{name}' --print-config", folder, env)
    if done.returncode != 0:
        fail(f"{name}: {done.stderr}")


def run_head(text, folder, env):
    """# team.yaml:  ckpt-lint --rules team.yaml model.ckpt"""
    command = re.match(r"# [\w./-]+:\s+(ckpt-.*)", text)
    if command:
        run_command(command[1], folder, env)
    for test in re.findall(r"#\s+(ckpt-lint --test \S+)", text):
        run_command(test, folder, env)


def check_workflow(text):
    known = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    used = [step for step in steps if "/ckpt@" in step.get("uses", "")]
    unknown = [name for step in used for name in step["with"] if name not in known]
    if not used or unknown:
        fail(f"the workflow: {len(used)} uses of the action, unknown inputs {unknown}")
    for step in steps:
        if "run" in step:
            check_comment_step(step)


def check_comment_step(step):
    """With a gh that finds the given comment: it is changed, or a new one is made."""
    with tempfile.TemporaryDirectory() as folder:
        gh = Path(folder) / "gh"
        gh.write_text('#!/bin/sh\necho "$@" >> log\ncase "$*" in *--jq*) echo "$FOUND" ;; esac\n')
        gh.chmod(0o755)
        for found, method in (("", "--method POST repos/o/r/issues/7/comments"),
                              ("42", "--method PATCH repos/o/r/issues/comments/42")):
            env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "FOUND": found, "NUMBER": "7", "BODY": "x.md",
                   "GITHUB_REPOSITORY": "o/r"}
            done = sh(step["run"], Path(folder), env)
            log = (Path(folder) / "log").read_text().splitlines()
            if done.returncode != 0 or not log[-1].startswith(f"api {method} --field body=@x.md"):
                fail(f"the comment: {log} {done.stderr}")


def check_gitlab(text, folder, env):
    job = yaml.safe_load(text)["checkpoints"]
    shutil.copytree(folder / "variants", folder / "models")
    status = max(sh(line, folder, env).returncode for line in job["script"])
    missing = [file for file in job["artifacts"]["reports"].values() if not (folder / file).stat().st_size]
    if status == 0 or missing:
        fail(f"the GitLab job: status {status}, missing {missing}")
    if not any('dev build "$CI_PROJECT_DIR/' + job["cache"]["paths"][0] in line for line in job["before_script"]):
        fail("the GitLab job does not keep what it builds")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    env = {**os.environ, "PATH": f"{parser.parse_args().bin.resolve()}:{os.environ['PATH']}", **CI}
    counts = {"console": 0, "yaml": 0, "sh": 0}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "fixtures"
        shutil.copytree(ROOT / "fixtures", folder)
        examples = Path(scratch) / "examples"
        shutil.copytree(folder, examples)
        add_stand_ins(examples)
        add_commits(examples, env)
        for kind, text in BLOCK.findall(README):
            name = re.match(r"# ([\w./-]+)", text)
            if kind == "console":
                run_console(text, folder, env)
            elif kind == "yaml" and name:
                file = folder / name[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                if ".github/" in str(file):
                    check_workflow(text)
                elif "gitlab" in file.name:
                    check_gitlab(text, folder, env)
                else:
                    check_rules(file.name, folder, env)
                    (examples / file.name).write_text(text)
                    run_head(text, examples, env)
                    (examples / file.name).unlink()
            elif kind == "yaml":
                fail(f"a yaml block without a name: {text[:80]!r}")
            if kind == "sh":
                counts[kind] += run_shell(text, examples, env)
            elif kind in counts:
                counts[kind] += 1
    if min(counts.values()) == 0:
        fail(f"nothing to check: {counts}")
    print(f"readme_test: {counts['console']} console and {counts['yaml']} yaml blocks and {counts['sh']} commands hold")


if __name__ == "__main__":
    main()
