#include "tests/support/zip_builder.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>

#include <zlib.h>

namespace ckpt::test {
namespace {

constexpr std::uint64_t kMarker = 0xFFFFFFFF;

// Appends little-endian numbers, as everything in a zip is.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer& u16(std::uint64_t value) { return number(value, 2); }
  Writer& u32(std::uint64_t value) { return number(value, 4); }
  Writer& u64(std::uint64_t value) { return number(value, 8); }
  Writer& text(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }

 private:
  Writer& number(std::uint64_t value, std::size_t width) {
    out_ += little_endian(value, width);
    return *this;
  }
  std::string& out_;
};

// The values of one entry in the local header, the descriptor and the directory.
struct Facts {
  std::string raw;
  std::uint16_t flags = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header_offset = 0;
};

Facts facts_of(const ZipRecord& record) {
  Facts facts;
  facts.raw = record.raw ? *record.raw : record.method == 8 ? deflate_raw(record.data) : record.data;
  const bool empty = record.data.empty() && facts.raw.empty();
  facts.flags = record.flags.value_or(static_cast<std::uint16_t>(empty ? 0x0800 : 0x0808));
  facts.crc32 = record.crc32.value_or(crc32_of(record.data));
  facts.compressed_size = record.compressed_size.value_or(facts.raw.size());
  facts.size = record.size.value_or(record.data.size());
  return facts;
}

// torch pads with an extra field "FB", so that the data start at a multiple of the alignment.
std::string padding(std::uint64_t header_offset, std::size_t name_size, std::uint64_t alignment) {
  if (alignment <= 1) return "";
  const std::uint64_t start = header_offset + 30 + name_size + 4;
  const std::uint64_t count = (alignment - start % alignment) % alignment;
  return extra_field(0x4246, std::string(count, 'Z'));
}

void write_local(std::string& out, const ZipRecord& record, const Facts& facts, std::uint64_t alignment) {
  const ZipLocal& local = record.local;
  const std::uint16_t flags = local.flags.value_or(facts.flags);
  const bool streamed = (flags & 8) != 0;
  const auto told = [streamed](std::uint64_t value) { return streamed ? 0 : value; };
  const std::string name = local.name.value_or(record.name);
  const std::string extra = local.extra.value_or(padding(out.size(), name.size(), alignment));
  Writer(out)
      .u32(local.signature.value_or(0x04034b50))
      .u16(0)
      .u16(flags)
      .u16(local.method.value_or(record.method));
  Writer(out)
      .u16(record.time)
      .u16(record.date)
      .u32(local.crc32.value_or(static_cast<std::uint32_t>(told(facts.crc32))));
  Writer(out).u32(local.compressed_size.value_or(static_cast<std::uint32_t>(told(facts.compressed_size))));
  Writer(out).u32(local.size.value_or(static_cast<std::uint32_t>(told(facts.size))));
  Writer(out).u16(local.name_size.value_or(static_cast<std::uint16_t>(name.size())));
  Writer(out).u16(local.extra_size.value_or(static_cast<std::uint16_t>(extra.size()))).text(name).text(extra);
}

void write_descriptor(std::string& out, const ZipRecord& record, const Facts& facts) {
  if (record.descriptor) {
    out += *record.descriptor;
  } else if ((facts.flags & 8) != 0) {
    const std::size_t width = record.zip64 ? 8 : 4;
    Writer(out).u32(0x08074b50).u32(facts.crc32);
    out += little_endian(facts.compressed_size, width) + little_endian(facts.size, width);
  }
}

void write_central(std::string& out, const ZipRecord& record, const Facts& facts) {
  std::string extra;
  if (record.zip64) {
    std::string values;
    Writer(values).u64(facts.size).u64(facts.compressed_size).u64(facts.header_offset);
    extra = extra_field(1, values);
  }
  extra += record.extra;
  const auto short_form = [&](std::uint64_t value) {
    return record.zip64 ? kMarker : std::min(value, kMarker);
  };
  Writer(out)
      .u32(record.signature.value_or(0x02014b50))
      .u16(record.made_by)
      .u16(0)
      .u16(facts.flags)
      .u16(record.method);
  Writer(out).u16(record.time).u16(record.date).u32(facts.crc32);
  Writer(out).u32(short_form(facts.compressed_size)).u32(short_form(facts.size));
  Writer(out).u16(record.name_size.value_or(static_cast<std::uint16_t>(record.name.size())));
  Writer(out)
      .u16(record.extra_size.value_or(static_cast<std::uint16_t>(extra.size())))
      .u16(record.comment.size());
  Writer(out).u16(record.disk).u16(0).u32(record.attributes).u32(short_form(facts.header_offset));
  Writer(out).text(record.name).text(extra).text(record.comment);
}

void write_ends(std::string& out, std::uint64_t entries, std::uint64_t start, std::uint64_t size,
                std::uint64_t base, const ZipOptions& options) {
  const auto field = [](const auto& wanted, std::uint64_t fitting) {
    return wanted ? std::uint64_t{*wanted} : fitting;
  };
  const std::uint64_t end64 = out.size() - base;
  if (options.zip64_end) {
    const ZipEnd& e = options.end64;
    Writer(out).u32(0x06064b50).u64(options.end64_record_size.value_or(44)).u16(0x031E).u16(45);
    Writer(out).u32(field(e.disk, 0)).u32(field(e.directory_disk, 0));
    Writer(out).u64(field(e.entries_here, entries)).u64(field(e.entries, entries));
    Writer(out).u64(field(e.directory_size, size)).u64(field(e.directory_offset, start));
    Writer(out)
        .u32(0x07064b50)
        .u32(0)
        .u64(options.locator_offset.value_or(end64))
        .u32(options.locator_disks.value_or(1));
  }
  const ZipEnd& e = options.end;
  Writer(out).u32(0x06054b50).u16(field(e.disk, 0)).u16(field(e.directory_disk, 0));
  Writer(out).u16(std::min<std::uint64_t>(field(e.entries_here, entries), 0xFFFF));
  Writer(out).u16(std::min<std::uint64_t>(field(e.entries, entries), 0xFFFF));
  Writer(out)
      .u32(std::min(field(e.directory_size, size), kMarker))
      .u32(std::min(field(e.directory_offset, start), kMarker));
  Writer(out)
      .u16(options.comment_size.value_or(static_cast<std::uint16_t>(options.comment.size())))
      .text(options.comment);
}

}  // namespace

std::string build_zip(const std::vector<ZipRecord>& records, const ZipOptions& options) {
  std::string out = options.prefix;
  const std::uint64_t base = options.shift_offsets ? 0 : out.size();
  std::vector<Facts> facts;
  for (const ZipRecord& record : records) {
    facts.push_back(facts_of(record));
    Facts& own = facts.back();
    own.header_offset = record.header_offset.value_or(out.size() - base);
    if (!record.in_file) continue;
    write_local(out, record, own, options.alignment);
    out += own.raw;
    write_descriptor(out, record, own);
  }
  std::vector<std::size_t> order = options.directory_order;
  if (order.empty()) {
    order.resize(records.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  const std::uint64_t start = out.size();
  std::uint64_t entries = 0;
  for (const std::size_t i : order) {
    if (!records[i].in_directory) continue;
    write_central(out, records[i], facts[i]);
    ++entries;
  }
  out += options.after_directory_entries;
  const std::uint64_t size = out.size() - start;
  out += options.gap;
  write_ends(out, entries, start - base, size, base, options);
  return out + options.trailing;
}

std::vector<ZipRecord> torch_records(std::string data_pkl, const std::vector<std::string>& storages,
                                     std::string_view folder) {
  std::vector<ZipRecord> records;
  const auto add = [&](std::string_view name, std::string data) {
    ZipRecord record;
    record.name = std::string(folder) + "/" + std::string(name);
    record.data = std::move(data);
    records.push_back(std::move(record));
  };
  add("data.pkl", std::move(data_pkl));
  add("byteorder", "little");
  for (std::size_t i = 0; i < storages.size(); ++i) add("data/" + std::to_string(i), storages[i]);
  add("version", "3\n");
  add(".data/serialization_id", "0636457737946401051300000000000000000001");
  return records;
}

ZipRecord plain_record(ZipRecord record) {
  record.flags = 0;
  record.made_by = 0x031E;  // Unix, zip 3.0
  record.time = 0x6C21;
  record.date = 0x58CF;
  record.attributes = record.name.ends_with('/') ? 0x41ED0010 : 0x81A40000;
  if (!record.local.extra) record.local.extra = "";
  return record;
}

ZipOptions plain_options() {
  ZipOptions options;
  options.alignment = 1;
  options.zip64_end = false;
  return options;
}

std::string deflate_raw(std::string_view data) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib does not start");
  }
  std::string out(deflateBound(&stream, data.size()), '\0');
  std::string in(data);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("zlib does not deflate");
  return out;
}

std::uint32_t crc32_of(std::string_view data) {
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size());
  return static_cast<std::uint32_t>(crc);
}

std::string little_endian(std::uint64_t value, std::size_t width) {
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

std::string extra_field(std::uint16_t id, std::string_view content) {
  return little_endian(id, 2) + little_endian(content.size(), 2) + std::string(content);
}

std::vector<std::byte> to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace ckpt::test
