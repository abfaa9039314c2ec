// What keys and values look like that should not be in a file that people pass around.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::lint {

struct Secret {
  std::string_view what;  // "a GitHub token"; "" for none
  bool certain = false;   // the value has the form of a credential; else its key alone says so
};

// A published credential format inside of `text`. By form alone, whatever the key, and therefore certain: the
// alphabet and the length are the vendor's, so that "hf_internal_testing" and "sk-learn-2024" are words.
Secret secret_shape(std::string_view text);

// The same for values that only a telling key makes suspicious: 40 hex digits under wandb_key.
// `key` is judged by whole words (use_cls_token and num_tokens are healthy), and keys about a secret
// (password_column, secret_manager) and values that refer to one (paths, NAMES_OF_VARIABLES) are none.
Secret secret_under_key(std::string_view key, std::string_view value);

// Letters and digits in one long run, as generated keys have: "[PAD]", "vit_base_patch16_224" have none.
bool looks_random(std::string_view value);

// "", "${oc.env:TOKEN}", "<your key>", "****", "changeme": what stands where a secret would.
bool is_placeholder(std::string_view text);

// "gh... (40 characters)": enough to find it, too little to use it.
std::string mask(std::string_view secret);

}  // namespace ckpt::lint
