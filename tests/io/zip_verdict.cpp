#include "tests/io/zip_verdict.h"

#include <utility>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ckpt::test {

io::ZipDirectory directory_of(const std::string& zip) {
  return io::read_zip_directory(*io::memory_source(to_bytes(zip)), Limits{});
}

std::string codes_of(const io::ZipDirectory& directory) {
  std::set<std::string> codes;
  for (const auto& defect : directory.defects) codes.insert(defect.code);
  std::string out;
  for (const auto& code : codes) out += (out.empty() ? "" : " ") + code;
  return out;
}

std::string verdict(const std::string& zip) {
  try {
    return codes_of(directory_of(zip));
  } catch (const Error& error) {
    CHECK(error.text().find('\n') == std::string::npos);
    return "error: " + std::string(to_string(error.code()));
  }
}

Records healthy_records() { return torch_records(std::string(100, 'p'), {std::string(64, 's')}); }

ZipRecord simple_record(std::string name, std::string data) {
  ZipRecord out;
  out.name = std::move(name);
  out.data = std::move(data);
  return out;
}

void check_zip_table(const std::vector<ZipRow>& table) {
  for (const ZipRow& row : table) {
    CAPTURE(row.what);
    Records records = healthy_records();
    ZipOptions options;
    row.change(records, options);
    CHECK(verdict(build_zip(records, options)) == row.verdict);
  }
}

}  // namespace ckpt::test
