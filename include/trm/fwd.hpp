// SPDX-License-Identifier: MIT
// Forward declarations: what a header of one's own needs to mention trainers, solvers and files without their definitions.
//
// The default arguments of trainer, solver and cpu::context are written here, and only here. trm::model is missing: a value
// of trm::config is one of its parameters, so the type must be complete, and its defaults name the published network; views
// and tensors are missing for a like reason, and their headers are small. A model that is to be mentioned without its
// definition gets a name of its own:
//   struct sudoku;                                  // in the header
//   std::unique_ptr<trm::solver<sudoku>> solver_;   // complete where trm/train/solver.hpp is included and
//   struct sudoku : trm::model<configuration> {};   // this is written
#pragma once

namespace trm {

// core, models
class buffer;
class error;
struct config;
struct philox;
struct shape;
template <class Backend>
struct call;

// backend
namespace cpu {
class thread_pool;
struct builtin_product;
struct cblas_product;
struct onednn_product;
template <class Provider = builtin_product>
class context;
}  // namespace cpu

// optim
struct adam_atan2;
struct adamw;
struct learning_rate_schedule;
struct optimizer_options;
template <class Master>
class puzzle_table;

// train
struct batch;
struct samples;
struct step_metrics;
struct step_report;
struct training_options;
template <class Model>
class weights;
struct single_process;
template <class Model, class Optimizer = adam_atan2, class Backend = cpu::context<>,
          class Communicator = single_process>
class trainer;
template <class Model, class Backend = cpu::context<>>
class solver;

// io, data
class atomic_file;
class csv_reader;
class csv_writer;
class dataset;
class mapped_file;
class npy_file;
class npy_writer;
class safetensors_file;

}  // namespace trm
