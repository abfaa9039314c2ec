#include "files/json_reader.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const std::string& path, std::string_view text) {
  fail(ErrorCode::kUsage, fmt::format("{}: {}", one_line(path), text));
}

std::string read_text(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) refuse(path, "no such file");
  if (!fs::is_regular_file(status)) refuse(path, "not a regular file");
  const std::uint64_t size = fs::file_size(path, error);
  if (!error && size > kJsonBytes)
    refuse(path, fmt::format("{}: at most {} are read", format_bytes(size), format_bytes(kJsonBytes)));
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream.is_open()) refuse(path, "cannot be read");
  std::string text(size, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uint64_t>(stream.gcount()) != size) refuse(path, "could not be read to the end");
  return text;
}

// Sees every key before it is kept.
class Duplicates {
 public:
  bool operator()(int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start)
      open_.emplace_back();
    else if (event == json::parse_event_t::object_end)
      open_.pop_back();
    else if (event == json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second)
      throw parsed.get<std::string>();
    return true;
  }

 private:
  std::vector<std::set<std::string>> open_;
};

}  // namespace

json read_json(const std::string& text, const std::string& source) {
  try {
    Duplicates duplicates;
    json document = json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      return duplicates(depth, event, parsed);
    });
    if (!document.is_object()) refuse(source, "expected an object at the root of the document");
    return document;
  } catch (const json::parse_error& e) {
    refuse(source, fmt::format("this is not JSON (at byte {})", e.byte));
  } catch (const std::string& key) {
    refuse(source, fmt::format("the key {} appears twice in an object", quote(key)));
  }
}

json read_json_file(const std::string& path) { return read_json(read_text(path), path); }

}  // namespace ckpt
