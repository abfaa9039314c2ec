// Numbers, text and the memo.
#include <fmt/format.h>

#include "base/text.h"
#include "pickle/machine_state.h"

namespace ckpt::pickle {
namespace {

constexpr std::uint64_t kFarMemo = 1u << 24;

}  // namespace

void Machine::push_integer(const std::optional<Integer>& integer) {
  if (!integer)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is not an integer; the pickle is damaged", quote(abbreviate(now_.text, 60))));
  charge_work(integer->work);
  if (integer->is_bool)
    stack_.push(tree_.add_bool(integer->value != 0));
  else if (integer->digits.empty())
    stack_.push(tree_.add_int(integer->value));
  else
    stack_.push(tree_.add_big_int(integer->digits));
}

void Machine::push_real_line() {
  const auto value = real_of_float(now_.text);
  if (!value)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is not a number; the pickle is damaged", quote(abbreviate(now_.text, 60))));
  stack_.push(tree_.add_float(*value));
}

void Machine::report_not_utf8(std::string_view what, std::string_view text, std::string_view advice) {
  defect("pickle-not-utf8", fmt::format("{} {} is not UTF-8: torch.load refuses the file{}", what,
                                        quote(abbreviate(text.substr(0, 200), 60)), advice));
}

void Machine::push_unicode(std::string_view text, bool borrowed) {
  if (utf8_form(text) == Utf8::kInvalid) report_not_utf8("the text", text, "");
  stack_.push(tree_.add_string(text, borrowed));
}

void Machine::push_unicode_line() {
  const auto text = decode_raw_unicode_escape(now_.text);
  if (!text)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} has an invalid escape; the pickle is damaged", quote(abbreviate(now_.text, 60))));
  stack_.push(tree_.add_string(*text));
}

// Python 2 had one type for text and bytes; torch.load decodes it as UTF-8 unless it is told otherwise.
void Machine::push_python2_string(std::string_view text, bool borrowed) {
  if (is_utf8(text)) return stack_.push(tree_.add_string(text, borrowed));
  report_not_utf8("Python 2's string", text, R"(, unless it is told how to read it: encoding="latin1")");
  stack_.push(tree_.add_bytes(text, borrowed));
}

void Machine::push_string_line() {
  const std::string_view line = now_.text;
  const bool quoted = line.size() >= 2 && line.front() == line.back() && (line[0] == '\'' || line[0] == '"');
  const auto text = quoted ? unescape_bytes(line.substr(1, line.size() - 2)) : std::nullopt;
  if (!text)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is not a quoted string; the pickle is damaged", quote(abbreviate(line, 60))));
  push_python2_string(*text, false);
}

void Machine::push_persistent_line() {
  push_unicode(now_.text, true);
  stack_.push(tree_.add_persistent(stack_.pop()));
}

// CPython's memo is an array: an index of 2^31 costs it 16 GB (CVE-2018-20406). Picklers count upwards.
void Machine::memo_put(std::uint64_t index) {
  if (index > kFarMemo && index / 16 > memo_.count())
    defect(
        "pickle-malformed",
        fmt::format("memo slot {} after {} values: Python's unpickler takes memory for all slots before it",
                    index, memo_.count()));
  memo_.put(index, stack_.top());
}

void Machine::memo_get(std::uint64_t index) {
  const NodeId id = memo_.get(index);
  if (id == value::kNoNode)
    fail(ErrorCode::kCorrupt, fmt::format("memo slot {} is empty; the pickle is damaged", index));
  stack_.push(id);
}

std::uint64_t Machine::line_index() {
  const auto index = index_of_line(now_.text);
  if (!index)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is not a memo slot; the pickle is damaged", quote(abbreviate(now_.text, 60))));
  return *index;
}

}  // namespace ckpt::pickle
