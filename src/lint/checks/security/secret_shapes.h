// What credentials look like, by the form of the value or by the name of its key.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::lint {

struct Secret {
  std::string_view what;  // "GitHub token"; "" for none
  bool certain = false;   // the value has the form of a credential; false: only its key suggests one
};

// A published credential format anywhere in `text`. The form alone decides, whatever the key, so the result
// is certain: alphabet and length are the vendor's, and "hf_internal_testing" and "sk-learn-2024" do not
// match.
Secret secret_shape(std::string_view text);

// The same for values that only their key makes suspicious: 40 hex digits under wandb_key.
// `key` is judged by whole words (use_cls_token and num_tokens are healthy). Keys about a secret
// (password_column, secret_manager) and values that refer to one (paths, NAMES_OF_VARIABLES) do not count.
Secret secret_under_key(std::string_view key, std::string_view value);

// Letters and digits in one long run, as generated keys have: "[PAD]", "vit_base_patch16_224" have none.
bool looks_random(std::string_view value);

// "", "${oc.env:TOKEN}", "<your key>", "****", "changeme": fills the place of a secret.
bool is_placeholder(std::string_view text);

}  // namespace ckpt::lint
