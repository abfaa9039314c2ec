// A small JSON-like value for properties and facts of a report. Built by our code only (bounded depth), never
// shaped by an input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ckpt::report {

class Value;
struct Property;
using List = std::vector<Value>;
using Object = std::vector<Property>;   // in the order in which it is written

class Value {
 public:
  Value() = default;                                  // null
  Value(std::nullptr_t) {}                            // NOLINT(google-explicit-constructor)
  Value(bool v) : data_(v) {}                         // NOLINT(google-explicit-constructor)
  Value(int v) : data_(std::int64_t{v}) {}            // NOLINT(google-explicit-constructor)
  Value(std::int64_t v) : data_(v) {}                 // NOLINT(google-explicit-constructor)
  Value(std::uint64_t v) : data_(v) {}                // NOLINT(google-explicit-constructor)
  Value(double v) : data_(v) {}                       // NOLINT(google-explicit-constructor)
  Value(std::string v) : data_(std::move(v)) {}       // NOLINT(google-explicit-constructor)
  Value(std::string_view v) : data_(std::string(v)) {}// NOLINT(google-explicit-constructor)
  Value(const char* v) : data_(std::string(v)) {}     // NOLINT(google-explicit-constructor)
  Value(List v) : data_(std::move(v)) {}              // NOLINT(google-explicit-constructor)
  Value(Object v);                                    // NOLINT(google-explicit-constructor)

  // Doubles that are not finite are written as the strings "nan", "inf", "-inf" by every writer.
  using Data = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, List, Object>;
  const Data& data() const { return data_; }
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }

 private:
  Data data_ = nullptr;
};

struct Property {
  std::string name;
  Value value;
};

inline Value::Value(Object v) : data_(std::move(v)) {}

}  // namespace ckpt::report
