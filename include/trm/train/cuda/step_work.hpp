// SPDX-License-Identifier: MIT
// A training step as a device does it: a sequence of operations, captured once as a graph.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/context.hpp"
#include "trm/backend/cuda/repeated.hpp"
#include "trm/models/plan.hpp"
#include "trm/train/cuda/collectives.hpp"
#include "trm/train/cuda/step_messages.hpp"
#include "trm/train/cuda/training_memory.hpp"

namespace trm::cuda {

namespace detail {

/// A context as dense optimizers see it in a captured step: their numbers are in the step's state.
template <class Device>
struct optimizer_by_state {
  context<Device>& backend;
  const step_state* state;

  template <class T>
  void adam_atan2(T* p, T* m, T* v, const T* g, std::size_t n, adam_step, double) {
    backend.adam_atan2(p, m, v, g, n, state);
  }
  template <class T>
  void adamw(T* p, T* m, T* v, const T* g, std::size_t n, adam_step, double) {
    backend.adamw(p, m, v, g, n, state);
  }
};

}  // namespace detail

/// What a trainer asks of its device. Everything that changes from step to step is in device memory, so the same graph does every
/// step; where it has become another (changed()), the next one is done operation by operation.
template <class Model, class Optimizer, class Device, class Communicator>
class step_work {
 public:
  using backend = context<Device>;                                                 // what computes
  using group = device_collectives<Device, Communicator>;                          // brings processes together
  using prepared = typename trm::detail::step_gradient<Model, backend>::prepared;  // weights

  /// On memory and messages of a trainer, which outlive it.
  step_work(backend& b, const training_options& o, const trm::detail::division& d, const Optimizer& optimizer,
            training_memory<Model, Device>& memory, const step_orders<Device>& orders,
            const step_reports<Device>& reports, group& processes)
      : backend_(b),
        options_(o),
        optimizer_(optimizer),
        memory_(memory),
        orders_(orders),
        reports_(reports),
        group_(processes),
        gradient_(b, d, memory.template in_memory<backend>()) {
    backend_.template reserve<typename Model::compute>(count_training_step<Model>(d.micro));
  }

  /// A whole step. With a communicator that cannot send memory of the device it is two graphs, and the values pass the host between
  /// them.
  void step() {
    if (one_graph()) {
      repeat(step_, [this] { compute(), bring_together(), report(), update_all(); });
    } else {
      repeat(front_, [this] { compute(); });
      bring_together();
      repeat(step_, [this] { report(), update_all(); });
    }
  }
  /// Its first half: gradient and report.
  void gradient() {
    if (one_graph()) {
      repeat(first_half_, [this] { compute(), bring_together(), report(); });
    } else {
      repeat(front_, [this] { compute(); });
      bring_together();
      repeat(first_half_, [this] { report(); });
    }
  }
  /// Its second half: optimizer, prepared weights, average, puzzle rows. Nothing happens where the report said that it was not finite.
  void update() {
    repeat(second_half_, [this] { update_all(); });
  }
  /// Prepares the weights, which have been written.
  void refresh() { prepared::refresh(backend_.device(), gradient_.weights); }
  /// Which kernels there are, or where they find something, is not as it was.
  void changed() {
    for (repeated<Device>* w : {&step_, &front_, &first_half_, &second_half_}) w->changed();
  }
  /// Is a step replayed by now?
  bool captured() const { return step_.captured(); }
  /// Of the optimizer.
  const char* optimizer_name() const { return optimizer_.name; }

 private:
  using master = typename Model::master;

  bool one_graph() const { return group::captured || group_.size() == 1; }
  template <class F>
  void repeat(repeated<Device>& which, F f) {
    which(backend_.device(), f);
  }

  /// Keeps what undoing needs, refills the samples, and sums the gradient of this process.
  void compute() {
    training_memory<Model, Device>& m = memory_;
    device_samples<Device>& samples = m.samples.on_device();
    if (options_.undoable) {
      keep(m.carry.template on_device<std::byte>(), m.before.data(), m.carry.size());
      keep(samples.data(), m.before.data() + m.carry.size(), samples.size());
    }
    samples.offer(orders_.examples(), orders_.state());
    if (m.table.rows() > 0) {
      backend_.gather(m.table.on_device(), Model::W, samples.arrays().puzzle_identifiers, m.local, m.puzzle_rows());
    }
    const halting_rule rule = Model::rule(options_.max_steps, options_.exploration);
    gradient_.compute(m.samples_in_memory(), [&](const auto& part, const auto& gradients) {
      gradient_.add(part, gradients, options_.max_steps, 1.0 / options_.batch);
      backend_.halt(part.c, rule, orders_.state(), static_cast<std::uint32_t>(part.number), part.halting, part.steps,
                    part.halted);
    });
    backend_.device().launch(detail::pack_results_kernel{samples.arrays(), m.sample_results(), m.first, m.local},
                             blocks_of(static_cast<std::size_t>(m.local), 128), 128, 0);
  }
  /// Unless a step before it was not finite: what is kept is then the state before that.
  void keep(const void* from, void* to, std::size_t size) {
    backend_.device().launch(detail::keep_kernel{reports_.on_device(), from, to, size}, blocks_of(size / 16, 256), 256,
                             0);
  }
  /// Results, puzzle rows and gradients of all processes.
  void bring_together() {
    const auto batch = static_cast<std::size_t>(options_.batch);
    group_.gather(memory_.sample_results(), batch);
    if (memory_.table.rows() > 0) group_.gather(memory_.puzzle_gradient(), batch * Model::W);
    if (!options_.freeze_weights) group_.sum_in_order(gradient_.sum, Model::extent);
  }
  void report() {
    backend_.gradient_norm(gradient_.sum, Model::extent, orders_.state());
    backend_.device().launch(detail::report_kernel{memory_.sample_results(), memory_.identifiers.template as<int>(),
                                                   options_.batch, orders_.state(), reports_.on_device()},
                             1, warp_size, detail::report_kernel::shared_bytes);
  }
  void update_all() {
    if (!options_.freeze_weights) update_weights();
    if (memory_.table.rows() > 0) {
      backend_.sign_sgd(memory_.table.on_device(), Model::W, memory_.identifiers.template as<int>(),
                        memory_.puzzle_gradient(), options_.batch, orders_.state());
    }
  }
  void update_weights() {
    master *p = memory_.parameters.template on_device<master>(), *m = memory_.moments.template on_device<master>();
    detail::optimizer_by_state<Device> by_state{backend_, orders_.state()};
    optimizer_.step(by_state, p, m, m + Model::extent, gradient_.sum, Model::extent, adam_step{}, 1.0);
    refresh();
    if (options_.ema_rate > 0) {
      backend_.ema(memory_.average.template on_device<master>(), p, Model::extent, options_.ema_rate, orders_.state());
    }
  }

  backend& backend_;
  const training_options& options_;
  [[no_unique_address]] Optimizer optimizer_;
  training_memory<Model, Device>& memory_;
  const step_orders<Device>& orders_;
  const step_reports<Device>& reports_;
  group& group_;
  trm::detail::step_gradient<Model, backend> gradient_;
  repeated<Device> step_, front_, first_half_, second_half_;
};

}  // namespace trm::cuda
