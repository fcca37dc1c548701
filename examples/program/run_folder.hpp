// SPDX-License-Identifier: MIT
// The folder of a run: configuration as given, metrics, checkpoints.
#pragma once
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"

namespace program {

/// A file to which lines are appended; each is flushed.
class line_file {
 public:
  explicit line_file(std::filesystem::path path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "a")) {
    if (file_ == nullptr) throw trm::error(path_.string(), std::string("cannot write: ") + std::strerror(errno));
  }
  ~line_file() { std::fclose(file_); }
  line_file(const line_file&) = delete;
  line_file& operator=(const line_file&) = delete;

  void write(const std::string& line) {
    if (std::fputs((line + "\n").c_str(), file_) < 0 || std::fflush(file_) != 0) {
      throw trm::error(path_.string(), std::string("cannot write: ") + std::strerror(errno));
    }
  }

 private:
  std::filesystem::path path_;
  std::FILE* file_;
};

inline void make_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) throw trm::error(folder.string(), "cannot make the folder: " + code.message());
}

/// A new run's folder. Throws where one is there already: nothing of an earlier run is overwritten.
class run_folder {
 public:
  run_folder(std::filesystem::path path, const std::string& configuration)
      : path_(std::move(path)), metrics_(begin(path_)) {
    trm::write_file(path_ / "config.toml", configuration);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoint(long long step) const {
    return path_ / "checkpoints" / fmt::format("step_{}.safetensors", step);
  }
  /// Appends one object to metrics.jsonl.
  void metrics(const trm::json& object) { metrics_.write(object.dump()); }
  /// All objects of metrics.jsonl so far.
  std::vector<trm::json> read_metrics() const {
    std::vector<trm::json> lines;
    std::ifstream file(path_ / "metrics.jsonl");
    for (std::string line; std::getline(file, line);)
      lines.push_back(trm::parse_json(line, path_.string() + "/metrics.jsonl"));
    return lines;
  }

 private:
  static std::filesystem::path begin(const std::filesystem::path& path) {
    if (std::filesystem::exists(path / "metrics.jsonl")) {
      throw trm::error(path.string(), "holds an earlier run: choose another --run folder, or remove it");
    }
    make_folder(path / "checkpoints");
    return path / "metrics.jsonl";
  }

  std::filesystem::path path_;
  line_file metrics_;
};

}  // namespace program
