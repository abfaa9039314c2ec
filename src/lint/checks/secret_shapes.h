// What keys and values look like that should not be in a file that people pass around.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::lint {

// A known credential format inside of `text` ("a GitHub token"), or "". By shape alone, whatever the key.
std::string_view secret_shape(std::string_view text);

// The same for values that only a telling key makes suspicious: 40 hex digits under wandb_key.
// `key` is judged by whole words (use_cls_token and num_tokens are healthy, T30).
std::string_view secret_under_key(std::string_view key, std::string_view value);

// True for what stands under a telling name but does not look like a credential itself ("sk-test-000000"):
// worth a warning, not an error.
bool is_weak_secret(std::string_view value);

// "gh... (40 characters)": enough to find it, too little to use it.
std::string mask(std::string_view secret);

}  // namespace ckpt::lint
