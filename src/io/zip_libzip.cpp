#include "io/zip_libzip.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include <zip.h>

namespace ckpt::io {
namespace {

constexpr std::uint64_t kWindowSize = 64 << 10;

// The archive as libzip's callback reads it. libzip asks for a few bytes at a time, so they come from a
// window. An exception cannot pass through C, so it waits in `failure` until the call returns.
struct Reader {
  explicit Reader(SourcePtr from) : source(std::move(from)) { zip_error_init(&error); }
  ~Reader() { zip_error_fini(&error); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void rethrow() {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
  }

  std::uint64_t read(std::span<std::byte> out) {
    const std::uint64_t available = source->size() - std::min(position, source->size());
    out = out.first(std::min<std::uint64_t>(out.size(), available));
    if (out.empty()) return 0;
    if (out.size() >= kWindowSize) {
      source->read(position, out);
    } else {
      copy_from_window(out, available);
    }
    position += out.size();
    return out.size();
  }

  void copy_from_window(std::span<std::byte> out, std::uint64_t available) {
    if (position < start || position + out.size() > start + window.size()) {
      window.resize(std::min(kWindowSize, available));
      source->read(position, window);
      start = position;
    }
    std::copy_n(window.begin() + static_cast<std::ptrdiff_t>(position - start), out.size(), out.begin());
  }

  SourcePtr source;
  std::uint64_t position = 0;
  std::vector<std::byte> window;
  std::uint64_t start = 0;
  zip_error_t error = {};
  std::exception_ptr failure;
};

zip_int64_t read_guarded(Reader& reader, void* data, zip_uint64_t size) {
  try {
    const auto got = reader.read({static_cast<std::byte*>(data), size});
    return static_cast<zip_int64_t>(got);
  } catch (...) {
    reader.failure = std::current_exception();
    reader.window.clear();  // it may be half filled
    zip_error_set(&reader.error, ZIP_ER_READ, 0);
    return -1;
  }
}

zip_int64_t seek(Reader& reader, void* data, zip_uint64_t size) {
  const zip_int64_t to =
      zip_source_seek_compute_offset(reader.position, reader.source->size(), data, size, &reader.error);
  if (to < 0) return -1;
  reader.position = static_cast<std::uint64_t>(to);
  return 0;
}

zip_int64_t stat(const Reader& reader, void* data, zip_uint64_t size) {
  if (size < sizeof(zip_stat_t)) return -1;
  auto* result = static_cast<zip_stat_t*>(data);
  zip_stat_init(result);
  result->size = reader.source->size();
  result->valid |= ZIP_STAT_SIZE;
  return static_cast<zip_int64_t>(sizeof(zip_stat_t));
}

// The commands of a seekable, read-only source; libzip asks ZIP_SOURCE_SUPPORTS before any other.
zip_int64_t callback(void* state, void* data, zip_uint64_t size, zip_source_cmd_t command) {
  Reader& reader = *static_cast<Reader*>(state);
  if (command == ZIP_SOURCE_OPEN) {
    reader.position = 0;
    return 0;
  }
  if (command == ZIP_SOURCE_READ) return read_guarded(reader, data, size);
  if (command == ZIP_SOURCE_SEEK) return seek(reader, data, size);
  if (command == ZIP_SOURCE_TELL) return static_cast<zip_int64_t>(reader.position);
  if (command == ZIP_SOURCE_STAT) return stat(reader, data, size);
  if (command == ZIP_SOURCE_ERROR) return zip_error_to_data(&reader.error, data, size);
  if (command == ZIP_SOURCE_CLOSE || command == ZIP_SOURCE_FREE) return 0;
  if (command == ZIP_SOURCE_SUPPORTS) {
    return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
                                          ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
                                          ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, -1);
  }
  zip_error_set(&reader.error, ZIP_ER_OPNOTSUPP, 0);
  return -1;
}

class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_ = {};
};

}  // namespace

struct Libzip::State {
  explicit State(SourcePtr source) : reader(std::move(source)) {}
  ~State() {
    if (archive != nullptr) zip_discard(archive);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Reader reader;
  zip_t* archive = nullptr;
};

struct LibzipFile::State {
  State(zip_file_t* opened, Reader& from) : file(opened), reader(from) {}
  ~State() { zip_fclose(file); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  zip_file_t* file;
  Reader& reader;
};

Libzip::Libzip(std::unique_ptr<State> state) : state_(std::move(state)) {}
Libzip::~Libzip() = default;

std::unique_ptr<Libzip> Libzip::open(SourcePtr source, std::string& problem) {
  auto state = std::make_unique<State>(std::move(source));
  ZipError error;
  zip_source_t* input = zip_source_function_create(callback, &state->reader, error.get());
  if (input != nullptr) {
    state->archive = zip_open_from_source(input, ZIP_RDONLY, error.get());
    if (state->archive == nullptr) zip_source_free(input);
  }
  state->reader.rethrow();
  if (state->archive == nullptr) {
    problem = error.text();
    return nullptr;
  }
  return std::unique_ptr<Libzip>(new Libzip(std::move(state)));
}

std::uint64_t Libzip::count() const {
  return static_cast<std::uint64_t>(std::max<zip_int64_t>(0, zip_get_num_entries(state_->archive, 0)));
}

std::optional<ListedEntry> Libzip::entry(std::uint64_t index) const {
  zip_stat_t listed;
  zip_stat_init(&listed);
  const int status = zip_stat_index(state_->archive, index, ZIP_FL_ENC_RAW, &listed);
  state_->reader.rethrow();
  constexpr auto kNeeded =
      ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
  if (status != 0 || (listed.valid & kNeeded) != kNeeded) return std::nullopt;
  return ListedEntry{listed.name, listed.size, listed.comp_size, listed.crc, listed.comp_method};
}

std::unique_ptr<LibzipFile> Libzip::open_entry(std::uint64_t index, std::string& problem) {
  zip_file_t* file = zip_fopen_index(state_->archive, index, 0);
  if (file != nullptr) {
    return std::unique_ptr<LibzipFile>(
        new LibzipFile(std::make_unique<LibzipFile::State>(file, state_->reader)));
  }
  state_->reader.rethrow();
  problem = zip_error_strerror(zip_get_error(state_->archive));
  return nullptr;
}

LibzipFile::LibzipFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
LibzipFile::~LibzipFile() = default;

LibzipFile::Chunk LibzipFile::read(std::span<std::byte> out) {
  const zip_int64_t got = zip_fread(state_->file, out.data(), out.size());
  state_->reader.rethrow();
  if (got >= 0) return {static_cast<std::size_t>(got), false, ""};
  zip_error_t* error = zip_file_get_error(state_->file);
  return {0, zip_error_code_zip(error) == ZIP_ER_CRC, zip_error_strerror(error)};
}

}  // namespace ckpt::io
