// Credentials by the name of their key, where the value alone is not telling.
#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/text.h"
#include "lint/checks/security/secret_shapes.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;
using Words = std::vector<std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || is_lower(c); }

template <class Test>
bool all(std::string_view text, const Test& test) {
  return std::all_of(text.begin(), text.end(), test);
}
template <class Test>
bool any(std::string_view text, const Test& test) {
  return std::any_of(text.begin(), text.end(), test);
}

template <class Table>
bool is_one_of(std::string_view word, const Table& table) {
  return std::find(std::begin(table), std::end(table), word) != std::end(table);
}

// "wandbApiKey", "wandb-api-key", "WANDB_API_KEY", "password2" -> wandb, api, key; password
Words words_of(std::string_view key) {
  Words words(1);
  char before = 0;
  for (const char c : key.substr(0, 256)) {
    const bool hump = is_upper(c) && is_lower(before);
    if ((!is_alnum(c) || hump) && !words.back().empty()) words.emplace_back();
    if (is_alnum(c)) words.back() += lower(std::string_view(&c, 1));
    before = c;
  }
  if (words.size() > 1 && words.back().empty()) words.pop_back();
  while (words.size() > 1 && all(words.back(), is_digit)) words.pop_back();
  while (words.back().size() > 1 && is_digit(words.back().back())) words.back().pop_back();
  return words;
}

bool has_word(const Words& words, std::string_view wanted) { return is_one_of(wanted, words); }

// Position after the last "api key", "secret key" ...; 0 if there is none.
std::size_t behind_key(const Words& words) {
  static constexpr std::array kFirsts = {"api"sv,   "secret"sv,  "private"sv,    "access"sv,  "auth"sv,
                                         "comet"sv, "account"sv, "encryption"sv, "signing"sv, "wandb"sv};
  for (std::size_t i = words.size(); i-- > 1;)
    if (words[i] == "key" && is_one_of(words[i - 1], kFirsts)) return i + 1;
  return 0;
}

std::size_t behind_word(const Words& words) {
  static constexpr std::array kAlone = {"secret"sv, "secrets"sv, "apikey"sv, "credential"sv, "credentials"sv};
  for (std::size_t i = words.size(); i-- > 0;)
    if (is_one_of(words[i], kAlone)) return i + 1;
  return 0;
}

// Keys that describe a secret rather than hold one: where it is, how it is kept, what it looks like.
bool is_about(const Words& words) {
  // clang-format off
  static constexpr std::array kLast = {
      "file"sv, "files"sv, "filename"sv, "path"sv, "paths"sv, "dir"sv, "folder"sv, "location"sv, "name"sv, "names"sv,
      "env"sv, "environ"sv, "var"sv, "variable"sv, "field"sv, "fields"sv, "column"sv, "columns"sv, "col"sv, "cols"sv,
      "type"sv, "types"sv, "kind"sv, "class"sv, "mode"sv, "scheme"sv, "method"sv, "format"sv, "manager"sv, "backend"sv,
      "provider"sv, "store"sv, "storage"sv, "vault"sv, "source"sv, "service"sv, "server"sv, "url"sv, "uri"sv, "host"sv,
      "endpoint"sv, "id"sv, "ids"sv, "ref"sv, "reference"sv, "arn"sv, "alias"sv, "length"sv, "len"sv, "size"sv,
      "count"sv, "num"sv, "limit"sv, "policy"sv, "regex"sv, "pattern"sv, "template"sv, "prompt"sv, "hint"sv, "label"sv,
      "prefix"sv, "suffix"sv, "header"sv, "model"sv, "embedding"sv, "encoder"sv, "tokenizer"sv, "strategy"sv,
      "algorithm"sv, "schema"sv, "version"sv, "status"sv, "fn"sv, "func"sv, "callback"sv, "dict"sv, "list"sv,
      "rotation"sv, "expiry"sv, "enabled"sv, "required"sv};
  // clang-format on
  return is_one_of(words.back(), kLast);
}

bool has_extension(std::string_view text) {
  static constexpr std::array kFiles = {".json"sv, ".txt"sv, ".pem"sv,  ".key"sv, ".yaml"sv, ".yml"sv,
                                        ".env"sv,  ".csv"sv, ".p12"sv,  ".pfx"sv, ".crt"sv,  ".toml"sv,
                                        ".ini"sv,  ".cfg"sv, ".conf"sv, ".db"sv,  ".pkl"sv,  ".ckpt"sv,
                                        ".gpg"sv,  ".asc"sv, ".py"sv};
  return std::any_of(kFiles.begin(), kFiles.end(), [&](std::string_view end) { return text.ends_with(end); });
}

// A path, an address or the name of a variable: where the secret is, not the secret.
bool is_reference(std::string_view text) {
  static constexpr std::array kStarts = {"/"sv,    "~/"sv,   "./"sv,   "../"sv,  "\\"sv,
                                         "arn:"sv, "env:"sv, "env/"sv, "env."sv, "os.environ"sv};
  const bool starts =
      std::any_of(kStarts.begin(), kStarts.end(), [&](std::string_view s) { return text.starts_with(s); });
  if (starts || text.find("://") != std::string_view::npos || has_extension(text)) return true;
  if (text.size() > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/')) return true;
  const bool caps = all(text, [](char c) { return is_upper(c) || is_digit(c) || c == '_'; });
  return caps && is_upper(text[0]) && (text.find('_') != std::string_view::npos || !any(text, is_digit));
}

// "question_id", "config.api.key": identifiers of a program. Keys that a service generates have digits.
bool is_identifier(std::string_view text) {
  return all(text, [](char c) { return is_lower(c) || c == '_' || c == '.' || c == '-'; });
}

// 40 mixed characters of base64: AWS, whose keys may contain '/' and '+'.
bool is_aws_secret(std::string_view text) {
  return text.size() == 40 &&
         all(text, [](char c) { return is_alnum(c) || c == '/' || c == '+' || c == '='; }) &&
         any(text, is_digit) && any(text, is_upper) && any(text, is_lower);
}

// A generated key: looks random, or is long with both cases and a digit.
bool is_generated(std::string_view text) {
  return looks_random(text) || (text.size() >= 20 && all(text, is_alnum) && any(text, is_digit) &&
                                any(text, is_upper) && any(text, is_lower));
}

Secret password(const Words& words, std::string_view value) {
  static constexpr std::array kAlone = {"password"sv, "passwd"sv, "passphrase"sv, "passwort"sv, "pwd"sv};
  static constexpr std::array kOwners = {"db"sv,   "user"sv,  "smtp"sv,  "mail"sv,  "email"sv, "redis"sv,
                                         "ftp"sv,  "mysql"sv, "mongo"sv, "admin"sv, "root"sv,  "login"sv,
                                         "http"sv, "proxy"sv, "pg"sv,    "sftp"sv,  "ssh"sv,   "postgres"sv};
  const std::string& last = words.back();
  const bool pass = last == "pass" && words.size() > 1 && is_one_of(words[words.size() - 2], kOwners);
  if (!pass && !is_one_of(last, kAlone)) return {};
  if (value.find(' ') != std::string_view::npos || is_reference(value)) return {};
  return {"password", !is_identifier(value)};
}

// Tokens of a vocabulary rather than of a service.
bool is_text_token(const Words& words) {
  static constexpr std::array kText = {"cls"sv,   "sep"sv,   "pad"sv,     "bos"sv,   "eos"sv,
                                       "mask"sv,  "unk"sv,   "start"sv,   "end"sv,   "image"sv,
                                       "video"sv, "audio"sv, "special"sv, "stop"sv,  "eot"sv,
                                       "begin"sv, "blank"sv, "trigger"sv, "class"sv, "text"sv};
  return std::any_of(words.begin(), words.end(), [&](const std::string& w) { return is_one_of(w, kText); });
}

Secret header(const Words& words, std::string_view value) {
  if (words.back() != "authorization") return {};
  const auto space = value.find(' ');
  const auto rest = space == std::string_view::npos ? value : value.substr(space + 1);
  if (rest.size() < 8 || is_placeholder(rest) || is_reference(rest)) return {};
  return {"Authorization header", looks_random(rest)};
}

Secret of_service(const Words& words, std::string_view value) {
  const bool hex = all(value, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  if (has_word(words, "wandb") && value.size() == 40 && hex) return {"Weights & Biases API key", true};
  if (has_word(words, "comet") && value.size() == 25 && all(value, is_alnum) &&
      (any(value, is_digit) || any(value, is_upper)) && any(value, is_lower))
    return {"Comet API key", true};
  const bool telling = has_word(words, "aws") || has_word(words, "secret") || has_word(words, "access");
  if (telling && (has_word(words, "key") || has_word(words, "secret")) && is_aws_secret(value))
    return {"AWS secret key", true};
  return {};
}

Secret key_or_secret(const Words& words, std::string_view value) {
  const std::size_t key = behind_key(words), behind = std::max(key, behind_word(words));
  if (behind == 0 || value.size() < 8 || value.find(' ') != std::string_view::npos) return {};
  const bool generated = is_generated(value);
  if (!generated && (is_reference(value) || value.find('/') != std::string_view::npos)) return {};
  if (!generated && behind < words.size()) return {};            // api_key_rotation: about a key
  if (!generated && key > 0 && is_identifier(value)) return {};  // auth_key: "question_id"
  return {"API key or secret", generated};
}

}  // namespace

Secret secret_under_key(std::string_view key, std::string_view value) {
  const auto words = words_of(key);
  if (is_placeholder(value)) return {};
  if (words.back() == "id" && has_word(words, "access") && looks_random(value))
    return {"AWS access key id", true};
  if (is_about(words)) return {};
  if (const auto secret = of_service(words, value); !secret.what.empty()) return secret;
  if (const auto secret = password(words, value); !secret.what.empty()) return secret;
  if (const auto secret = header(words, value); !secret.what.empty()) return secret;
  if (const auto secret = key_or_secret(words, value); !secret.what.empty()) return secret;
  static constexpr std::array kTokens = {"token"sv, "auth"sv, "bearer"sv, "pat"sv};
  if (is_one_of(words.back(), kTokens) && !is_text_token(words) && looks_random(value) &&
      value.find('/') == std::string_view::npos)
    return {"access token", true};
  return {};
}

}  // namespace ckpt::lint
