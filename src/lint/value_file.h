// A YAML file of plain values as expectations: the hparams.yaml that Lightning's loggers write next to a run,
// or a team's own. Nested maps become paths:
//   lr: 0.01                      lr                equals 0.01
//   optimizer: {name: adam}       optimizer.name    equals "adam"
//   layers: [64, 64]              layers            equals [64, 64]
#pragma once

#include <string>

#include "report/property.h"

namespace ckpt::lint {

// {file: PATH, expect: {path glob: value}}; wildcards in keys are escaped. Throws Error{kUsage} with the
// file's name, line and column for everything else than maps, scalars and lists of scalars (tags among it),
// and for a file without a value: an expectation that is not understood must not pass.
report::Object read_value_file(const std::string& path);

// The expectations of such a parameter; empty where no file was given.
const report::Object& expectations_of(const report::Object& value_file);

}  // namespace ckpt::lint
