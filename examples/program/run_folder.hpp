// SPDX-License-Identifier: MIT
// The folder of a run: configuration as given, metrics, checkpoints.
#pragma once
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/file.hpp"

namespace program {

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

/// The folder of a run, new or one to go on with. One process at a time has it. A new run that ends before anything was measured or
/// saved leaves nothing.
class run_folder {
 public:
  /// \throws trm::error where another process has it, or it cannot be made
  explicit run_folder(std::filesystem::path path)
      : path_(std::move(path)),
        continued_(holds_run(path_)),
        begun_(path_, continued_),
        lock_(path_, O_RDONLY | O_DIRECTORY) {
    if (!lock()) {
      begun_.kept = true;
      throw trm::error(path_.string(), "another process is training here");
    }
    remove_partial();
  }
  /// Is there a run in the folder?
  static bool holds_run(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path / configuration_file, ignored);
  }
  static constexpr const char* configuration_file = "config.toml";  // the options; written last of what begins a run

  const std::filesystem::path& path() const { return path_; }
  /// Was there a run before?
  bool continued() const { return continued_; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  /// A file that tells about the run.
  void write(const std::filesystem::path& name, const std::string& text) {
    trm::write_file(path_ / name, text);
    made(path_ / name);
  }
  /// The same where somebody else wrote it.
  void made(const std::filesystem::path& file) { begun_.files.push_back(file); }
  /// From now on there is something in it.
  void keep() { begun_.kept = true; }

 private:
  /// Files that are removed with the folder unless they are kept.
  struct beginning {
    beginning(const std::filesystem::path& path, bool kept_) : folder(path / "checkpoints"), kept(kept_) {}
    beginning(const beginning&) = delete;
    beginning& operator=(const beginning&) = delete;
    ~beginning() {
      std::error_code ignored;
      for (const auto& file : files) {
        if (!kept) std::filesystem::remove(file, ignored);
      }
    }
    made_folder folder;
    std::vector<std::filesystem::path> files = {};
    bool kept;
  };

  /// False where another process has the folder. One that was just killed may have it for a moment longer.
  bool lock() const {
    for (int attempts = 0; attempts < 20; ++attempts) {
      // Where the file system has no locks, nobody can be asked.
      if (!lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  /// Half-written files of processes that were killed: the folder is ours alone.
  void remove_partial() const {
    std::vector<std::filesystem::path> partial;
    std::error_code code, ignored;
    for (std::filesystem::directory_iterator entry(path_, code), end; !code && entry != end; entry.increment(code)) {
      const bool named = entry->path().filename().string().find(".partial-") != std::string::npos;
      if (named && entry->is_regular_file(ignored)) partial.push_back(entry->path());
    }
    for (const auto& file : partial) std::filesystem::remove(file, ignored);
  }

  std::filesystem::path path_;
  bool continued_;
  beginning begun_;
  trm::detail::descriptor lock_;
};

}  // namespace program
