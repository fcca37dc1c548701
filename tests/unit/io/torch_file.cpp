// SPDX-License-Identifier: MIT
#include "trm/io/torch_file.hpp"

#include <doctest/doctest.h>

#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "support/zip_bytes.hpp"

namespace {

using namespace std::string_literals;
using trm::element_type;
using trm::torch_file;
using trm_test::zip_part;

const std::filesystem::path fixtures = std::filesystem::path(__FILE__).parent_path() / "fixtures";

/// A pickle of {"a": _rebuild_tensor_v2(storage, offset, size, stride, False, {})} with these pieces.
struct tensor_pickle {
  std::string storage_type = "ctorch\nFloatStorage\n",
              key =
                  "U\1"
                  "0",
              count = "K\4", offset = "K\0"s, size = "K\4\x85", stride = "K\1\x85",
              function = "ctorch._utils\n_rebuild_tensor_v2\n", more = "";
  std::string text() const {
    return "\x80\2}U\1a" + function + "((U\7storage" + storage_type + key + "U\3cpu" + count + "tQ" + offset + size +
           stride + "\x89}" + more + "tRs.";
  }
};
const std::string four_floats("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 16);  // 1 2 3 4

std::string archive(const std::string& pickle, const std::vector<zip_part>& more = {}) {
  std::vector<zip_part> parts{{.name = "x/data.pkl", .bytes = pickle}, {.name = "x/data/0", .bytes = four_floats}};
  parts.insert(parts.end(), more.begin(), more.end());
  return trm_test::zip_bytes(parts);
}
std::span<const std::byte> span_of(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }
/// What reading the bytes says.
std::string reading(const std::string& bytes) {
  return trm_test::error_of([&] { trm::detail::torch_reader(span_of(bytes), "f", true); });
}
std::string reading_tensor(const tensor_pickle& p) { return reading(archive(p.text())); }

TEST_CASE("every element type that torch.save writes") {
  const auto f = torch_file::open(fixtures / "types.pt");
  const auto has = [&](const char* name, element_type type, std::vector<std::int64_t> shape,
                       std::vector<double> values) {
    CAPTURE(name);
    const std::string full = std::string("types.") + name;
    CHECK(f.view(full).type == type);
    CHECK(f.read<double>(full, shape) == values);
  };
  has("float32", element_type::f32, {2, 2}, {1.5, -2, 3, 1e30f});
  has("float16", element_type::f16, {2}, {0.5, 65504});
  has("bfloat16", element_type::bf16, {3}, {1, -0.5, static_cast<double>(static_cast<float>(trm::bf16(3e38f)))});
  has("float64", element_type::f64, {}, {0.1});
  has("bool", element_type::boolean, {2}, {1, 0});
  has("uint8", element_type::u8, {2}, {0, 255});
  has("int8", element_type::i8, {2}, {-128, 127});
  has("int16", element_type::i16, {1}, {-300});
  has("int32", element_type::i32, {1}, {1 << 30});
  has("int64", element_type::i64, {2}, {-1, static_cast<double>(1LL << 40)});
  has("uint16", element_type::u16, {1}, {65535});
  has("empty", element_type::f32, {0, 3}, {});
  has("parameter", element_type::f32, {2}, {1, 2});
  CHECK(f.metadata().empty());
}

TEST_CASE("tensors share storages; other layouts than row-major become row-major") {
  const auto f = torch_file::open(fixtures / "types.pt");
  const auto layout = [&](const char* name) { return f.read<float>(std::string("layouts.") + name); };
  CHECK(layout("slice") == std::vector<float>{4, 5, 6, 7});
  CHECK(f.view("layouts.slice").bytes.data() == f.view("layouts.base").bytes.data() + 16);
  CHECK(f.view("layouts.base").in_place<float>().has_value());
  CHECK(f.view("layouts.transposed").shape == std::vector<std::int64_t>{4, 3});
  CHECK(layout("transposed") == std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  CHECK(layout("column") == std::vector<float>{1, 5, 9});
  CHECK(layout("permuted") == std::vector<float>{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
  CHECK(layout("row_of_one") == std::vector<float>{0, 1, 2});
}

TEST_CASE("containers are flattened with dots, and what is no tensor is passed over") {
  const auto f = torch_file::open(fixtures / "types.pt");
  CHECK(f.contains("list.0"));
  CHECK(f.read<float>("list.1.7") == std::vector<float>{1, 1});
  CHECK(f.tensors().size() == 13 + 6 + 2);
  const auto checkpoint = torch_file::open(fixtures / "checkpoint.pt");
  CHECK(checkpoint.names() == std::vector<std::string>{"model._orig_mod.model.inner.embed_tokens.embedding_weight",
                                                       "model._orig_mod.model.inner.lm_head.weight",
                                                       "model._orig_mod.model.inner.puzzle_emb.weights",
                                                       "optimizer.state.0.exp_avg"});
  const auto module = torch_file::open(fixtures / "protocol_5.pt");
  CHECK(module.names() == std::vector<std::string>{"0.bias", "0.weight"});
}

TEST_CASE("a file that is moved into its base keeps what it copied") {
  const trm::tensor_file moved = torch_file::open(fixtures / "small.pt");
  CHECK(moved.read<float>("a", {2, 2}) == std::vector<float>{1, 2, 3, 4});
  CHECK(moved.read<int>("b", {2, 2}) == std::vector<int>{1, 3, 2, 4});
}

TEST_CASE("another form than that of torch.save since 1.6 is named") {
  const std::string remedy = ": saved in the form before torch 1.6: load it and save it again with torch >= 1.6";
  const auto legacy = fixtures / "legacy.pt";
  CHECK(trm_test::error_of([&] { torch_file::open(legacy); }) == legacy.string() + remedy);
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "tar", std::string(257, '\0') + "ustar" + std::string(250, '\0'));
  CHECK(trm_test::error_of([&] { torch_file::open(folder / "tar"); }) == (folder / "tar").string() + remedy);
  CHECK(reading(trm_test::zip_bytes({{.name = "x/model.json", .bytes = "{}"}})) ==
        "f: a zip archive, but not of torch.save: it has no data.pkl, or several");
  CHECK(reading(archive("}.", {{.name = "y/data.pkl", .bytes = "}."}})).find("no data.pkl, or several") !=
        std::string::npos);
  CHECK(reading(archive("}.", {{.name = "x/constants.pkl", .bytes = ""}})).find("f: a TorchScript archive: ") == 0);
  CHECK(reading(archive("}.", {{.name = "x/byteorder", .bytes = "big"}})) ==
        "f: its byte order is \"big\", only little is read: load it and save it again on another machine");
  CHECK(reading(archive("}.", {{.name = "x/byteorder", .bytes = "little"}})) == "(no error)");
}

TEST_CASE("a tensor that cannot be is named") {
  REQUIRE(reading_tensor({}) == "(no error)");
  CHECK(reading_tensor({.key = "U\1"
                               "7"}) == "f: tensor a: its storage data/7 is not in the file");
  CHECK(reading_tensor({.key = "U\6../../"}) == "f: tensor a: its storage data/../../ is not in the file");
  CHECK(reading_tensor({.count = "K\5"}) == "f: tensor a: its storage data/0 has 16 bytes, expected 5 elements of 4");
  CHECK(reading_tensor({.count = "\x8a\x08\1\0\0\0\0\0\0\x40"s})
            .find("has 16 bytes, expected 4611686018427387905 elements") != std::string::npos);
  CHECK(reading_tensor({.count = "J\xff\xff\xff\xff"}) == "f: tensor a: expected a size or an offset of 0 or more");
  CHECK(reading_tensor({.offset = "K\1"}) ==
        "f: tensor a: shape [4] with strides [1] from element 1 lies outside its storage of 4");
  CHECK(reading_tensor({.size = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"}).find("overflows") !=
        std::string::npos);
  CHECK(reading_tensor({.size = "K\2K\2\x86", .stride = "K\0K\0\x86"s}).find("(no error)") ==
        0);  // no larger than its storage
  CHECK(reading_tensor({.size = "M\xff\xffK\4\x86", .stride = "K\0K\1\x86"s}) ==
        "f: tensor a: its elements overlap: save it after .contiguous()");
  CHECK(reading_tensor({.size = "NK\1\x86"}) == "f: tensor a: expected a size or an offset of 0 or more");
  CHECK(reading_tensor({.size = "]"}) == "f: tensor a: expected at most 16 dimensions");
  CHECK(reading_tensor({.storage_type = "ctorch\nfloat32\n"}) ==
        "f: tensor a: its storage is described in an unknown way");
  CHECK(reading_tensor({.storage_type = "N"}) == "f: tensor a: its storage is described in an unknown way");
  CHECK(reading_tensor({.function = "ctorch._utils\n_rebuild_tensor_v3\n"}) ==
        "f: tensor a: a tensor with too few arguments");
  CHECK(reading_tensor({.function = "ctorch._utils\n_rebuild_tensor_v3\n", .more = "ctorch\nfloat32\n"}) ==
        "(no error)");
  CHECK(reading_tensor({.function = "ctorch._utils\n_rebuild_tensor_v3\n", .more = "N"}) ==
        "f: tensor a: has an unknown dtype");
  CHECK(reading_tensor({.function = "ctorch\nFloatStorage\n"}) == "f: tensor a: would call FloatStorage: refused");
  CHECK(reading(archive("\x80\2}U\1actorch._utils\n_rebuild_parameter\n)Rs.")) ==
        "f: tensor a: a parameter of nothing");
  CHECK(reading(archive("}NNs.")) == "f: tensor : a dictionary with a key that is neither a string nor an integer");
}

TEST_CASE("calls of anything else, and damage, are refused before a tensor is made") {
  CHECK(
      reading_tensor({.function = "cposix\nsystem\n"}).find("f: data.pkl: byte 6: would call posix.system: refused") ==
      0);
  CHECK(reading_tensor({.storage_type = "ctorch.storage\nTypedStorage\n"})
            .find("would call torch.storage.TypedStorage") != std::string::npos);
  CHECK(reading_tensor({.storage_type = "ctorch\nload\n"}).find("would call torch.load: refused") != std::string::npos);
  CHECK(reading(archive("}.", {{.name = "x/byteorder", .bytes = "little", .crc_change = 1}})) ==
        "f: entry x/byteorder: damaged: its CRC-32 is another one (copy the file again)");
  const std::string torn = trm_test::zip_bytes({{.name = "x/data.pkl", .bytes = tensor_pickle{}.text()},
                                                {.name = "x/data/0", .bytes = four_floats, .crc_change = 1}});
  CHECK(reading(torn) == "f: entry x/data/0: damaged: its CRC-32 is another one (copy the file again)");
  CHECK(trm_test::error_of([&] { trm::detail::torch_reader(span_of(torn), "f", false); }) == "(no error)");
}

TEST_CASE("values that contain each other end at a limit") {
  CHECK(reading(archive("}q\0U\1ah\0s."s)) == "f: tensor a" + [] {
    std::string rest;
    for (int i = 1; i < 33; ++i) rest += ".a";
    return rest;
  }() + ": lies deeper than 32 levels");
  std::string laughs = ")q\0"s;  // thirty tuples, each twice the one before
  for (int i = 0; i < 30; ++i)
    laughs += "h"s + static_cast<char>(i) + "h" + static_cast<char>(i) + "\x86q" + static_cast<char>(i + 1);
  CHECK(reading(archive(laughs + ".")) == "f: has more than 200000 values");
  CHECK(reading(archive("}X" + trm_test::little_endian(1000, 4) + std::string(1000, 'n') + "Ns."))
            .find(": a name of more than 500 characters") != std::string::npos);
}

TEST_CASE("every truncation and every change of a byte gives tensors or a trm::error") {
  const std::string good = trm_test::get(fixtures / "small.pt");
  REQUIRE(reading(good) == "(no error)");
  const auto counts = trm_test::corrupt(good, [](const std::string& bytes) {
    const trm::detail::torch_reader reader(span_of(bytes), "f", false);
    for (const auto& [name, t] : reader.tensors) {
      std::vector<double> values(t.count());
      trm::convert(t.type, t.bytes.data(), values.size(), values.data());
    }
  });
  CHECK(counts.accepted > 50);
  CHECK(counts.refused > 5000);
}

TEST_CASE("a flipped bit in what a tensor is read from is found") {
  const std::string good = trm_test::get(fixtures / "small.pt");
  const trm::detail::torch_reader whole(span_of(good), "f", true);
  const trm::zip_archive zip(span_of(good), "f");
  int refused = 0;
  for (const char* name : {"small/data/0", "small/data/1", "small/data.pkl"}) {
    REQUIRE(zip.find(name) != nullptr);
    const auto* data = reinterpret_cast<const char*>(zip.find(name)->bytes.data());
    for (std::size_t i = 0; i < zip.find(name)->bytes.size(); ++i) {
      std::string bad = good;
      char& byte = bad[static_cast<std::size_t>(data - good.data()) + i];
      byte = static_cast<char>(byte ^ 4);
      CHECK(reading(bad).find(std::string("f: entry ") + name + ": damaged") == 0);
      ++refused;
    }
  }
  CHECK(refused > 200);
}

}  // namespace
