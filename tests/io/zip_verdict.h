// Healthy archives with one change each, and what the directory reader says to them.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "io/zip_directory.h"
#include "tests/support/zip_builder.h"

namespace ckpt::test {

using Records = std::vector<ZipRecord>;

struct ZipRow {
  std::string what, verdict;
  std::function<void(Records&, ZipOptions&)> change;
};

// Applies each row's change to healthy_records() and checks the verdict.
void check_zip_table(const std::vector<ZipRow>& table);

// data.pkl, byteorder, data/0, version, .data/serialization_id
Records healthy_records();
ZipRecord simple_record(std::string name, std::string data);

io::ZipDirectory directory_of(const std::string& zip);
// The different codes of all defects in alphabetical order.
std::string codes_of(const io::ZipDirectory& directory);
// codes_of, or "error: " and the code of the error.
std::string verdict(const std::string& zip);

}  // namespace ckpt::test
