#include "tests/report/html_page.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/sha256.h"

namespace ckpt::test {
namespace {

const std::set<std::string, std::less<>> kElements = {
    "html",    "head",    "meta", "title",  "style",      "body", "a",     "div",   "label",   "input",
    "output",  "button",  "main", "header", "p",          "h1",   "h2",    "table", "caption", "thead",
    "tbody",   "tr",      "th",   "td",     "dl",         "dt",   "dd",    "b",     "span",    "section",
    "details", "summary", "pre",  "figure", "figcaption", "svg",  "desc",  "rect",  "line",    "circle",
    "text",    "path",    "ul",   "li",     "footer",     "code", "script"};
const std::set<std::string, std::less<>> kVoid = {"meta", "input"};
// Of these, href is checked by its value. None of them loads or runs anything.
const std::set<std::string, std::less<>> kAttributes = {"lang",
                                                        "charset",
                                                        "http-equiv",
                                                        "content",
                                                        "name",
                                                        "class",
                                                        "href",
                                                        "id",
                                                        "hidden",
                                                        "for",
                                                        "type",
                                                        "placeholder",
                                                        "autocomplete",
                                                        "spellcheck",
                                                        "scope",
                                                        "colspan",
                                                        "open",
                                                        "data-s",
                                                        "role",
                                                        "width",
                                                        "height",
                                                        "viewBox",
                                                        "aria-labelledby",
                                                        "aria-hidden",
                                                        "x",
                                                        "y",
                                                        "x1",
                                                        "x2",
                                                        "y1",
                                                        "y2",
                                                        "cx",
                                                        "cy",
                                                        "r",
                                                        "d",
                                                        "text-anchor",
                                                        "transform"};

class Reader {
 public:
  explicit Reader(std::string_view page) : page_(page) {}

  std::vector<std::string> run() {
    for (at_ = page_.find('<'); at_ < page_.size() && problems_.size() < 10; at_ = page_.find('<', at_)) {
      check_text(page_.substr(text_from_, at_ - text_from_));
      if (page_.substr(at_).starts_with("<!doctype html>"))
        at_ += 15;
      else
        read_tag();
      text_from_ = at_;
    }
    for (const std::string& open : open_) problems_.push_back("not closed: " + open);
    return problems_;
  }

 private:
  void check_text(std::string_view text) {
    if (text.find('>') != text.npos) problems_.push_back("a bare > in the text");
    for (std::size_t i = text.find('&'); i != text.npos; i = text.find('&', i + 1)) {
      const bool known = std::any_of(kEntities.begin(), kEntities.end(), [&](std::string_view entity) {
        return text.substr(i).starts_with(entity);
      });
      if (!known) problems_.push_back("an unknown entity");
    }
  }

  void read_tag() {
    const std::size_t end = page_.find_first_of(" >/", at_ + 1 + (page_[at_ + 1] == '/' ? 1 : 0));
    std::string name(page_.substr(at_ + 1, end - at_ - 1));
    if (name.starts_with('/')) {
      name.erase(0, 1);
      if (open_.empty() || open_.back() != name) problems_.push_back("unexpected end of " + name);
      if (!open_.empty()) open_.pop_back();
      at_ = page_.find('>', at_) + 1;
      return;
    }
    if (kElements.count(name) == 0) problems_.push_back("unknown element " + name.substr(0, 40));
    at_ = end;
    bool closed = kVoid.count(name) > 0;
    while (at_ < page_.size() && page_[at_] != '>') {
      if (page_[at_] == '/') closed = true;
      if (page_[at_] == ' ' || page_[at_] == '/')
        ++at_;
      else
        read_attribute(name);
    }
    ++at_;
    if (closed) return;
    open_.push_back(name);
    if (name != "style" && name != "script") return;
    const std::size_t over = page_.find("</" + name + ">", at_);
    if (!blocks_.insert(name).second) problems_.push_back("a second " + name);
    at_ = over;
  }

  void read_attribute(const std::string& element) {
    const std::size_t end = page_.find_first_of("= >/", at_);
    const std::string name(page_.substr(at_, end - at_));
    if (kAttributes.count(name) == 0) problems_.push_back("unknown attribute " + name.substr(0, 40));
    at_ = end;
    if (page_[at_] != '=') return;
    if (page_[at_ + 1] != '"') {
      problems_.push_back("an attribute without quotes: " + name);
      at_ = page_.find_first_of(" >", at_);
      return;
    }
    const std::size_t over = page_.find('"', at_ + 2);
    const std::string_view value = page_.substr(at_ + 2, over - at_ - 2);
    if (value.find('<') != value.npos) problems_.push_back("a bare < in " + name);
    if (name == "href" && !value.starts_with('#')) problems_.push_back("a link to elsewhere in " + element);
    if (name == "id" && !ids_.insert(std::string(value)).second)
      problems_.push_back("two elements with the id " + std::string(value.substr(0, 40)));
    at_ = over + 1;
  }

  static constexpr std::array<std::string_view, 5> kEntities = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  std::string_view page_;
  std::size_t at_ = 0;
  std::size_t text_from_ = 0;
  std::vector<std::string> open_;
  std::set<std::string> blocks_, ids_;
  std::vector<std::string> problems_;
};

void replace_between(std::string& text, std::string_view start, std::string_view end, std::string_view by) {
  const std::size_t from = text.find(start);
  if (from == text.npos) return;
  const std::size_t begin = from + start.size();
  text.replace(begin, text.find(end, begin) - begin, by);
}

}  // namespace

std::vector<std::string> page_problems(std::string_view page) { return Reader(page).run(); }

std::string between(std::string_view text, std::string_view start, std::string_view end) {
  const std::size_t from = text.find(start);
  if (from == text.npos) return {};
  const std::size_t begin = from + start.size();
  return std::string(text.substr(begin, text.find(end, begin) - begin));
}

std::string without_assets(std::string page) {
  replace_between(page, "<style>", "</style>", "...");
  replace_between(page, "<script>", "</script>", "...");
  replace_between(page, "style-src '", "'", "...");
  replace_between(page, "script-src '", "'", "...");
  return page;
}

std::string policy_hash(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (const char digit : sha256_hex(text)) {
    const auto value = static_cast<unsigned>(std::string_view("0123456789abcdef").find(digit));
    for (unsigned k = 4; k-- > 0;) bits += (value >> k & 1) != 0 ? '1' : '0';
  }
  bits += "00";  // 256 bits in groups of six
  std::string out = "sha256-";
  for (std::size_t i = 0; i < bits.size(); i += 6) out += kDigits[std::stoul(bits.substr(i, 6), nullptr, 2)];
  return out + "=";
}

}  // namespace ckpt::test
