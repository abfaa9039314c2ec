// Guesses from the name of a tensor, made from its last component.
#pragma once

#include <string_view>
#include <vector>

namespace ckpt::lint {

// "weight" of "encoder.0.weight" and of callbacks.EMA.ema_weights["encoder.0.weight"]; with the name of the
// parameter for parametrizations: "weight.original0" of "0.parametrizations.weight.original0".
std::string_view leaf_of(std::string_view name);

// The parts of a leaf between underscores: in_proj_weight -> in, proj, weight.
std::vector<std::string_view> words_of(std::string_view leaf);

// Weights, biases, embeddings, scales ...: numbers that are trained.
bool is_parameter_name(std::string_view name);

// A parameter name of torch.nn: linear layers, convolutions and norms, attention, recurrent layers.
// Quantized layers use other names (qweight, weight_packed).
bool is_weight_or_bias(std::string_view name);

// Masks and the like, where infinities are normal.
bool is_mask_name(std::string_view name);

}  // namespace ckpt::lint
