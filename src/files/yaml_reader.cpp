#include "files/yaml_reader.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt {
namespace {

constexpr std::size_t kShown = 60;  // characters of a value that a message repeats

[[noreturn]] void fail_at(const std::string& source, std::size_t line, std::size_t column,
                          std::string_view text) {
  fail(ErrorCode::kUsage, fmt::format("{}:{}:{}: {}", source, line, column, text));
}

// Builds the tree from events. Every refusal happens at the event, so that a hostile document is left early.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& source) : source_(source) {}

  bool has_document() const { return documents_ > 0; }
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents_;
    if (documents_ > 1) refuse(mark, "a second document starts here, but only one is read: remove the '---'");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    add(node_at(mark, YamlNode::Kind::kNull));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark, "aliases (*name) are not supported: write out the value");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    YamlNode node = node_at(mark, YamlNode::Kind::kScalar);
    node.plain = tag != "!";  // yaml-cpp marks quoted and block scalars with the non-specific tag "!"
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { end(); }
  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override { refuse_anchor(mark); }

 private:
  struct Open {
    YamlNode node;
    std::set<std::string> seen;  // keys of a map
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view text) const {
    const YamlNode at = node_at(mark, YamlNode::Kind::kNull);
    yaml_fail(source_, at, text);
  }
  [[noreturn]] void refuse_anchor(const YAML::Mark& mark) const {
    refuse(mark, "anchors (&name) are not supported: write out the value where it is needed");
  }

  static YamlNode node_at(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    if (!mark.is_null()) {
      node.line = static_cast<std::size_t>(mark.line) + 1;
      node.column = static_cast<std::size_t>(mark.column) + 1;
    }
    return node;
  }

  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != 0) refuse_anchor(mark);
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, fmt::format("tags are not supported, but this value has the tag '{}': remove it",
                               one_line(abbreviate(tag, kShown))));
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    check(mark, tag, anchor);
    if (open_.size() >= kYamlDepth)
      refuse(mark, fmt::format("more than {} nested lists and maps", kYamlDepth));
    if (awaits_key()) refuse(mark, "a key must be a word, not a list or a map");
    open_.push_back({node_at(mark, kind), {}});
  }

  void end() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.is_map() &&
           open_.back().node.keys.size() == open_.back().node.items.size();
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (awaits_key()) {
      add_key(std::move(node));
    } else {
      open_.back().node.items.push_back(std::move(node));
    }
  }

  void add_key(YamlNode key) {
    if (!key.is_scalar()) yaml_fail(source_, key, fmt::format("a key must be a word, not {}", describe(key)));
    if (!open_.back().seen.insert(key.text).second)
      yaml_fail(source_, key, fmt::format("the key {} appears twice: remove one of them", describe(key)));
    open_.back().node.keys.push_back(std::move(key));
  }

  const std::string& source_;
  std::size_t documents_ = 0;
  std::vector<Open> open_;
  YamlNode root_;
};

// yaml-cpp decodes UTF-16 and UTF-32 by itself, replaces what is no UTF-8, and takes the byte 0x04 for the
// end of the file (src/stream.h): everything behind it would be ignored in silence.
void check_bytes(std::string_view text, const std::string& source) {
  if (text.size() > kYamlBytes)
    fail_at(
        source, 1, 1,
        fmt::format("{} of YAML: at most {} are read", format_bytes(text.size()), format_bytes(kYamlBytes)));
  std::size_t line = 1, start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      ++line;
      start = i + 1;
    }
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F)
      fail_at(source, line, i - start + 1,
              fmt::format("the control character 0x{:02x}: YAML files are plain UTF-8 text", c));
  }
  if (!is_utf8(text)) fail_at(source, 1, 1, "not UTF-8: save the file as UTF-8 text");
}

// yaml-cpp's messages about a TAB in the indentation name anything but the TAB: the last one up to where it
// gave up is the cause.
void refuse_tab(std::string_view text, const std::string& source, std::size_t last_line) {
  std::size_t line = 1, tab_line = 0, tab_column = 0;
  for (std::size_t at = 0; at < text.size() && line <= last_line; ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view indentation =
        text.substr(at, std::min(text.find_first_not_of(" \t", at), end) - at);
    if (const std::size_t tab = indentation.find('\t');
        tab != indentation.npos && at + indentation.size() < end) {
      tab_line = line;
      tab_column = tab + 1;
    }
    at = end + 1;
  }
  if (tab_line > 0)
    fail_at(source, tab_line, tab_column, "a TAB in the indentation: YAML is indented with spaces");
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i].text == key) return &items[i];
  return nullptr;
}

std::string yaml_position(const std::string& source, const YamlNode& node) {
  return fmt::format("{}:{}:{}", source, node.line, node.column);
}

void yaml_fail(const std::string& source, const YamlNode& node, std::string_view text) {
  fail_at(source, node.line, node.column, text);
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return fmt::format("'{}'", one_line(abbreviate(node.text, kShown)));
    case YamlNode::Kind::kSequence: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  return "";
}

std::string read_yaml_text(const std::filesystem::path& path, std::string_view kind) {
  const std::string shown = fmt::format("'{}'", one_line(path.string()));
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    fail(ErrorCode::kUsage, fmt::format("{} is a directory: expected {}", shown, kind));
  std::ifstream stream(path, std::ios::binary);
  std::string text(kYamlBytes + 1, '\0');  // one byte more than allowed: read_yaml refuses it
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad())
    fail(ErrorCode::kUsage, fmt::format("{} cannot be read: check that it exists and is readable", shown));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

YamlNode read_yaml(std::string_view text, const std::string& source, std::string_view expected) {
  check_bytes(text, source);
  std::istringstream stream{std::string(text)};
  Builder builder(source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    const bool known = !e.mark.is_null();
    refuse_tab(text, source, known ? static_cast<std::size_t>(e.mark.line) + 1 : text.size());
    fail_at(source, known ? static_cast<std::size_t>(e.mark.line) + 1 : 1,
            known ? static_cast<std::size_t>(e.mark.column) + 1 : 1,
            fmt::format("this is not YAML: {}", one_line(e.msg)));
  }
  YamlNode root = builder.take();
  if (!builder.has_document() || root.kind == YamlNode::Kind::kNull)
    fail_at(source, 1, 1, fmt::format("the file is empty: expected {}", expected));
  if (!root.is_map())
    yaml_fail(source, root, fmt::format("expected {}, but found {}", expected, describe(root)));
  return root;
}

}  // namespace ckpt
