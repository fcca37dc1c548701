// SPDX-License-Identifier: MIT
// The folder of a run: configuration as given, metrics, checkpoints.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/file.hpp"
#include "trm/io/json.hpp"

namespace program {

/// A file to which lines are appended, each a whole one or not at all.
class line_file {
 public:
  explicit line_file(std::filesystem::path path)
      : path_(std::move(path)), file_(path_, O_WRONLY | O_CREAT | O_APPEND, 0666) {
    if (!file_) fail();
    size_ = ::lseek(file_.get(), 0, SEEK_END);
  }

  void write(const std::string& line) {
    const std::string text = line + "\n";
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(file_.get(), text.data() + done, text.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const int code = n == 0 ? ENOSPC : errno;
        if (done > 0 && size_ >= 0 && ::ftruncate(file_.get(), size_) != 0) errno = code;
        errno = code;
        fail();
      }
      done += static_cast<std::size_t>(n);
    }
    size_ += static_cast<off_t>(text.size());
  }

 private:
  [[noreturn]] void fail() const {
    throw trm::error(path_.string(), std::string("cannot write: ") + std::strerror(errno));
  }

  std::filesystem::path path_;
  trm::detail::descriptor file_;
  off_t size_ = 0;
};

inline void make_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) throw trm::error(folder.string(), "cannot make the folder: " + code.message());
}

/// Makes a folder with those above it. At the end the ones that it made and that hold nothing are taken away again.
class made_folder {
 public:
  explicit made_folder(const std::filesystem::path& folder) {
    std::error_code code;
    for (std::filesystem::path p = folder; !p.empty() && !std::filesystem::exists(p, code); p = p.parent_path()) {
      made_.push_back(p);  // innermost first, as they are removed
    }
    try {
      make_folder(folder);
    } catch (...) {
      remove();
      throw;
    }
  }
  made_folder(const made_folder&) = delete;
  made_folder& operator=(const made_folder&) = delete;
  ~made_folder() { remove(); }

 private:
  void remove() {
    std::error_code ignored;
    for (const auto& folder : made_) std::filesystem::remove(folder, ignored);
  }
  std::vector<std::filesystem::path> made_;
};

/// A new run's folder. Throws where one is there already: nothing of an earlier run is overwritten. A run that ends before
/// anything was measured or saved leaves nothing.
class run_folder {
 public:
  run_folder(std::filesystem::path path, const std::string& configuration)
      : path_(std::move(path)), begun_(path_), metrics_(path_ / "metrics.jsonl") {
    write("config.toml", configuration);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoint(long long step) const {
    return path_ / "checkpoints" / fmt::format("step_{}.safetensors", step);
  }
  /// A file that tells about the run.
  void write(const std::filesystem::path& name, const std::string& text) {
    trm::write_file(path_ / name, text);
    begun_.files.push_back(path_ / name);
  }
  /// Appends one object to metrics.jsonl.
  void metrics(const trm::json& object) {
    metrics_.write(object.dump());
    keep();
  }
  /// From now on there is something in it.
  void keep() { begun_.kept = true; }
  /// All objects of metrics.jsonl so far.
  std::vector<trm::json> read_metrics() const {
    std::vector<trm::json> lines;
    std::ifstream file(path_ / "metrics.jsonl");
    for (std::string line; std::getline(file, line);)
      lines.push_back(trm::parse_json(line, path_.string() + "/metrics.jsonl"));
    return lines;
  }

 private:
  /// Files that are removed with the folder unless they are kept.
  struct beginning {
    explicit beginning(const std::filesystem::path& path) : folder(unused(path) / "checkpoints") {
      files.push_back(path / "metrics.jsonl");
    }
    beginning(const beginning&) = delete;
    beginning& operator=(const beginning&) = delete;
    ~beginning() {
      std::error_code ignored;
      for (const auto& file : files) {
        if (!kept) std::filesystem::remove(file, ignored);
      }
    }
    static const std::filesystem::path& unused(const std::filesystem::path& path) {
      std::error_code ignored;
      if (!std::filesystem::exists(path / "metrics.jsonl", ignored)) return path;
      throw trm::error(path.string(), "holds an earlier run: choose another --run folder, or remove it");
    }
    made_folder folder;
    std::vector<std::filesystem::path> files = {};
    bool kept = false;
  };

  std::filesystem::path path_;
  beginning begun_;
  line_file metrics_;
};

}  // namespace program
