// SPDX-License-Identifier: MIT
// The container of virtual sets: a safetensors file that names the kind of its rows, its version and its digest.
#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/sha256.hpp"
#include "trm/io/safetensors.hpp"

namespace trm {

/// FOLDER/SET__virtual.safetensors, where a virtual set lies in place of its arrays.
inline std::filesystem::path virtual_file_path(const std::filesystem::path& folder, const std::string& set) {
  return folder / (set + "__virtual.safetensors");
}

namespace detail {

/// Of the tensors' bytes, in the alphabetical order of their names.
class tensor_digest {
 public:
  void update(std::span<const std::byte> bytes) {
    digest_.update(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  }
  std::string finish() { return to_hex(digest_.finish()); }

 private:
  sha256 digest_;
};

}  // namespace detail

/// A virtual file, mapped. Its metadata are strings: "format" is "trm.virtual_rows", "kind" says what its tensors mean, "version"
/// counts the changes of that meaning, "sha256" is the digest of all tensors' bytes one after another in the alphabetical order
/// of their names; what else there is belongs to the kind.
class virtual_file {
 public:
  static constexpr const char* format = "trm.virtual_rows";

  /// \throws trm::error on anything but a complete file whose digest is right
  static virtual_file open(const std::filesystem::path& path) {
    virtual_file file(safetensors_file::open(path));
    if (file.text("format") != format) throw error(file.place(), "\"format\" is not " + std::string(format));
    detail::tensor_digest digest;
    for (const auto& [unused, tensor] : file.file_.tensors()) digest.update(tensor.bytes);
    if (digest.finish() != file.text("sha256")) throw error(file.place(), "damaged: its digest is another one");
    return file;
  }

  std::string place() const { return file_.path().string(); }  // the file, for messages
  const std::string& kind() const { return text("kind"); }     // what makes the rows: "arc", "sudoku", ...
  /// An entry of the metadata. Throws trm::error where it is missing.
  const std::string& text(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end()) throw error(place(), "its metadata have no \"" + key + "\"");
    return found->second;
  }
  /// A number of the metadata.
  int number(const std::string& key, int least, int most) const {
    const std::string& digits = text(key);
    int value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc{} || end != digits.data() + digits.size() || value < least || value > most) {
      throw error(place(), "\"" + key + "\" is \"" + detail::printable(digits) + "\", expected an integer in " +
                               std::to_string(least) + ".." + std::to_string(most));
    }
    return value;
  }

  std::string place(const std::string& tensor) const { return file_.place(tensor); }  // file and tensor, for messages
  /// The bytes of a tensor of this type with rows of `width` (0: of one dimension).
  std::span<const std::byte> bytes(const std::string& tensor, element_type type, std::int64_t width = 0) const {
    const stored_tensor& t = file_.view(tensor);
    const bool shaped = width == 0 ? t.shape.size() == 1 : t.shape.size() == 2 && t.shape[1] == width;
    if (t.type != type || !shaped) {
      throw error(place(tensor), "expected " + std::string(name_of(type)) + " of shape " +
                                     (width == 0 ? "[n]" : "[n, " + std::to_string(width) + "]") + ", found " +
                                     std::string(name_of(t.type)) + " of " + shape_text(t.shape));
    }
    return t.bytes;
  }
  /// A tensor of one dimension as values. Throws trm::error where it is missing or of another type.
  template <class T>
  std::vector<T> list(const std::string& tensor) const {
    const std::span<const std::byte> from = bytes(tensor, element_type_of<T>());
    std::vector<T> values(from.size() / sizeof(T));
    if (!from.empty()) std::memcpy(values.data(), from.data(), from.size());
    return values;
  }

 private:
  explicit virtual_file(safetensors_file file) : file_(std::move(file)) {}

  safetensors_file file_;
};

/// Writes a virtual file. Tensors are not copied: they must live until save().
class virtual_file_writer {
 public:
  /// For rows that `kind` makes, in this version of its format.
  virtual_file_writer(const std::string& kind, int version) {
    out_.metadata("format", virtual_file::format);
    out_.metadata("kind", kind);
    out_.metadata("version", std::to_string(version));
  }
  /// An entry of the metadata.
  void number(const std::string& key, int value) { out_.metadata(key, std::to_string(value)); }
  /// A tensor; the values must live until save().
  template <class T>
  void add(const std::string& name, std::vector<std::int64_t> shape, std::span<const T> values) {
    out_.add(name, std::move(shape), values);
    tensors_[name] = std::as_bytes(values);
  }
  /// Writes the file, with a digest of its tensors. Throws trm::error where it cannot.
  void save(const std::filesystem::path& path) {
    detail::tensor_digest digest;
    for (const auto& [unused, bytes] : tensors_) digest.update(bytes);
    out_.metadata("sha256", digest.finish());
    out_.save(path);
  }

 private:
  safetensors_writer out_;
  std::map<std::string, std::span<const std::byte>> tensors_;
};

}  // namespace trm
