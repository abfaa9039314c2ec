// Every form that is read holds the numbers of fixtures/valid/formats/zip.pt, which torch.save wrote.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tensor/stats.h"
#include "tests/checkpoint/format_support.h"

using namespace ckpt;
using namespace ckpt::test;
namespace fs = std::filesystem;

TEST_CASE("what torch.save wrote is the same in every form that can hold all of it") {
  const auto zip = open_checkpoint(fixture("zip.pt"));
  REQUIRE(zip->entries.size() == 27);
  for (const char* name : {"legacy-protocol-1.pt", "legacy-protocol-2.pt", "legacy-protocol-4.pt",
                           "legacy-protocol-5.pt", "dcp-1", "dcp-2", "dcp-4"}) {
    CAPTURE(name);
    const auto file = open_checkpoint(fixture(name));
    CHECK(file->complete);
    const bool legacy = file->format == "torch-legacy";
    CHECK(codes(*file) == (legacy ? std::vector<std::string>{"legacy-format "} : std::vector<std::string>{}));
    CHECK(file->entries.size() == zip->entries.size());
    const auto others = by_path(*file);
    for (const TensorEntry& entry : zip->entries) {
      CAPTURE(entry.path);
      const auto found = others.find(entry.path);
      REQUIRE(found != others.end());
      CHECK(same_bits(*zip, entry, *file, *found->second));
    }
    const auto root = file->tree.root();
    CHECK(file->tree.integer(file->tree.get(root, "epoch")) == 3);
    CHECK(file->tree.text(file->tree.get(root, "note")) == "hello");
    const auto groups = file->tree.get(file->tree.get(root, "optimizer"), "param_groups");
    REQUIRE(file->tree.elements(groups).size() == 1);
    CHECK(file->tree.real(file->tree.get(file->tree.elements(groups)[0], "lr")) == 0.01);
  }
}

TEST_CASE("the weights are the same in every form that holds weights") {
  const auto zip = open_checkpoint(fixture("zip.pt"));
  const auto whole = by_path(*zip);
  struct Case {
    const char* name;
    const char* prefix;
    std::size_t tensors;
  };
  const Case cases[] = {{"tar.pt", "", 8},
                        {"weights.safetensors", "", 9},
                        {"stored.npz", "", 9},
                        {"deflated.npz", "", 9},
                        {"hugging-face-safetensors", "", 9},
                        {"hugging-face-bin", "", 9},
                        {"hugging-face-bin-legacy", "", 9},
                        {"hugging-face-trainer", "model", 27}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto file = open_checkpoint(fixture(c.name));
    CHECK(file->entries.size() == c.tensors);
    std::size_t compared = 0;
    for (const TensorEntry& entry : file->entries) {
      const std::string path = *c.prefix != '\0' ? entry.path : "model" + entry.path;
      const auto found = whole.find(path);
      if (found == whole.end()) continue;
      CAPTURE(path);
      CHECK(same_bits(*zip, *found->second, *file, entry));
      ++compared;
    }
    CHECK(compared == c.tensors);
  }
}

TEST_CASE("arrays in Fortran order or of the other byte order have the same elements") {
  const auto zip = open_checkpoint(fixture("zip.pt"));
  const auto weight = by_path(*zip).at("model[\"0.weight\"]");
  for (const char* name : {"fortran.npy", "big_endian.npy"}) {
    CAPTURE(name);
    const auto file = open_checkpoint(fixture(name));
    REQUIRE(file->entries.size() == 1);
    CHECK(same_bits(*zip, *weight, *file, file->entries[0]));
  }
}

TEST_CASE("GGUF: plain tensors are read, Q8_0 and Q4_0 have the values of the gguf package") {
  const auto file = open_checkpoint(fixture("model.gguf"));
  const auto tensors = by_path(*file);
  const auto zip = open_checkpoint(fixture("zip.pt"));
  CHECK(same_bits(*zip, *by_path(*zip).at("model[\"0.weight\"]"), *file, *tensors.at("plain")));
  for (const std::string type : {"Q8_0", "Q4_0"}) {
    CAPTURE(type);
    const auto values = open_checkpoint(fixture("gguf_" + type + ".npy"));
    CHECK(same_bits(*values, values->entries[0], *file, *tensors.at(type)));
    CHECK(file->record_of(*tensors.at(type)).subclass == "GGUF " + type);
  }
  const auto& other = file->record_of(*tensors.at("Q5_0")).view;  // 2 blocks of 22 bytes a row
  CHECK(other.shape == std::vector<std::int64_t>{3, 44});
  const auto metadata = file->tree.get(file->tree.root(), "__metadata__");
  CHECK(file->tree.integer(file->tree.get(metadata, "tiny.block_count")) == 2);
  CHECK(file->tree.elements(file->tree.get(metadata, "tokenizer.ggml.tokens")).size() == 3);
}

TEST_CASE("a place in a sharded tensor is known by part and offset") {
  const auto file = open_checkpoint(fixture("dcp-2"));
  const auto& view = file->record_of(*by_path(*file).at("model[\"2.weight\"]")).view;
  REQUIRE(view.shape == std::vector<std::int64_t>{3, 6});
  const auto& storage = file->storages[view.storage];
  std::vector<std::string> parts;
  for (const std::uint64_t element : {0u, 17u}) {
    const auto place = storage.bytes->locate(element * 4);
    REQUIRE(place);
    float here = 0, there = 0;
    storage.bytes->read(element * 4, std::as_writable_bytes(std::span(&here, 1)));
    place->file->read(place->offset, std::as_writable_bytes(std::span(&there, 1)));
    CHECK(here == there);
    for (std::size_t i = 0; i < file->sources.size(); ++i)
      if (file->sources[i].get() == place->file) parts.push_back(file->parts[i].name);
  }
  CHECK(parts == std::vector<std::string>{"__0_0.distcp", "__1_0.distcp"});
}

TEST_CASE("files that are missing, cut or of another save are named") {
  const test::Folder folder;
  SUBCASE("a rank's file is missing") {
    const std::string path = copy_of("dcp-2", folder);
    fs::remove(path + "/__1_0.distcp");
    const auto file = open_checkpoint(path);
    CHECK(codes(*file) == std::vector<std::string>{"shard-missing __1_0.distcp"});
    CHECK_FALSE(file->record_of(*by_path(*file).at("model[\"2.weight\"]")).view.in_bounds);
  }
  SUBCASE("a rank's file is cut") {
    const std::string path = copy_of("dcp-2", folder);
    fs::resize_file(path + "/__1_0.distcp", fs::file_size(path + "/__1_0.distcp") - 1);
    const auto file = open_checkpoint(path);
    REQUIRE(file->defects.size() == 1);
    CHECK(file->defects[0].code == "shard-truncated");
    CHECK(file->part_name(file->defects[0].part) == "__1_0.distcp");
  }
  SUBCASE("ranks are swapped: what a chunk holds is compared when it is read") {
    const std::string path = copy_of("dcp-2", folder);
    fs::copy_file(fixture("dcp-4") + "/__1_0.distcp", path + "/__1_0.distcp",
                  fs::copy_options::overwrite_existing);
    const auto file = open_checkpoint(path);
    CHECK_FALSE(file->defects.empty());
  }
  SUBCASE("no metadata") {
    const std::string path = copy_of("dcp-2", folder);
    fs::remove(path + "/.metadata");
    CHECK(open_error(path).starts_with(
        "truncated: a directory with part of a distributed checkpoint (DCP): 2 shards"));
  }
  SUBCASE("every truncation of the metadata is an error") {
    const std::string path = copy_of("dcp-1", folder);
    const std::string whole = test::read_file(path + "/.metadata");
    for (std::size_t size = 0; size < whole.size(); size += 97) {
      test::write_file(path + "/.metadata", whole.substr(0, size));
      CHECK(open_error(path) != "no error");
    }
  }
  SUBCASE("a shard of an index is missing") {
    const std::string path = copy_of("hugging-face-safetensors", folder);
    fs::remove(path + "/model-00002-of-00002.safetensors");
    CHECK(codes(*open_checkpoint(path)) ==
          std::vector<std::string>{"shard-missing model-00002-of-00002.safetensors"});
  }
  SUBCASE("a shard of an index is cut: the error names it") {
    const std::string path = copy_of("hugging-face-safetensors", folder);
    const std::string shard = path + "/model-00002-of-00002.safetensors";
    fs::resize_file(shard, fs::file_size(shard) - 4);
    CHECK(open_error(path).starts_with("truncated: \"model-00002-of-00002.safetensors\": the file has "));
  }
  SUBCASE("an index that contradicts its shards") {
    const std::string path = copy_of("hugging-face-safetensors", folder);
    const std::string index = path + "/model.safetensors.index.json";
    test::write_file(index, R"({"weight_map": {"0.weight": "model-00002-of-00002.safetensors",
                                               "nowhere": "model-00001-of-00002.safetensors"}})");
    const auto all = codes(*open_checkpoint(path));
    CHECK(std::count(all.begin(), all.end(), "shard-mismatch 0.weight") == 2);  // not there, and elsewhere
    CHECK(std::count(all.begin(), all.end(), "shard-mismatch nowhere") == 1);
    CHECK(std::count(all.begin(), all.end(), "shard-mismatch 0.bias") == 1);
  }
  SUBCASE("an index that points out of the folder reads nothing there") {
    folder.write("secret.safetensors", test::read_file(fixture("weights.safetensors")));
    const std::string path = copy_of("hugging-face-safetensors", folder);
    for (const char* target : {"../secret.safetensors", "/etc/passwd", "."}) {
      test::write_file(path + "/model.safetensors.index.json",
                       std::string(R"({"weight_map": {"0.weight": ")") + target + "\"}}");
      const auto file = open_checkpoint(path);
      CHECK(file->entries.empty());
      CHECK(codes(*file) == std::vector<std::string>{std::string("shard-missing ") + target});
    }
  }
  SUBCASE("a link out of the folder is not followed, but into the blobs of a cache it is") {
    const std::string blob = folder.write("hub/blobs/abc", test::read_file(fixture("weights.safetensors")));
    fs::create_directories(folder.path("hub/snapshots/rev"));
    fs::create_symlink("../../blobs/abc", folder.path("hub/snapshots/rev/model.safetensors"));
    folder.write("hub/snapshots/rev/config.json", "{}");
    CHECK(open_checkpoint(folder.path("hub/snapshots/rev"))->entries.size() == 9);
    fs::create_directories(folder.path("model"));
    fs::create_symlink(blob, folder.path("model/model.safetensors"));
    folder.write("model/config.json", "{}");
    CHECK(open_error(folder.path("model")) ==
          "corrupt: \"model.safetensors\" is a link to a file outside the checkpoint's folder, which is not "
          "read");
  }
}

TEST_CASE("every truncation of a small file is an error, in every format") {
  for (const char* name : {"legacy-protocol-2.pt", "tar.pt", "model.gguf", "fortran.npy", "stored.npz"}) {
    CAPTURE(name);
    const std::string whole = test::read_file(fixture(name));
    // A tar ends in blocks of zeros, a GGUF in padding, which nobody reads.
    const std::size_t padding = name == std::string_view("tar.pt")       ? 10000
                                : name == std::string_view("model.gguf") ? 32
                                                                         : 0;
    for (std::size_t size = 0; size + padding < whole.size(); size += 1 + whole.size() / 500) {
      CAPTURE(size);
      std::vector<std::byte> bytes(size);
      std::ranges::copy(std::as_bytes(std::span(whole)).first(size), bytes.begin());
      bool opened = false;
      try {
        const auto file = open_checkpoint(io::memory_source(bytes), "x");
        opened = file->complete && file->format != "numpy-npy" && codes(*file).empty();
      } catch (const Error&) {
      }
      CHECK_FALSE(opened);
    }
  }
}

namespace {

std::map<std::string, std::string> files_of(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).generic_string()] = test::read_file(entry.path());
  return files;
}

io::SourcePtr source_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::ranges::copy(std::as_bytes(std::span(text)), bytes.begin());
  return io::memory_source(std::move(bytes));
}

// The folder with one file cut to `size` bytes. Every number is read: a cut may show only there.
bool is_noticed(const std::map<std::string, std::string>& files, const std::string& cut, std::size_t size) {
  std::map<std::string, io::SourcePtr> sources;
  for (const auto& [name, text] : files)
    sources[name] = source_of(name == cut ? std::string_view(text).substr(0, size) : std::string_view(text));
  try {
    const auto file = open_checkpoint(Source::of_files(std::move(sources), "x"), {});
    if (!file->complete || !codes(*file).empty()) return true;
    for (const TensorEntry& entry : file->entries) {
      const tensor::TensorView& view = file->record_of(entry).view;
      if (view.has_storage() && view.in_bounds) tensor::compute_stats(view, file->storages[view.storage]);
    }
  } catch (const Error&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a folder with a file that was cut short is never read as a whole one") {
  for (const char* name : {"dcp-1", "hugging-face-bin", "hugging-face-safetensors", "hugging-face-trainer",
                           "deepspeed-zero2", "deepspeed-zero3"}) {
    CAPTURE(name);
    const auto files = files_of(fixture(name));
    REQUIRE_FALSE(files.empty());
    REQUIRE_FALSE(is_noticed(files, "", 0));
    for (const auto& file : files) {
      const std::string &cut = file.first, &text = file.second;
      CAPTURE(cut);
      if (cut == "latest" || cut.ends_with(".py")) continue;    // a name, and a script that is not read
      const std::size_t end = text.find_last_not_of('\n') + 1;  // JSON is whole without its last newline
      for (std::size_t size = 0; size < (cut.ends_with(".json") ? end : text.size());
           size += 1 + text.size() / 25) {
        CAPTURE(size);
        CHECK(is_noticed(files, cut, size));
      }
    }
  }
}
