// SPDX-License-Identifier: MIT
// Runs a recorded case of the published implementation and compares everything that was recorded.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/reference.hpp"
#include "trm/io/json.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/io/weights.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

namespace trm_test {

/// How far two tensors are apart.
struct distance {
  double difference = 0, wanted = 0, found = 0, product = 0, largest = 0;
  std::size_t count = 0;
  std::vector<double> errors;

  void add(double f, double w) {
    const double e = std::isfinite(f) ? std::abs(f - w) : 1e30;
    difference += e * e, wanted += w * w, found += f * f, product += f * w, largest = std::max(largest, std::abs(w));
    errors.push_back(e);
    ++count;
  }
  template <class F, class W>
  void add_all(const F& f, const W& w) {
    REQUIRE(f.size() == w.size());
    for (std::size_t i = 0; i < w.size(); ++i) add(static_cast<double>(f[i]), static_cast<double>(w[i]));
  }
  void add_all(const distance& o) {
    difference += o.difference, wanted += o.wanted, found += o.found, product += o.product,
        largest = std::max(largest, o.largest);
    count += o.count;
    errors.insert(errors.end(), o.errors.begin(), o.errors.end());
  }
  /// |found - wanted| / |wanted|, in the Euclidean norm.
  double relative_norm() const { return wanted > 0 ? std::sqrt(difference / wanted) : std::sqrt(difference); }
  double cosine() const {
    return wanted > 0 && found > 0 ? product / std::sqrt(wanted * found) : (wanted == found ? 1 : 0);
  }
  /// The same norm when the 0.1 % worst elements are left out (updates by sign or atan2 flip where a gradient is rounding noise).
  double relative_norm_but_outliers() const {
    const std::size_t allowed = count / 1000;
    std::vector<double> e = errors;
    std::sort(e.begin(), e.end());
    double sum = 0;
    for (std::size_t i = 0; i + allowed < e.size(); ++i) sum += e[i] * e[i];
    return wanted > 0 ? std::sqrt(sum / wanted) : std::sqrt(sum);
  }
};

/// A recorded case and the bounds that its sensitivity allows.
class recorded {
 public:
  recorded(const std::filesystem::path& folder, const std::string& name)
      : file_(trm::safetensors_file::open(folder / (name + ".safetensors"))),
        sensitivity_(trm::read_json(folder / "sensitivity.json").at(name)),
        name_(name) {}

  const trm::safetensors_file& file() const { return file_; }
  trm::json metadata(const char* key) const {
    return trm::parse_json(file_.metadata().at(key), name_ + ": metadata " + key);
  }

  /// The bound on the relative norm of a group of tensors: ten times its sensitivity, at least 1e-5. Infinite where the group is chaotic.
  double bound(const std::string& group) const {
    const auto own = own_.find(group);
    return own == own_.end() ? recorded_bound(group) : std::max(recorded_bound(group), own->second);
  }
  /// Lets `group` be as far from the recording as `own`, a distance that a disturbance causes (disturbed_distance).
  void allow(const std::string& group, double own) { own_[group] = own; }
  double recorded_bound(const std::string& group) const {
    if (!sensitivity_.at("norm").contains(group)) return 1e-5;
    const double s = sensitivity_.at("norm").at(group).get<double>();
    return s > 0.02 ? INFINITY : std::max(1e-5, 10 * s);
  }
  double loss_bound(std::size_t step) const {
    return std::max(1e-5, 10 * sensitivity_.at("loss_per_step").at(step).get<double>());
  }

  void check(const std::string& group, const std::string& tensor, const distance& d) {
    const double limit = bound(group);
    INFO(name_, ": ", group, ": ", tensor, ": relative norm ", d.relative_norm(), ", bound ", limit);
    if (std::isinf(limit)) {
      chaotic_.insert(group);
      return;
    }
    CHECK(d.relative_norm_but_outliers() <= limit);
    auto& worst = worst_[group];
    worst = std::max(worst, d.relative_norm_but_outliers());
  }
  /// Names what proves nothing here, so that the report says so.
  void leave_out(const std::string& what) { chaotic_.insert(what); }
  void report() const {
    std::string line = name_ + ":";
    for (const auto& [group, worst] : worst_) {
      char text[96];
      std::snprintf(text, sizeof text, " %s %.1e (<= %.0e)", group.c_str(), worst, bound(group));
      line += text;
    }
    for (const auto& group : chaotic_) line += " " + group + " LEFT OUT (chaotic: rounding moves it by more than 0.02)";
    MESSAGE(line);
  }

 private:
  trm::safetensors_file file_;
  trm::json sensitivity_;
  std::string name_;
  std::map<std::string, double> worst_, own_;
  std::set<std::string> chaotic_;
};

template <class Model>
trm::batch batch_of(const std::vector<int>& inputs, const std::vector<int>& labels,
                    const std::vector<int>& identifiers) {
  return {inputs, labels, Model::W > 0 ? std::span<const int>(identifiers) : std::span<const int>()};
}

/// The recorded evaluation with the weights of `from`, whose names begin with `prefix`. Returns the logits of the last step.
template <class Model, class Backend = trm::cpu::context<>>
std::vector<float> check_evaluation(recorded& r, const trm::tensor_file& from, const std::string& prefix,
                                    Backend& device) {
  const trm::safetensors_file& file = r.file();
  const int batch = r.metadata("config").at("batch_size").get<int>(),
            max_steps = r.metadata("config").at("halt_max_steps").get<int>();
  trm::weights<Model> weights;
  trm::read_weights(from, weights, prefix);
  trm::solver<Model, Backend> solver(device, batch);
  solver.use(weights);
  trm::puzzle_table<float> table;
  if (Model::W > 0) table = trm::read_puzzle_table<Model>(from, batch, prefix);
  const auto inputs = file.read<int>("eval.batch.inputs"), labels = file.read<int>("eval.batch.labels");
  const auto identifiers = file.read<int>("eval.batch.puzzle_identifiers");
  solver.begin(batch_of<Model>(inputs, labels, identifiers), &table);
  for (int s = 1; s <= max_steps; ++s) {
    solver.step();
    distance q;
    const auto halt = file.read<double>("eval.step" + std::to_string(s) + ".q_halt_logits");
    for (std::size_t b = 0; b < halt.size(); ++b) q.add(solver.samples().halting[b].q_halt, halt[b]);
    r.check("eval", "q_halt of step " + std::to_string(s), q);
  }
  distance logits;
  logits.add_all(solver.logits(), file.read<double>("eval.logits"));
  r.check("eval", "logits", logits);
  if (!std::isinf(r.bound("eval"))) {
    CHECK(solver.samples().predictions == file.read<int>("eval.preds"));
    const trm::json want = r.metadata("eval_metrics");
    const trm::step_metrics m = solver.metrics();
    CHECK(m.count == want.at("count").get<double>());
    CHECK(m.exact_accuracy == want.at("exact_accuracy").get<double>());
    CHECK(m.q_halt_accuracy == want.at("q_halt_accuracy").get<double>());
    CHECK(m.steps == want.at("steps").get<double>());
    CHECK(m.lm_loss == doctest::Approx(want.at("lm_loss").get<double>()).epsilon(r.bound("eval")));
  }
  return {solver.logits().begin(), solver.logits().end()};
}

/// Training as it was recorded.
inline trm::training_options options_of(const recorded& r) {
  const trm::json config = r.metadata("config"), optimizer = r.metadata("optimizer");
  trm::training_options options{.batch = config.at("batch_size").get<int>(),
                                .max_steps = config.at("halt_max_steps").get<int>(),
                                .exploration = 0};
  options.optimizer.beta1 = optimizer.at("betas").at(0).get<double>();
  options.optimizer.beta2 = optimizer.at("betas").at(1).get<double>();
  options.optimizer.weight_decay = optimizer.at("weight_decay").get<double>();
  options.puzzle_weight_decay = optimizer.at("sparse_weight_decay").get<double>();
  options.ema_rate = optimizer.at("ema_rate").get<double>();
  options.puzzle_identifiers = config.at("num_puzzle_identifiers").get<std::size_t>();
  return options;
}

/// How far the weights (their average) are after the last step from those of the undisturbed run where each initial weight is multiplied
/// with 1 + 2e-7 u, u uniform in [-1, 1): the worst tensor of the worst of some draws. What sensitivity.json says comes from one draw.
/// For models without puzzle rows.
struct disturbed {
  double weights = 0, average = 0;
};
template <class Model>
disturbed disturbed_distance(const std::string& name, const std::filesystem::path& folder, int draws) {
  static_assert(Model::W == 0);
  const recorded r(folder, name);
  const trm::json optimizer = r.metadata("optimizer");
  const auto rates = optimizer.at("lr_per_step").get<std::vector<double>>();
  trm::cpu::context<> device(1);
  const auto train = [&](std::uint32_t draw) {  // 0: undisturbed
    auto t = std::make_unique<trm::trainer<Model>>(device, options_of(r));
    trm::read_weights(r.file(), t->weights(), "init.");
    for (std::uint32_t i = 0; i < Model::parameter_count && draw > 0; ++i) {
      const double u = trm::philox{draw}.at(trm::purpose::user, 0, i).uniform(0);
      t->weights().parameters()[i] *= static_cast<float>(1 + 2e-7 * (2 * u - 1));
    }
    t->weights_changed();
    for (std::size_t s = 1; s <= rates.size(); ++s) {
      const std::string at = "step" + std::to_string(s) + ".batch.";
      const auto inputs = r.file().template read<int>(at + "inputs"),
                 labels = r.file().template read<int>(at + "labels");
      t->forward_backward(batch_of<Model>(inputs, labels, {}));
      t->update(rates[s - 1], 0);
    }
    return t;
  };
  const auto own = train(0);
  disturbed worst;
  for (int draw = 1; draw <= draws; ++draw) {
    const auto other = train(static_cast<std::uint32_t>(draw));
    for (const auto& e : Model::table) {
      distance weights, average;
      weights.add_all(other->weights()[e.name()], own->weights()[e.name()]);
      average.add_all(other->ema(e.name()), own->ema(e.name()));
      worst.weights = std::max(worst.weights, weights.relative_norm_but_outliers());
      worst.average = std::max(worst.average, average.relative_norm_but_outliers());
    }
  }
  return worst;
}

/// The recorded run of a float32 case on `device`: all of it, or its first `steps` and the evaluation. The last weights may be as far from
/// the recording as `measured` says, where that is more than its own bound.
template <class Model, class Backend>
void check_recorded_on(Backend& device, const std::string& name, const std::filesystem::path& folder,
                       std::size_t steps = std::numeric_limits<std::size_t>::max(), disturbed measured = {}) {
  recorded r(folder, name);
  r.allow("final", measured.weights);
  r.allow("ema", measured.average);
  const trm::safetensors_file& file = r.file();
  const trm::json optimizer = r.metadata("optimizer"), metrics = r.metadata("metrics_per_step");
  const auto rates = optimizer.at("lr_per_step").get<std::vector<double>>();
  const auto sparse_rates = optimizer.at("sparse_lr_per_step").get<std::vector<double>>();
  const trm::training_options options = options_of(r);
  trm::trainer<Model, trm::adam_atan2, Backend> t(device, options);
  trm::read_weights(file, t.weights(), "init.");
  if (Model::W > 0) t.table() = trm::read_puzzle_table<Model>(file, options.batch, "init.");
  t.weights_changed();
  {  // every recorded parameter is one of ours
    std::set<std::string> ours;
    for (const auto& e : Model::table) ours.insert("step1.grad." + std::string(e.name()));
    for (const auto& tensor : file.names()) {
      if (tensor.rfind("step1.grad.model", 0) == 0) CHECK_MESSAGE(ours.count(tensor) == 1, tensor);
    }
  }

  for (std::size_t s = 1; s <= std::min(steps, rates.size()); ++s) {
    INFO("step ", s);
    const std::string step = "step" + std::to_string(s), at = step + ".";
    const auto inputs = file.read<int>(at + "batch.inputs"), labels = file.read<int>(at + "batch.labels");
    const auto identifiers = file.read<int>(at + "batch.puzzle_identifiers");
    t.forward_backward(batch_of<Model>(inputs, labels, identifiers));

    const auto halted = file.read<int>(at + "halted"), steps_done = file.read<int>(at + "steps");
    CHECK(std::equal(halted.begin(), halted.end(), t.samples().halted.begin()));
    CHECK(std::equal(steps_done.begin(), steps_done.end(), t.samples().steps.begin()));
    if (s <= 2) {
      distance logits, q;
      logits.add_all(t.logits(), file.read<double>(at + "out.logits"));
      r.check(step + ".out", "logits", logits);
      const auto halt = file.read<double>(at + "out.q_halt_logits"),
                 go_on = file.read<double>(at + "out.q_continue_logits");
      for (std::size_t b = 0; b < halt.size(); ++b)
        q.add(t.samples().halting[b].q_halt, halt[b]), q.add(t.samples().halting[b].q_continue, go_on[b]);
      r.check(step + ".out", "q", q);
      CHECK(t.samples().predictions == file.read<int>(at + "out.preds"));
      for (const char* state : Model::schedule::states) {
        distance z;
        z.add_all(t.state(state), file.read<double>(at + "carry.z_" + state));
        r.check(step + ".carry", state, z);
      }
      for (const auto& e : Model::table) {
        distance g;
        g.add_all(t.gradient(e.name()), file.read<double>(at + "grad." + std::string(e.name())));
        r.check(step + ".grad", std::string(e.name()), g);
      }
      if (Model::W > 0) {
        distance g;
        g.add_all(t.puzzle_gradient(), file.read<double>(at + "grad.local_puzzle_emb"));
        r.check(step + ".grad", "puzzle rows", g);
      }
    }
    const trm::step_report report = t.update(rates[s - 1], sparse_rates[s - 1]);
    const trm::json& want = metrics.at(s - 1);
    const trm::step_metrics& m = report.metrics;
    CHECK(m.count == want.at("count").get<double>());
    CHECK(m.exact_accuracy == want.at("exact_accuracy").get<double>());
    CHECK(m.q_halt_accuracy == want.at("q_halt_accuracy").get<double>());
    CHECK(m.steps == want.at("steps").get<double>());
    if (r.loss_bound(s - 1) > 0.02) {  // rounding moves this step's logits so far that single predictions flip
      r.leave_out("accuracy of " + step);
    } else {
      CHECK(m.accuracy == doctest::Approx(want.at("accuracy").get<double>()).epsilon(1e-6));
    }
    const double loss = want.at("loss").get<double>();
    INFO("loss ", m.loss(), " recorded ", loss, " bound ", r.loss_bound(s - 1));
    CHECK(std::abs(m.loss() - loss) <= r.loss_bound(s - 1) * std::abs(loss));
    if (want.contains("q_continue_loss")) CHECK(Model::trains_continue);
  }

  const bool whole = steps >= rates.size();
  for (const auto& e : Model::table) {
    if (!whole) break;
    const std::string n(e.name());
    distance last, average;
    last.add_all(t.weights()[n], file.read<double>("final." + n));
    average.add_all(t.ema(n), file.read<double>("ema." + n));
    r.check("final", n, last);
    r.check("ema", n, average);
  }
  if (whole && Model::W > 0) {
    distance rows;
    rows.add_all(std::span<const float>(t.table().data(), t.table().rows() * t.table().width()),
                 file.read<double>(std::string("final.") + Model::puzzle_table_name));
    r.check("final", "puzzle table", rows);
  }

  check_evaluation<Model>(r, file, "final.", device);
  r.report();
}

/// The same on so many threads of the CPU.
template <class Model, class Backend = trm::cpu::context<>>
void check_recorded(const std::string& name, const std::filesystem::path& folder, int threads = 1,
                    std::size_t steps = std::numeric_limits<std::size_t>::max()) {
  Backend device(threads);
  check_recorded_on<Model>(device, name, folder, steps);
}

}  // namespace trm_test
