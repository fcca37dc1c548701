// SPDX-License-Identifier: MIT
#include "trm/io/safetensors.hpp"

#include <doctest/doctest.h>

#include "support/corruption.hpp"
#include "support/python.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"

namespace {

using trm::element_type;
using trm::safetensors_file;
using trm::safetensors_writer;
using trm_test::put;
using trm_test::temporary_folder;

/// A file from a header and data, without the code under test.
std::string raw(const std::string& header, const std::string& data, std::uint64_t length = ~0ull) {
  if (length == ~0ull) length = header.size();
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(length >> (8 * i) & 0xff);
  return out + header + data;
}
/// What opening says, without the path; "opened" where it is accepted.
std::string opening(const std::string& bytes) {
  const temporary_folder folder;
  put(folder / "f", bytes);
  try {
    safetensors_file::open(folder / "f");
    return "opened";
  } catch (const trm::error& e) {
    return std::string(e.what()).substr((folder / "f").string().size() + 2);
  }
}
template <class T>
std::span<const T> span_of(const std::vector<T>& v) {
  return v;
}

TEST_CASE("what is written is read, in every type, with metadata") {
  const temporary_folder folder;
  const std::vector<float> f{1.5f, -2, 3, 4, 5, 6};
  const std::vector<double> d{0.1};
  const std::vector<trm::bf16> b{trm::bf16(1.0f), trm::bf16(-0.5f)};
  const std::vector<std::int64_t> l{-1, 1LL << 40};
  const std::vector<std::int32_t> i{7};
  const std::vector<std::int16_t> s{-300};
  const std::vector<std::int8_t> c{-8, 8, 0};
  const std::vector<std::uint8_t> u{0, 255};
  safetensors_writer w;
  w.add("layer.weight", {2, 3}, span_of(f));
  w.add("d", {}, span_of(d));
  w.add("b", {2, 1}, span_of(b));
  w.add("l", {2}, span_of(l));
  w.add("i", {1}, span_of(i));
  w.add("s", {1}, span_of(s));
  w.add("c", {3}, span_of(c));
  w.add("u", {2}, span_of(u));
  w.add("empty", {0, 4}, std::span<const float>());
  const std::vector<std::uint8_t> flags{0, 1, 1};
  w.add("flags", element_type::boolean, {3}, std::as_bytes(span_of(flags)));
  w.metadata("config", "{\"a\": \"\xc3\xa9\"}\n");
  w.metadata("", "");
  w.save(folder / "f");

  const safetensors_file file = safetensors_file::open(folder / "f");
  CHECK(file.names() == std::vector<std::string>{"b", "c", "d", "empty", "flags", "i", "l", "layer.weight", "s", "u"});
  CHECK(file.metadata() == std::map<std::string, std::string>{{"", ""}, {"config", "{\"a\": \"\xc3\xa9\"}\n"}});
  CHECK(file.view("layer.weight").type == element_type::f32);
  CHECK(file.view("d").shape.empty());
  CHECK(file.read<float>("layer.weight", {2, 3}) == f);
  CHECK(file.read<double>("layer.weight") == std::vector<double>(f.begin(), f.end()));
  CHECK(file.read<double>("d", {}) == d);
  CHECK(file.read<float>("b", {2, 1}) == std::vector<float>{1, -0.5});
  CHECK(file.read<std::int64_t>("l") == l);
  CHECK(file.read<std::int32_t>("i") == i);
  CHECK(file.read<std::int32_t>("s") == std::vector<std::int32_t>{-300});
  CHECK(file.read<std::int32_t>("c") == std::vector<std::int32_t>{-8, 8, 0});
  CHECK(file.read<std::int32_t>("u") == std::vector<std::int32_t>{0, 255});
  CHECK(file.read<std::uint8_t>("flags") == flags);
  CHECK(file.read<float>("empty", {0, 4}).empty());
  bool as_bool[3];
  file.read("flags", std::vector<std::int64_t>{3}, std::span<bool>(as_bool));
  CHECK((!as_bool[0] && as_bool[1] && as_bool[2]));
  trm::bf16 rounded[1];
  file.read("d", std::vector<std::int64_t>{}, std::span<trm::bf16>(rounded));
  CHECK(static_cast<float>(rounded[0]) == doctest::Approx(0.1).epsilon(0.01));
}

TEST_CASE(
    "the bytes do not depend on the order of adding; data begins at a multiple of 64, every tensor at one of its "
    "type's "
    "size") {
  const temporary_folder folder;
  const std::vector<float> f{1};
  const std::vector<std::int8_t> c{1};
  const std::vector<double> d{2};
  safetensors_writer a, b;
  a.add("x", {1}, span_of(f));
  a.add("c", {1}, span_of(c));
  a.add("y", {}, span_of(d));
  a.metadata("k", "v");
  b.metadata("k", "v");
  b.add("y", {}, span_of(d));
  b.add("c", {1}, span_of(c));
  b.add("x", {1}, span_of(f));
  a.save(folder / "a");
  b.save(folder / "b");
  const std::string bytes = trm_test::get(folder / "a");
  CHECK(bytes == trm_test::get(folder / "b"));
  CHECK((bytes.size() - 13) % 64 == 0);
  const std::string header = bytes.substr(8, bytes.size() - 8 - 13);
  CHECK(header.substr(0, header.find_last_not_of(' ') + 1) ==
        "{\"__metadata__\":{\"k\":\"v\"},\"y\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},\"c\":{\"dtype\":\"I8\",\"shape\":[1],\"data_"
        "offsets\":[12,13]}}");
  const safetensors_file file = safetensors_file::open(folder / "a");
  CHECK(reinterpret_cast<std::uintptr_t>(file.view("y").bytes.data()) % 64 == 0);
}

TEST_CASE("errors of reading name the file and the tensor") {
  const temporary_folder folder;
  const std::vector<float> f{1, 2, 3, 1e20f};
  const std::vector<std::int64_t> l{1, 1LL << 31};
  safetensors_writer w;
  w.add("f", {4}, span_of(f));
  w.add("l", {2}, span_of(l));
  w.save(folder / "m");
  const safetensors_file file = safetensors_file::open(folder / "m");
  const std::string place = (folder / "m").string() + ": tensor ";
  const auto fails = [&](auto&& action, const std::string& expected) {
    CHECK_THROWS_WITH_AS(action(), (place + expected).c_str(), trm::error);
  };
  fails([&] { file.read<float>("f", {3, 4}); }, "f: expected shape [3, 4], found [4]");
  fails([&] { file.read<float>("f", {}); }, "f: expected shape [], found [4]");
  fails([&] { file.read<float>("g", {4}); }, "g: is not in the file");
  fails([&] { file.read<std::int32_t>("f"); }, "f: expected integers, found float32");
  fails([&] { file.read<std::int32_t>("l"); }, "l: element 1 (int64) does not fit in int32");
  std::vector<float> small(3);
  fails([&] { file.read("f", std::vector<std::int64_t>{4}, std::span(small)); }, "f: has 4 elements, 3 wanted");
}

TEST_CASE("errors of writing") {
  const std::vector<float> f{1};
  safetensors_writer w;
  w.add("f", {1}, span_of(f));
  CHECK_THROWS_WITH_AS(w.add("f", {1}, span_of(f)), "tensor f: added twice", trm::error);
  CHECK_THROWS_WITH_AS(w.add("g", {2}, span_of(f)), "tensor g: shape [2] takes 8 bytes, found 4", trm::error);
  CHECK_THROWS_AS(w.add("g", {-1}, span_of(f)), trm::error);
  CHECK_THROWS_AS(w.add("g", {1LL << 40, 1LL << 40}, span_of(f)), trm::error);
  CHECK_THROWS_AS(w.add("__metadata__", {1}, span_of(f)), trm::error);
  const temporary_folder folder;
  w.metadata("k", "\xff");
  CHECK_THROWS_AS(w.save(folder / "f"), trm::error);
  CHECK(folder.files() == 0);
}

TEST_CASE("everything that the format forbids is refused") {
  const std::string one = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  REQUIRE(opening(raw("{" + one + "}", "1234")) == "opened");
  REQUIRE(opening(raw("{" + one + "}   ", "1234")) == "opened");
  REQUIRE(opening(raw("{}", "")) == "opened");
  CHECK(opening("") == "not a safetensors file: shorter than its 8-byte header length");
  CHECK(opening("1234567") == "not a safetensors file: shorter than its 8-byte header length");
  CHECK(opening(raw("", "")) == "not a safetensors file: the header is not a JSON object");
  CHECK(opening(raw(" {}", "")) == "not a safetensors file: the header is not a JSON object");
  CHECK(opening(raw("[]", "")) == "not a safetensors file: the header is not a JSON object");
  CHECK(opening(raw("{}", "", 3)) == "cut off: the header ends behind the end of the file");
  CHECK(opening(raw("{}", "", 100'000'001)) ==
        "not a safetensors file: header of 100000001 bytes, the limit is 100 MB");
  CHECK(opening(raw("{}", "", ~0ull - 1)).find("not a safetensors file: header of ") == 0);
  CHECK(opening(raw("{" + one + "," + one + "}", "1234")).find("the key \"a\" occurs twice") != std::string::npos);
  CHECK(opening(raw("{" + one + "}", "12345")) == "1 bytes at the end belong to no tensor");
  CHECK(opening(raw("{}", "1")) == "1 bytes at the end belong to no tensor");
  CHECK(opening(raw("{" + one + "}", "123")) ==
        "a: data_offsets [0, 4] outside the data, which has 3 bytes (is the file cut off?)");
  const auto tensor = [](const std::string& fields) { return opening(raw("{\"a\":{" + fields + "}}", "12345678")); };
  CHECK(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])") == "opened");
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])") ==
        "tensor a: 4 bytes before it belong to no tensor");
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])") ==
        "a: shape [1] of F32 takes 4 bytes, data_offsets hold 8");
  CHECK(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])").find("a: data_offsets [8, 0] outside") == 0);
  CHECK(tensor(R"("dtype":"F33","shape":[2],"data_offsets":[0,8])") == "a: unsupported dtype \"F33\"");
  CHECK(tensor(R"("dtype":5,"shape":[2],"data_offsets":[0,8])") == "a/dtype: expected a string, found 5");
  CHECK(tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])") ==
        "a/shape/0: expected an integer in 0.., found -2");
  CHECK(tensor(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])") ==
        "a/shape/0: expected an integer in 0.., found 2.0");
  CHECK(tensor(R"("dtype":"F32","shape":2,"data_offsets":[0,8])") == "a/shape: expected an array, found 2");
  CHECK(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])") == "a: data_offsets must be [begin, end]");
  CHECK(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999])")
            .find("a/data_offsets/1: expected") == 0);
  CHECK(tensor(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0])") ==
        "a: shape [4611686018427387904, 4] overflows");
  CHECK(tensor(R"("dtype":"F32","shape":[2])") == "a: \"data_offsets\" is missing");
  CHECK(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1)") == "a: unknown key \"x\"");
  CHECK(opening(raw("{\"a\":5}", "")) == "a: expected an object, found 5");
  CHECK(opening(raw("{\"__metadata__\":{\"a\":5}}", "")) == "__metadata__/a: expected a string, found 5");
  CHECK(opening(raw("{\"__metadata__\":[]}", "")) == "__metadata__: expected an object, found []");
  const std::string overlap =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})";
  CHECK(opening(raw(overlap, "123456")) == "tensor b: overlaps another tensor");
  const std::string hole =
      R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})";
  CHECK(opening(raw(hole, "12345")) == "tensor b: 1 bytes before it belong to no tensor");
}

TEST_CASE("arbitrary bytes give tensors or a trm::error") {
  const temporary_folder folder;
  const std::vector<float> f{1, 2};
  const std::vector<std::uint8_t> flags{1};
  safetensors_writer w;
  w.add("a", {2, 1}, span_of(f));
  w.add("b", element_type::boolean, {1}, std::as_bytes(span_of(flags)));
  w.add("e", {0}, std::span<const std::int64_t>());
  w.metadata("k", "v");
  w.save(folder / "f");
  const auto counts = trm_test::corrupt(trm_test::get(folder / "f"), [&](const std::string& bytes) {
    put(folder / "f", bytes);
    const safetensors_file file = safetensors_file::open(folder / "f");
    for (const auto& name : file.names()) file.read<double>(name);
  });
  CHECK(counts.accepted > 50);
  CHECK(counts.refused > 500);
}

TEST_CASE("recorded checkpoints open, and their metadata is JSON") {
  if (!trm_test::available(trm_test::reference_dir(), "model/trm_bf16.safetensors")) return;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*trm_test::reference_dir() / "model")) {
    if (entry.path().extension() != ".safetensors") continue;
    ++files;
    const safetensors_file file = safetensors_file::open(entry.path());
    CHECK(!file.names().empty());
    CHECK(trm::parse_json(file.metadata().at("config"), "config").is_object());
    for (const auto& [name, t] : file.tensors()) CHECK(file.read<double>(name).size() == t.count());
  }
  CHECK(files >= 5);
}

TEST_CASE("the published library reads what is written, writes the same but for padding, and what it writes is read") {
  if (!trm_test::python_has("safetensors.numpy")) return;
  const temporary_folder folder;
  std::vector<std::vector<std::byte>> keep;
  safetensors_writer w;
  w.metadata("format", "np");
  const auto zeros = [&](const std::string& name, element_type type) {
    keep.emplace_back(3 * trm::size_of(type));
    w.add(name, type, {1, 3}, keep.back());
  };
  zeros("float64", element_type::f64);
  zeros("float32", element_type::f32);
  zeros("float16", element_type::f16);
  zeros("int64", element_type::i64);
  zeros("int32", element_type::i32);
  zeros("int16", element_type::i16);
  zeros("int8", element_type::i8);
  zeros("uint64", element_type::u64);
  zeros("uint32", element_type::u32);
  zeros("uint16", element_type::u16);
  zeros("uint8", element_type::u8);
  zeros("bool", element_type::boolean);
  const std::vector<float> values{0.1f, -3, 1e30f, 4};
  w.add("a \"quoted\" \xc3\xa9", {2, 2}, span_of(values));
  w.save(folder / "ours");
  safetensors_writer halves;
  const std::vector<trm::bf16> bf{trm::bf16(1.0f)};
  halves.add("b", {1}, span_of(bf));
  const std::vector<std::uint16_t> f16{0x3c00}, u16{1};
  halves.add("f", element_type::f16, {1}, std::as_bytes(span_of(f16)));
  halves.add("u", {1}, span_of(u16));
  halves.save(folder / "halves");
  CHECK(trm_test::run_python(folder.path(), R"(
import numpy as np, safetensors, safetensors.numpy as s
ours = s.load_file('ours')
assert sorted(ours) == sorted('float64 float32 float16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool'.split() + ['a "quoted" é'])
assert all(str(v.dtype) == k for k, v in ours.items() if k[0] != 'a')
assert np.array_equal(ours['a "quoted" é'], np.array([[0.1, -3], [1e30, 4]], np.float32))
def parts(file):
    length = int.from_bytes(file[:8], 'little')
    return file[8:8 + length].rstrip(b' '), file[8 + length:]
assert parts(open('ours', 'rb').read()) == parts(s.save(ours, {'format': 'np'}))
halves = dict(safetensors.deserialize(open('halves', 'rb').read()))
assert {k: (v['dtype'], v['shape'], bytes(v['data'])) for k, v in halves.items()} == {
    'b': ('BF16', [1], b'\x80\x3f'), 'f': ('F16', [1], b'\0\x3c'), 'u': ('U16', [1], b'\1\0')}
s.save_file({'x': np.array([[1, 2, -3]], np.int16), 'h': np.array([0.5, 65504], np.float16), 'flag': np.array([True, False]),
             'scalar': np.array(2.5), 'none': np.zeros((0, 3), np.float32)}, 'theirs', {'k': 'vé'})
)"));
  const safetensors_file theirs = safetensors_file::open(folder / "theirs");
  CHECK(theirs.read<std::int32_t>("x", {1, 3}) == std::vector<std::int32_t>{1, 2, -3});
  CHECK(theirs.read<float>("h", {2}) == std::vector<float>{0.5, 65504});
  CHECK(theirs.read<std::int32_t>("flag", {2}) == std::vector<std::int32_t>{1, 0});
  CHECK(theirs.read<float>("scalar", {}) == std::vector<float>{2.5});
  CHECK(theirs.read<float>("none", {0, 3}).empty());
  CHECK(theirs.metadata().at("k") == "v\xc3\xa9");
}

}  // namespace
