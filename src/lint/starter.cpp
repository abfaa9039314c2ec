#include "lint/starter.h"

namespace ckpt::lint {

std::string starter_file() {
  return R"(# Rules for the checkpoints in this folder and below it; ckpt-lint finds this file by itself.
# ckpt-lint --list-rules             all rules and their options
# ckpt-lint --explain RULE           what a rule finds, why it matters, how to fix it
# ckpt-lint --print-config FILE      what applies to a file, and where it comes from
# ckpt-lint --print-rules-schema     a JSON Schema of this file, for editors

# A built-in set (recommended, strict), or the path of another rule file. Or a list of them: later ones win.
extends: recommended

# What the files are used for. resume: missing training state is an error. inference: it is fine.
# finetune: it is fine, and against a base it may be new. any: it is a note.
# auto: resume for files that have any training state, else inference.
profile: resume

# What folders and patterns pass over.
# exclude: ["*.bak.ckpt", "scratch/"]

# A level (error, warning, note, off), options, or rules of your own on the existing checks.
# rules:
#   weights-magnitude: off
#   scheduler-lr-drift: {level: error, rtol: 1.0e-4}
#   hparams-expected: {level: error, expect: {batch_size: 64, optimizer: {one-of: [adam, adamw]}}}
#   backbone-frozen:                       # needs --against BASE
#     check: tensor-delta
#     title: Backbone weights must not move.
#     select: {tensors: "backbone.**"}
#     max-abs: 0

# Other rules, or another profile, for some files.
# overrides:
#   - {files: "export/**", profile: inference}

# Findings that are fine. An expired entry is a finding, an unused one a note.
# suppressions:
#   - {rule: weights-nonfinite, paths: "state_dict[*mask*]", reason: masks are -inf by design, expires: 2099-12-31}

# What these rules must find: ckpt-lint --test .ckpt-lint.yaml
# tests:
#   - {file: good.ckpt, silent: [weights-nonfinite]}
)";
}

}  // namespace ckpt::lint
