// Every truncation and every changed byte of small archives: an error, a defect or an archive that can be
// read, never a crash (sanitizers watch).
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "io/zip_archive.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::io;
using namespace ckpt::test;

namespace {

struct Tally {
  int refused = 0;
  int defects = 0;
  int silent = 0;
};

void read_everything(const ZipArchive& archive) {
  for (const auto& entry : archive.entries()) {
    CHECK(archive.find(entry.name) != nullptr);
    try {
      read_all(*archive.entry_source(entry), 1 << 20, "entry");
    } catch (const Error& error) {
      CHECK(error.text().find('\n') == std::string::npos);
    }
  }
}

void judge(std::string_view bytes, Tally& tally) {
  try {
    const auto archive = ZipArchive::open(memory_source(to_bytes(bytes)), Limits{});
    read_everything(*archive);
    ++(archive->defects().empty() ? tally.silent : tally.defects);
    for (const auto& defect : archive->defects()) CHECK(defect.text.find('\n') == std::string::npos);
  } catch (const Error& error) {
    CHECK(error.text().find('\n') == std::string::npos);
    ++tally.refused;
  }
}

std::vector<std::string> archives() {
  std::vector<ZipRecord> deflated = torch_records(std::string(200, 'p'), {"abc"});
  for (auto& record : deflated) {
    record = plain_record(record);
    record.method = 8;
  }
  std::vector<ZipRecord> large = torch_records("pickle", {"abc"});
  for (auto& record : large) record.zip64 = true;
  return {build_zip(torch_records("pickle", {"abc"})), build_zip(deflated, plain_options()),
          build_zip(large)};
}

}  // namespace

TEST_CASE("every truncation of an archive is an error") {
  for (const std::string& zip : archives()) {
    for (std::size_t size = 0; size < zip.size(); ++size) {
      CAPTURE(size);
      Tally tally;
      judge(std::string_view(zip).substr(0, size), tally);
      CHECK(tally.refused == 1);
    }
  }
}

TEST_CASE("no changed byte makes the reader crash, and most are noticed") {
  for (const std::string& zip : archives()) {
    Tally tally;
    std::string changed = zip;
    for (std::size_t i = 0; i < zip.size(); ++i) {
      CAPTURE(i);
      for (const int value : {0x00, 0xFF, zip[i] ^ 1, zip[i] ^ 0x80, zip[i] + 1}) {
        changed[i] = static_cast<char>(value);
        if (changed[i] != zip[i]) judge(changed, tally);
      }
      changed[i] = zip[i];
    }
    CAPTURE(tally.silent);
    CHECK(tally.refused > 100);
    CHECK(tally.defects > 100);
  }
}
