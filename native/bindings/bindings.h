// The parts that the compiled module is put together from.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "engine/program.h"

namespace fastdense::bindings {

void bind_dense(nanobind::module_& m);
void bind_networks(nanobind::module_& m);
void bind_predictors(nanobind::module_& m);

// A Python object that predicts with a compiled network at the least cost a call; `otherwise(X, out)` is
// called with arguments that are not plain matrices of the network's.
template <class T>
nanobind::object predictor(std::shared_ptr<const Program<T>> program, nanobind::object otherwise);

}  // namespace fastdense::bindings
