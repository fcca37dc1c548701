// SPDX-License-Identifier: MIT
// What every file of named tensors is, whatever its format: names, element types, shapes, bytes, string metadata.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/file.hpp"
#include "trm/io/json.hpp"

namespace trm {

/// "[3, 4]"
inline std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

/// One tensor of a file. `bytes` are little-endian and row-major; where they begin is up to the file.
struct stored_tensor {
  element_type type = element_type::f32;  // as stored
  std::vector<std::int64_t> shape;        // extents, the slowest first
  std::span<const std::byte> bytes;

  std::size_t count() const { return bytes.size() / size_of(type); }  // of values
  /// The values where they are, to be used without a copy; nothing where they are of another type or not aligned for it.
  template <class T>
  std::optional<std::span<const T>> in_place() const {
    static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian");
    if (type != element_type_of<T>() || reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) != 0) return {};
    return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), count());
  }
};

namespace detail {

/// bytes of a tensor; false where the product does not fit in 63 bits.
inline bool tensor_bytes(element_type type, std::span<const std::int64_t> shape, std::uint64_t& bytes) {
  bytes = size_of(type);
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return false;
  }
  return bytes <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

}  // namespace detail

/// A mapped file of named tensors, whose bytes stay in the mapping where the format allows it. The formats derive from
/// it (safetensors_file, torch_file) and add nothing but how it is opened.
class tensor_file {
 public:
  const std::filesystem::path& path() const { return file_.path(); }  // as opened
  /// `__metadata__`; empty for a .pt file
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, stored_tensor>& tensors() const { return tensors_; }    // by name
  bool contains(const std::string& name) const { return tensors_.count(name) != 0; }  // is there a tensor of this name?
  /// In alphabetical order.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, unused] : tensors_) out.push_back(name);
    return out;
  }

  /// Throws where there is no such tensor.
  const stored_tensor& view(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw error(place(name), "is not in the file");
    return found->second;
  }
  /// Throws `FILE: tensor X: expected shape [3, 4], found [4]`.
  const stored_tensor& view(const std::string& name, std::span<const std::int64_t> shape) const {
    const stored_tensor& t = view(name);
    if (!std::equal(shape.begin(), shape.end(), t.shape.begin(), t.shape.end())) {
      throw error(place(name), "expected shape " + shape_text(shape) + ", found " + shape_text(t.shape));
    }
    return t;
  }

  /// Converts a tensor of this shape into `out` (see trm::convert). Throws where the shape differs, the types cannot
  /// be converted, a value does not fit, or `out` has another length than the tensor.
  template <class T>
  void read(const std::string& name, std::span<const std::int64_t> shape, std::span<T> out) const {
    const stored_tensor& t = view(name, shape);
    if (out.size() != t.count()) {
      throw error(place(name),
                  "has " + std::to_string(t.count()) + " elements, " + std::to_string(out.size()) + " wanted");
    }
    convert_into(name, t, out.data());
  }
  template <class T>
  std::vector<T> read(const std::string& name, const std::vector<std::int64_t>& shape) const {
    static_assert(!std::is_same_v<T, bool>,
                  "read<bool>: std::vector<bool> has no contiguous memory; read std::uint8_t");
    std::vector<T> out(view(name, shape).count());
    convert_into(name, view(name), out.data());
    return out;
  }
  /// Any shape.
  template <class T>
  std::vector<T> read(const std::string& name) const {
    return read<T>(name, view(name).shape);
  }

  /// `FILE: tensor NAME`, for messages.
  std::string place(const std::string& name) const {
    return path().string() + ": tensor " + detail::printable(name, 200);
  }

  /// Every tensor under `new_name(name)`. Throws where two would have the same.
  template <class NewName>
  void rename(NewName new_name) {
    std::map<std::string, stored_tensor> renamed;
    for (const auto& [name, t] : tensors_) {
      if (!renamed.emplace(new_name(name), t).second) {
        throw error(place(name), "another tensor of the file means " + detail::printable(new_name(name), 200) + " too");
      }
    }
    tensors_ = std::move(renamed);
  }

 protected:
  explicit tensor_file(mapped_file file) : file_(std::move(file)) {}

  mapped_file file_;
  std::vector<std::vector<std::byte>> owned_;  // of tensors that are not in the file as they are read
  std::map<std::string, std::string> metadata_;
  std::map<std::string, stored_tensor> tensors_;

 private:
  template <class T>
  void convert_into(const std::string& name, const stored_tensor& t, T* out) const {
    if (!readable_as<T>(t.type)) throw error(place(name), "expected integers, found " + std::string(name_of(t.type)));
    const std::size_t done = convert(t.type, t.bytes.data(), t.count(), out);
    if (done == t.count()) return;
    throw error(place(name), "element " + std::to_string(done) + " (" + std::string(name_of(t.type)) +
                                 ") does not fit in " + std::string(name_of(element_type_of<T>())));
  }
};

}  // namespace trm
