#include "lint/checks/optimizer/moments.h"

#include <algorithm>
#include <set>

namespace ckpt::lint {
namespace {

using Shape = std::vector<std::int64_t>;

// Of the optimizers of torch.optim, and of Lion.
constexpr std::string_view kMoments[] = {"exp_avg",      "exp_avg_sq",  "max_exp_avg_sq", "momentum_buffer",
                                         "square_avg",   "grad_avg",    "acc_delta",      "sum",
                                         "exp_inf",      "prev",        "step_size",      "ax",
                                         "exp_avg_diff", "neg_pre_grad"};
constexpr std::string_view kScalars[] = {"step", "eta", "mu", "mu_product"};
constexpr std::string_view kSecond[] = {"exp_avg_sq", "max_exp_avg_sq", "square_avg", "exp_inf", "sum"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool is_known(const Tree& tree, NodeId state) {
  for (const auto& parameter : mapping_items(tree, state))
    for (const auto& item : mapping_items(tree, parameter.value)) {
      const auto name = string_of(tree, item.key).value_or("");
      if (!is_one_of(name, kMoments) && !is_one_of(name, kScalars)) return false;
    }
  return true;
}

std::vector<Moment> moments_of(const Checkpoint& file, NodeId parameter) {
  std::vector<Moment> result;
  for (const auto& item : mapping_items(file.tree, parameter)) {
    const auto name = string_of(file.tree, item.key).value_or("");
    if (!is_one_of(name, kMoments) || !is_kind(file.tree, item.value, Kind::kTensor)) continue;
    const auto& view = file.tensor_records[file.tree.payload(item.value)].view;
    // Rprop and ASGD keep some of these as a single number.
    if (view.shape.empty() && (name == "ax" || name == "step_size" || name == "prev")) continue;
    result.push_back({name, &view});
  }
  return result;
}

bool broadcasts(const Shape& shape, const Shape& to) {
  if (shape.empty()) return true;
  return shape.size() == to.size() &&
         std::equal(shape.begin(), shape.end(), to.begin(), [](auto a, auto b) { return a == b || a == 1; });
}

// A moment that has no smaller form tells nothing: optimizers that reduce may keep vectors and [8, 1] whole.
bool could_be_smaller(const Shape& shape) {
  return shape.size() >= 2 && std::all_of(shape.begin(), shape.end(), [](auto size) { return size > 1; });
}

// Names of second moments that are smaller than another moment for every parameter: a layout, not a defect.
std::set<std::string_view> reduced_names(const std::vector<ParameterMoments>& parameters) {
  std::set<std::string_view> reduced, whole;
  for (const auto& parameter : parameters) {
    const auto& moments = parameter.moments;
    const auto largest = std::max_element(moments.begin(), moments.end(), [](const auto& a, const auto& b) {
      return a.view->numel < b.view->numel;
    });
    const Shape& shape = largest->view->shape;
    for (const auto& moment : moments) {
      if (!is_one_of(moment.name, kSecond)) continue;
      const Shape& own = moment.view->shape;
      if (own == shape ? could_be_smaller(shape) : !broadcasts(own, shape))
        whole.insert(moment.name);
      else if (own != shape)
        reduced.insert(moment.name);
    }
  }
  for (const auto name : whole) reduced.erase(name);
  return reduced;
}

}  // namespace

std::vector<ParameterMoments> comparable_moments(const Checkpoint& file, const Optimizer& optimizer) {
  std::vector<ParameterMoments> result;
  if (!is_known(file.tree, optimizer.state)) return result;
  for (const auto& item : mapping_items(file.tree, optimizer.state)) {
    auto moments = moments_of(file, item.value);
    if (!moments.empty()) result.push_back({item.key, std::move(moments)});
  }
  const auto reduced = reduced_names(result);
  if (reduced.empty()) return result;
  for (auto& parameter : result)
    std::erase_if(parameter.moments, [&](const Moment& moment) { return reduced.contains(moment.name); });
  std::erase_if(result, [](const ParameterMoments& parameter) { return parameter.moments.empty(); });
  return result;
}

}  // namespace ckpt::lint
