// SPDX-License-Identifier: MIT
// safetensors: named tensors and string metadata in one file (huggingface/safetensors, format version 0.x).
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/file.hpp"
#include "trm/io/json.hpp"
#include "trm/io/tensor_file.hpp"

namespace trm {

namespace detail {

inline constexpr std::size_t safetensors_header_limit = 100'000'000;
inline constexpr std::array<std::pair<std::string_view, element_type>, 13> safetensors_types{{
    {"BOOL", element_type::boolean},
    {"U8", element_type::u8},
    {"I8", element_type::i8},
    {"I16", element_type::i16},
    {"U16", element_type::u16},
    {"F16", element_type::f16},
    {"BF16", element_type::bf16},
    {"I32", element_type::i32},
    {"U32", element_type::u32},
    {"F32", element_type::f32},
    {"F64", element_type::f64},
    {"I64", element_type::i64},
    {"U64", element_type::u64},
}};

inline std::uint64_t load_u64(const std::byte* from) {
  std::uint64_t v = 0;
  for (int i = 7; i >= 0; --i) v = v << 8 | std::to_integer<std::uint64_t>(from[i]);
  return v;
}

}  // namespace detail

/// A safetensors file, mapped. Opening it checks everything the format demands: header within the file and at most
/// 100 MB, no duplicate names, known types, offsets that agree with shape and type, no overlaps, no holes, nothing
/// behind the data.
class safetensors_file : public tensor_file {
 public:
  /// Throws trm::error that names the file and the tensor.
  static safetensors_file open(const std::filesystem::path& path) { return safetensors_file(mapped_file(path)); }

 private:
  explicit safetensors_file(mapped_file file) : tensor_file(std::move(file)) {
    const std::span<const std::byte> all = file_.bytes();
    const std::string where = path().string();
    if (all.size() < 8) throw error(where, "not a safetensors file: shorter than its 8-byte header length");
    const std::uint64_t length = detail::load_u64(all.data());
    if (length > detail::safetensors_header_limit) {
      throw error(where, "not a safetensors file: header of " + std::to_string(length) + " bytes, the limit is 100 MB");
    }
    if (length > all.size() - 8) throw error(where, "cut off: the header ends behind the end of the file");
    const std::string_view text(reinterpret_cast<const char*>(all.data()) + 8, static_cast<std::size_t>(length));
    if (text.empty() || text.front() != '{')
      throw error(where, "not a safetensors file: the header is not a JSON object");
    const json header = parse_json(text, where + ": header");
    const std::span<const std::byte> data = all.subspan(8 + text.size());
    for (const auto& [name, value] : header.items()) {
      const json_field field(value, where, name);
      if (name == "__metadata__") {
        if (!field.is_object()) field.expected("an object");
        for (const auto& [key, unused] : value.items()) metadata_[key] = field.at(key).string();
      } else {
        tensors_.emplace(name, parse_tensor(field, data));
      }
    }
    check_layout(data);
  }

  static stored_tensor parse_tensor(const json_field& field, std::span<const std::byte> data) {
    field.only({"dtype", "shape", "data_offsets"});
    const auto& known = detail::safetensors_types;
    const std::string& name = field.at("dtype").string();
    const auto type = std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == name; });
    if (type == known.end()) field.fail("unsupported dtype \"" + detail::printable(name) + "\"");
    stored_tensor t{type->second, field.at("shape").integers(0), {}};
    const std::vector<std::int64_t> offsets = field.at("data_offsets").integers(0);
    if (offsets.size() != 2) field.fail("data_offsets must be [begin, end]");
    const auto begin = static_cast<std::uint64_t>(offsets[0]), end = static_cast<std::uint64_t>(offsets[1]);
    std::uint64_t bytes = 0;
    if (!detail::tensor_bytes(t.type, t.shape, bytes)) field.fail("shape " + shape_text(t.shape) + " overflows");
    if (begin > end || end > data.size()) {
      field.fail("data_offsets " + shape_text(offsets) + " outside the data, which has " + std::to_string(data.size()) +
                 " bytes (is the file cut off?)");
    }
    if (end - begin != bytes) {
      field.fail("shape " + shape_text(t.shape) + " of " + name + " takes " + std::to_string(bytes) +
                 " bytes, data_offsets hold " + std::to_string(end - begin));
    }
    t.bytes = data.subspan(begin, bytes);
    return t;
  }

  /// Every byte of the data belongs to exactly one tensor.
  void check_layout(std::span<const std::byte> data) const {
    std::vector<std::pair<std::span<const std::byte>, const std::string*>> parts;
    for (const auto& [name, t] : tensors_) parts.emplace_back(t.bytes, &name);
    std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first.data(), a.first.size()) < std::pair(b.first.data(), b.first.size());
    });
    const std::byte* at = data.data();
    for (const auto& [bytes, name] : parts) {
      if (bytes.data() < at) throw error(place(*name), "overlaps another tensor");
      if (bytes.data() > at)
        throw error(place(*name), std::to_string(bytes.data() - at) + " bytes before it belong to no tensor");
      at += bytes.size();
    }
    if (const auto left = data.size() - static_cast<std::size_t>(at - data.data()); left != 0) {
      throw error(path().string(), std::to_string(left) + " bytes at the end belong to no tensor");
    }
  }
};

/// Collects tensors and writes them atomically. The bytes are a function of what was added, not of the order: types
/// from the widest down, then names, as the published library lays them out; metadata by key. The data begin at a multiple
/// of 64 bytes (spaces behind the header), so that a mapped file's first tensor can be used in place by any instruction.
class safetensors_writer {
 public:
  /// `bytes` (little-endian, row-major) are not copied: they must live until save(). Throws where the name was used
  /// before or the number of bytes does not agree with shape and type.
  void add(const std::string& name, element_type type, std::vector<std::int64_t> shape,
           std::span<const std::byte> bytes) {
    const std::string where = "tensor " + detail::printable(name, 200);
    std::uint64_t wanted = 0;
    if (name == "__metadata__") throw error(where, "the name is reserved");
    if (!detail::tensor_bytes(type, shape, wanted)) throw error(where, "shape " + shape_text(shape) + " overflows");
    if (wanted != bytes.size()) {
      throw error(where, "shape " + shape_text(shape) + " takes " + std::to_string(wanted) + " bytes, found " +
                             std::to_string(bytes.size()));
    }
    if (!tensors_.emplace(name, stored_tensor{type, std::move(shape), bytes}).second) throw error(where, "added twice");
  }
  template <class T>
  void add(const std::string& name, std::vector<std::int64_t> shape, std::span<const T> values) {
    add(name, element_type_of<T>(), std::move(shape), std::as_bytes(values));
  }
  /// An entry of `__metadata__`; a later one of the same key replaces it.
  void metadata(const std::string& key, std::string value) { metadata_[key] = std::move(value); }

  /// Writes the file beside `path`, then renames it. Throws trm::error where that fails.
  void save(const std::filesystem::path& path) const {
    std::vector<const std::pair<const std::string, stored_tensor>*> order;
    for (const auto& entry : tensors_) order.push_back(&entry);
    std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->second.type > b->second.type; });
    const std::string header = header_text(order, path.string());
    atomic_file file(path);
    std::array<std::byte, 8> length{};
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(header.size() >> (8 * i) & 0xff);
    file.write(length);
    file.write(header);
    for (const auto* entry : order) file.write(entry->second.bytes);
    file.commit();
  }

 private:
  static constexpr std::size_t data_alignment = 64;

  static std::string quoted(const std::string& text, const std::string& place) {
    try {
      return json(text).dump();
    } catch (const json::exception&) {
      throw error(place, "not UTF-8: \"" + detail::printable(text) + "\"");
    }
  }
  template <class Order>
  std::string header_text(const Order& order, const std::string& place) const {
    std::string out = "{";
    if (!metadata_.empty()) {
      out += "\"__metadata__\":{";
      for (const auto& [key, value] : metadata_) {
        out += (out.back() == '{' ? "" : ",") + quoted(key, place) + ":" + quoted(value, place);
      }
      out += "}";
    }
    std::uint64_t at = 0;
    for (const auto* entry : order) {
      const stored_tensor& t = entry->second;
      std::string shape = shape_text(t.shape);
      shape.erase(std::remove(shape.begin(), shape.end(), ' '), shape.end());
      if (out.size() > 1) out += ',';
      out += quoted(entry->first, place) + ":{\"dtype\":\"" +
             std::string(detail::safetensors_types[static_cast<std::size_t>(t.type)].first) + "\",\"shape\":" + shape +
             ",\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + t.bytes.size()) + "]}";
      at += t.bytes.size();
    }
    out += "}";
    out.resize((8 + out.size() + data_alignment - 1) / data_alignment * data_alignment - 8, ' ');
    if (out.size() > detail::safetensors_header_limit) throw error(place, "the header would exceed 100 MB");
    return out;
  }

  std::map<std::string, std::string> metadata_;
  std::map<std::string, stored_tensor> tensors_;
};

}  // namespace trm
