#include "report/finding.h"

#include <string_view>
#include <tuple>

namespace ckpt::report {
namespace {

std::tuple<bool, std::string_view, std::uint64_t, std::uint64_t> order_of(
    const std::optional<ByteRange>& bytes) {
  return bytes ? std::tuple{true, std::string_view(bytes->part), bytes->offset, bytes->size}
               : std::tuple{false, std::string_view(), std::uint64_t{0}, std::uint64_t{0}};
}

auto order_of(const Finding& finding) {
  return std::tie(finding.where.input, finding.where.path, finding.rule_id, finding.kind, finding.message,
                  finding.level, finding.arguments);
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kNote: return "note";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "";
}

std::string_view to_string(Baseline state) {
  switch (state) {
    case Baseline::kNone: return "";
    case Baseline::kNew: return "new";
    case Baseline::kUnchanged: return "unchanged";
  }
  return "";
}

std::string identity_of(const Finding& finding) {
  return finding.subject.empty() ? finding.kind : finding.kind + ':' + finding.subject;
}

bool operator<(const Finding& a, const Finding& b) {
  const auto left = order_of(a);
  const auto right = order_of(b);
  if (left != right) return left < right;
  return order_of(a.where.bytes) < order_of(b.where.bytes);
}

}  // namespace ckpt::report
