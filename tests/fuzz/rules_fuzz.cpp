// Any text as a rules file: loaded, or refused with an Error that says where.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "base/error.h"
#include "lint/rule_set.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

// The loader takes a path; a file of this process is written anew for every input.
std::string rules_path() {
  return (std::filesystem::temp_directory_path() /
          ("ckpt_rules_fuzz_" + std::to_string(::getpid()) + ".yaml"))
      .string();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kPath = rules_path();
  std::ofstream(kPath, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const auto rules = ckpt::lint::load_rule_set(kPath);
    for (const auto& rule : rules.rules)
      if (rule.on && rule.check == nullptr) std::abort();  // on, but nothing to run
  } catch (const ckpt::Error& error) {
    if (error.text().empty()) std::abort();
  }
  return 0;
}
