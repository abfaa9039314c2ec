// The JSON Schemas of the documents that the programs write: schema/PROGRAM.json, compiled in.
#pragma once

#include <span>
#include <string_view>

namespace ckpt::report {

struct Schema {
  std::string_view program;  // "ckpt-diff"
  std::string_view text;     // JSON Schema, draft 2020-12
};
std::span<const Schema> schemas();

}  // namespace ckpt::report
