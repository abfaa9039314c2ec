// Which of a file's models an optimizer trains. No file says so; the shapes of the moments do, and where
// several models fit, the place: a sibling (`gen.model`, `gen.optimizer`), a name in common (`generator`,
// `g_optim`), or the model that the file calls its model.
#pragma once

#include <vector>

#include "training/optimizers.h"

namespace ckpt::training {

// Fills Optimizer::models. Several where all of them fit alike, or where only all of them together do (one
// optimizer for encoder and decoder). Linear in the size of the tree.
void find_models(const Checkpoint& file, const Items& items, std::vector<Optimizer>& optimizers);

}  // namespace ckpt::training
