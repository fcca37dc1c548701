// SPDX-License-Identifier: MIT
// A folder that is there completely or not at all: filled beside its place and renamed into it.
#pragma once
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "trm/core/error.hpp"

namespace trm {

/// Makes `<path>.partial-<pid>-<n>`, to be filled by the owner; commit() renames it to `path`. Without commit it is removed with all
/// that is in it. (A process that is killed leaves it under that name.)
class partial_folder {
 public:
  /// \throws trm::error where `path` is there already (an empty folder may be) or its folder cannot be written
  explicit partial_folder(const std::filesystem::path& path) : path_(path.lexically_normal()) {
    static std::atomic<unsigned> count{0};
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
    std::filesystem::path partial = path_;
    partial += ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    std::filesystem::remove_all(partial, code);  // of a dead process that had our number
    std::filesystem::create_directory(partial, code);
    if (code) throw error(partial.string(), "cannot create: " + code.message());
    partial_ = std::move(partial);
  }
  partial_folder(const partial_folder&) = delete;
  partial_folder& operator=(const partial_folder&) = delete;
  ~partial_folder() {
    std::error_code ignored;
    if (!partial_.empty()) std::filesystem::remove_all(partial_, ignored);
  }

  /// Where the folder is for now.
  const std::filesystem::path& path() const { return partial_; }

  void commit() {
    std::error_code code;
    std::filesystem::rename(partial_, path_, code);
    if (code) throw error(path_.string(), "cannot put in place: " + code.message());
    partial_.clear();
  }

 private:
  std::filesystem::path path_, partial_;
};

}  // namespace trm
