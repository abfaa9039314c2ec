// What the name of a tensor says of it: a guess, made from the last component alone.
#pragma once

#include <string_view>
#include <vector>

namespace ckpt::lint {

// "weight" of "encoder.0.weight" and of callbacks.EMA.ema_weights["encoder.0.weight"]; of a parametrization
// ("0.parametrizations.weight.original0", "head.weight_orig") the name of the parameter as well.
std::string_view leaf_of(std::string_view name);

// The parts of a leaf between underscores: in_proj_weight -> in, proj, weight.
std::vector<std::string_view> words_of(std::string_view leaf);

// Weights, biases, embeddings, scales ... : what trains, or stands for numbers that have been trained.
bool is_parameter_name(std::string_view name);

// Exactly a parameter of torch.nn: of linear layers, convolutions and norms, attention, recurrent layers.
// Quantized layers have names of their own (qweight, weight_packed).
bool is_weight_or_bias(std::string_view name);

// Masks and their like, in which infinities are at home.
bool is_mask_name(std::string_view name);

}  // namespace ckpt::lint
