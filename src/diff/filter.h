// Which parts of the files are compared: the options' globs, dtypes, shapes and parts. Private to diff/.
#pragma once

#include "diff/align.h"
#include "diff/diff.h"

namespace ckpt::diff {

class Filter {
 public:
  Filter(std::span<const Side> sides, const Options& options) : sides_(sides), options_(options) {}

  bool wants(std::span<const std::uint32_t> row) const;
  bool wants(Part part) const;
  // For a place in the base (or in the input, if the base lacks it).
  tensor::Tolerance tolerance(const Side& side, const Place& place) const;

 private:
  bool matches(const std::vector<Glob>& globs, std::span<const std::uint32_t> row) const;
  bool has_type(std::span<const std::uint32_t> row) const;
  bool has_shape(std::span<const std::uint32_t> row) const;
  template <class Predicate>
  bool any_place(std::span<const std::uint32_t> row, Predicate predicate) const;

  std::span<const Side> sides_;
  const Options& options_;
};

// True if the path, the name in the file or the name in the comparison matches.
bool matches_place(const Glob& glob, const Place& place);

}  // namespace ckpt::diff
