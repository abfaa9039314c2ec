// Reads a page of the html report far enough to say what is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ckpt::test {

// Markup that is not closed, not quoted, or not one that the reporter writes; anything that could load, run
// or style something beside the page's own two blocks. Empty for a good page.
std::vector<std::string> page_problems(std::string_view page);

// The page without the text of its style and its script, which no report changes.
std::string without_assets(std::string page);

// "sha256-..." of Content-Security-Policy.
std::string policy_hash(std::string_view text);

// What is between the first `start` and the `end` after it.
std::string between(std::string_view text, std::string_view start, std::string_view end);

}  // namespace ckpt::test
