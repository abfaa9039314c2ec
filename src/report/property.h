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
using Object = std::vector<Property>;  // in the order in which they are written

class Value {
 public:
  // Doubles that are not finite are written as the strings "nan", "inf", "-inf" by every writer.
  using Data =
      std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, List, Object>;

  // Defined below: a list of properties needs the complete Property.
  Value();                    // null
  Value(std::nullptr_t);      // NOLINT(google-explicit-constructor)
  Value(bool v);              // NOLINT(google-explicit-constructor)
  Value(int v);               // NOLINT(google-explicit-constructor)
  Value(std::int64_t v);      // NOLINT(google-explicit-constructor)
  Value(std::uint64_t v);     // NOLINT(google-explicit-constructor)
  Value(double v);            // NOLINT(google-explicit-constructor)
  Value(std::string v);       // NOLINT(google-explicit-constructor)
  Value(std::string_view v);  // NOLINT(google-explicit-constructor)
  Value(const char* v);       // NOLINT(google-explicit-constructor)
  Value(List v);              // NOLINT(google-explicit-constructor)
  Value(Object v);            // NOLINT(google-explicit-constructor)
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  const Data& data() const { return data_; }
  bool is_null() const { return data_.index() == 0; }

 private:
  Data data_;
};

struct Property {
  std::string name;
  Value value;
};

inline Value::Value() = default;
inline Value::Value(std::nullptr_t) {}
inline Value::Value(bool v) : data_(v) {}
inline Value::Value(int v) : data_(std::int64_t{v}) {}
inline Value::Value(std::int64_t v) : data_(v) {}
inline Value::Value(std::uint64_t v) : data_(v) {}
inline Value::Value(double v) : data_(v) {}
inline Value::Value(std::string v) : data_(std::move(v)) {}
inline Value::Value(std::string_view v) : data_(std::string(v)) {}
inline Value::Value(const char* v) : data_(std::string(v)) {}
inline Value::Value(List v) : data_(std::move(v)) {}
inline Value::Value(Object v) : data_(std::move(v)) {}
inline Value::Value(const Value&) = default;
inline Value::Value(Value&&) noexcept = default;
inline Value& Value::operator=(const Value&) = default;
inline Value& Value::operator=(Value&&) noexcept = default;
inline Value::~Value() = default;

}  // namespace ckpt::report
