// Writes one pair of checkpoints to measure with:
//   make_checkpoints KIND MEBIBYTES OLD NEW
// KIND is a dtype (f32, f64, f16, bf16, f8, i64: every element differs), "scaled" (float32, all x 1.001),
// "one" (the same in one tensor), or "many" (tensors of 16 floats, MEBIBYTES thousand of them; one differs).
// The files are what torch.save writes; values are spread like weights.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/support/noise.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/zip_builder.h"

namespace {

using namespace ckpt::test;

struct Type {
  const char* name;
  const char* storage;
  std::size_t size;
};
constexpr Type kTypes[] = {{"f32", "FloatStorage", 4},        {"f64", "DoubleStorage", 8},
                           {"f16", "HalfStorage", 2},         {"bf16", "BFloat16Storage", 2},
                           {"f8", "Float8_e4m3fnStorage", 1}, {"i64", "LongStorage", 8}};

Type type_of(const std::string& kind) {
  for (const Type& type : kTypes)
    if (kind == type.name) return type;
  return kTypes[0];
}

template <class T>
void put(std::string& out, T value) {
  out.append(static_cast<const char*>(static_cast<const void*>(&value)), sizeof(value));
}

// Ordinary weights as codes: any sign and mantissa, an exponent that is a little below that of 1.
void put_weight(std::string& out, const Type& type, Noise& noise) {
  const std::uint64_t x = noise.next() >> 8;
  const std::string_view name = type.name;
  if (name == "f64") return put(out, std::ldexp(noise.real(), -4));
  if (name == "f32") return put(out, std::ldexp(noise.real(), -4));
  if (name == "i64") return put(out, static_cast<std::int64_t>(x));
  if (name == "f8") return put(out, static_cast<std::uint8_t>((x & 0x9F) | 0x10));
  const std::uint16_t exponent = name == "f16" ? 0x2400 : 0x3C80;
  put(out, static_cast<std::uint16_t>((x & 0x83FF) | exponent));
}

std::string weights(const Type& type, std::size_t count, Noise& noise) {
  std::string out;
  out.reserve(count * type.size);
  for (std::size_t i = 0; i < count; ++i) put_weight(out, type, noise);
  return out;
}

void save(const std::string& path, const Type& type, const std::vector<std::string>& storages,
          std::int64_t columns) {
  PickleBuilder pickle;
  pickle.proto(2).empty_dict().mark().unicode("state_dict").ordered_dict().mark();
  for (std::size_t i = 0; i < storages.size(); ++i) {
    const auto count = static_cast<std::int64_t>(storages[i].size() / type.size);
    const std::vector<std::int64_t> shape = {count / columns, columns};
    pickle.unicode("layers." + std::to_string(i) + ".weight")
        .torch_tensor(std::to_string(i), type.storage, shape);
  }
  pickle.setitems().setitems().stop();
  std::vector<ZipRecord> records = torch_records(pickle.text(), storages);
  for (ZipRecord& record : records) record.zip64 = true;  // offsets may need more than 32 bits
  const std::string zip = build_zip(records);
  std::ofstream(path, std::ios::binary).write(zip.data(), static_cast<std::streamsize>(zip.size()));
}

void scale(std::string& storage, float factor) {
  for (std::size_t at = 0; at < storage.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, storage.data() + at, sizeof(value));
    value *= factor;
    std::memcpy(storage.data() + at, &value, sizeof(value));
  }
}

void make_many(std::size_t count, const std::string& old_path, const std::string& new_path) {
  Noise noise(1);
  std::vector<std::string> storages(count);
  for (std::string& storage : storages) storage = weights(kTypes[0], 16, noise);
  save(old_path, kTypes[0], storages, 16);
  scale(storages[count / 2], 2);
  save(new_path, kTypes[0], storages, 16);
}

void make_pair(const std::string& kind, std::size_t bytes, const std::string& old_path,
               const std::string& new_path) {
  constexpr std::size_t kTensor = 16u << 20;  // bytes
  const Type type = type_of(kind);
  const std::size_t tensor = kind == "one" ? bytes : std::min(kTensor, bytes);
  Noise noise(1);
  std::vector<std::string> storages(bytes / tensor);
  for (std::string& storage : storages) storage = weights(type, tensor / type.size, noise);
  save(old_path, type, storages, 1024);
  for (std::string& storage : storages)
    if (kind == "scaled")
      scale(storage, 1.001F);
    else
      storage = weights(type, tensor / type.size, noise);
  save(new_path, type, storages, 1024);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "usage: make_checkpoints KIND MEBIBYTES OLD NEW\n";
    return 2;
  }
  const std::string kind = arguments[1];
  const std::size_t amount = std::stoul(arguments[2]);
  if (kind == "many")
    make_many(amount * 1000, arguments[3], arguments[4]);
  else
    make_pair(kind, amount << 20, arguments[3], arguments[4]);
  return 0;
}
