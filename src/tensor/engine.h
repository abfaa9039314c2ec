// The functions of stats.h, delta.h and the digest with configurable sizes: for benchmarks, and for tests,
// which show that the sizes do not matter.
#pragma once

#include "tensor/block_reader.h"
#include "tensor/delta.h"
#include "tensor/stats.h"

namespace ckpt::tensor {

std::vector<Stats> compute_stats_all(std::span<const StatsJob> todo, std::size_t jobs, const Tuning& tuning);
std::vector<Delta> compute_delta_all(std::span<const DeltaJob> todo, std::size_t jobs, const Tuning& tuning);
std::string compute_sha256(const TensorView& view, const Storage& storage, const Tuning& tuning);

// Elements to ask a reader for at a time: whole chunks, so that chunks do not depend on the block size.
std::size_t block_elements(const Tuning& tuning, std::size_t element_bytes);

}  // namespace ckpt::tensor
