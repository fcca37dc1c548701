// SPDX-License-Identifier: MIT
// What torch.save wrote: the tensors of a state dict, read without executing anything.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/pickle.hpp"
#include "trm/io/strided.hpp"
#include "trm/io/tensor_file.hpp"
#include "trm/io/zip.hpp"

namespace trm {

namespace detail {

/// Storage classes and dtypes by PyTorch's names. UntypedStorage counts bytes.
struct torch_type {
  std::string_view storage, dtype;
  element_type type;
};
inline constexpr std::array<torch_type, 13> torch_types{{
    {"FloatStorage", "float32", element_type::f32},
    {"HalfStorage", "float16", element_type::f16},
    {"BFloat16Storage", "bfloat16", element_type::bf16},
    {"DoubleStorage", "float64", element_type::f64},
    {"BoolStorage", "bool", element_type::boolean},
    {"ByteStorage", "uint8", element_type::u8},
    {"CharStorage", "int8", element_type::i8},
    {"ShortStorage", "int16", element_type::i16},
    {"IntStorage", "int32", element_type::i32},
    {"LongStorage", "int64", element_type::i64},
    {"", "uint16", element_type::u16},
    {"", "uint32", element_type::u32},
    {"", "uint64", element_type::u64},
}};

/// Every name that a state dict's pickle may have; none of them is called.
inline bool torch_allows(std::string_view module, std::string_view name) {
  if (module == "collections") return name == "OrderedDict";
  if (module == "torch._utils") {
    return name == "_rebuild_tensor_v2" || name == "_rebuild_tensor_v3" || name == "_rebuild_parameter";
  }
  if (module == "torch.storage") return name == "UntypedStorage";
  if (module != "torch" && module != "torch.cuda") return false;
  return !name.empty() && std::any_of(torch_types.begin(), torch_types.end(),
                                      [&](const torch_type& t) { return name == t.storage || name == t.dtype; });
}

/// Reads the archive of a torch.save into tensors.
class torch_reader {
 public:
  /// verify: the CRC-32 of every storage that is used; that of the description is always checked.
  torch_reader(std::span<const std::byte> file, std::string place, bool verify)
      : place_(std::move(place)), verify_(verify), zip_(file, place_), to_copy_(2 * file.size()) {
    root_ = find_root();
    check_byte_order();
    const std::string description = root_ + "data.pkl";
    zip_.verify(description);
    const pickle p(zip_.find(description)->bytes, torch_allows, place_ + ": data.pkl");
    pickle_ = &p;
    add(p.root(), "", 0);
    pickle_ = nullptr;
  }

  std::map<std::string, stored_tensor> tensors;
  std::vector<std::vector<std::byte>> owned;  // what some of the tensors are views of

 private:
  using kind = pickle_value::kind;
  static constexpr int most_levels = 32;
  static constexpr std::size_t most_visits = 200'000, longest_name = 500, most_dimensions = 16;

  struct storage {
    element_type type = element_type::u8;
    std::span<const std::byte> bytes;
  };

  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw error(place_ + ": tensor " + printable(name, 200), what);
  }

  /// "NAME/" of the one NAME/data.pkl.
  std::string find_root() const {
    static constexpr std::string_view file = "data.pkl";
    std::string root;
    int found = 0;
    for (const auto& [name, unused] : zip_.entries()) {
      if (!std::string_view(name).ends_with(file)) continue;
      const std::string before = name.substr(0, name.size() - file.size());
      if (!before.empty() && before.find('/') != before.size() - 1) continue;
      root = before;
      ++found;
    }
    if (found != 1) throw error(place_, "a zip archive, but not of torch.save: it has no data.pkl, or several");
    if (zip_.find(root + "constants.pkl") != nullptr) {
      throw error(place_, "a TorchScript archive: save model.state_dict() with torch.save instead");
    }
    return root;
  }
  void check_byte_order() const {
    const zip_entry* order = zip_.find(root_ + "byteorder");  // older versions do not write it
    if (order == nullptr) return;
    zip_.verify(root_ + "byteorder");
    const std::string text(reinterpret_cast<const char*>(order->bytes.data()), order->bytes.size());
    if (text != "little") {
      throw error(place_, "its byte order is \"" + printable(text, 20) +
                              "\", only little is read: load it and save it again on another machine");
    }
  }

  /// Adds the tensors below a value.
  void add(const pickle_value& v, const std::string& name, int level) {
    if (level > most_levels) fail(name, "lies deeper than " + std::to_string(most_levels) + " levels");
    if (++visits_ > most_visits) throw error(place_, "has more than " + std::to_string(most_visits) + " values");
    if (name.size() > longest_name) fail(name, "a name of more than " + std::to_string(longest_name) + " characters");
    if (v.is(kind::dict)) {
      for (std::size_t i = 0; i < v.items.size(); i += 2) {
        add(item(v, i + 1), joined(name, key_text(item(v, i), name)), level + 1);
      }
    } else if (v.is(kind::list) || v.is(kind::tuple)) {
      for (std::size_t i = 0; i < v.items.size(); ++i) add(item(v, i), joined(name, std::to_string(i)), level + 1);
    } else if (v.is(kind::call)) {
      add_call(v, name, level);
    }
  }
  static std::string joined(const std::string& name, const std::string& key) {
    return name.empty() ? key : name + "." + key;
  }
  std::string key_text(const pickle_value& key, const std::string& name) const {
    if (key.is(kind::string)) return std::string(key.text.substr(0, longest_name + 1));
    if (key.is(kind::integer)) return std::to_string(key.integer);
    fail(name, "a dictionary with a key that is neither a string nor an integer");
  }
  const pickle_value& item(const pickle_value& v, std::size_t i) const { return pickle_->at(v.items[i]); }

  void add_call(const pickle_value& call, const std::string& name, int level) {
    const std::string_view function = item(call, 0).text;
    const pickle_value& arguments = item(call, 1);
    if (function == "_rebuild_parameter") {  // tensor, requires_grad, hooks
      if (arguments.items.empty()) fail(name, "a parameter of nothing");
      return add(item(arguments, 0), name, level + 1);
    }
    const bool typed = function == "_rebuild_tensor_v2";
    if (!typed && function != "_rebuild_tensor_v3") fail(name, "would call " + std::string(function) + ": refused");
    // storage, offset, size, stride, requires_grad, hooks; v3: dtype
    if (arguments.items.size() < (typed ? 4u : 7u)) fail(name, "a tensor with too few arguments");
    storage from = find_storage(item(arguments, 0), name);
    if (!typed) from.type = dtype(item(arguments, 6), name);
    stored_tensor t = strided_tensor(from.type, from.bytes, integer(item(arguments, 1), name),
                                     integers(item(arguments, 2), name), integers(item(arguments, 3), name),
                                     {place_ + ": tensor " + printable(name, 200), to_copy_, owned});
    if (!tensors.emplace(name, std::move(t)).second) fail(name, "occurs twice");
  }

  std::uint64_t integer(const pickle_value& v, const std::string& name) const {
    if (!v.is(kind::integer) || v.integer < 0) fail(name, "expected a size or an offset of 0 or more");
    return static_cast<std::uint64_t>(v.integer);
  }
  std::vector<std::int64_t> integers(const pickle_value& v, const std::string& name) const {
    if (!v.is(kind::tuple) || v.items.size() > most_dimensions) {
      fail(name, "expected at most " + std::to_string(most_dimensions) + " dimensions");
    }
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < v.items.size(); ++i) {
      out.push_back(static_cast<std::int64_t>(integer(item(v, i), name)));
    }
    return out;
  }
  element_type dtype(const pickle_value& v, const std::string& name) const {
    for (const torch_type& t : torch_types) {
      if (v.is(kind::global) && v.text == t.dtype) return t.type;
    }
    fail(name, "has an unknown dtype");
  }

  /// ("storage", class, key, device, number of elements)
  storage find_storage(const pickle_value& v, const std::string& name) {
    const pickle_value* id = v.is(kind::persistent) ? &item(v, 0) : nullptr;
    const std::array<kind, 5> kinds{kind::string, kind::global, kind::string, kind::string, kind::integer};
    bool right = id != nullptr && id->is(kind::tuple) && id->items.size() == kinds.size();
    for (std::size_t i = 0; right && i < kinds.size(); ++i) right = item(*id, i).is(kinds[i]);
    if (!right || item(*id, 0).text != "storage") fail(name, "its storage is described in an unknown way");

    storage s;
    const pickle_value& type = item(*id, 1);
    for (const torch_type& t : torch_types) {
      if (type.text == t.storage) s.type = t.type;
    }
    if (type.text.size() < 7 || !type.text.ends_with("Storage"))
      fail(name, "its storage is described in an unknown way");
    const std::string key(item(*id, 2).text);
    const std::uint64_t count = integer(item(*id, 4), name);
    const zip_entry* data = zip_.find(root_ + "data/" + key);
    if (data == nullptr) fail(name, "its storage data/" + printable(key, 40) + " is not in the file");
    if (count > data->bytes.size() || count * size_of(s.type) != data->bytes.size()) {
      fail(name, "its storage data/" + printable(key, 40) + " has " + std::to_string(data->bytes.size()) +
                     " bytes, expected " + std::to_string(count) + " elements of " + std::to_string(size_of(s.type)));
    }
    if (verify_ && verified_.insert(key).second) zip_.verify(root_ + "data/" + key);
    s.bytes = data->bytes;
    return s;
  }

  std::string place_;
  bool verify_;
  zip_archive zip_;
  std::string root_;
  const pickle* pickle_ = nullptr;
  std::set<std::string> verified_;
  std::size_t visits_ = 0;
  std::uint64_t to_copy_;
};

}  // namespace detail

/// A state dict in the form of torch >= 1.6, mapped: a zip archive NAME/ with data.pkl, which describes, and data/K, which
/// are the storages. Contiguous tensors stay where they are; others (transposed ones) are copied in row-major order.
/// Dictionaries within dictionaries are flattened with dots ({"model": {"a": t}} gives model.a), lists by index; what is
/// no tensor is passed over. Names are as they were saved: published_names.hpp makes them the published ones. No metadata.
class torch_file : public tensor_file {
 public:
  /// Does `bytes` begin as what torch.save writes, in any of its forms?
  static bool is_one(std::span<const std::byte> bytes) { return zip_archive::is_one(bytes) || is_legacy(bytes); }

  /// verify: the CRC-32 of every storage that is used (that of the description is always checked).
  /// Throws trm::error that names the file, the place and the remedy: a damaged archive, a call of anything but PyTorch's
  /// own functions for tensors, a tensor outside its storage, big-endian data, the form before torch 1.6.
  static torch_file open(const std::filesystem::path& path, bool verify = true) {
    return torch_file(mapped_file(path), verify);
  }

 private:
  torch_file(mapped_file file, bool verify) : tensor_file(std::move(file)) {
    if (is_legacy(file_.bytes())) {
      throw error(path().string(), "saved in the form before torch 1.6: load it and save it again with torch >= 1.6");
    }
    detail::torch_reader reader(file_.bytes(), path().string(), verify);
    tensors_ = std::move(reader.tensors);
    owned_ = std::move(reader.owned);
  }
  /// A bare pickle, or a tar archive.
  static bool is_legacy(std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.substr(0, 1) == "\x80" || text.substr(std::min<std::size_t>(257, text.size()), 5) == "ustar";
  }
};

}  // namespace trm
