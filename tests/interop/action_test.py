#!/usr/bin/env python3
"""Runs action.yml as GitHub's runner does: its steps in order, in a repository of its own.

    tests/interop/action_test.py [--bin DIR]

The action builds the programs, unless --bin names a folder that has them already. Scripts are really run (bash --noprofile --norc -eo pipefail, as the runner's `shell: bash`), expressions are
resolved, files of the runner (GITHUB_OUTPUT, GITHUB_PATH, GITHUB_STEP_SUMMARY) are there. Steps that use other
actions are not run; whether they would be, and with which inputs, is compared. Needs PyYAML.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
FIXTURES = ROOT / "fixtures"
PUSH = {"github.event_name": "push"}
FORK = {"github.event_name": "pull_request", "github.event.pull_request.head.repo.full_name": "stranger/models",
        "github.repository": "team/models"}


class Run:
    """One run of the action in `workspace`; `programs` are kept from run to run, as the cache would."""

    def __init__(self, workspace, temp, inputs, event):
        self.workspace, self.temp = workspace, temp
        self.values = {"runner.temp": str(temp), **event}
        for name, spec in ACTION["inputs"].items():
            self.values[f"inputs.{name}"] = inputs.get(name, spec.get("default", ""))
        self.path = os.environ["PATH"]
        self.uses, self.log, self.status, self.summary = {}, "", 0, ""
        for step in ACTION["runs"]["steps"]:
            if self.condition(step.get("if", "true")):
                self.step(step)
            if self.status:
                break
        self.outputs = {name: self.text(spec["value"]) for name, spec in ACTION["outputs"].items()}

    def text(self, template):
        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda m: str(self.values.get(m.group(1), "")), str(template))

    def condition(self, expression):
        python = re.sub(r"[a-z_]+(?:\.[a-z_-]+)+", lambda m: repr(self.values.get(m.group(0), "")), expression)
        python = python.replace("&&", " and ").replace("||", " or ").replace("true", "True", expression == "true")
        return eval(python)  # of our own file

    def step(self, step):
        if "uses" in step:
            self.uses[step["uses"].split("@")[0]] = {k: self.text(v) for k, v in step["with"].items()}
            return
        assert step["shell"] == "bash", step
        files = {name: Path(tempfile.mkstemp(dir=self.temp)[1]) for name in
                 ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        script = self.temp / "script.sh"
        script.write_text(step["run"])
        env = {"PATH": self.path, "HOME": os.environ.get("HOME", "/"), "RUNNER_TEMP": str(self.temp),
               "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "GITHUB_ACTION_PATH": str(ROOT),
               **{name: str(file) for name, file in files.items()},
               **{name: self.text(value) for name, value in step.get("env", {}).items()}}
        done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd=self.workspace,
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.log += done.stdout
        self.status = done.returncode
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            name, value = line.split("=", 1)
            self.values[f"steps.{step['id']}.outputs.{name}"] = value
        self.path = ":".join(files["GITHUB_PATH"].read_text().split() + [self.path])
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()

    def uploaded(self):
        return self.uses.get("github/codeql-action/upload-sarif")


def check(what, holds, run=None):
    if holds:
        return
    print(f"action_test: FAILED: {what}", file=sys.stderr)
    if run is not None:
        print(f"outputs: {run.outputs}, uses: {run.uses}\n{run.log}", file=sys.stderr)
    sys.exit(1)


def check_file():
    text = (ROOT / "action.yml").read_text()
    for step in ACTION["runs"]["steps"]:
        check(f"no expression in the script of '{step['name']}'", "${{" not in step.get("run", ""))
        if "uses" in step:
            check(f"{step['uses']} is pinned", re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]))
    for name in ACTION["inputs"]:
        check(f"the input {name} is used", f"inputs.{name} " in text or f"inputs.{name}\n" in text)


def check_runs(workspace, temp):
    def run(paths, event=PUSH, **inputs):
        return Run(workspace, temp, {"paths": paths, **{k.replace("_", "-"): v for k, v in inputs.items()}}, event)

    shutil.copy(FIXTURES / "valid/lightning-2.6.5/base/last.ckpt", workspace / "good one.ckpt")
    (workspace / "models").mkdir()
    shutil.copy(FIXTURES / "variants/nan_weight.ckpt", workspace / "models/nan.ckpt")
    shutil.copy(FIXTURES / "broken/lfs_pointer.ckpt", workspace / "pointer.ckpt")

    clean = run("good one.ckpt\n")
    check("a clean file passes", clean.status == 0 and clean.outputs["exit-code"] == "0", clean)
    check("and is counted", (clean.outputs["errors"], clean.outputs["warnings"]) == ("0", "0"), clean)
    check("and uploaded, without a checkout", clean.uploaded() == {
        "sarif_file": "ckpt.sarif", "category": "ckpt-lint", "checkout_path": f"{temp}/ckpt.empty"}, clean)
    check("from a folder that is empty", not list((temp / "ckpt.empty").iterdir()))
    check("and is in the summary", "**clean in 1 checkpoint" in clean.summary, clean)
    check("the cache keeps the programs",
          clean.uses["actions/cache"]["path"] == f"{temp}/ckpt" and len(clean.uses["actions/cache"]["key"]) > 16, clean)

    found = run("good one.ckpt\nmodels/\n", profile="resume", sarif_file="out.sarif")
    check("findings fail after the upload", found.status == 1 and found.uploaded()["sarif_file"] == "out.sarif", found)
    check("and are counted", (found.outputs["errors"], found.outputs["warnings"]) == ("1", "0"), found)
    check("and annotated", "\n::error file=models/nan.ckpt,title=weights-nonfinite::" in found.log, found)
    check("the programs were kept", "is up to date" in found.log, found)
    log = json.loads((workspace / "out.sarif").read_text())
    places = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in log["runs"][0]["results"]]
    check("paths in SARIF are the repository's", places == ["models/nan.ckpt"])

    mild = run("models", fail_on="never")
    check("fail-on decides", mild.status == 0 and mild.outputs["errors"] == "1", mild)
    told = run("models", args="--no-config\n--max-findings\n1\n", rules="strict")
    check("options are words", told.status == 1 and "of strict" in told.log, told)

    broken = run("good one.ckpt\npointer.ckpt")
    check("what cannot be judged fails and is not uploaded", broken.status == 2 and broken.uploaded() is None, broken)
    absent = run("nothing-here.ckpt")
    check("and so does a file that is not there", absent.status == 2 and absent.uploaded() is None, absent)
    usage = run("models", rules="no-such-rules.yaml")
    check("and a rule file that is not there", usage.status == 2 and usage.uploaded() is None, usage)
    check("no log of an earlier run is left behind", not (workspace / "ckpt.sarif").exists())
    none = run("\n")
    check("and no paths at all", none.status == 2 and none.uploaded() is None, none)

    fork = run("models", event=FORK)
    check("a fork is gated and not uploaded", fork.status == 1 and fork.uploaded() is None, fork)
    off = run("models", upload="false")
    check("upload: false is heeded", off.status == 1 and off.uploaded() is None, off)

    hostile = run("$(touch pwned1)\n`touch pwned2`\n'; touch pwned3; '\n--report=text=pwned4\n*", args="$(touch pwned5)")
    check("nothing in an input is run", hostile.status == 2 and not list(workspace.glob("pwned*")), hostile)


def check_comments(workspace, temp):
    """A pull request: a base commit, then changed, new and removed checkpoints."""
    env = {**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
           "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}

    def git(*words):
        return subprocess.check_output(["git", *words], cwd=workspace, env=env, text=True).strip()

    def put(name, source):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FIXTURES / source, workspace / name)

    def run(event, paths="models/", **inputs):
        return Run(workspace, temp, {"paths": paths, **inputs}, event)

    git("init", "-q", "-b", "main")
    for name in ("models/model.ckpt", "models/same.ckpt", "models/gone.ckpt", "other/model.ckpt"):
        put(name, "pairs/resumed/old.ckpt")
    git("add", "-A")
    git("commit", "-q", "-m", "base")
    base = git("rev-parse", "HEAD")
    request = {"github.event_name": "pull_request", "github.event.pull_request.base.sha": base,
               "github.event.pull_request.head.repo.full_name": "team/models", "github.repository": "team/models"}
    nothing = run(request)
    check("nothing changed, so there is no comment", nothing.outputs["comment-file"] == "", nothing)
    put("models/model.ckpt", "pairs/resumed/new.ckpt")
    put("other/model.ckpt", "pairs/resumed/new.ckpt")
    put("models/new.ckpt", "pairs/resumed/new.ckpt")
    hostile = "models/-$(touch pwned)`touch pwned` @octocat <b>.ckpt"
    put(hostile, "pairs/resumed/new.ckpt")
    (workspace / "models/notes.txt").write_text("x")
    (workspace / "models/gone.ckpt").unlink()
    git("add", "-A")
    git("commit", "-q", "-m", "change")

    found = run(request)
    check("a pull request passes", found.status == 0, found)
    body = Path(found.outputs["comment-file"]).read_text()
    check("the comment has a marker", body.startswith("<!-- ckpt -->\n"), found)
    check("and what changed", "**different: " in body and f"`{base}:models/model.ckpt`" in body, found)
    check("and what is new and removed", "`./models/new.ckpt`" in body and "\n1 removed\n" in body, found)
    check("not what is the same, elsewhere or no checkpoint", not re.search("same.ckpt|other/|notes.txt", body), found)
    check("a name does no harm", "pwned" in body and not (workspace / "pwned").exists() and "<b>" not in
          re.sub(r"``.*?``|<summary>.*?</summary>", "", body), found)
    check("the summary has it", body in found.summary, found)
    check("it is short", len(body.encode()) < 60000)

    pushed = run(PUSH)
    check("a push has no base", pushed.status == 0 and pushed.outputs["comment-file"] == "", pushed)
    named = run(PUSH, against="HEAD~1")
    check("but one can be named", Path(named.outputs["comment-file"]).read_text() == body, named)
    check("or none", run(request, against="none").outputs["comment-file"] == "")
    both = run(request, paths="models/model.ckpt", against=f"{base}:models/model.ckpt")
    check("a checkpoint is for the rules", both.status == 0 and both.outputs["comment-file"] == "", both)

    # A checkout of one commit, as actions/checkout makes it.
    origin = workspace.parent / "origin"
    workspace.rename(origin)
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{origin}", str(workspace)], env=env, check=True)
    subprocess.run(["git", "config", "uploadpack.allowAnySHA1InWant", "true"], cwd=origin, check=True)
    shallow = run(request)
    check("the base is fetched", Path(shallow.outputs["comment-file"]).read_text() == body, shallow)
    lost = run({**request, "github.event.pull_request.base.sha": "0" * 40})
    check("a base that cannot be fetched is said", lost.status == 0 and lost.outputs["comment-file"] == "" and
          "::notice::" in lost.log, lost)


def install(programs, temp):
    """What `dev build` leaves in its folder."""
    (temp / "ckpt/bin").mkdir(parents=True)
    for name in ("ckpt-show", "ckpt-diff", "ckpt-lint"):
        shutil.copy(programs / name, temp / "ckpt/bin")
    (temp / "ckpt/digest").write_text(subprocess.check_output([ROOT / "dev", "digest"], text=True))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path)
    programs = parser.parse_args().bin
    check_file()
    with tempfile.TemporaryDirectory() as folder:
        workspace, temp = Path(folder) / "work space", Path(folder) / "temp"
        workspace.mkdir()
        temp.mkdir()
        if programs:
            install(programs, temp)
        check_runs(workspace, temp)
        workspace = Path(folder) / "pull request"
        workspace.mkdir()
        check_comments(workspace, temp)
    print("action_test: action.yml does what it says")


if __name__ == "__main__":
    main()
