// SPDX-License-Identifier: MIT
#include "trm/io/npy.hpp"

#include <doctest/doctest.h>

#include "support/corruption.hpp"
#include "support/python.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"

namespace {

using trm::element_type;
using trm::npy_file;
using trm_test::get;
using trm_test::put;
using trm_test::temporary_folder;

template <class T>
std::span<const T> span_of(const std::vector<T>& v) {
  return v;
}
/// A version 1.0 file without the code under test.
std::string raw(const std::string& dictionary, const std::string& data, char version = 1) {
  const std::size_t n = dictionary.size();
  std::string out =
      std::string("\x93NUMPY", 6) + version + '\0' + static_cast<char>(n & 255) + static_cast<char>(n >> 8);
  if (version > 1) out += std::string(2, '\0');
  return out + dictionary + data;
}
std::string opening(const std::string& bytes) {
  const temporary_folder folder;
  put(folder / "f", bytes);
  try {
    npy_file::open(folder / "f");
    return "opened";
  } catch (const trm::error& e) {
    return std::string(e.what()).substr((folder / "f").string().size() + 2);
  }
}

TEST_CASE("arrays of every type come back, by row and whole") {
  const temporary_folder folder;
  const auto round_trip = [&](const auto& values) {
    using T = std::decay_t<decltype(values[0])>;
    trm::save_npy(folder / "f", {2, 3}, span_of(values));
    const npy_file file = npy_file::open(folder / "f");
    CHECK(file.type() == trm::element_type_of<T>());
    CHECK(file.shape() == std::vector<std::int64_t>{2, 3});
    CHECK(file.read<T>() == values);
    std::vector<T> row(3);
    file.read_row(1, std::span<T>(row));
    CHECK(row == std::vector<T>(values.begin() + 3, values.end()));
  };
  round_trip(std::vector<std::uint8_t>{0, 1, 2, 253, 254, 255});
  round_trip(std::vector<std::int8_t>{0, 1, 2, -1, -2, -128});
  round_trip(std::vector<std::uint16_t>{0, 1, 2, 3, 4, 65535});
  round_trip(std::vector<std::int16_t>{0, 1, 2, 3, 4, -32768});
  round_trip(std::vector<std::uint32_t>{0, 1, 2, 3, 4, ~0u});
  round_trip(std::vector<std::int32_t>{0, 1, 2, 3, 4, -5});
  round_trip(std::vector<std::uint64_t>{0, 1, 2, 3, 4, ~0ull});
  round_trip(std::vector<std::int64_t>{0, 1, 2, 3, 4, -5});
  round_trip(std::vector<float>{0, 1, 2, 3, 4.5f, -5});
  round_trip(std::vector<double>{0, 1, 2, 3, 4.5, -5});
}

TEST_CASE("shapes: none, one dimension, empty, more dimensions than two") {
  const temporary_folder folder;
  const std::vector<std::int32_t> one{5}, six{1, 2, 3, 4, 5, 6};
  trm::save_npy(folder / "f", {}, span_of(one));
  CHECK(npy_file::open(folder / "f").shape().empty());
  CHECK(npy_file::open(folder / "f").read<std::int32_t>() == one);
  trm::save_npy(folder / "f", {6}, span_of(six));
  CHECK(npy_file::open(folder / "f").rows() == 6);
  CHECK(npy_file::open(folder / "f").row_size() == 1);
  trm::save_npy(folder / "f", {0, 9}, std::span<const float>());
  CHECK(npy_file::open(folder / "f").rows() == 0);
  CHECK(npy_file::open(folder / "f").row_size() == 9);
  trm::save_npy(folder / "f", {3, 1, 2}, span_of(six));
  std::vector<std::int32_t> row(2);
  npy_file::open(folder / "f").read_row(2, std::span(row));
  CHECK(row == std::vector<std::int32_t>{5, 6});
  CHECK_THROWS_AS(trm::save_npy(folder / "f", {7}, span_of(six)), trm::error);
}

TEST_CASE("a stream of rows gives the bytes of the array saved at once; rows are converted with a check") {
  const temporary_folder folder;
  std::vector<std::uint8_t> all;
  trm::npy_writer writer(folder / "stream", element_type::u8, {2});
  for (std::int32_t i = 0; i < 1500; ++i) {
    const std::vector<std::int32_t> row{i % 256, (i * 7) % 256};
    writer.append(span_of(row));
    for (const auto v : row) all.push_back(static_cast<std::uint8_t>(v));
  }
  const std::vector<std::int32_t> two_rows{1, 2, 3, 4}, too_large{1, 256}, half{1};
  writer.append(span_of(two_rows));
  all.insert(all.end(), {1, 2, 3, 4});
  CHECK_THROWS_WITH_AS(
      writer.append(span_of(too_large)),
      ((folder / "stream").string() + ": element 1 of what is appended after row 1502 does not fit in uint8").c_str(),
      trm::error);
  CHECK_THROWS_AS(writer.append(span_of(half)), trm::error);
  CHECK(!std::filesystem::exists(folder / "stream"));
  writer.commit();
  trm::save_npy(folder / "whole", {1502, 2}, span_of(all));
  CHECK(get(folder / "stream") == get(folder / "whole"));

  trm::npy_writer list(folder / "list", element_type::i64, {});
  list.append(span_of(two_rows));
  list.commit();
  CHECK(npy_file::open(folder / "list").shape() == std::vector<std::int64_t>{4});
  CHECK(npy_file::open(folder / "list").read<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("the header is numpy's: version 1.0, room for the rows to grow, data at a multiple of 64") {
  const temporary_folder folder;
  const std::vector<std::uint8_t> values(12);
  trm::save_npy(folder / "f", {3, 4}, span_of(values));
  const std::string dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4), }";
  CHECK(get(folder / "f") == std::string("\x93NUMPY\x01\x00v\x00", 10) + dictionary +
                                 std::string(128 - 10 - dictionary.size() - 1, ' ') + "\n" + std::string(12, '\0'));
}

TEST_CASE("versions 1 to 3, any order of the keys, any spacing") {
  for (const char version : {'\1', '\2', '\3'}) {
    CHECK(opening(raw("{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }\n", "12", version)) == "opened");
  }
  CHECK(opening(raw("{\"shape\":(2,1),'fortran_order':False,'descr':'|b1'}", "\1\1")) == "opened");
  CHECK(opening(raw("  { 'shape' : ( ) , 'fortran_order' : False , 'descr' : '<f2' , }  ", "12")) == "opened");
}

TEST_CASE("what is not supported is refused with the reason") {
  const std::string good = "{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }";
  CHECK(opening("") == "not a .npy file");
  CHECK(opening("\x93NUMP") == "not a .npy file");
  CHECK(opening("PK\x03\x04 an archive") == "not a .npy file");
  CHECK(opening(raw(good, "12", 4)) == ".npy version 4.0, expected 1.0, 2.0 or 3.0");
  CHECK(opening(raw(good, "12").substr(0, 40)) == "cut off within its .npy header");
  CHECK(opening(raw(good, "1")) == "the array takes 2 bytes, the file holds 1 (is it cut off?)");
  CHECK(opening(raw(good, "123")) == "the array takes 2 bytes, the file holds 3");
  CHECK(opening(raw("{'descr': '<i2', 'fortran_order': True, 'shape': (1, 1), }", "12")) ==
        "the array is stored in Fortran (column-major) order: save numpy.ascontiguousarray(a) instead");
  const auto dictionary = [](const std::string& text) {
    const std::string message = opening(raw(text, "12"));
    return message.substr(message.find(": ") + 2);
  };
  const std::string rest = ", 'fortran_order': False, 'shape': (1,), }";
  CHECK(dictionary("{'descr': '>i2'" + rest) == "big-endian data: save a.astype(a.dtype.newbyteorder('<')) instead");
  for (const char* descr : {"'<U4'", "'|O'", "'<c8'", "'<f16'", "'|S2'", "'<M8[ns]'", "''", "'i2'"}) {
    CHECK(dictionary("{'descr': " + std::string(descr) + rest).find("unsupported dtype") == 0);
  }
  CHECK(dictionary("{'descr': [('a', '<i2')]" + rest) == "expected a string (arrays of structures are not supported)");
  CHECK(dictionary("{'descr': '<i2', 'descr': '<i2'" + rest) == "a key that is unknown or occurs twice");
  CHECK(dictionary("{'other': '<i2'" + rest) == "a key that is unknown or occurs twice");
  CHECK(dictionary("{'descr': '<i2', 'shape': (1,)}") == "'descr', 'fortran_order' or 'shape' is missing");
  CHECK(dictionary("{'descr': '<i2', 'fortran_order': 0, 'shape': (1,)}") == "expected True or False");
  CHECK(dictionary("{'descr': '<i2', 'fortran_order': False, 'shape': (-1,)}") == "expected an extent");
  CHECK(dictionary("{'descr': '<i2', 'fortran_order': False, 'shape': (1;)}") == "expected )");
  CHECK(dictionary("{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999,)}") ==
        "an extent that overflows");
  CHECK(dictionary("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)} x") == "text behind the dictionary");
  CHECK(opening(raw("{'descr': '<i2', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", "")) ==
        "the shape overflows");
  CHECK(opening(raw("{'descr': '<i2', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4)}", "")) ==
        "the shape overflows");
}

TEST_CASE("errors of reading name file and row") {
  const temporary_folder folder;
  const std::vector<std::int64_t> values{1, 2, 3, 1LL << 40};
  trm::save_npy(folder / "f", {2, 2}, span_of(values));
  const npy_file file = npy_file::open(folder / "f");
  const std::string place = (folder / "f").string() + ": ";
  std::vector<std::int32_t> row(2);
  file.read_row(0, std::span(row));
  CHECK_THROWS_WITH_AS(file.read_row(1, std::span(row)),
                       (place + "row 1, element 1: int64 does not fit in int32").c_str(), trm::error);
  CHECK_THROWS_WITH_AS(file.read<std::int32_t>(), (place + "row 1, element 1: int64 does not fit in int32").c_str(),
                       trm::error);
  CHECK_THROWS_AS(file.read_row(2, std::span(row)), trm::error);
  CHECK_THROWS_AS(file.read_row(-1, std::span(row)), trm::error);
  row.resize(3);
  CHECK_THROWS_AS(file.read_row(0, std::span(row)), trm::error);
  const std::vector<float> floats{1};
  trm::save_npy(folder / "g", {1}, span_of(floats));
  CHECK_THROWS_WITH_AS(npy_file::open(folder / "g").read<std::int32_t>(),
                       ((folder / "g").string() + ": expected integers, found float32").c_str(), trm::error);
}

TEST_CASE("arbitrary bytes give an array or a trm::error") {
  const temporary_folder folder;
  for (const char version : {'\1', '\3'}) {
    const std::string valid =
        raw("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }     \n", "12345678", version);
    const auto counts = trm_test::corrupt(valid, [&](const std::string& bytes) {
      put(folder / "f", bytes);
      npy_file::open(folder / "f").read<double>();
    });
    CHECK(counts.accepted > 20);
    CHECK(counts.refused > 500);
  }
}

TEST_CASE("numpy reads what is written, writes the same bytes, and what it writes is read") {
  if (!trm_test::python_has("numpy")) return;
  const temporary_folder folder;
  const auto write = [&](const std::string& name, const std::vector<std::int64_t>& shape, auto zero) {
    std::size_t count = 1;
    for (const auto n : shape) count *= static_cast<std::size_t>(n);
    std::vector<decltype(zero)> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<decltype(zero)>(i % 100);
    trm::save_npy(folder / (name + ".npy"), shape, std::span<const decltype(zero)>(values));
  };
  write("uint8-3x4", {3, 4}, std::uint8_t{});
  write("int8-5", {5}, std::int8_t{});
  write("uint16-1x2x3", {1, 2, 3}, std::uint16_t{});
  write("int16-0x7", {0, 7}, std::int16_t{});
  write("uint32-", {}, std::uint32_t{});
  write("int32-1000x1", {1000, 1}, std::int32_t{});
  write("uint64-2x2x2x2x2x2x2x2", {2, 2, 2, 2, 2, 2, 2, 2}, std::uint64_t{});
  write("int64-12", {12}, std::int64_t{});
  write("float32-81", {81}, float{});
  write("float64-1x1", {1, 1}, double{});
  trm::npy_writer stream(folder / "bool-200.npy", element_type::boolean, {});
  for (int i = 0; i < 200; ++i) {
    const std::byte v{static_cast<unsigned char>(i % 2)};
    stream.append_bytes(std::span(&v, 1));
  }
  stream.commit();
  CHECK(trm_test::run_python(folder.path(), R"(
import glob, io, numpy as np
names = glob.glob('*.npy')
assert len(names) == 11
for name in names:
    dtype, shape = name[:-4].split('-')
    shape = tuple(int(n) for n in shape.split('x') if n)
    a = np.load(name)
    assert str(a.dtype) == dtype and a.shape == shape, name
    n = np.arange(a.size)
    assert np.array_equal(a, (n % (2 if dtype == 'bool' else 100)).astype(dtype).reshape(shape)), name
    b = io.BytesIO()
    np.save(b, a)
    assert b.getvalue() == open(name, 'rb').read(), name
np.save('half', np.array([[0.5, -2]], np.float16))
np.save('fortran', np.asfortranarray(np.zeros((2, 3))))
np.save('big', np.zeros(3, '>i4'))
np.lib.format.write_array(open('v2.npy', 'wb'), np.arange(6).reshape(2, 3), version=(2, 0))
np.lib.format.write_array(open('v3.npy', 'wb'), np.array([True, False]), version=(3, 0))
)"));
  CHECK(npy_file::open(folder / "half.npy").read<float>() == std::vector<float>{0.5, -2});
  CHECK(npy_file::open(folder / "v2.npy").read<std::int32_t>() == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5});
  CHECK(npy_file::open(folder / "v3.npy").read<std::int32_t>() == std::vector<std::int32_t>{1, 0});
  CHECK_THROWS_AS(npy_file::open(folder / "fortran.npy"), trm::error);
  CHECK_THROWS_AS(npy_file::open(folder / "big.npy"), trm::error);
}

TEST_CASE("recorded arrays open") {
  if (!trm_test::available(trm_test::reference_dir(), "arc_evaluator/preds.npy")) return;
  const npy_file preds = npy_file::open(*trm_test::reference_dir() / "arc_evaluator/preds.npy");
  CHECK(preds.row_size() == 900);
  const npy_file q = npy_file::open(*trm_test::reference_dir() / "arc_evaluator/q_halt_logits.npy");
  CHECK(q.rows() == preds.rows());
  CHECK(q.read<float>().size() == static_cast<std::size_t>(q.rows()));
}

}  // namespace
