// SPDX-License-Identifier: MIT
// What a run measures, while it runs: metrics.jsonl and TensorBoard's event files in its folder.
#pragma once
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "device.hpp"
#include "machine.hpp"
#include "metric_names.hpp"
#include "trm/core/error.hpp"
#include "trm/io/append_file.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"
#include "trm/io/tensorboard.hpp"

namespace program {

/// The speed of steps since it was last asked for: what happens between steps (evaluation, checkpoint) does not count.
class step_rate {
 public:
  /// A step is worked at from now on, if none was already.
  void begin() {
    if (!began_) began_ = clock::now();
  }
  /// None is, for now.
  void rest() {
    count_time();
    began_.reset();
  }
  /// A step of so many samples is done.
  void add(int samples) { steps_ += 1, samples_ += samples; }
  /// Adds steps_per_second and samples_per_second to the line, and counts anew.
  void take(trm::json& line) {
    count_time();
    const double seconds = std::max(seconds_, 1e-9);
    line["steps_per_second"] = steps_ / seconds;
    line["samples_per_second"] = samples_ / seconds;
    steps_ = samples_ = seconds_ = 0;
  }

 private:
  using clock = std::chrono::steady_clock;
  void count_time() {
    if (!began_) return;
    const auto now = clock::now();
    seconds_ += std::chrono::duration<double>(now - *began_).count();
    began_ = now;
  }

  double steps_ = 0, samples_ = 0, seconds_ = 0;
  std::optional<clock::time_point> began_;
};

namespace detail {

/// A line of metrics.jsonl; `number` counts from 1.
inline trm::json metrics_line(std::string_view text, const std::filesystem::path& file, std::size_t number) {
  try {
    trm::json line = trm::parse_json(text, "JSON");
    trm::json_field(line, "JSON").at("step").integer(0);
    return line;
  } catch (const trm::error& e) {
    throw trm::error(file.string(), fmt::format("line {} is damaged, restore it or remove it ({})", number, e.what()));
  }
}

/// each(line, text) for every line of metrics.jsonl; a last one that was torn is passed over.
template <class Each>
void for_each_line(const std::filesystem::path& file, Each each) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return;
  const std::string content = trm::read_file(file);
  std::string_view rest = content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    trm::json line;
    try {
      line = metrics_line(text, file, number);
    } catch (const trm::error&) {
      if (end == std::string_view::npos) return;
      throw;
    }
    each(line, text);
  }
}

}  // namespace detail

/// The lines of a metrics.jsonl; none where there is no file. What a process that was killed left of its last line is
/// passed over. \throws trm::error with file and line where another one is damaged
inline std::vector<trm::json> read_metrics(const std::filesystem::path& file) {
  std::vector<trm::json> lines;
  detail::for_each_line(file, [&](trm::json& line, std::string_view) { lines.push_back(std::move(line)); });
  return lines;
}

/// Takes lines of later steps than `step`, and a torn last one, out of a metrics.jsonl, atomically: a run that goes on
/// after `step` writes them again. Without `evaluated` also the evaluation of `step` itself, which will be made again.
/// \throws trm::error as read_metrics does
inline void forget_after(const std::filesystem::path& file, long long step, bool evaluated = true) {
  std::string kept;
  detail::for_each_line(file, [&](const trm::json& line, std::string_view text) {
    const auto at = line.at("step").get<long long>();
    if (at < step || (at == step && (evaluated || !line.contains("split")))) kept.append(text).append("\n");
  });
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored) && trm::read_file(file) != kept) trm::write_file(file, kept);
}

/// Writes a run's metrics. Files are made by the first line: a run that measured nothing leaves none.
class telemetry {
 public:
  explicit telemetry(std::filesystem::path run) : run_(std::move(run)) {}

  std::filesystem::path file() const { return run_ / "metrics.jsonl"; }

  /// The run goes on after `step`; before the first write. Later lines are forgotten, in the event files as well.
  void resume_at(long long step, bool evaluated = true) {
    forget_after(file(), step, evaluated);
    resumed_at_ = step;
  }
  /// What a new run's event file says of it: options as TOML, and one by one as an object of numbers and others.
  void describe(std::string configuration, trm::json options) {
    configuration_ = std::move(configuration);
    options_ = std::move(options);
  }
  /// One line: `object` with "step", "time" (seconds since 1970) and, but for evaluations, the memory in use, of a GPU too; its numbers
  /// also as scalars of TensorBoard. \throws trm::error where a file cannot be written
  void write(long long step, trm::json object) {
    open();
    const double time = trm::wall_clock();
    object["step"] = step;
    object["time"] = time;
    if (!object.contains("split")) {
      const double now = resident_memory_mib();
      object["memory/peak_mib"] = std::max(peak_memory_mib(), now);  // the system counts it less exactly
      object["memory/resident_mib"] = now;
      if (const auto ask = detail::gpus().memory_mib; ask != nullptr && chosen_device() != "cpu")
        object["memory/device_mib"] = ask();
    }
    lines_->write(object.dump() + "\n");
    events_->scalars(step, time, flat_metrics(object));
  }
  /// What was written is on the disk; before a checkpoint says that the run has come so far.
  void sync() const {
    if (!lines_) return;
    lines_->sync();
    events_->sync();
  }
  /// All lines so far.
  std::vector<trm::json> read() const { return read_metrics(file()); }

 private:
  void open() {
    if (lines_) return;
    lines_.emplace(file());
    events_.emplace(run_, resumed_at_ ? std::optional<std::int64_t>(*resumed_at_ + 1) : std::nullopt);
    if (resumed_at_) return;
    if (!configuration_.empty()) events_->text("configuration", as_code(configuration_));
    std::vector<trm::tensorboard_scalar> numbers;
    std::vector<trm::tensorboard_text> texts;
    for (const auto& [name, value] : options_.items()) {
      if (value.is_number()) {
        numbers.emplace_back(name, value.get<double>());
      } else {
        texts.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
      }
    }
    if (!options_.empty()) events_->hparams(numbers, texts);
  }
  /// Markdown shows lines that are indented as they are.
  static std::string as_code(const std::string& text) {
    std::string code = "    ";
    for (const char c : text) code += c == '\n' ? "\n    " : std::string(1, c);
    return code;
  }

  std::filesystem::path run_;
  std::optional<long long> resumed_at_;
  std::string configuration_;
  trm::json options_ = trm::json::object();
  std::optional<trm::append_file> lines_;
  std::optional<trm::tensorboard_writer> events_;
};

}  // namespace program
