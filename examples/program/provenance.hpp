// SPDX-License-Identifier: MIT
// Where a run comes from: provenance.json in its folder.
#pragma once
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "build_facts.hpp"
#include "dataset_files.hpp"
#include "device.hpp"
#include "machine.hpp"
#include "trm/backend/cpu/isa.hpp"
#include "trm/core/error.hpp"
#include "trm/core/sha256.hpp"
#include "trm/data/memory_limit.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"
#include "trm/version.hpp"

namespace program {

/// Now, as "2026-01-31T12:59:59Z".
inline std::string utc_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// The words this process was started with; none where the system does not say.
inline std::vector<std::string> command_line() {
  std::vector<std::string> words;
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

/// "Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64"
inline std::string system_name() {
  std::string distribution;
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("PRETTY_NAME=")) distribution = line.substr(12) + ", ";
  }
  std::erase(distribution, '"');
  utsname kernel{};
  ::uname(&kernel);
  return fmt::format("{}{} {} {}", distribution, kernel.sysname, kernel.release, kernel.machine);
}

/// A start of the program: when, how, which build, on which machine. `step`: the steps that were done before. `threads`:
/// how many compute.
inline trm::json start_facts(long long step, int threads) {
  char host[65] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  std::error_code ignored;
  trm::json instruction_sets = {trm::cpu::name(trm::cpu::current_isa())};
  if (trm::detail::has_sha_ni()) instruction_sets.push_back("sha_ni");
  trm::json facts = {{"time", utc_time()},
                     {"step", step},
                     {"command", command_line()},
                     {"working_directory", std::filesystem::current_path(ignored).string()},
                     {"version", trm::version_string},
                     {"commit", built_commit()},
                     {"compiler", built_compiler()},
                     {"flags", built_flags()},
                     {"host", host},
                     {"system", system_name()},
                     {"processor", processor_name()},
                     {"processors", std::thread::hardware_concurrency()},
                     {"device", chosen_device()},
                     {"threads", threads},
                     {"instruction_sets", instruction_sets},
                     {"memory_mib", trm::memory_limit() >> 20}};
  if (const std::string gpu = gpu_name(1); !gpu.empty()) facts["gpu"] = gpu;
  return facts;
}

/// provenance.json: {"format", "program", "configuration", "model", "data": [a split each, dataset_facts], "starts": [the
/// first and each that went on, start_facts], "checkpoints": {"step_N": SHA-256 of its checkpoint.json}}.
class provenance {
 public:
  static constexpr const char* format = "trm.provenance.1";

  /// Of a new run. `configuration`: all options.
  provenance(std::filesystem::path file, const std::string& program, trm::json configuration, trm::json model,
             std::span<const dataset_facts> data)
      : file_(std::move(file)) {
    document_ = {{"format", format},
                 {"program", program},
                 {"configuration", std::move(configuration)},
                 {"model", std::move(model)},
                 {"data", trm::json::array()},
                 {"starts", trm::json::array()},
                 {"checkpoints", trm::json::object()}};
    for (const dataset_facts& split : data) document_["data"].push_back(split.to_json());
  }
  /// Of a run that is there. \throws trm::error where the file is missing or damaged
  explicit provenance(std::filesystem::path file)
      : file_(std::move(file)), document_(trm::read_json(file_, std::size_t{1} << 28)) {
    const trm::json_field root(document_, file_.string());
    if (const trm::json_field found = root.at("format"); found.string() != format) {
      found.expected(std::string("\"") + format + "\"");
    }
    if (const trm::json_field starts = root.at("starts"); !starts.is_array()) starts.expected("an array");
    if (const trm::json_field made = root.at("checkpoints"); !made.is_object()) made.expected("an object");
  }

  const trm::json& document() const { return document_; }

  /// The program starts, or goes on: see start_facts. What was said of checkpoints of later steps is forgotten.
  void start(trm::json facts) {
    const long long step = facts.at("step").get<long long>();
    trm::json kept = trm::json::object();
    for (const auto& [name, digest] : document_.at("checkpoints").items()) {
      if (step_of(name) <= step) kept[name] = digest;
    }
    document_["checkpoints"] = std::move(kept);
    document_["starts"].push_back(std::move(facts));
    write();
  }
  /// A checkpoint was made; `sha256` is that of its manifest, which has those of all its files.
  void checkpoint(long long step, const std::string& sha256) {
    document_["checkpoints"][fmt::format("step_{}", step)] = sha256;
    write();
  }

 private:
  /// Command lines and names of machines need not be UTF-8.
  void write() const {
    trm::write_file(file_, document_.dump(2, ' ', false, trm::json::error_handler_t::replace) + "\n");
  }
  static long long step_of(const std::string& name) {
    long long step = -1;
    if (name.starts_with("step_")) std::from_chars(name.data() + 5, name.data() + name.size(), step);
    return step;
  }

  std::filesystem::path file_;
  trm::json document_;
};

}  // namespace program
