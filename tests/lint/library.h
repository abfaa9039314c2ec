// A small library of checks, rules and sets for the tests of the loader: what the product ships may change
// without a test here noticing.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "base/error.h"
#include "lint/rule_loader.h"
#include "lint/rule_set.h"
#include "tests/support/embedded_file.h"
#include "tests/support/folder.h"

namespace ckpt::lint::test {

using ckpt::test::EmbeddedFile;

inline constexpr ParamSpec kDriftParams[] = {
    {"rtol", ParamType::kNumber, "1.0e-6", "relative tolerance"},
    {"strict", ParamType::kBool, "false", "compare exactly"},
    {"count", ParamType::kInteger, "3", "how many"},
    {"key", ParamType::kString, "lr", "which key"},
    {"keys", ParamType::kStrings, "[]", "which keys"},
    {"allow", ParamType::kGlobs, "[]", "where it may drift"},
};
inline constexpr KindSpec kDriftKinds[] = {{"drifted", "old new"}};

inline constexpr ParamSpec kExpectParams[] = {{"expect", ParamType::kExpect, "", "path: condition"}};
inline constexpr KindSpec kExpectKinds[] = {{"unexpected", "text"}};

inline constexpr ParamSpec kDeltaParams[] = {{"max-abs", ParamType::kNumber, "0", "the largest change"}};
inline constexpr KindSpec kDeltaKinds[] = {{"moved", "max-abs at"}};

inline void refuse_one_third(const Rule& rule) {
  if (rule.number("rtol") == 0.333) throw std::invalid_argument("rtol is an odd number: take 0.3");
}

inline constexpr Check kDrift = {.name = "drift",
                                 .help = "Two values differ.",
                                 .needs = kNothing,
                                 .params = kDriftParams,
                                 .run = nullptr,
                                 .validate = refuse_one_third,
                                 .kinds = kDriftKinds};
inline constexpr Check kExpect = {.name = "value-expect",
                                  .help = "Values are not as expected.",
                                  .needs = kNothing,
                                  .params = kExpectParams,
                                  .run = nullptr,
                                  .kinds = kExpectKinds};
inline constexpr Check kDelta = {.name = "tensor-delta",
                                 .help = "A tensor moved.",
                                 .needs = kBase | kDeltas,
                                 .params = kDeltaParams,
                                 .run = nullptr,
                                 .kinds = kDeltaKinds};
inline constexpr const Check* kChecks[] = {&kDrift, &kExpect, &kDelta};

inline std::string catalog_text(std::string_view id, std::string_view level, std::string_view sets,
                                std::string_view rest) {
  return "id: " + std::string(id) + "\ntitle: Title of " + std::string(id) +
         ".\nlevel: " + std::string(level) + "\nsets: " + std::string(sets) + "\nwhat: W\nwhy: Y\nfix: F\n" +
         std::string(rest);
}

struct TestLibrary {
  EmbeddedFile exact{"value-drift",
                     catalog_text("value-drift", "note", "[strict]",
                                  "check: drift\nparams: {strict: true}\nmessage: \"{old}\"\n")};
  EmbeddedFile drift{
      "scheduler-lr-drift",
      catalog_text("scheduler-lr-drift", "warning", "[recommended, strict]",
                   "check: drift\nmessage: \"{old} is not {new} at {path}\"\noptions: [rtol]\n")};
  EmbeddedFile expected{"hparams-expected", catalog_text("hparams-expected", "error", "[]",
                                                         "check: value-expect\nmessage: \"{text}\"\n")};
  EmbeddedFile recommended{"recommended", "set: recommended\n"};
  EmbeddedFile strict{"strict", "set: strict\nrules: {value-drift: warning}\n"};
  BuiltinFile catalog[3] = {exact.file(), drift.file(), expected.file()};
  BuiltinFile sets[2] = {recommended.file(), strict.file()};

  Library library() const { return {kChecks, catalog, sets}; }
};

inline const Rule& rule_of(const RuleSet& set, std::string_view id) {
  for (const Rule& rule : set.rules)
    if (rule.info.id == id) return rule;
  FAIL("no such rule");
  return set.rules.front();
}

inline RuleSet load(const std::string& name) { return load_rule_set(name, TestLibrary().library()); }

// The error without the folder's name, or "no error".
inline std::string error_of(const ckpt::test::Folder& folder, const std::string& path) {
  try {
    load(path);
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kUsage);
    std::string text = e.text();
    for (std::size_t at; (at = text.find(folder.path())) != std::string::npos;)
      text.erase(at, folder.path().size());
    return text;
  }
  return "no error";
}

}  // namespace ckpt::lint::test
