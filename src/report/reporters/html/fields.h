// The members of a table's row. Private to this folder.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "report/property.h"

namespace ckpt::report::html {

// Null if the row has no such member.
const Value* member(const Object& row, std::string_view name);
// Of numbers of any type; nullopt for everything else.
std::optional<double> number_at(const Object& row, std::string_view name);
// As people read it, not escaped; "" for null and for what is not there.
std::string text_at(const Object& row, std::string_view name);
std::string text_of(const Value& value);

// How much a row of `changes` contributes to the change as a whole: the sum of the squared differences.
// Infinity where NaN or infinities appeared; nullopt for what is no change of elements.
std::optional<double> contribution(const Object& row);

// What a row is about: the name of a weight; of everything else, optimizer state with the name of its weight
// too, the path.
bool is_weight(const Object& row);
std::string name_of(const Object& row);

}  // namespace ckpt::report::html
