// SPDX-License-Identifier: MIT
// What the other processes do in a training run: their part of every step, as the first one says.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "any_model.hpp"
#include "asked_steps.hpp"
#include "orders.hpp"
#include "training_task.hpp"
#include "trm/data/batch.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/io/checkpoint.hpp"

namespace program {

/// A process that is not the first, in the run of `p`'s model on the task. Writes and says nothing.
class follower {
 public:
  follower(const preset& p, const training_task& task, const training_settings& s)
      : preset_(p), task_(task), s_(s), model_(p.make()) {}

  /// Until the first process ends. \throws trm::agreed_error where that failed, and has said why
  void run() {
    for (given_order o = next_order(); o.what != order::end || o.number != 0; o = next_order()) {
      if (o.what == order::end) throw trm::agreed_error("the first process failed");
      try {
        obey(o);
      } catch (const trm::agreed_error&) {  // what the first process knows as well
      } catch (const trm::not_finite_error&) {
      } catch (const evaluation_stopped&) {
      }
    }
  }

 private:
  void obey(const given_order& o) {
    switch (o.what) {
      case order::make_trainer:
        return make();
      case order::step:
        steps_->ask();
        return;
      case order::finish:
        steps_->finish();
        return;
      case order::save:
        return trainer_->save({}, {}, {});
      case order::resume:
        return resume(o.path);
      case order::begin_from:
        return trainer_->begin_from(o.path, o.number);
      case order::evaluate: {
        const example_data& data = task_.test ? *task_.test : task_.train;
        trainer_->solver().evaluate(data, static_cast<int>(o.number), o.batches,
                                    [](const trm::batch&, const trm::sequential_part&, const any_solver&) {});
        return;
      }
      case order::end:
        return;
    }
  }
  void make() {
    s_ = complete_settings(std::move(s_), task_, *model_);
    sampler_.emplace(task_.train.sources, task_.train.metadata.seq_len, order_of(s_, task_));
    trainer_ = model_->trainer(s_.training, s_.optimizer, s_.threads, preset_.name);
    memory_.emplace(trainer_->local_batch(), task_.train.metadata.seq_len);
    steps_.emplace(*trainer_, *sampler_, *memory_, model_->description().puzzle_width > 0);
  }
  void resume(const std::filesystem::path& path) {
    std::optional<trm::checkpoint_folder> from;
    // The folder of the run has to be there on every machine.
    trm::together(processes(), [&] {
      from = trm::checkpoint_folder::open(path, trm::checkpoint_folder::verify::sizes);
      sampler_->restore(sampler_state_of(*from));
    });
    trainer_->resume(*from);
  }

  const preset& preset_;
  const training_task& task_;
  training_settings s_;
  std::unique_ptr<any_model> model_;
  std::optional<trm::group_sampler<any_source>> sampler_;
  std::unique_ptr<any_trainer> trainer_;
  std::optional<trm::batch_memory> memory_;
  std::optional<asked_steps> steps_;
};

}  // namespace program
