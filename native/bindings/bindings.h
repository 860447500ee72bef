// The parts of the compiled module.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "engine/program.h"

namespace fastdense::bindings {

void bind_networks(nanobind::module_& m);
void bind_predictors(nanobind::module_& m);
void bind_jobs(nanobind::module_& m);
void bind_rows(nanobind::module_& m);

// Returns a Python object that predicts with a compiled network, or with the mean of several, at the least
// overhead per call. It calls `otherwise(X, out)` for arguments that are not plain matrices of the network's
// shape and dtype.
template <class T>
nanobind::object predictor(std::shared_ptr<const Program<T>> program, nanobind::object otherwise);
template <class T>
nanobind::object predictor(std::shared_ptr<const Mean<T>> mean, nanobind::object otherwise);

// Returns a Python object that trains a compiled network with as many dropout layers, from step `first` on.
template <class T>
nanobind::object job(std::shared_ptr<Program<T>> program, std::size_t dropouts, std::size_t first);

}  // namespace fastdense::bindings
