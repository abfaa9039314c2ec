#include "lint/checks/secret_shapes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/text.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_token_char(char c) { return is_alnum(c) || c == '_' || c == '-'; }
bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}
bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}
bool has_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
}

// Published prefixes of the services' own documentation, with the least length of what follows.
struct Prefix {
  std::string_view prefix;
  std::size_t least;
  std::string_view what;
};
constexpr Prefix kPrefixes[] = {
    {"sk-", 20, "an API key (sk-...)"},   {"hf_", 30, "a Hugging Face token"},
    {"ghp_", 36, "a GitHub token"},       {"gho_", 36, "a GitHub token"},
    {"ghu_", 36, "a GitHub token"},       {"ghs_", 36, "a GitHub token"},
    {"ghr_", 36, "a GitHub token"},       {"github_pat_", 40, "a GitHub token"},
    {"glpat-", 20, "a GitLab token"},     {"AKIA", 16, "an AWS access key id"},
    {"ASIA", 16, "an AWS access key id"}, {"AIza", 35, "a Google API key"},
    {"xoxb-", 20, "a Slack token"},       {"xoxp-", 20, "a Slack token"},
    {"xoxa-", 20, "a Slack token"},       {"dckr_pat_", 20, "a Docker token"},
    {"pypi-", 50, "a PyPI token"},        {"npm_", 36, "an npm token"},
};

bool has_prefixed_token(std::string_view text, const Prefix& p) {
  for (std::size_t at = text.find(p.prefix); at != std::string_view::npos; at = text.find(p.prefix, at + 1)) {
    if (at > 0 && is_token_char(text[at - 1])) continue;  // "task-...", "risk-..."
    const auto rest = text.substr(at + p.prefix.size());
    std::size_t n = 0;
    while (n < rest.size() && is_token_char(rest[n])) ++n;
    const auto token = rest.substr(0, n);
    const bool upper = !p.prefix.starts_with('A') || p.prefix == "AIza" ||
                       std::all_of(token.begin(), token.end(), [](unsigned char c) {
                         return std::isupper(c) != 0 || std::isdigit(c) != 0;
                       });
    const bool exact = (p.prefix != "AKIA" && p.prefix != "ASIA") || n == p.least;
    if (n >= p.least && upper && exact && has_digit(token) && has_letter(token)) return true;
  }
  return false;
}

bool is_placeholder(std::string_view text) {
  if (text.empty() || text.find("${") != std::string_view::npos || text.find("$(") != std::string_view::npos)
    return true;
  if (text.front() == '<' || text.front() == '{' || text.front() == '$' || text.front() == '[' ||
      text.front() == '%')
    return true;
  if (text.find_first_not_of("*xX.-?_ ") == std::string_view::npos) return true;
  const auto low = lower(text);
  static constexpr std::array kWords = {"none"sv,     "null"sv,  "redacted"sv, "changeme"sv, "todo"sv,
                                        "hidden"sv,   "true"sv,  "false"sv,    "masked"sv,   "secret"sv,
                                        "password"sv, "token"sv, "env"sv,      "auto"sv};
  return std::find(kWords.begin(), kWords.end(), low) != kWords.end();
}

// scheme://user:password@host
bool has_url_password(std::string_view text) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const auto authority = text.substr(at + 3, text.find_first_of("/ \t\n?#", at + 3) - (at + 3));
    const auto sign = authority.rfind('@');
    if (sign == std::string_view::npos) continue;
    const auto colon = authority.find(':');
    if (colon < sign && !is_placeholder(authority.substr(colon + 1, sign - colon - 1))) return true;
  }
  return false;
}

bool is_jwt(std::string_view text) {
  return text.starts_with("eyJ") && text.size() > 40 && std::count(text.begin(), text.end(), '.') == 2 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_token_char(c) || c == '.' || c == '='; });
}

// "wandbApiKey", "wandb-api-key", "WANDB_API_KEY" -> wandb, api, key
std::vector<std::string> words_of(std::string_view key) {
  std::vector<std::string> words(1);
  char before = 0;
  for (const char c : key) {
    const bool hump = std::isupper(static_cast<unsigned char>(c)) != 0 &&
                      std::islower(static_cast<unsigned char>(before)) != 0;
    if ((!is_alnum(c) || hump) && !words.back().empty()) words.emplace_back();
    if (is_alnum(c)) words.back() += lower(std::string_view(&c, 1));
    before = c;
  }
  if (words.size() > 1 && words.back().empty()) words.pop_back();
  return words;
}

bool is_word(const std::vector<std::string>& words, std::initializer_list<std::string_view> list) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  });
}

bool is_pair(const std::vector<std::string>& words, std::string_view last,
             std::initializer_list<std::string_view> firsts) {
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i] == last && std::find(firsts.begin(), firsts.end(), words[i - 1]) != firsts.end())
      return true;
  return false;
}

// A long run of letters and digits mixed: "[PAD]", "<s>", "vit_base_patch16_224" and file names have none.
bool looks_random(std::string_view value) {
  std::size_t run = 0, digits = 0;
  for (const char c : value) {
    run = is_alnum(c) ? run + 1 : 0;
    digits = run == 0 ? 0 : digits + (std::isdigit(static_cast<unsigned char>(c)) != 0 ? 1u : 0u);
    if (run >= 16 && digits >= 3 && digits < run) return true;
  }
  return false;
}

}  // namespace

std::string_view secret_shape(std::string_view text) {
  if (text.size() < 16) return "";
  for (const auto& prefix : kPrefixes)
    if (has_prefixed_token(text, prefix)) return prefix.what;
  if (const auto at = text.find("-----BEGIN ");
      at != std::string_view::npos && text.substr(at, 64).find("PRIVATE KEY-----") != std::string_view::npos)
    return "a private key (PEM)";
  if (has_url_password(text)) return "a URL with a password";
  if (is_jwt(text)) return "a JSON web token";
  return "";
}

std::string_view secret_under_key(std::string_view key, std::string_view value) {
  const auto words = words_of(key);
  if (is_placeholder(value) || words.back() == "file" || words.back() == "path" || words.back() == "name" ||
      words.back() == "dir" || words.back() == "env")
    return "";
  if (is_word(words, {"password", "passwd", "passphrase", "passwort"})) return "a password";
  if (is_word(words, {"wandb"}) && value.size() == 40 && is_hex(value)) return "a Weights & Biases API key";
  if (is_word(words, {"secret", "secrets", "apikey", "credential", "credentials"}) ||
      is_pair(words, "key", {"api", "secret", "private", "access", "auth"}))
    return value.size() >= 8 && value.find(' ') == std::string_view::npos ? "an API key or secret" : "";
  if ((words.back() == "token" || words.back() == "auth" || words.back() == "bearer") && looks_random(value))
    return "an access token";
  return "";
}

bool is_weak_secret(std::string_view value) { return secret_shape(value).empty() && !looks_random(value); }

std::string mask(std::string_view secret) {
  return one_line(secret.substr(0, 2)) + "... (" + plural(secret.size(), "character") + ")";
}

}  // namespace ckpt::lint
