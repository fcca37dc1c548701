// SPDX-License-Identifier: MIT
// Files as bytes: read whole, or mapped. POSIX.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "trm/core/error.hpp"

namespace trm {
namespace detail {

/// Throws `path: cannot open: No such file or directory`, from errno.
[[noreturn]] inline void throw_errno(const std::filesystem::path& path, const std::string& doing, int code = errno) {
  throw error(path.string(), "cannot " + doing + ": " + std::generic_category().message(code));
}

/// A file descriptor that is closed at the end.
class descriptor {
 public:
  descriptor() = default;
  descriptor(const std::filesystem::path& path, int flags, mode_t mode = 0) {
    do {
      value_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    } while (value_ < 0 && errno == EINTR);
  }
  descriptor(descriptor&& o) noexcept : value_(std::exchange(o.value_, -1)) {}
  descriptor& operator=(descriptor&& o) noexcept {
    std::swap(value_, o.value_);
    return *this;
  }
  ~descriptor() { close(); }

  int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }
  /// The result of ::close; 0 where there was nothing to close.
  int close() { return value_ < 0 ? 0 : ::close(std::exchange(value_, -1)); }

 private:
  int value_ = -1;
};

/// What was renamed into the folder of `path` is on the disk. Some file systems have no fsync of a folder (EINVAL); an unreadable
/// folder cannot be synced either.
inline void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  const descriptor folder(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (folder && ::fsync(folder.get()) != 0 && errno != EINVAL && errno != EROFS) throw_errno(parent, "sync");
}

inline descriptor open_to_read(const std::filesystem::path& path) {
  descriptor file(path, O_RDONLY);
  if (!file) throw_errno(path, "open");
  return file;
}

}  // namespace detail

/// The whole of a file (or pipe). Throws trm::error where it cannot be read or is larger than `limit` bytes.
inline std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30) {
  const detail::descriptor file = detail::open_to_read(path);
  std::string text;
  struct stat info {};
  if (::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) && static_cast<std::size_t>(info.st_size) <= limit) {
    text.reserve(static_cast<std::size_t>(info.st_size) + 1);
  }
  for (std::size_t size = 0;;) {
    constexpr std::size_t piece = std::size_t{1} << 16;
    text.resize(size + piece);
    const ssize_t got = ::read(file.get(), text.data() + size, piece);
    if (got < 0 && errno != EINTR) detail::throw_errno(path, "read");
    if (got > 0) size += static_cast<std::size_t>(got);
    text.resize(size);
    if (size > limit) throw error(path.string(), "larger than the limit of " + std::to_string(limit) + " bytes");
    if (got == 0) return text;
  }
}

/// A regular file mapped into memory, read-only. The file must keep its length while it is mapped (replace it by
/// renaming, as atomic_file does: the mapping keeps the old one).
class mapped_file {
 public:
  mapped_file() = default;
  /// Maps a whole file. Throws trm::error where it is not there or cannot be read.
  explicit mapped_file(std::filesystem::path path) : path_(std::move(path)) {
    const detail::descriptor file = detail::open_to_read(path_);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) detail::throw_errno(path_, "read the size of");
    if (!S_ISREG(info.st_mode)) throw error(path_.string(), "not a regular file");
    size_ = static_cast<std::size_t>(info.st_size);
    if (size_ == 0) return;  // an empty mapping is an error to mmap
    void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) {
      size_ = 0;
      detail::throw_errno(path_, "map");
    }
    data_ = static_cast<const std::byte*>(data);
  }
  /// Takes the mapping over.
  mapped_file(mapped_file&& o) noexcept
      : path_(std::move(o.path_)), data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  mapped_file& operator=(mapped_file&& o) noexcept {
    std::swap(path_, o.path_);
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~mapped_file() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  }

  std::span<const std::byte> bytes() const { return {data_, size_}; }  // valid while this object is
  const std::filesystem::path& path() const { return path_; }          // as given

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace trm
