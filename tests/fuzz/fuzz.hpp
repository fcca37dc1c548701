// SPDX-License-Identifier: MIT
// What the fuzz harnesses share: bytes in, a value or one trm::error out.
#pragma once
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "trm/core/error.hpp"

/// libFuzzer's entry point, and main.cpp's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace trm_fuzz {

/// Ends the process, which a fuzzer takes for a finding.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}
inline void require(bool fact, const char* what) {
  if (!fact) fail(what);
}

/// Every message is one short line of printable ASCII; `any_name`: but for names of files from outside, which may have
/// other letters.
inline void check_message(std::string_view message, bool any_name = false) {
  if (message.empty() || message.size() > 2000) fail("a message of " + std::to_string(message.size()) + " bytes");
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f || (byte > 0x7f && !any_name)) {
      fail("not one printable line: " + std::string(message));
    }
  }
}

/// True where `read` comes to its end; false after a trm::error. Whatever else is thrown ends the process.
template <class Read>
bool attempt(Read&& read, bool any_name = false) {
  try {
    read();
    return true;
  } catch (const trm::error& e) {
    check_message(e.what(), any_name);
    return false;
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
/// Takes what is in front of the first `separator` (all, where there is none) off `rest`.
inline std::string_view take_until(std::string_view& rest, std::string_view separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == rest.npos ? rest.size() : at + separator.size());
  return taken;
}

/// A file in memory, for readers that take a path; nothing of it is left by a process that dies.
class memory_file {
 public:
  memory_file() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail("no file in memory");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file() { ::close(descriptor_); }

  const std::filesystem::path& put(std::string_view bytes) const {
    if (::ftruncate(descriptor_, 0) != 0) fail("cannot truncate a file in memory");
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      if (n <= 0) fail("cannot write a file in memory");
      done += static_cast<std::size_t>(n);
    }
    return path_;
  }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

/// A folder in memory where there is one, for readers that want several files; removed at the end.
class memory_folder {
 public:
  memory_folder() {
    std::error_code code;
    const bool shared = std::filesystem::is_directory("/dev/shm", code);
    std::string name = shared ? "/dev/shm/trm-fuzz-XXXXXX" : "/tmp/trm-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) fail("cannot make " + name);
    path_ = name;
  }
  memory_folder(const memory_folder&) = delete;
  memory_folder& operator=(const memory_folder&) = delete;
  ~memory_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  void put(const std::string& name, std::string_view bytes) const {
    const std::filesystem::path path = path_ / name;
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) {
      fail("cannot write " + path.string());
    }
    std::fclose(file);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace trm_fuzz
