// SPDX-License-Identifier: MIT
// A file that is there completely or not at all: written beside its place and renamed into it.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/io/file.hpp"

namespace trm {

/// Collects bytes in `<path>.partial-<pid>-<n>`; commit() makes them `path`, on the disk and not only in its cache.
/// Whoever reads `path` sees the old file or the new one. Without commit the partial file is removed and `path` stays
/// as it was. Every failure (no such folder, not writable, disk full) is a trm::error that names the path and says
/// why.
class atomic_file {
 public:
  /// Opens a file beside `path`, under a name of its own. Throws trm::error where that fails.
  explicit atomic_file(std::filesystem::path path) : path_(std::move(path)) {
    static std::atomic<unsigned> count{0};
    // A process that was killed may have had our number and left such a file.
    for (int attempts = 0; attempts < 100 && !file_ && (attempts == 0 || errno == EEXIST); ++attempts) {
      partial_ = path_;
      partial_ += ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
      file_ = detail::descriptor(partial_, O_WRONLY | O_CREAT | O_EXCL, 0666);
    }
    if (!file_) {
      const int code = errno;
      partial_.clear();
      detail::throw_errno(path_, "create", code);
    }
    pending_.reserve(capacity);
  }
  /// Takes the open file over.
  atomic_file(atomic_file&& o) noexcept
      : path_(std::move(o.path_)),
        partial_(std::exchange(o.partial_, {})),
        file_(std::move(o.file_)),
        pending_(std::move(o.pending_)),
        size_(o.size_) {}
  atomic_file& operator=(atomic_file&&) = delete;
  ~atomic_file() { discard(); }

  const std::filesystem::path& path() const { return path_; }  // the name it will have
  /// Bytes given to write() so far.
  std::uint64_t size() const { return size_; }

  /// Appends.
  void write(std::span<const std::byte> bytes) {
    require_open();
    size_ += bytes.size();
    if (pending_.size() + bytes.size() > capacity) flush();
    if (bytes.size() >= capacity) {
      put(bytes, nullptr);
    } else {
      pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Replaces bytes that were written before: [offset, offset + bytes.size()) must lie within size().
  void overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
    require_open();
    if (offset > size_ || bytes.size() > size_ - offset) throw error(path_.string(), "overwrite beyond the end");
    flush();
    put(bytes, &offset);
  }

  /// What was written is on the disk, under the partial name: after it commit() needs no more room.
  void sync() {
    require_open();
    flush();
    if (::fsync(file_.get()) != 0) detail::throw_errno(path_, "write");
  }

  /// The file is now at path(): flush, fsync, rename, fsync of the folder. Nothing can be written afterwards.
  void commit() {
    sync();
    if (file_.close() != 0) detail::throw_errno(path_, "write");
    if (::rename(partial_.c_str(), path_.c_str()) != 0) detail::throw_errno(path_, "put in place");
    partial_.clear();
    detail::sync_folder_of(path_);
  }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 16;

  void require_open() const {
    if (!file_) throw error(path_.string(), "already committed, or an earlier write failed");
  }
  void flush() {
    put(pending_, nullptr);
    pending_.clear();
  }
  void put(std::span<const std::byte> bytes, const std::uint64_t* offset) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = offset != nullptr ? ::pwrite(file_.get(), bytes.data() + done, bytes.size() - done,
                                                     static_cast<off_t>(*offset + done))
                                          : ::write(file_.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const int code = n == 0 ? ENOSPC : errno;
        discard();
        detail::throw_errno(path_, "write", code);
      }
      done += static_cast<std::size_t>(n);
    }
  }
  void discard() noexcept {
    file_.close();
    if (!partial_.empty()) ::unlink(partial_.c_str());
    partial_.clear();
  }

  std::filesystem::path path_, partial_;
  detail::descriptor file_;
  std::vector<std::byte> pending_;
  std::uint64_t size_ = 0;
};

/// `path` with this content, atomically.
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  atomic_file file(path);
  file.write(text);
  file.commit();
}

}  // namespace trm
