// SPDX-License-Identifier: MIT
// Runs a recorded case of the published implementation through the public interface and prints how far the two are apart.
//   recorded-case FILE.safetensors        (recorded for the configuration below; docs/fidelity.md says how others translate)
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <vector>

#include "trm/io/model_config.hpp"
#include "trm/io/published_config.hpp"
#include "trm/io/weights.hpp"
#include "trm/train/solver.hpp"
#include "trm/train/trainer.hpp"

namespace {

constexpr trm::config c{.tokens = 16, .vocab = 7, .hidden = 64, .heads = 4, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 64};
using model = trm::model<c, float>;

double worst = 0;

/// Prints |ours - recorded| / |recorded| in the Euclidean norm.
template <class Ours>
void compare(const std::string& name, const Ours& ours, const trm::safetensors_file& file) {
  const auto recorded = file.read<double>(name);
  if (recorded.size() != ours.size()) throw trm::error(file.place(name), "has another size");
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    difference += std::pow(static_cast<double>(ours[i]) - recorded[i], 2);
    size += std::pow(recorded[i], 2);
  }
  const double distance = size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
  worst = distance <= worst ? worst : distance;
  std::printf("%-75s %.1e\n", name.c_str(), distance);
}

/// The recorded inputs, labels and identifiers of `step1`, `eval`, ...; a trm::batch is spans over such memory.
struct recorded_batch {
  std::vector<int> inputs, labels, identifiers;
  recorded_batch(const trm::safetensors_file& file, const std::string& at)
      : inputs(file.read<int>(at + ".batch.inputs")),
        labels(file.read<int>(at + ".batch.labels")),
        identifiers(file.read<int>(at + ".batch.puzzle_identifiers")) {}
  trm::batch view() const { return {inputs, labels, identifiers}; }
};

/// The carry of a trainer after the recorded step `at`, whatever it did before.
void set_carry(trm::trainer<model>& trainer, const trm::safetensors_file& file, const std::string& at, const recorded_batch& data) {
  const auto halted = file.read<int>(at + ".halted"), steps = file.read<int>(at + ".steps");
  for (std::size_t i = 0; i < halted.size(); ++i) {
    trainer.samples().take(data.view(), static_cast<int>(i), static_cast<int>(i));  // the example that the sample works on
    trainer.samples().halted[i] = halted[i] != 0;  // it takes the next one offered and begins with the initial states
    trainer.samples().steps[i] = steps[i];
  }
  for (const char* state : model::schedule::states) {
    const auto z = file.read<float>(at + ".carry.z_" + state);
    std::copy(z.begin(), z.end(), trainer.state(state).begin());
  }
}

void run(const char* path) {
  const auto file = trm::safetensors_file::open(path);
  const auto text = [&](const char* key) {
    if (file.metadata().count(key) == 0) throw trm::error(path, std::string("is no recorded case: metadata ") + key + " is missing");
    return file.metadata().at(key);
  };
  const auto about = [&](const char* key) { return trm::parse_json(text(key), std::string(path) + ": metadata " + key); };
  const trm::json config = about("config"), optimizer = about("optimizer"), metrics = about("metrics_per_step");
  trm::check_same_config(trm::to_json(trm::published_config(text("arch"), config, text("loss_type"), path)), c, path);

  trm::cpu::context<> device;
  trm::training_options options{.batch = config.at("batch_size"), .max_steps = config.at("halt_max_steps"), .exploration = 0};
  options.optimizer.beta1 = optimizer.at("betas").at(0);
  options.optimizer.beta2 = optimizer.at("betas").at(1);
  options.optimizer.weight_decay = optimizer.at("weight_decay");
  options.puzzle_weight_decay = optimizer.at("sparse_weight_decay");
  options.ema_rate = optimizer.at("ema_rate");
  options.puzzle_identifiers = config.at("num_puzzle_identifiers");
  trm::trainer<model> trainer(device, options);
  trm::read_weights(file, trainer.weights(), "init.");  // published names after the prefix
  trainer.table() = trm::read_puzzle_table<model>(file, options.batch, "init.");
  trainer.weights_changed();

  const std::vector<double> rates = optimizer.at("lr_per_step"), puzzle_rates = optimizer.at("sparse_lr_per_step");
  for (std::size_t s = 1; s <= rates.size(); ++s) {
    const std::string at = "step" + std::to_string(s);
    const recorded_batch data(file, at);
    trainer.forward_backward(data.view());
    const trm::samples& now = trainer.samples();
    const auto halted = file.read<int>(at + ".halted"), steps = file.read<int>(at + ".steps");
    if (!std::equal(halted.begin(), halted.end(), now.halted.begin()) || steps != now.steps) {
      throw trm::error(path, at + ": halting and step counts differ from what is recorded");
    }
    if (s <= 2) {  // what is recorded of these in full
      std::vector<float> q;
      for (const trm::halting_result& r : now.halting) q.push_back(r.q_halt);
      compare(at + ".out.logits", trainer.logits(), file);
      compare(at + ".out.q_halt_logits", q, file);
      for (const char* state : model::schedule::states) compare(at + ".carry.z_" + state, trainer.state(state), file);
      for (const auto& p : model::table) compare(at + ".grad." + std::string(p.name()), trainer.gradient(p.name()), file);
      compare(at + ".grad.local_puzzle_emb", trainer.puzzle_gradient(), file);
    }
    const trm::step_report report = trainer.update(rates[s - 1], puzzle_rates[s - 1]);  // or update(): by options.schedule
    std::printf("%s: loss %.6f, recorded %.6f\n", at.c_str(), report.metrics.loss(), metrics.at(s - 1).at("loss").get<double>());
    if (s == 1) set_carry(trainer, file, at, data);  // here only to show how; what it was differs by rounding
  }
  for (const auto& p : model::table) {
    const std::string name(p.name());
    compare("final." + name, trainer.weights()[name], file);
    compare("ema." + name, trainer.ema(name), file);
  }

  trm::weights<model> weights;
  trm::read_weights(file, weights, "final.");
  const auto table = trm::read_puzzle_table<model>(file, options.batch, "final.");
  trm::solver<model> solver(device, options.batch);
  solver.use(weights);  // or solver.use(trainer.ema(), trainer.weights().constants())
  const recorded_batch data(file, "eval");
  solver.begin(data.view(), &table);
  for (int s = 1; s <= options.max_steps; ++s) solver.step();
  compare("eval.logits", solver.logits(), file);
  compare("eval.preds", solver.samples().predictions, file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: recorded-case FILE.safetensors\n"), 2;
  try {
    run(argv[1]);
    std::printf("largest relative difference %.1e\n", worst);
    return worst < 1e-3 ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "recorded-case: %s\n", e.what());
    return 1;
  }
}
