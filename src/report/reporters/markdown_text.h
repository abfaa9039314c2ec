// Text from inputs in Markdown that GitHub and GitLab render, and that is readable as it is: nothing in it
// may become a link, a mention, an image, a tag, a cell of a table or a heading. Private to the Markdown
// reporter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ckpt::report {

// Text that does not fit is cut by characters, before escaping.
inline constexpr std::size_t kCellCharacters = 200;

// `state_dict["a"]`, for a cell or a paragraph: services look for no mentions in code, and nothing in it is
// Markdown (CommonMark 0.31, section 6.1). A text with a bar is <code> with references to characters, because
// a bar ends a cell inside of backticks, too, and "\|" only helps if no backslash precedes it.
std::string code(std::string_view text, std::size_t characters = kCellCharacters);

// Words and numbers with a backslash where a sign would be Markdown; as code() if a service might see a
// mention, an issue, a commit, a URL, an emoji or a formula in them. For a cell, or within a paragraph.
std::string prose(std::string_view text, std::size_t characters = kCellCharacters);

// The same at the start of a paragraph, where it must not become a list, a heading or a quotation.
std::string paragraph_of(std::string_view text, std::size_t characters = kCellCharacters);

// The same as HTML, for the lines in which services read no Markdown (<summary>).
std::string html(std::string_view text, std::size_t characters = kCellCharacters);

}  // namespace ckpt::report
