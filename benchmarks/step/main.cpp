// SPDX-License-Identifier: MIT
// Times one training step, or the solving of one sample, of a compiled model: `step --help`.
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../arithmetic_peak.hpp"
#include "session.hpp"
#include "trm/backend/cpu/isa.hpp"
#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"
#include "trm/version.hpp"

namespace {

using namespace trm_benchmark;
using trm::json;

constexpr const char* usage = R"(step: times one training step, or the solving of one sample

  --model M      sudoku_attention (default), sudoku_mixer, arc: as published; small_32, small_17: hidden 128, 4 heads, H 2, L 3
  --type T       float32 (default), bf16
  --what W       train (default): forward, backward, AdamATan2, puzzle rows, carry, halting; solve: one sample, 16 supervision
                 steps (sudoku_attention)
  --batch N      samples of a training step (8)
  --threads N    (2)
  --rounds N     timed rounds after one that is not timed (5)
  --isa LEVEL    portable, avx2, avx512, avx512_bf16, amx; default: the best of this machine
  --json FILE    writes the result there
  --serve        reads lines from standard input, answers each with a line of JSON: run, memory, peak
  --peak         only measures what the arithmetic units can do
  --record FILE  writes weights, data and two training steps as safetensors, to compare another implementation with
)";

struct options {
  request of;
  int rounds = 5;
  std::string json_file, record_file;
  bool serve = false, peak = false;
};

int number(const std::string& name, std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 1) {
    throw trm::error(name, "a whole number of at least 1 is wanted, not " + std::string(text));
  }
  return value;
}
void choose_isa(const std::string& wanted) {
  for (const trm::cpu::isa level : trm::cpu::all_isas) {
    if (wanted == trm::cpu::name(level)) return trm::cpu::use_isa(level);
  }
  throw trm::error("--isa", "portable, avx2, avx512, avx512_bf16 or amx are wanted, not " + wanted);
}
options parse(int argc, char** argv) {
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--serve" || name == "--peak") {
      (name == "--serve" ? o.serve : o.peak) = true;
      continue;
    }
    if (i + 1 == argc) throw trm::error(name, "no such option, or its value is missing: see step --help");
    const std::string value = argv[++i];
    if (name == "--model")
      o.of.model = value;
    else if (name == "--type")
      o.of.type = value;
    else if (name == "--what")
      o.of.what = value;
    else if (name == "--batch")
      o.of.batch = number(name, value);
    else if (name == "--threads")
      o.of.threads = number(name, value);
    else if (name == "--rounds")
      o.rounds = number(name, value);
    else if (name == "--isa")
      choose_isa(value);
    else if (name == "--json")
      o.json_file = value;
    else if (name == "--record")
      o.record_file = value;
    else
      throw trm::error(name, "no such option: see step --help");
  }
  if (o.of.type != "float32" && o.of.type != "bf16") throw trm::error("--type", "float32 or bf16, not " + o.of.type);
  if (o.of.what != "train" && o.of.what != "solve") throw trm::error("--what", "train or solve, not " + o.of.what);
  if (o.of.what == "solve") o.of.batch = 1;
  return o;
}

double seconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
/// Bytes of a line of /proc/self/status: VmRSS, VmHWM. 0 where there is none.
std::size_t memory_of_process(std::string_view what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what)) return 1024 * std::stoull(line.substr(what.size() + 1));
  }
  return 0;
}

/// GFLOP/s of all threads at once, by kind of instruction.
json measure_peak(int threads) {
  std::vector<arithmetic_peaks> each(static_cast<std::size_t>(threads));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < each.size(); ++i) others.emplace_back([&each, i] { each[i] = measure_arithmetic(); });
  each[0] = measure_arithmetic();
  for (std::thread& t : others) t.join();
  arithmetic_peaks sum;
  for (const arithmetic_peaks& p : each) {
    sum.float32 += p.float32, sum.bf16_pairs += p.bf16_pairs, sum.bf16_tiles += p.bf16_tiles;
  }
  return {{"float32", sum.float32}, {"bf16_vdpbf16ps", sum.bf16_pairs}, {"bf16_amx", sum.bf16_tiles}};
}

class timed {
 public:
  explicit timed(const request& r) : request_(r), before_(memory_of_process("VmRSS:")) {
    const auto found = compiled_models().find(r.model);
    if (found == compiled_models().end()) {
      std::string names;
      for (const auto& [name, make] : compiled_models()) names += " " + name;
      throw trm::error("--model " + r.model, "is not compiled; there are:" + names);
    }
    session_ = found->second(r);
  }
  session& of() { return *session_; }
  json about() const {
    return {{"program", "trm"},
            {"version", trm::version_string},
            {"compiler", __VERSION__},
            {"isa", trm::cpu::name(trm::cpu::current_isa())},
            {"model", request_.model},
            {"type", request_.type},
            {"what", request_.what},
            {"batch", request_.batch},
            {"threads", request_.threads},
            {"gflop", 1e-9 * session_->flops()}};
  }
  json run() {
    const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    const double loss = session_->run();
    return {{"wall_s", seconds(CLOCK_MONOTONIC) - wall},
            {"cpu_s", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu},
            {"loss", loss}};
  }
  /// The growth of the resident memory since before the model was made, at its highest.
  json memory() const {
    const std::size_t highest = memory_of_process("VmHWM:");
    return {{"peak_bytes", highest - std::min(highest, before_)}, {"plan_bytes", session_->planned_bytes()}};
  }

 private:
  request request_;
  std::size_t before_;
  std::unique_ptr<session> session_;
};

void answer(const json& line) { std::cout << line.dump() << std::endl; }

void serve(timed& t) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "run")
      answer(t.run());
    else if (line == "memory")
      answer(t.memory());
    else if (line == "peak")
      answer(measure_peak(t.about().at("threads")));
    else
      throw trm::error("standard input",
                       "run, memory or peak are wanted, not \"" + trm::detail::printable(line) + "\"");
  }
}

void time_rounds(timed& t, const options& o) {
  json result = t.about();
  const double gflop = result.at("gflop");
  result["peak"] = measure_peak(o.of.threads);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < o.rounds; ++i) {
    const json round = t.run();
    const double wall = round.at("wall_s"), cpu = round.at("cpu_s");
    best = std::min(best, wall);
    result["rounds"].push_back(round);
    std::printf("round %d: %.2f ms, %.2f ms of CPU time\n", i + 1, 1e3 * wall, 1e3 * cpu);
  }
  result.update(t.memory());
  const auto mib = [&](const char* key) { return result.at(key).get<double>() / (1 << 20); };
  std::printf("%s %s %s, batch %d, %d threads, %s: %.1f GFLOP, best %.2f ms, %.1f GFLOP/s\n", o.of.what.c_str(),
              o.of.model.c_str(), o.of.type.c_str(), o.of.batch, o.of.threads,
              result.at("isa").get<std::string>().c_str(), gflop, 1e3 * best, gflop / best);
  std::printf("memory: %.1f MiB at most, planned %.1f MiB\npeak of the processor, GFLOP/s: %s\n", mib("peak_bytes"),
              mib("plan_bytes"), result.at("peak").dump().c_str());
  if (!o.json_file.empty()) trm::write_file(o.json_file, result.dump(2) + "\n");
}

int run(const options& o) {
  if (o.peak) {
    const json peak = measure_peak(o.of.threads);
    answer(peak);
    if (!o.json_file.empty()) trm::write_file(o.json_file, peak.dump(2) + "\n");
    return 0;
  }
  timed t(o.of);
  if (!o.record_file.empty()) {
    t.of().record(o.record_file);
    return 0;
  }
  t.run();  // pages are taken, caches filled
  if (o.serve) {
    answer(t.about());
    serve(t);
  } else {
    time_rounds(t, o);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && (argv[1] == std::string_view("--help") || argv[1] == std::string_view("-h"))) {
    std::fputs(usage, stdout);
    return 0;
  }
  options o;
  try {
    o = parse(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "step: %s\n", e.what());
    return 2;
  }
  try {
    return run(o);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "step: %s\n", e.what());
    return 1;
  }
}
