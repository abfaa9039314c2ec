// Writes JSON as a stream: only the open brackets are kept, so 200,000 rows need no memory. The caller must
// open and close in order and give every member of an object a key (std::logic_error otherwise).
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "report/property.h"

namespace ckpt::report {

class JsonWriter {
 public:
  enum class Layout : std::uint8_t { kInline, kLines };  // kLines: one element per line
  enum class Integers : std::uint8_t { kNumbers, kTextBeyond53Bits };

  explicit JsonWriter(std::ostream& out, Integers integers = Integers::kNumbers);
  ~JsonWriter() = default;
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  void begin_object(Layout layout = Layout::kInline) { begin('{', '}', layout); }
  void begin_array(Layout layout = Layout::kInline) { begin('[', ']', layout); }
  void end();  // of the innermost object or array
  void key(std::string_view name);

  // Always valid JSON: bytes that are not UTF-8 become U+FFFD, numbers that are not finite become strings.
  void value(const Value& value);
  void text(std::string_view text);
  void member(std::string_view name, const Value& v) {
    key(name);
    value(v);
  }
  void member(std::string_view name, std::string_view v) {
    key(name);
    text(v);
  }
  void member(std::string_view name, const char* v) {
    key(name);
    text(v);
  }
  void member(std::string_view name, const std::string& v) {
    key(name);
    text(v);
  }

  // Ends the document with a newline and hands everything to the stream. Call it last.
  void finish();

 private:
  struct Frame {
    char close;
    bool lines;
    bool empty = true;
  };

  void begin(char open, char close, Layout layout);
  void before_element();
  void new_line();
  void scalar(const Value& value);
  void flush();

  std::ostream& out_;
  Integers integers_;
  std::string buffer_;
  std::vector<Frame> open_;
  bool has_key_ = false;
};

}  // namespace ckpt::report
