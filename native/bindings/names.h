// The names by which Python asks for activations, losses and optimizers.
#pragma once

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kernels/table.h"

namespace fastdense::bindings {

template <class E>
struct Names;

template <>
struct Names<Activation> {
    static constexpr std::string_view kind = "activation", all[] = {
#define ACTIVATION(name, ...) #name,
#include "kernels/activations.inc"
                                                           };
};

template <>
struct Names<Loss> {
    static constexpr std::string_view kind = "loss", all[] = {
#define LOSS(name, ...) #name,
#include "kernels/losses.inc"
                                                     };
};

template <>
struct Names<Rule> {
    static constexpr std::string_view kind = "optimizer", all[] = {
#define OPTIMIZER(name) #name,
#include "kernels/optimizers.inc"
                                                          };
};

// Throws std::invalid_argument, Python's ValueError, if there is none of the name.
template <class E>
E named(std::string_view name) {
    const auto& all = Names<E>::all;
    const auto found = std::find(std::begin(all), std::end(all), name);
    if (found != std::end(all)) return E(found - std::begin(all));
    std::string known;
    for (const std::string_view each : all) known += (known.empty() ? "" : ", ") + std::string(each);
    throw std::invalid_argument("unknown " + std::string(Names<E>::kind) + " '" + std::string(name) +
                                "'; known: " + known);
}

}  // namespace fastdense::bindings
