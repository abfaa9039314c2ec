#include "report/reporters/list.h"

#include <array>

namespace ckpt::report {

std::span<const Reporter> reporters() {
  static const std::array kAll = {
      kTextReporter,  kConciseReporter, kMarkdownReporter, kHtmlReporter,  kJsonReporter,
      kSarifReporter, kGithubReporter,  kGitlabReporter,   kJunitReporter,
  };
  return kAll;
}

const Reporter* find_reporter(std::string_view name) {
  for (const Reporter& reporter : reporters()) {
    if (reporter.name == name) return &reporter;
  }
  return nullptr;
}

}  // namespace ckpt::report
