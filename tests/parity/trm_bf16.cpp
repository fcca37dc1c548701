// SPDX-License-Identifier: MIT
// bf16: the first step of the recorded run, and our bf16 against our float32 as the recording is against it.
#include "parity/recorded.hpp"

namespace {

constexpr trm::config c{
    .tokens = 16, .vocab = 7, .hidden = 32, .heads = 2, .l_cycles = 2, .puzzle_positions = 2, .puzzle_width = 32};

/// Quantities by name, in the order of the model, as float64.
using quantities = std::vector<std::pair<std::string, std::vector<double>>>;

template <class Values>
std::vector<double> numbers(const Values& v) {
  std::vector<double> r;
  for (const auto& x : v) r.push_back(static_cast<double>(x));
  return r;
}

struct first_step {
  quantities outputs, gradients;
};

template <class Model>
trm::training_options options_of(const trm::json& config, const trm::json& optimizer) {
  trm::training_options o{.batch = config.at("batch_size").get<int>(),
                          .max_steps = config.at("halt_max_steps").get<int>(),
                          .exploration = 0};
  o.optimizer.beta1 = optimizer.at("betas").at(0).get<double>();
  o.optimizer.beta2 = optimizer.at("betas").at(1).get<double>();
  o.optimizer.weight_decay = optimizer.at("weight_decay").get<double>();
  o.puzzle_weight_decay = optimizer.at("sparse_weight_decay").get<double>();
  o.ema_rate = optimizer.at("ema_rate").get<double>();
  o.puzzle_identifiers = config.at("num_puzzle_identifiers").get<std::size_t>();
  return o;
}

template <class Model>
void load(const trm_test::recorded& r, trm::trainer<Model>& t) {
  trm::read_weights(r.file(), t.weights(), "init.");
  t.table() = trm::read_puzzle_table<Model>(r.file(), t.options().batch, "init.");
  t.weights_changed();
}

struct recorded_batch {
  std::vector<int> inputs, labels, identifiers;
  trm::batch view() const { return {inputs, labels, identifiers}; }
};
recorded_batch batch_at(const trm_test::recorded& r, const std::string& step) {
  return {r.file().read<int>(step + ".batch.inputs"), r.file().read<int>(step + ".batch.labels"),
          r.file().read<int>(step + ".batch.puzzle_identifiers")};
}

/// The first step of ours in the model's compute type.
template <class Model>
first_step ours(const trm_test::recorded& r) {
  trm::cpu::context<> device(1);
  trm::trainer<Model> t(device, options_of<Model>(r.metadata("config"), r.metadata("optimizer")));
  load(r, t);
  const recorded_batch b = batch_at(r, "step1");
  t.forward_backward(b.view());
  first_step s;
  s.outputs.emplace_back("logits", numbers(t.logits()));
  s.outputs.emplace_back("q", std::vector<double>{});
  for (const auto& q : t.samples().halting)
    s.outputs.back().second.push_back(q.q_halt), s.outputs.back().second.push_back(q.q_continue);
  for (const char* state : Model::schedule::states)
    s.outputs.emplace_back(std::string("z_") + state, numbers(t.state(state)));
  for (const auto& e : Model::table) s.gradients.emplace_back(std::string(e.name()), numbers(t.gradient(e.name())));
  s.gradients.emplace_back("puzzle rows", numbers(t.puzzle_gradient()));
  return s;
}

template <class Model>
first_step theirs(const trm_test::recorded& r) {
  first_step s;
  s.outputs.emplace_back("logits", r.file().read<double>("step1.out.logits"));
  s.outputs.emplace_back("q", std::vector<double>{});
  const auto halt = r.file().read<double>("step1.out.q_halt_logits"),
             go_on = r.file().read<double>("step1.out.q_continue_logits");
  for (std::size_t b = 0; b < halt.size(); ++b)
    s.outputs.back().second.push_back(halt[b]), s.outputs.back().second.push_back(go_on[b]);
  for (const char* state : Model::schedule::states) {
    s.outputs.emplace_back(std::string("z_") + state, r.file().read<double>(std::string("step1.carry.z_") + state));
  }
  for (const auto& e : Model::table) {
    s.gradients.emplace_back(std::string(e.name()), r.file().read<double>("step1.grad." + std::string(e.name())));
  }
  s.gradients.emplace_back("puzzle rows", r.file().read<double>("step1.grad.local_puzzle_emb"));
  return s;
}

trm_test::distance between(const std::vector<double>& a, const std::vector<double>& b) {
  trm_test::distance d;
  d.add_all(a, b);
  return d;
}

std::string figure(const char* format, double a) {
  char text[64];
  std::snprintf(text, sizeof text, format, a);
  return text;
}

}  // namespace

TEST_CASE("trm_bf16: the first step") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_bf16.safetensors")) return;
  using half = trm::model<c, trm::bf16>;
  const trm_test::recorded r(*trm_test::reference_dir() / "model", "trm_bf16");
  const first_step recording = theirs<half>(r), bf16 = ours<half>(r), single = ours<trm::model<c, float>>(r);

  for (std::size_t i = 0; i < recording.outputs.size(); ++i) {
    const std::string& name = recording.outputs[i].first;
    const std::vector<double>& want = recording.outputs[i].second;
    const double to_recording = between(bf16.outputs[i].second, want).relative_norm();
    const double ours_to_single = between(bf16.outputs[i].second, single.outputs[i].second).relative_norm();
    const double theirs_to_single = between(want, single.outputs[i].second).relative_norm();
    MESSAGE(name << ": ours to the recording" << figure(" %.2e", to_recording) << "; to float32: ours"
                 << figure(" %.2e", ours_to_single) << ", the recording" << figure(" %.2e", theirs_to_single));
    CHECK(to_recording < 5e-2);
    CHECK(ours_to_single <= theirs_to_single);
  }
  trm_test::distance whole, whole_ours, whole_theirs;
  for (std::size_t i = 0; i < recording.gradients.size(); ++i) {
    const std::string& name = recording.gradients[i].first;
    const std::vector<double>& want = recording.gradients[i].second;
    const auto d = between(bf16.gradients[i].second, want);
    const auto a = between(bf16.gradients[i].second, single.gradients[i].second),
               b = between(want, single.gradients[i].second);
    whole.add_all(d), whole_ours.add_all(a), whole_theirs.add_all(b);
    MESSAGE(name << ": cosine with the recording" << figure(" %.6f", d.cosine()) << "; to float32: ours"
                 << figure(" %.2e", a.relative_norm()) << ", the recording" << figure(" %.2e", b.relative_norm()));
    CHECK(d.cosine() > 0.995);
    CHECK(a.relative_norm() <= b.relative_norm());
  }
  MESSAGE("whole gradient: cosine with the recording"
          << figure(" %.6f", whole.cosine()) << "; to float32: ours" << figure(" %.2e", whole_ours.relative_norm())
          << ", the recording" << figure(" %.2e", whole_theirs.relative_norm()));
  CHECK(whole.cosine() > 0.999);
  CHECK(whole_ours.relative_norm() <= whole_theirs.relative_norm());
}

TEST_CASE("trm_bf16: who halts when, all through the recorded run") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_bf16.safetensors")) return;
  using half = trm::model<c, trm::bf16>;
  const trm_test::recorded r(*trm_test::reference_dir() / "model", "trm_bf16");
  const trm::json optimizer = r.metadata("optimizer"), metrics = r.metadata("metrics_per_step");
  const auto rates = optimizer.at("lr_per_step").get<std::vector<double>>();
  const auto sparse_rates = optimizer.at("sparse_lr_per_step").get<std::vector<double>>();
  trm::cpu::context<> device(1);
  trm::trainer<half> t(device, options_of<half>(r.metadata("config"), optimizer));
  load(r, t);
  for (std::size_t s = 1; s <= rates.size(); ++s) {
    INFO("step ", s);
    const std::string step = "step" + std::to_string(s);
    const recorded_batch b = batch_at(r, step);
    t.forward_backward(b.view());
    const auto halted = r.file().read<int>(step + ".halted"), steps = r.file().read<int>(step + ".steps");
    CHECK(std::equal(halted.begin(), halted.end(), t.samples().halted.begin()));
    CHECK(std::equal(steps.begin(), steps.end(), t.samples().steps.begin()));
    const trm::step_report report = t.update(rates[s - 1], sparse_rates[s - 1]);
    CHECK(report.metrics.count == metrics.at(s - 1).at("count").get<double>());
    CHECK(report.metrics.steps == metrics.at(s - 1).at("steps").get<double>());
    const double loss = metrics.at(s - 1).at("loss").get<double>();
    MESSAGE("step " << s << ": loss" << figure(" %.4f", report.metrics.loss()) << ", recorded"
                    << figure(" %.4f", loss));
    if (s == 1) CHECK(report.metrics.loss() == doctest::Approx(loss).epsilon(2e-2));
  }
}
