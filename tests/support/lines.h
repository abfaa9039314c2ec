// Lists of lines in doctest's messages: a failed comparison shows them.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "\n  " + line;
    return text.empty() ? "(no lines)" : text.c_str();
  }
};
