// SPDX-License-Identifier: MIT
// The arrays that the state of a training run consists of, with their names in a checkpoint: the same for every backend.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "trm/core/buffer.hpp"
#include "trm/core/error.hpp"
#include "trm/train/samples.hpp"

namespace trm {

/// Numbers of the state of a training run.
struct run_counters {
  long long step = 0;                     // steps done
  long long moments_since = 0;            // the step after which the moments began
  bool averaging = false;                 // the EMA has begun
  bool padded = false, prefixed = false;  // as of samples
};

namespace detail {

/// The arrays of a run's state with an entry for each sample, brought together from all processes.
class gathered_samples {
 public:
  /// Nothing is here any more.
  void clear() { arrays_.clear(); }
  /// Brings `mine`, a process's part of the next array, to the first process. All processes of the collectives make this call.
  template <class Group, class T>
  void add(Group& group, std::span<T> mine) {
    using value = std::remove_const_t<T>;
    const std::size_t count = group.rank() == 0 ? static_cast<std::size_t>(group.size()) * mine.size() : 0;
    if (group.rank() == 0) arrays_.emplace_back(count * sizeof(value));
    group.collect(mine, std::span(count == 0 ? nullptr : arrays_.back().template as<value>(), count));
  }
  /// The number-th array that was brought together, in place of this process's part of it. \throws trm::error where none was
  template <class T>
  std::span<T> whole(std::size_t number, std::span<T>) const {
    if (number == arrays_.size()) throw error("trainer", "its samples lie with several processes: gather_samples()");
    return {arrays_[number].template as<T>(), arrays_[number].size() / sizeof(T)};
  }

 private:
  std::vector<buffer> arrays_;
};

/// sample(name, shape, values) writes an array of the whole batch; `mine` is this process's part of it.
template <class Group, class T, class Sample>
void write_own_part(const Group& group, const std::string& name, std::vector<std::int64_t> shape, std::span<T> mine,
                    Sample& sample) {
  if (group.size() == 1) {
    sample(name, std::move(shape), mine);
    return;
  }
  std::vector<T> all(mine.size() * static_cast<std::size_t>(group.size()));
  sample(name, std::move(shape), std::span(all));
  std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(mine.size()) * group.rank(), mine.size(), mine.begin());
}

/// The number of the state `name` of the schedule. \throws trm::error where it has none of that name
template <class Model>
std::size_t number_of_state(std::string_view name) {
  for (std::size_t i = 0; i < Model::core::state_count; ++i) {
    if (name == Model::schedule::states[i]) return i;
  }
  throw error(std::string(name), "the schedule has no such state");
}

/// Calls dense(prefix, values) for the arrays in the layout of the parameters - `raw`, the parameters beside an average, and both
/// `moments`, one behind the other; null: there are none - and part(name, shape of the whole batch, values) for those with an entry for
/// each of the samples `s` of this process. state(name): the values of a state of the schedule.
template <class Model, class Master, class Moments, class Samples, class State, class Dense, class Part>
void visit_run_state(Master* raw, Moments* moments, std::int64_t batch, Samples& s, State state, Dense& dense,
                     Part part) {
  if (raw != nullptr) dense("raw.", raw);
  if (moments != nullptr) dense("moment1.", moments), dense("moment2.", moments + Model::extent);
  for (std::size_t i = 0; i < Model::core::state_count; ++i) {
    part("carry." + std::string(Model::schedule::states[i]), std::vector<std::int64_t>{batch, Model::L, Model::D},
         state(Model::schedule::states[i]));
  }
  const auto integers = [&](const char* name, auto& values) {
    std::vector<std::int64_t> shape{batch};
    if (values.size() != s.steps.size()) shape.push_back(Model::S);
    part("samples." + std::string(name), std::move(shape), std::span(values));
  };
  integers("inputs", s.inputs), integers("labels", s.labels);
  integers("puzzle_identifiers", s.puzzle_identifiers);
  integers("lengths", s.lengths), integers("prefixes", s.prefixes);
  integers("steps", s.steps), integers("halted", s.halted);
}

/// visit_run_state of one process of `group`, to be written: sample(name, shape, values) writes the whole batch.
template <class Model, class Group, class Master, class State, class Dense, class Sample>
void write_run_state(const Group& group, Master* raw, Master* moments, std::int64_t batch, samples& s, State state,
                     Dense& dense, Sample& sample) {
  visit_run_state<Model>(raw, moments, batch, s, state, dense,
                         [&](const std::string& name, std::vector<std::int64_t> shape, auto values) {
                           write_own_part(group, name, std::move(shape), values, sample);
                         });
}
/// The same, to be read, with the samples of all processes where they have been brought together.
template <class Model, class Group, class Master, class State, class Dense, class Sample>
void read_run_state(const Group& group, const gathered_samples& all, const Master* raw, const Master* moments,
                    std::int64_t batch, const samples& s, State state, Dense& dense, Sample& sample) {
  std::size_t next = 0;
  visit_run_state<Model>(raw, moments, batch, s, state, dense,
                         [&](const std::string& name, std::vector<std::int64_t> shape, auto values) {
                           if (group.size() > 1) values = all.whole(next++, values);
                           sample(name, std::move(shape), values);
                         });
}
/// Brings the samples of all processes, which all make this call, together in `all`.
template <class Model, class Group, class State>
void gather_run_state(Group& group, gathered_samples& all, std::int64_t batch, const samples& s, State state) {
  all.clear();
  if (group.size() == 1) return;
  const typename Model::master* nothing = nullptr;
  const auto none = [](const auto&, const auto*) {};
  visit_run_state<Model>(nothing, nothing, batch, s, state, none,
                         [&](const auto&, const auto&, auto values) { all.add(group, values); });
}

}  // namespace detail

}  // namespace trm
