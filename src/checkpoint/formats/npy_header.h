// The header of an .npy file. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace ckpt::formats {

struct NpyHeader {
  std::string descr;  // "<f4"; the text of a list for a structured dtype
  bool fortran = false;
  std::vector<std::int64_t> shape;
};

// Throws Error{kCorrupt} for what is not {'descr': .., 'fortran_order': .., 'shape': (..), }.
NpyHeader parse_npy_header(std::string_view text);

// Nullopt for texts, objects, dates and structures.
std::optional<tensor::DType> dtype_of_descr(std::string_view descr);

}  // namespace ckpt::formats
