// Text from inputs in Markdown that GitHub and GitLab render: nothing in it may become a link, a mention, an
// image, a tag, a cell of a table or a heading. Private to the Markdown reporter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ckpt::report {

// Text that does not fit is cut by characters, before escaping.
inline constexpr std::size_t kCellCharacters = 200;

// "<code>state&#95;dict&#91;...</code>". Not backticks: in a table they cannot hold every text, because a
// pipe ends a cell inside of them, too, and "\|" only helps if no backslash precedes it. References
// to characters are never taken as Markdown (CommonMark 0.31, section 2.5), and services look for no mentions
// in code.
std::string code(std::string_view text, std::size_t characters = kCellCharacters);

// Words and numbers unchanged; as code() if a service might see a mention, an issue, a commit, a URL, an
// emoji or a formula in them.
std::string prose(std::string_view text, std::size_t characters = kCellCharacters);

}  // namespace ckpt::report
