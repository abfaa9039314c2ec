// Credentials by their form: what services publish about the keys they issue, or what the repository scanners
// (gitleaks, trufflehog, GitHub's own) agree on.
#include "lint/checks/security/secret_shapes.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || is_lower(c); }
bool is_word(char c) { return is_alnum(c) || c == '_' || c == '-'; }                   // base64url
bool is_base64(char c) { return is_alnum(c) || c == '+' || c == '/' || c == '='; }     // RFC 4648, section 4
bool is_bearer(char c) { return is_word(c) || is_base64(c) || c == '.' || c == '~'; }  // RFC 6750: b64token
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_base32(char c) { return is_upper(c) || (c >= '2' && c <= '7'); }
bool is_slack(char c) { return is_alnum(c) || c == '-'; }

using Alphabet = bool (*)(char);

std::string_view run_of(std::string_view text, Alphabet alphabet) {
  const auto end = std::find_if_not(text.begin(), text.end(), alphabet);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

bool has(std::string_view text, Alphabet alphabet) { return std::any_of(text.begin(), text.end(), alphabet); }

// Generated: two kinds of characters at least. Words are of one kind, and so are ids of digits.
bool is_mixed(std::string_view text) {
  return int{has(text, is_digit)} + int{has(text, is_upper)} + int{has(text, is_lower)} >= 2;
}

// The run begins right after the prefix and ends where its alphabet ends; no further word character follows.
struct Format {
  std::string_view prefix;
  Alphabet alphabet;
  std::size_t least, most;
  std::string_view what;
};
constexpr std::size_t kAny = 400;

// clang-format off
constexpr Format kFormats[] = {
    {"hf_", is_alnum, 30, 40, "Hugging Face token"},  // 34 letters; api_org_ likewise
    {"api_org_", is_alnum, 30, 40, "Hugging Face token"},
    {"ghp_", is_alnum, 36, 255, "GitHub token"},       {"gho_", is_alnum, 36, 255, "GitHub token"},
    {"ghu_", is_alnum, 36, 255, "GitHub token"},       {"ghs_", is_alnum, 36, 255, "GitHub token"},
    {"ghr_", is_alnum, 36, 255, "GitHub token"},       {"glpat-", is_word, 20, 60, "GitLab token"},
    {"AKIA", is_base32, 16, 16, "AWS access key id"}, {"ASIA", is_base32, 16, 16, "AWS access key id"},
    {"AIza", is_word, 35, 35, "Google API key"},      {"GOCSPX-", is_word, 28, 28, "Google client secret"},
    {"dckr_pat_", is_word, 20, 40, "Docker token"},   {"npm_", is_alnum, 36, 36, "npm token"},
    {"pypi-AgE", is_word, 50, kAny, "PyPI token"},    {"sk_live_", is_alnum, 16, kAny, "Stripe key"},
    {"rk_live_", is_alnum, 16, kAny, "Stripe key"},   {"gsk_", is_alnum, 48, 60, "Groq API key"},
    {"r8_", is_alnum, 37, 37, "Replicate token"},     {"nvapi-", is_word, 60, 70, "NVIDIA API key"},
    {"xai-", is_alnum, 70, 90, "xAI API key"},       {"pplx-", is_alnum, 40, 60, "Perplexity API key"},
    {"dapi", is_hex, 32, 32, "Databricks token"},     {"wandb_v1_", is_word, 60, kAny, "Weights & Biases API key"},
    {"hvs.", is_word, 80, kAny, "Vault token"},
    // base64 of {"api_address": as all Neptune tokens begin
    {"eyJhcGlfYWRkcmVzcyI6", is_base64, 40, 2 * kAny, "Neptune API token"},
};
// clang-format on

// Calls `found` with what follows each place where `prefix` begins a word.
template <class Found>
bool any_after(std::string_view text, std::string_view prefix, const Found& found) {
  for (std::size_t at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
    if (at > 0 && is_word(text[at - 1])) continue;  // "task-...", "half_..."
    if (found(text.substr(at + prefix.size()))) return true;
  }
  return false;
}

bool has_format(std::string_view text, const Format& format) {
  return any_after(text, format.prefix, [&](std::string_view rest) {
    const auto token = run_of(rest, format.alphabet);
    const bool ends = token.size() == rest.size() || !is_word(rest[token.size()]);
    return ends && token.size() >= format.least && token.size() <= format.most && is_mixed(token);
  });
}

bool has_mixed_run(std::string_view text, std::size_t least) {
  while (!text.empty()) {
    const auto run = run_of(text, is_alnum);
    if (run.size() >= least && has(run, is_digit) && (has(run, is_lower) || has(run, is_upper))) return true;
    text.remove_prefix(std::min(text.size(), run.size() + 1));
  }
  return false;
}

// OpenAI (sk-, sk-proj-, sk-svcacct-, sk-admin-), Anthropic (sk-ant-api03-), OpenRouter (sk-or-v1-), Langfuse
// (sk-lf-) and those that copy them: without a label one run of 20 and more, with one a run of 16 somewhere.
bool has_sk_key(std::string_view text) {
  return any_after(text, "sk-", [](std::string_view rest) {
    const auto token = run_of(rest, is_word);
    if (has_mixed_run(run_of(token, is_alnum), 20)) return true;
    static constexpr std::array kLabels = {"proj-"sv, "svcacct-"sv, "admin-"sv, "None-"sv,
                                           "ant-"sv,  "or-v1-"sv,   "lf-"sv};
    return std::any_of(kLabels.begin(), kLabels.end(), [&](std::string_view label) {
      return token.starts_with(label) && token.size() >= label.size() + 20 &&
             has_mixed_run(token.substr(label.size()), label == "lf-" ? 8 : 16);
    });
  });
}

// github_pat_ + 22 + _ + 59
bool has_fine_grained_github(std::string_view text) {
  return any_after(text, "github_pat_", [](std::string_view rest) {
    return run_of(rest, is_word).size() >= 40 && has_mixed_run(run_of(rest, is_word), 16);
  });
}

// xoxb-, xoxp-, xoxa-, xoxe., xoxr-, xoxs-: a number of the workspace, more numbers, then the secret.
bool has_slack_token(std::string_view text) {
  return any_after(text, "xox", [](std::string_view rest) {
    if (rest.size() < 2 || "abeoprs"sv.find(rest[0]) == std::string_view::npos || rest[1] != '-')
      return false;
    const auto token = run_of(rest.substr(2), is_slack);
    return token.size() >= 20 && has(token, is_digit) && (has(token, is_lower) || has(token, is_upper));
  });
}

// An address that posts for anyone who knows it: the part after the ids is the secret.
struct Hook {
  std::string_view host_and_path;
  std::size_t least;  // of all that follows
  std::string_view what;
};
constexpr Hook kHooks[] = {
    {"hooks.slack.com/services/", 40, "Slack webhook"},
    {"hooks.slack.com/workflows/", 40, "Slack webhook"},
    {"hooks.slack.com/triggers/", 40, "Slack webhook"},
    {"discord.com/api/webhooks/", 60, "Discord webhook"},
    {"discordapp.com/api/webhooks/", 60, "Discord webhook"},
    {"webhook.office.com/webhookb2/", 60, "Teams webhook"},
};

bool has_hook(std::string_view text, const Hook& hook) {
  const auto at = text.find(hook.host_and_path);
  if (at == std::string_view::npos) return false;
  const auto rest =
      run_of(text.substr(at + hook.host_and_path.size()), [](char c) { return is_word(c) || c == '/'; });
  const auto secret = rest.substr(rest.rfind('/') + 1);
  return rest.size() >= hook.least && !secret.empty() &&
         secret.find_first_not_of(secret[0]) != std::string_view::npos;  // "XXXXXXXX" of the documentation
}

// "name=value" of a connection string; the value is base64 of a key.
bool has_connection_key(std::string_view text) {
  for (const auto name : {"AccountKey="sv, "SharedAccessKey="sv}) {
    const auto at = text.find(name);
    if (at != std::string_view::npos && run_of(text.substr(at + name.size()), is_base64).size() >= 40)
      return true;
  }
  return false;
}

// The header of RFC 6750, and that of basic authentication: base64 of user:password.
bool has_authorization(std::string_view text) {
  return any_after(text, "Bearer ", [](std::string_view rest) {
    const auto token = run_of(rest, is_bearer);
    return token.size() >= 20 && is_mixed(token) && has_mixed_run(token, 12);
  });
}

// <number>:<35 characters> of Telegram's bots, which begin with AA.
bool is_telegram(std::string_view text) {
  const auto digits = run_of(text, is_digit);
  return digits.size() >= 8 && digits.size() <= 10 && text.substr(digits.size()).starts_with(":AA") &&
         run_of(text.substr(digits.size() + 1), is_word).size() == 35;
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
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '.' || c == '='; });
}

bool has_private_key(std::string_view text) {
  const auto at = text.find("-----BEGIN ");
  return (at != std::string_view::npos &&
          text.substr(at, 64).find("PRIVATE KEY-----") != std::string_view::npos) ||
         text.find("AGE-SECRET-KEY-1") != std::string_view::npos;
}

std::string_view what_shape(std::string_view text) {
  for (const auto& format : kFormats)
    if (has_format(text, format)) return format.what;
  for (const auto& hook : kHooks)
    if (has_hook(text, hook)) return hook.what;
  if (has_sk_key(text)) return "API key (sk-...)";
  if (has_fine_grained_github(text)) return "GitHub token";
  if (has_slack_token(text)) return "Slack token";
  if (has_connection_key(text)) return "connection string with a key";
  if (has_private_key(text)) return "private key";
  if (has_url_password(text)) return "URL with a password";
  if (has_authorization(text)) return "Authorization header";
  if (is_telegram(text)) return "Telegram bot token";
  if (is_jwt(text)) return "JSON web token";
  return "";
}

}  // namespace

Secret secret_shape(std::string_view text) {
  if (text.size() < 16) return {};
  const auto what = what_shape(text);
  return {what, !what.empty()};
}

bool looks_random(std::string_view value) {
  std::size_t run = 0, digits = 0;
  for (const char c : value) {
    run = is_alnum(c) ? run + 1 : 0;
    digits = run == 0 ? 0 : digits + (is_digit(c) ? 1u : 0u);
    if (run >= 16 && digits >= 3 && digits < run) return true;
  }
  return false;
}

bool is_placeholder(std::string_view text) {
  if (text.empty() || text.find("${") != std::string_view::npos || text.find("$(") != std::string_view::npos)
    return true;
  if ("<{$[%"sv.find(text.front()) != std::string_view::npos) return true;
  if (text.find_first_not_of("*xX.-?_ ") == std::string_view::npos) return true;
  const auto low = lower(text);
  static constexpr std::array kWords = {
      "none"sv,  "null"sv,   "redacted"sv, "changeme"sv, "change_me"sv, "todo"sv, "hidden"sv, "true"sv,
      "false"sv, "masked"sv, "secret"sv,   "password"sv, "passwd"sv,    "pass"sv, "token"sv,  "env"sv,
      "auto"sv,  "empty"sv,  "optional"sv, "required"sv, "string"sv,    "str"sv,  "default"sv};
  return low.starts_with("your") || low.starts_with("example") ||
         std::find(kWords.begin(), kWords.end(), low) != kWords.end();
}

}  // namespace ckpt::lint
