#!/usr/bin/env python3
"""The JSON Schemas that the programs print, held against what they write and read, with Python's validator.

usage: schema_test.py --bin DIR

Documents: the JSON of all cases in fixtures/cases, and of runs over many fixtures. There, a member that the schema does not
name is an error; users' validators let it pass, for new members may come at any time. Rule files: all that the loader takes.
"""
import argparse
import copy
import datetime
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    print("schema_test: skipped, for python3-jsonschema or python3-yaml is not installed")
    sys.exit(0)

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
FREE = {"lightning", "training", "properties", "checkpoints"}  # members whose own members are the file's, or a rule's


def fail(what, seen=""):
    print(f"schema_test: {what}\n{seen}", file=sys.stderr)
    sys.exit(1)


def output(command, statuses=(0, 1, 2)):
    done = subprocess.run(command, cwd=FIXTURES, capture_output=True, text=True, timeout=120)
    if done.returncode not in statuses:
        fail(f"{command} ended with {done.returncode}", done.stderr)
    return done.stdout


def strict(schema, name=""):
    """The schema with no members but those that it names."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema and name not in FREE:
            schema.setdefault("additionalProperties", False)
        for key, value in schema.items():
            if key == "properties":
                for member, inner in value.items():
                    strict(inner, member)
            elif key == "items":
                strict(value, name)
            else:
                strict(value)
    elif isinstance(schema, list):
        for item in schema:
            strict(item)
    return schema


def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def hold(checker, document, where):
    error = jsonschema.exceptions.best_match(checker.iter_errors(document))
    if error is not None:
        fail(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message[:400]}")


def documents_of_cases():
    for case in sorted((FIXTURES / "cases").glob("*.case")):
        text = case.read_text()
        stdout = text.partition("==== stdout ====\n")[2].partition("==== stderr ====")[0]
        if stdout.startswith("{"):
            document = json.loads(stdout)
            if "tool" in document:
                yield document["tool"]["name"], document, case.name


def documents_of_runs(bin_dir):
    checkpoints = sorted(path for folder in ("valid", "variants", "reports") for path in (FIXTURES / folder).rglob("*")
                         if path.suffix in (".ckpt", ".pt", ".safetensors", ".gguf", ".npz"))[::5]
    for path in checkpoints:
        name = str(path.relative_to(FIXTURES))
        for program, options in (("ckpt-show", ["--stats", "--digest"]), ("ckpt-lint", ["--rules", "strict"])):
            text = output([f"{bin_dir}/{program}", "--format", "json", *options, "--", name])
            if text:
                yield program, json.loads(text), f"{program} {name}"
    text = output([f"{bin_dir}/ckpt-show", "--format", "json", "valid/lightning-2.6.5"])
    yield "ckpt-show", json.loads(text), "ckpt-show of a folder"
    for pair in sorted((FIXTURES / "pairs").iterdir()):
        files = [str(one.relative_to(FIXTURES)) for name in ("old", "new") for one in pair.glob(name + ".*")] if pair.is_dir() else []
        if len(files) == 2:
            text = output([f"{bin_dir}/ckpt-diff", "--format", "json", "--", *files])
            yield "ckpt-diff", json.loads(text), f"ckpt-diff {pair.name}"


def test_documents(bin_dir):
    checkers = {}
    for program in ("ckpt-diff", "ckpt-lint", "ckpt-show"):
        schema = json.loads(output([f"{bin_dir}/{program}", "--print-schema"], (0,)))
        if schema != json.loads((ROOT / f"src/report/schema/{program}.json").read_text()):
            fail(f"{program} prints another schema than src/report/schema has")
        checkers[program] = (validator(schema), validator(strict(copy.deepcopy(schema))))
    count = 0
    for documents in (documents_of_cases(), documents_of_runs(bin_dir)):
        for program, document, where in documents:
            for checker in checkers[program]:
                hold(checker, document, where)
            count += 1
    broken = {"schema_version": 1, "tool": {"name": "ckpt-lint", "version": "1"}, "inputs": [], "exit_status": 3}
    if checkers["ckpt-lint"][0].is_valid(broken):
        fail("the schema takes whatever it gets")
    return count


def as_json(value):
    """YAML as JSON has it: dates are texts, keys are texts."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def test_rule_files(bin_dir):
    checker = validator(json.loads(output([f"{bin_dir}/ckpt-lint", "--print-rules-schema"], (0,))))
    count = 0
    files = [*FIXTURES.rglob("*.yaml"), *FIXTURES.rglob(".ckpt-lint.yaml"), ROOT / "rules/recommended.yaml", ROOT / "rules/strict.yaml"]
    for path in sorted(set(files)):
        done = subprocess.run([f"{bin_dir}/ckpt-lint", "--rules", str(path), "--list-rules"], cwd=FIXTURES, capture_output=True)
        document = as_json(yaml.safe_load(path.read_text())) if done.returncode == 0 else None
        if isinstance(document, dict):
            hold(checker, document, path.name)
            count += 1
    if count < 3:
        fail("hardly a rule file was held")
    for wrong in ({"rulez": {}}, {"rules": {"weights-nonfinite": "fatal"}}, {"rules": {"scheduler-lr-drift": {"rtoll": 1}}},
                  {"profile": "resumee"}, {"suppressions": [{"rule": "weights-nonfinite"}]}):
        if checker.is_valid(wrong):
            fail(f"the schema of rule files takes {wrong}")
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    bin_dir = parser.parse_args().bin.resolve()
    print(f"schema_test: {test_documents(bin_dir)} documents and {test_rule_files(bin_dir)} rule files hold")


if __name__ == "__main__":
    main()
