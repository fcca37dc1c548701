// SPDX-License-Identifier: MIT
// A file that grows by whole records.
#pragma once
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>

#include "trm/io/file.hpp"

namespace trm {

/// Appends to a file, which is made where it is missing. A record is there completely or not at all, unless the process
/// dies within the call. Every failure (no such folder, disk full) is a trm::error that names the file and says why.
class append_file {
 public:
  /// Opens the file for appending, made where it is not. Throws trm::error where that fails.
  explicit append_file(std::filesystem::path path)
      : path_(std::move(path)), file_(path_, O_WRONLY | O_CREAT | O_APPEND, 0666) {
    if (!file_) detail::throw_errno(path_, "create");
    size_ = ::lseek(file_.get(), 0, SEEK_END);
  }

  const std::filesystem::path& path() const { return path_; }  // as given

  /// Appends the whole record. Throws trm::error where the disk does not take it.
  void write(std::string_view record) {
    for (std::size_t done = 0; done < record.size();) {
      const ssize_t n = ::write(file_.get(), record.data() + done, record.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const int code = n == 0 ? ENOSPC : errno;
        if (done > 0 && size_ >= 0) (void)!::ftruncate(file_.get(), size_);
        detail::throw_errno(path_, "write", code);
      }
      done += static_cast<std::size_t>(n);
    }
    size_ += static_cast<off_t>(record.size());
  }

  /// What was written is on the disk and not only in its cache.
  void sync() const {
    // Pipes and the like cannot be synced.
    if (::fdatasync(file_.get()) != 0 && errno != EINVAL && errno != EROFS) detail::throw_errno(path_, "write");
  }

 private:
  std::filesystem::path path_;
  detail::descriptor file_;
  off_t size_ = 0;
};

}  // namespace trm
