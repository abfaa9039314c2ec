// An output format: a const struct with a function, listed in reporters/list.cpp. To add one, write
// reporters/<name>.cpp and one line there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string_view>

#include "report/report.h"

namespace ckpt::report {

// Two flavors of SARIF: the standard's for binary files (regions in bytes), or what GitHub code
// scanning needs (line regions; nothing that it would show as an open alert by mistake).
enum class SarifProfile : std::uint8_t { kOasis, kGithub };

inline constexpr std::size_t kCommentBytes = 60'000;       // GitHub accepts 65,536 characters per comment
inline constexpr std::size_t kStepSummaryBytes = 900'000;  // and 1 MiB of a step's summary
inline constexpr std::size_t kSarifFindings = 5000;        // and keeps as many results of a run

struct RenderOptions {
  bool color = false;     // text only
  bool links = false;     // text only: rule ids are hyperlinks (OSC 8)
  std::size_t width = 0;  // text only: columns of the terminal; 0 = do not cut
  bool quiet = false;     // text only: just the verdict
  bool verbose = false;
  SarifProfile sarif_profile = SarifProfile::kOasis;
  std::size_t max_findings = kSarifFindings;  // sarif only; 0 = all
  std::size_t max_bytes = kCommentBytes;      // markdown only: the document's limit
};

struct Reporter {
  std::string_view name;  // "text", "json", "sarif"
  std::string_view help;
  bool needs_findings;  // cannot show a Report without findings (ckpt-show)
  bool draws = false;   // shows pictures and highlights, which a Report has only if asked for
  void (*write)(const Report& report, const RenderOptions& options, std::ostream& out);
};

std::span<const Reporter> reporters();
const Reporter* find_reporter(std::string_view name);

}  // namespace ckpt::report
