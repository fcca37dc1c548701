// SPDX-License-Identifier: MIT
// Which cycles are worth their compute: models that differ in (H, L, layers, width, supervision steps, architecture) learn 6 x 6 Sudoku
// with equal training FLOPs, and are asked for puzzles that no symmetry of Sudoku makes from those they saw.
//
//   cycles --output build/cycles          all of it: build/cycles.json and build/cycles.csv, written again after every run
//   cycles --quick                        a sign of life in seconds
//   python3 benchmarks/cycles_plot.py build/cycles.json     table and plot
//
// cycles.json: {"benchmark": "cycles", "task", "date", "processor", "compiler", "threads", "batch", "budget_flops", "float32_peak",
//   "test_puzzles", "naked_singles": share of them that naked singles alone solve,
//   "configurations": [{"name", "architecture", "h_cycles", "l_cycles", "layers", "width", "supervision_steps", "parameters",
//     "step_flops": of a training step of the batch, "answer_flops": of all supervision steps on one puzzle,
//     "training_bytes", "answer_bytes": the memory plan, "step_seconds", "share_of_peak",
//     "runs": [{"seed", "points": [{"steps", "flops", "exact", "cells"}]}]}]}
// Points are at 1/8, 1/4, 1/2 and all of the budget; exact and cells are shares of the test puzzles and of their cells. Everything but date,
// machine, seconds and share of the peak is a function of budget and seed, whatever the number of threads.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arithmetic_peak.hpp"
#include "stopwatch.hpp"
#include "trm/data/group_sampler.hpp"
#include "trm/data/sudoku/generator.hpp"
#include "trm/data/sudoku/puzzle_source.hpp"
#include "trm/data/sudoku/solver.hpp"
#include "trm/data/sudoku/split.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/trainer.hpp"

namespace {

using trm::architecture;

/// What a line of the matrix may change; the rest is the `small` preset of trm-sudoku.
struct variant {
  const char* name;
  int h = 2, l = 3, layers = 1, width = 64, supervision_steps = 8;
  architecture kind = architecture::trm;
};

/// The matrix: a configuration is a line. Lines that differ in supervision steps alone share their compiled code.
constexpr variant matrix[] = {
    {.name = "H2 L3"},
    {.name = "1 step", .supervision_steps = 1},
    {.name = "4 steps", .supervision_steps = 4},
    {.name = "16 steps", .supervision_steps = 16},
    {.name = "H1 L1", .h = 1, .l = 1},
    {.name = "H1 L6", .h = 1, .l = 6},
    {.name = "H3 L6", .h = 3, .l = 6},
    {.name = "2 layers, H2 L1", .l = 1, .layers = 2},
    {.name = "width 32", .width = 32},
    {.name = "single state", .kind = architecture::single_state},
    {.name = "transformer, 8 layers", .h = 1, .l = 1, .layers = 8, .kind = architecture::transformer},
};

constexpr int board_size = 6, batch = 64;

constexpr trm::config config_of(const variant& v) {
  return {.tokens = board_size * board_size,
          .vocab = board_size + 2,
          .hidden = v.width,
          .heads = 4,
          .layers = v.layers,
          .h_cycles = v.h,
          .l_cycles = v.l,
          .expansion = 8.0 / 3,
          .width_multiple = 16,
          .architecture = v.kind,
          .mixing = trm::mixing_kind::tokens,
          .positions = trm::position_kind::none,
          .loss = trm::loss_kind::softmax};
}

constexpr const char* name_of(architecture kind) {
  constexpr const char* names[] = {"trm", "single_state", "six_state", "hrm", "transformer"};
  return names[static_cast<int>(kind)];
}

/// What is asked for on the command line.
struct settings {
  double budget = 5e12;  // FLOPs of the training of one configuration; 0: 8 steps
  std::uint64_t seeds = 1;
  int threads = 1, training_puzzles = 20000, test_puzzles = 500;
  std::vector<std::string> only;
  std::string output = "cycles";
};

/// The task: minimal puzzles, each in 1001 symmetric forms for training; classes of solutions are divided.
struct puzzles {
  std::array<trm::sudoku::puzzle_source, 1> train{trm::sudoku::puzzle_source(board_size, 1000, 0)};
  std::array<trm::sudoku::puzzle_source, 1> test{trm::sudoku::puzzle_source(board_size)};
  double naked_singles = 0;

  explicit puzzles(const settings& s) {
    const trm::sudoku::solution_split split(board_size, 0, 0.2);
    const auto fill = [&](trm::sudoku::puzzle_source& to, bool testing, int count, std::uint64_t first) {
      const trm::sudoku::generator make({.size = board_size, .accept_solution = [&split, testing](const auto& b) {
                                           return split.held_out(b) == testing;
                                         }});
      for (int i = 0; i < count; ++i) {
        const trm::sudoku::puzzle p = make(first + static_cast<std::uint64_t>(i));
        to.add(p.question, p.solution);
        naked_singles += testing && trm::sudoku::solve_by_naked_singles(p.question).solved;
      }
    };
    fill(train[0], false, s.training_puzzles, 0);
    fill(test[0], true, s.test_puzzles, std::uint64_t{1} << 40);
    naked_singles /= s.test_puzzles;
  }
};

struct point {
  long long steps = 0;
  double flops = 0, exact = 0, cells = 0;
};
struct run {
  std::uint64_t seed = 0;
  std::vector<point> points;
};
/// What is known of a configuration before it runs, and its runs.
struct result {
  const variant* what = nullptr;
  std::size_t parameters = 0, training_bytes = 0, answer_bytes = 0;
  double step_flops = 0, answer_flops = 0, step_seconds = 1e9;
  std::vector<run> runs;
};

/// Trains and tests one configuration; the shortest step is kept.
template <trm::config C>
void perform(const settings& s, const puzzles& data, std::uint64_t seed, result& r) {
  using model = trm::model<C, float>;
  const int supervision = r.what->supervision_steps;
  if (r.runs.empty()) {
    constexpr trm::memory_plan training = trm::plan<model>(batch), answer = trm::inference_plan<model>(1);
    r.parameters = model::parameter_count;
    r.training_bytes = training.total() - training.undo, r.answer_bytes = answer.total();
    r.step_flops = training.flops, r.answer_flops = answer.flops * supervision;
  }
  const auto steps = s.budget > 0 ? static_cast<long long>(s.budget / r.step_flops) : 8;
  if (steps < 8) throw trm::error(r.what->name, "the budget is less than 8 of its training steps");

  // All in shares of the run, so that configurations with dear steps and with cheap ones are treated alike.
  trm::training_options o{
      .batch = batch, .max_steps = supervision, .exploration = 0.5, .undoable = false, .seed = seed};
  o.optimizer.learning_rate = 2e-3;
  o.schedule = {.warmup = steps / 50 + 1, .total = steps, .min_ratio = 0.05};
  o.ema_rate = std::max(0.5, 1 - 50.0 / static_cast<double>(steps));
  trm::cpu::context<> cpu(s.threads);
  trm::trainer<model> trainer(cpu, o);
  trainer.initialise(seed);
  trm::solver<model> solver(cpu, batch);
  trm::group_sampler<trm::sudoku::puzzle_source> sampler(data.train, C.tokens, {.seed = seed, .batch = batch});
  trm::batch_memory memory(batch, C.tokens);
  trm_benchmark::stopwatch watch(s.threads);

  r.runs.push_back({seed, {}});
  for (long long step = 1; step <= steps; ++step) {
    sampler.next(memory.view());
    const trm::batch_view b = memory.view();
    watch.time([&] {
      trainer.forward_backward({b.inputs, b.labels, {}});
      if (trainer.finite()) trainer.update();
    });
    if (!trainer.finite()) throw trm::error(r.what->name, "step " + std::to_string(step) + ": not finite");
    if (step != steps / 8 && step != steps / 4 && step != steps / 2 && step != steps) continue;
    solver.use(trainer.ema(), trainer.weights().constants());
    const auto found = trm::evaluate(solver, {}, std::span<const trm::sudoku::puzzle_source>(data.test),
                                     data.test[0].metadata(), supervision, s.test_puzzles, [](auto&&...) {});
    r.runs.back().points.push_back({step, static_cast<double>(step) * r.step_flops,
                                    found[0].exact_accuracy / found[0].count, found[0].accuracy / found[0].count});
  }
  r.step_seconds = std::min(r.step_seconds, watch.best());
}

using performance = void (*)(const settings&, const puzzles&, std::uint64_t, result&);
template <std::size_t... I>
constexpr std::array<performance, sizeof...(I)> performances(std::index_sequence<I...>) {
  return {perform<config_of(matrix[I])>...};
}

std::string text(const char* format, auto... values) {
  char line[512];
  std::snprintf(line, sizeof line, format, values...);
  return line;
}
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0 && line.find(": ") != line.npos) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}
std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return text("%04d-%02d-%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

double share_of_peak(const result& r, const settings& s, double peak) {
  return r.step_flops / r.step_seconds / (peak * s.threads);
}

std::string to_json(const std::vector<result>& all, const settings& s, const puzzles& data, double peak) {
  std::string json = "{\n";
  json += text("  \"benchmark\": \"cycles\", \"task\": \"minimal %d x %d Sudoku\",\n", board_size, board_size);
  json += text("  \"date\": \"%s\", \"processor\": \"%s\", \"compiler\": \"%s\",\n", today().c_str(),
               processor().c_str(), __VERSION__);
  json += text("  \"threads\": %d, \"batch\": %d, \"budget_flops\": %.6g, \"float32_peak\": %.4g,\n", s.threads, batch,
               s.budget, peak);
  json += text("  \"test_puzzles\": %d, \"naked_singles\": %.4f,\n  \"configurations\": [", s.test_puzzles,
               data.naked_singles);
  for (const result& r : all) {
    if (r.runs.empty()) continue;
    const variant& v = *r.what;
    json += json.back() == '[' ? "\n" : ",\n";
    json += text("    {\"name\": \"%s\", \"architecture\": \"%s\", \"h_cycles\": %d, \"l_cycles\": %d, \"layers\": %d,",
                 v.name, name_of(v.kind), v.h, v.l, v.layers);
    json += text(" \"width\": %d, \"supervision_steps\": %d, \"parameters\": %zu,\n", v.width, v.supervision_steps,
                 r.parameters);
    json += text("     \"step_flops\": %.0f, \"answer_flops\": %.0f, \"training_bytes\": %zu, \"answer_bytes\": %zu,\n",
                 r.step_flops, r.answer_flops, r.training_bytes, r.answer_bytes);
    json += text("     \"step_seconds\": %.6f, \"share_of_peak\": %.4f,\n     \"runs\": [", r.step_seconds,
                 share_of_peak(r, s, peak));
    for (const run& each : r.runs) {
      json += text("%s{\"seed\": %llu, \"points\": [", &each == &r.runs.front() ? "" : ",\n              ",
                   static_cast<unsigned long long>(each.seed));
      for (const point& p : each.points) {
        json += text("%s{\"steps\": %lld, \"flops\": %.6g, \"exact\": %.4f, \"cells\": %.5f}",
                     &p == &each.points.front() ? "" : ", ", p.steps, p.flops, p.exact, p.cells);
      }
      json += "]}";
    }
    json += "]}";
  }
  return json + "\n  ]\n}\n";
}

/// A line for every point of every run.
std::string to_csv(const std::vector<result>& all, const settings& s, double peak) {
  std::string csv =
      "name,architecture,h_cycles,l_cycles,layers,width,supervision_steps,parameters,step_flops,answer_flops,"
      "training_bytes,answer_bytes,step_seconds,share_of_peak,seed,steps,flops,exact,cells\n";
  for (const result& r : all) {
    const variant& v = *r.what;
    for (const run& each : r.runs) {
      for (const point& p : each.points) {
        csv += text("\"%s\",%s,%d,%d,%d,%d,%d,%zu,", v.name, name_of(v.kind), v.h, v.l, v.layers, v.width,
                    v.supervision_steps, r.parameters);
        csv += text("%.0f,%.0f,%zu,%zu,%.6f,%.4f,", r.step_flops, r.answer_flops, r.training_bytes, r.answer_bytes,
                    r.step_seconds, share_of_peak(r, s, peak));
        csv += text("%llu,%lld,%.6g,%.4f,%.5f\n", static_cast<unsigned long long>(each.seed), p.steps, p.flops, p.exact,
                    p.cells);
      }
    }
  }
  return csv;
}

/// A number from `low` on. Throws where the text is none.
double number(std::string_view option, const char* value, double low) {
  char* end = nullptr;
  const double x = std::strtod(value, &end);
  if (end == value || *end != '\0' || !(x >= low && x <= 1e18))
    throw trm::error(std::string(option), "\"" + std::string(value) + "\" is not a number from " + text("%g", low));
  return x;
}

constexpr const char* help =
    "usage: cycles [--output NAME] [--budget TFLOP] [--seeds N] [--threads N] [--only CONFIGURATION]... [--quick] "
    "[--list]\n"
    "  --output    NAME.json and NAME.csv, written again after every run; default cycles\n"
    "  --budget    of the training of one configuration; default 5\n"
    "  --seeds     0 to N - 1, each over all configurations before the next; default 1\n"
    "  --threads   accuracies do not depend on it; default 1\n"
    "  --only      this configuration; may be given several times\n"
    "  --quick     8 training steps, few puzzles: a sign of life\n"
    "  --list      the names of the configurations\n";

/// False: nothing is to be run.
bool parse(int argc, char** argv, settings& s) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help") return std::printf("%s", help), false;
    if (option == "--list") {
      for (const variant& v : matrix) std::printf("%s\n", v.name);
      return false;
    }
    if (option == "--quick") {
      s.budget = 0, s.training_puzzles = 100, s.test_puzzles = 16;
      continue;
    }
    if (i + 1 == argc) throw trm::error(std::string(option), "unknown, or needs a value: see --help");
    const char* value = argv[++i];
    if (option == "--output") {
      s.output = value;
    } else if (option == "--budget") {
      s.budget = 1e12 * number(option, value, 1e-3);
    } else if (option == "--seeds") {
      s.seeds = static_cast<std::uint64_t>(std::min(1e6, number(option, value, 1)));
    } else if (option == "--threads") {
      s.threads = static_cast<int>(std::min(1024.0, number(option, value, 1)));
    } else if (option == "--only") {
      const auto same = [&](const variant& v) { return std::string_view(v.name) == value; };
      if (std::ranges::none_of(matrix, same)) throw trm::error("--only", "no configuration of that name: see --list");
      s.only.emplace_back(value);
    } else {
      throw trm::error(std::string(option), "unknown: see --help");
    }
  }
  return true;
}

void run_all(const settings& s) {
  constexpr auto perform_each = performances(std::make_index_sequence<std::size(matrix)>());
  const puzzles data(s);
  const double peak = 1e9 * trm_benchmark::measure_arithmetic().float32;
  std::vector<result> all(std::size(matrix));
  for (std::uint64_t seed = 0; seed < s.seeds; ++seed) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      result& r = all[i];
      r.what = &matrix[i];
      if (!s.only.empty() && std::ranges::find(s.only, r.what->name) == s.only.end()) continue;
      perform_each[i](s, data, seed, r);
      trm::write_file(s.output + ".json", to_json(all, s, data, peak));
      trm::write_file(s.output + ".csv", to_csv(all, s, peak));
      std::printf("seed %llu, %-22s exact", static_cast<unsigned long long>(seed), r.what->name);
      for (const point& p : r.runs.back().points) std::printf(" %5.1f %%", 100 * p.exact);
      std::printf(", %.2f ms a step\n", 1e3 * r.step_seconds);
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    settings s;
    if (parse(argc, argv, s)) run_all(s);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "cycles: %s\n", e.what());
    return 1;
  }
}
