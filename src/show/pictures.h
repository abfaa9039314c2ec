// What the html report draws of a checkpoint, and what it says first. Private to show/.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "report/report.h"
#include "tensor/stats.h"
#include "training/amounts.h"
#include "training/opened.h"

namespace ckpt::show {

struct Measured {
  std::string name;
  bool is_weight = false;
  const TensorRecord* record = nullptr;
  const tensor::Storage* storage = nullptr;
  const tensor::Stats* stats = nullptr;
};

// Histograms are drawn of this many tensors.
inline constexpr std::size_t kHistograms = 24;

// The root mean square by layer and role; histograms of the largest tensors, those with NaN or infinities
// first. Reads the elements of these once more. Throws Error if they cannot be read.
void add_pictures(std::span<const Measured> measured, std::size_t jobs, report::Pictures& out);

// Scores of the checkpoints that ModelCheckpoint keeps, where there are enough for a curve.
void add_scores(const Opened& input, report::Pictures& out);

// `measured` may be empty: nothing is known of the elements.
std::vector<report::Highlight> highlights(const Opened& input, const training::Amounts& amounts,
                                          std::span<const Measured> measured);

}  // namespace ckpt::show
