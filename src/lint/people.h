// What people need to read findings: their order, and names beside numbers. Changes no verdict.
#pragma once

#include <vector>

#include "report/finding.h"
#include "training/opened.h"

namespace ckpt::lint {

// Ranks the findings of an input (weights before the state that is made of them) and names the weights whose
// optimizer state they are about, where the file tells.
void prepare_for_people(const Opened& input, std::vector<report::Finding>& findings);

}  // namespace ckpt::lint
