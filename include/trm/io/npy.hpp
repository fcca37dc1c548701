// SPDX-License-Identifier: MIT
// NumPy's .npy: one array in one file (numpy.lib.format, versions 1.0 to 3.0).
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/element_type.hpp"
#include "trm/io/file.hpp"

namespace trm {
namespace detail {

inline constexpr std::array<std::pair<std::string_view, element_type>, 12> npy_types{{
    {"|b1", element_type::boolean},
    {"|u1", element_type::u8},
    {"|i1", element_type::i8},
    {"<i2", element_type::i16},
    {"<u2", element_type::u16},
    {"<f2", element_type::f16},
    {"<i4", element_type::i32},
    {"<u4", element_type::u32},
    {"<f4", element_type::f32},
    {"<f8", element_type::f64},
    {"<i8", element_type::i64},
    {"<u8", element_type::u64},
}};

struct npy_header {
  element_type type = element_type::u8;
  std::vector<std::int64_t> shape;
  std::size_t data = 0;  // offset of the first value
};

/// Reads the header, a Python dictionary of three known keys: {'descr': '<i4', 'fortran_order': False, 'shape': (3,
/// 4), }
class npy_header_parser {
 public:
  npy_header_parser(std::span<const std::byte> all, const std::string& place) : place_(place) {
    const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(all[i]); };
    static constexpr std::string_view magic = "\x93NUMPY";
    const std::string_view text(reinterpret_cast<const char*>(all.data()), all.size());
    if (text.substr(0, 6) != magic) throw error(place_, "not a .npy file");
    if (all.size() < 10) fail_cut_off();
    const std::size_t version = byte(6);
    if (version < 1 || version > 3 || byte(7) != 0) {
      throw error(place_, ".npy version " + std::to_string(version) + "." + std::to_string(byte(7)) +
                              ", expected 1.0, 2.0 or 3.0");
    }
    std::size_t from = 10, length = byte(8) | byte(9) << 8;
    if (version > 1) {
      if (all.size() < 12) fail_cut_off();
      from = 12;
      length |= byte(10) << 16 | byte(11) << 24;
    }
    if (length > all.size() - from) fail_cut_off();
    text_ = text.substr(from, length);
    result_.data = from + length;
  }

  npy_header parse() {
    std::optional<element_type> type;
    std::optional<bool> fortran;
    bool shaped = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type) {
        type = descr();
      } else if (key == "fortran_order" && !fortran) {
        fortran = boolean();
      } else if (key == "shape" && !shaped) {
        shape();
        shaped = true;
      } else {
        fail("a key that is unknown or occurs twice");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ != text_.size()) fail("text behind the dictionary");
    if (!type || !fortran || !shaped) fail("'descr', 'fortran_order' or 'shape' is missing");
    if (*fortran) {
      throw error(place_,
                  "the array is stored in Fortran (column-major) order: save numpy.ascontiguousarray(a) instead");
    }
    result_.type = *type;
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw error(place_, ".npy header, character " + std::to_string(at_) + ": " + what);
  }
  [[noreturn]] void fail_cut_off() const { throw error(place_, "cut off within its .npy header"); }

  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected ") + c);
  }
  std::string_view quoted() {
    const char mark = accept('"') ? '"' : '\'';
    if (mark == '\'' && !accept('\'')) fail("expected a string (arrays of structures are not supported)");
    const std::size_t end = text_.find(mark, at_);
    if (end == text_.npos) fail("a string without end");
    const std::string_view out = text_.substr(at_, end - at_);
    at_ = end + 1;
    return out;
  }
  element_type descr() {
    const std::string_view name = quoted();
    for (const auto& [known, type] : npy_types) {
      if (name == known) return type;
    }
    if (name.substr(0, 1) == ">") fail("big-endian data: save a.astype(a.dtype.newbyteorder('<')) instead");
    fail("unsupported dtype, expected bool, an integer or a floating-point type of up to 8 bytes");
  }
  bool boolean() {
    skip();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"False", false}, {"True", true}}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    fail("expected True or False");
  }
  void shape() {
    expect('(');
    while (!accept(')')) {
      skip();
      if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9') fail("expected an extent");
      std::int64_t extent = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        if (__builtin_mul_overflow(extent, std::int64_t{10}, &extent) ||
            __builtin_add_overflow(extent, std::int64_t{text_[at_] - '0'}, &extent)) {
          fail("an extent that overflows");
        }
      }
      result_.shape.push_back(extent);
      if (result_.shape.size() > 32) fail("more than 32 dimensions");
      if (!accept(',')) {
        expect(')');
        return;
      }
    }
  }

  const std::string& place_;
  std::string_view text_;
  std::size_t at_ = 0;
  npy_header result_;
};

/// What numpy.save writes: version 1.0, room for the first extent to grow to 20 digits, padded so that the data
/// begins at a multiple of 64. `rows`: the first extent, where the array has one.
inline std::string npy_header_text(element_type type, std::span<const std::int64_t> shape) {
  std::string_view descr;
  for (const auto& [name, known] : npy_types) {
    if (known == type) descr = name;
  }
  if (descr.empty()) throw error(".npy has no " + std::string(name_of(type)));
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  text += shape.size() == 1 ? ",), }" : "), }";
  if (!shape.empty()) text.append(21 - std::to_string(shape[0]).size(), ' ');
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  const std::string prefix("\x93NUMPY\x01\x00", 8);
  return prefix + static_cast<char>(text.size() & 0xff) + static_cast<char>(text.size() >> 8) + text;
}

}  // namespace detail

/// An array in a .npy file, mapped. Values are C-order and little-endian.
class npy_file {
 public:
  /// Throws trm::error on anything but a complete file of a supported type (bool, integers, float16/32/64), also
  /// where bytes follow the array.
  static npy_file open(const std::filesystem::path& path) { return npy_file(mapped_file(path)); }

  /// The file that was opened.
  const std::filesystem::path& path() const { return file_.path(); }
  element_type type() const { return header_.type; }                        // of the array
  const std::vector<std::int64_t>& shape() const { return header_.shape; }  // extents, the slowest first
  std::span<const std::byte> bytes() const { return file_.bytes().subspan(header_.data); }  // the values, in C order
  std::size_t count() const { return bytes().size() / size_of(header_.type); }              // of values
  /// The first extent; 1 for an array without dimensions.
  std::int64_t rows() const { return header_.shape.empty() ? 1 : header_.shape[0]; }
  /// Elements of one row: the product of the other extents.
  std::size_t row_size() const { return row_size_; }
  /// A row as stored. Requires 0 <= row < rows().
  std::span<const std::byte> row_bytes(std::int64_t row) const {
    const std::size_t bytes_of_row = row_size_ * size_of(header_.type);
    return bytes().subspan(static_cast<std::size_t>(row) * bytes_of_row, bytes_of_row);
  }

  /// Converts one row into `out` (see trm::convert). Throws where `row` or the length of `out` is wrong or a value
  /// does not fit.
  template <class T>
  void read_row(std::int64_t row, std::span<T> out) const {
    if (row < 0 || row >= rows() || out.size() != row_size_) {
      throw error(path().string(), "row " + std::to_string(row) + " of " + std::to_string(out.size()) +
                                       " elements wanted, has " + std::to_string(rows()) + " rows of " +
                                       std::to_string(row_size_));
    }
    convert_into(row_bytes(row), out, row);
  }
  /// Converts the whole array.
  template <class T>
  std::vector<T> read() const {
    static_assert(!std::is_same_v<T, bool>,
                  "read<bool>: std::vector<bool> has no contiguous memory; read std::uint8_t");
    std::vector<T> out(count());
    convert_into(bytes(), std::span<T>(out), 0);
    return out;
  }

 private:
  explicit npy_file(mapped_file file) : file_(std::move(file)) {
    const std::string where = path().string();
    header_ = detail::npy_header_parser(file_.bytes(), where).parse();
    std::uint64_t size = size_of(header_.type), row = 1;
    bool fits = true;
    for (std::size_t i = 0; i < header_.shape.size(); ++i) {
      const auto extent = static_cast<std::uint64_t>(header_.shape[i]);
      fits = !__builtin_mul_overflow(size, extent, &size) && fits;
      if (i > 0) fits = !__builtin_mul_overflow(row, extent, &row) && fits;
    }
    if (!fits) throw error(where, "the shape overflows");
    const std::size_t found = file_.bytes().size() - header_.data;
    if (size != found) {
      throw error(where, "the array takes " + std::to_string(size) + " bytes, the file holds " + std::to_string(found) +
                             (found < size ? " (is it cut off?)" : ""));
    }
    row_size_ = static_cast<std::size_t>(row);
  }

  template <class T>
  void convert_into(std::span<const std::byte> from, std::span<T> out, std::int64_t first_row) const {
    if (!readable_as<T>(type()))
      throw error(path().string(), "expected integers, found " + std::string(name_of(type())));
    const std::size_t done = convert(type(), from.data(), out.size(), out.data());
    if (done == out.size()) return;
    throw error(path().string(), "row " + std::to_string(first_row + static_cast<std::int64_t>(done / row_size_)) +
                                     ", element " + std::to_string(done % row_size_) + ": " +
                                     std::string(name_of(type())) + " does not fit in " +
                                     std::string(name_of(element_type_of<T>())));
  }

  mapped_file file_;
  detail::npy_header header_;
  std::size_t row_size_ = 1;
};

/// Writes a .npy row by row; how many there are is known at the end. The bytes are those of numpy.save.
class npy_writer {
 public:
  /// `row_shape`: the extents of one row, {} for a one-dimensional array.
  npy_writer(const std::filesystem::path& path, element_type type, std::vector<std::int64_t> row_shape)
      : file_(path), type_(type), shape_(std::move(row_shape)) {
    row_bytes_ = size_of(type);
    for (const std::int64_t extent : shape_) row_bytes_ *= static_cast<std::size_t>(extent);
    shape_.insert(shape_.begin(), 0);
    file_.write(detail::npy_header_text(type_, shape_));
  }

  std::int64_t rows() const { return shape_[0]; }  // written so far

  /// Appends whole rows, as stored.
  void append_bytes(std::span<const std::byte> bytes) {
    if (row_bytes_ == 0 || bytes.size() % row_bytes_ != 0)
      throw error(file_.path().string(), "not a whole number of rows");
    file_.write(bytes);
    shape_[0] += static_cast<std::int64_t>(bytes.size() / row_bytes_);
  }
  /// Appends whole rows, converting each value to the array's type. Throws where one does not fit.
  template <class T>
  void append(std::span<const T> values) {
    if (element_type_of<T>() == type_) return append_bytes(std::as_bytes(values));
    converted_.resize(values.size() * size_of(type_));
    std::size_t done = 0;
    switch (type_) {
      case element_type::u8:
        done = narrow<std::uint8_t>(values);
        break;
      case element_type::i8:
        done = narrow<std::int8_t>(values);
        break;
      case element_type::u16:
        done = narrow<std::uint16_t>(values);
        break;
      case element_type::i16:
        done = narrow<std::int16_t>(values);
        break;
      case element_type::i32:
        done = narrow<std::int32_t>(values);
        break;
      case element_type::i64:
        done = narrow<std::int64_t>(values);
        break;
      default:
        throw error(file_.path().string(), "append: give values of type " + std::string(name_of(type_)));
    }
    if (done != values.size()) {
      throw error(file_.path().string(), "element " + std::to_string(done) + " of what is appended after row " +
                                             std::to_string(rows()) + " does not fit in " +
                                             std::string(name_of(type_)));
    }
    append_bytes(converted_);
  }

  /// The array is on the disk with the shape that it has now: after it commit() needs no more room.
  void sync() {
    put_header();
    file_.sync();
  }
  /// Writes the final shape and puts the file in place.
  void commit() {
    put_header();
    file_.commit();
  }

 private:
  void put_header() {
    const std::string header = detail::npy_header_text(type_, shape_);
    file_.overwrite(0, std::as_bytes(std::span(header.data(), header.size())));
  }
  template <class To, class T>
  std::size_t narrow(std::span<const T> values) {
    if (!readable_as<To>(element_type_of<T>())) return 0;
    return convert(element_type_of<T>(), std::as_bytes(values).data(), values.size(),
                   reinterpret_cast<To*>(converted_.data()));
  }

  atomic_file file_;
  element_type type_;
  std::vector<std::int64_t> shape_;
  std::size_t row_bytes_ = 1;
  std::vector<std::byte> converted_;
};

/// Saves an array: the bytes are those of numpy.save. Throws where `values` does not have the shape's number of
/// elements.
template <class T>
void save_npy(const std::filesystem::path& path, const std::vector<std::int64_t>& shape, std::span<const T> values) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  if (count != values.size()) throw error(path.string(), "the number of values does not agree with the shape");
  atomic_file file(path);
  file.write(detail::npy_header_text(element_type_of<T>(), shape));
  file.write(std::as_bytes(values));
  file.commit();
}

}  // namespace trm
