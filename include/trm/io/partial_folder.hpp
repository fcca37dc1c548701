// SPDX-License-Identifier: MIT
// A folder that is there completely or not at all: filled beside its place and renamed into it.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/file.hpp"

namespace trm {

namespace detail {

/// The process of the folder NAME.partial-PID-N; 0 where `file` is no such name.
inline pid_t owner_of_partial(std::string_view file, const std::string& name) {
  const std::string before = name + ".partial-";
  if (!file.starts_with(before)) return 0;
  pid_t pid = 0;
  unsigned n = 0;
  const char *at = file.data() + before.size(), *end = file.data() + file.size();
  const auto [dash, bad_pid] = std::from_chars(at, end, pid);
  if (bad_pid != std::errc{} || pid < 1 || dash == end || *dash != '-') return 0;
  const auto [rest, bad_n] = std::from_chars(dash + 1, end, n);
  return bad_n == std::errc{} && rest == end ? pid : 0;
}

/// Opens a folder and locks it, which ends with the descriptor or the process; an invalid descriptor where another has the lock or the
/// file system has no locks of folders.
inline descriptor lock_folder(const std::filesystem::path& folder) {
  descriptor opened(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened && ::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) opened.close();
  return opened;
}

/// Removes the partial folders of `path` that killed processes left: those of a process that is not there (or had our number) and whose
/// lock, which a process of another machine or container may hold, is free.
inline void remove_abandoned(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  std::vector<std::filesystem::path> abandoned;
  std::error_code code;
  for (std::filesystem::directory_iterator entry(parent, code), end; !code && entry != end; entry.increment(code)) {
    const pid_t pid = owner_of_partial(entry->path().filename().string(), path.filename().string());
    if (pid != 0 && (pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH))) abandoned.push_back(entry->path());
  }
  for (const auto& folder : abandoned) {
    const descriptor lock = lock_folder(folder);
    if (lock) std::filesystem::remove_all(folder, code);  // what cannot be removed stays
  }
}

}  // namespace detail

/// Makes `<path>.partial-<pid>-<n>`, to be filled by the owner; commit() renames it to `path`. Without commit it is removed with all
/// that is in it. A process that is killed leaves it; the next partial_folder of the same path removes what was left.
class partial_folder {
 public:
  /// \throws trm::error where `path` is there already (an empty folder may be) or its folder cannot be written
  explicit partial_folder(const std::filesystem::path& path) : path_(path.lexically_normal()) {
    if (!path_.has_filename()) path_ = path_.parent_path();  // "a/b/" ends in an empty name
    if (path_.empty()) throw error("output", "no folder is named");
    std::error_code code;
    if (std::filesystem::exists(path_, code) &&
        !(std::filesystem::is_directory(path_, code) && std::filesystem::is_empty(path_, code))) {
      throw error(path_.string(), "is there already: remove it or name another folder");
    }
    code.clear();
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), code);
    if (code) throw error(path_.parent_path().string(), "cannot create: " + code.message());
    static std::mutex alone;  // between its creation and its lock a folder looks abandoned
    const std::lock_guard guard(alone);
    detail::remove_abandoned(path_);
    create();
    lock_ = detail::lock_folder(partial_);
  }
  partial_folder(const partial_folder&) = delete;
  partial_folder& operator=(const partial_folder&) = delete;
  ~partial_folder() {
    std::error_code ignored;
    if (!partial_.empty()) std::filesystem::remove_all(partial_, ignored);
  }

  /// Where the folder is for now.
  const std::filesystem::path& path() const { return partial_; }

  /// Puts the folder in its place, and on the disk. Throws trm::error where that fails; what was there before is then
  /// as it was.
  void commit() {
    std::error_code code;
    std::filesystem::rename(partial_, path_, code);
    if (code) throw error(path_.string(), "cannot put in place: " + code.message());
    partial_.clear();
    lock_.close();
    detail::sync_folder_of(path_);
  }

 private:
  /// A name that is not taken: a process of another container may have our number.
  void create() {
    static unsigned count = 0;
    std::error_code code;
    std::filesystem::path partial;
    for (int attempts = 0; attempts < 100 && !code; ++attempts) {
      partial = path_;
      partial += ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
      if (std::filesystem::create_directory(partial, code)) {
        partial_ = std::move(partial);
        return;
      }
    }
    throw error(partial.string(), "cannot create: " + (code ? code.message() : "is there already"));
  }

  std::filesystem::path path_, partial_;
  detail::descriptor lock_;
};

}  // namespace trm
