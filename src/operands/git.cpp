#include "operands/git.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "io/child_process.h"

namespace ckpt::operands {
namespace {

constexpr std::size_t kMessage = 400;

// "fatal: A\nhint: B\n" is "A; B".
std::string one_sentence(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    for (const std::string_view start : {"fatal: ", "error: ", "hint: "})
      if (line.starts_with(start)) line.remove_prefix(start.size());
    if (line.empty()) continue;
    out += (out.empty() ? "" : "; ") + std::string(line);
  }
  return abbreviate(one_line(out), kMessage);
}

}  // namespace

GitAnswer ask_git(std::vector<std::string> arguments, const Limits& limits, const std::string& folder) {
  std::vector<std::string> argv = {"git"};
  if (!folder.empty()) argv.insert(argv.end(), {"-C", folder});
  std::move(arguments.begin(), arguments.end(), std::back_inserter(argv));
  io::ChildResult result = io::run_child(argv, limits.listing_bytes);
  if (result.out.ends_with('\n')) result.out.pop_back();
  return {result.status, std::move(result.out), one_sentence(result.err)};
}

void fail_git(const GitAnswer& answer) {
  fail(ErrorCode::kIo, answer.err.empty() ? fmt::format("git ended with status {}", answer.status)
                                          : fmt::format("git: {}", answer.err));
}

std::string shell_word(const std::string& text) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_-./=+:@%,^~").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.front() != '~' && std::all_of(text.begin(), text.end(), plain)) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace ckpt::operands
