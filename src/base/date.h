// Days as texts: "2026-10-01". Such texts compare as days do.
#pragma once

#include <string>
#include <string_view>

namespace ckpt {

// A day of the Gregorian calendar from 1970 on.
bool is_date(std::string_view text);

// In UTC: the same day on every machine of a team.
std::string today_utc();

}  // namespace ckpt
