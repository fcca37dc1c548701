// SPDX-License-Identifier: MIT
#include "trm/io/tensor_file.hpp"

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/io/safetensors.hpp"

namespace {

const std::vector<float> floats{1, 2, 3, 4};
const std::vector<std::int8_t> bytes{1, 2, 3};

/// [2, 2] float32 "a", [3] int8 "b".
trm::safetensors_file example(const trm_test::temporary_folder& folder) {
  trm::safetensors_writer w;
  w.add("a", {2, 2}, std::span<const float>(floats));
  w.add("b", {3}, std::span<const std::int8_t>(bytes));
  w.save(folder / "f");
  return trm::safetensors_file::open(folder / "f");
}

TEST_CASE("values are used in place where type and alignment allow it") {
  const trm_test::temporary_folder folder;
  const auto file = example(folder);
  const auto a = file.view("a").in_place<float>();
  REQUIRE(a.has_value());
  CHECK(std::vector<float>(a->begin(), a->end()) == floats);
  CHECK(reinterpret_cast<const std::byte*>(a->data()) == file.view("a").bytes.data());
  CHECK(!file.view("a").in_place<double>());
  CHECK(!file.view("b").in_place<float>());
  trm::stored_tensor shifted = file.view("a");
  shifted.bytes = file.view("a").bytes.subspan(1, 12);
  CHECK(!shifted.in_place<float>());
  CHECK(trm::stored_tensor{}.in_place<float>()->empty());
}

TEST_CASE("a file that is moved, also into its base, keeps its tensors") {
  const trm_test::temporary_folder folder;
  auto file = example(folder);
  const trm::tensor_file moved = std::move(file);
  CHECK(moved.read<float>("a", {2, 2}) == floats);
  CHECK(moved.path() == folder / "f");
}

TEST_CASE("tensors are renamed, and two of one name are refused") {
  const trm_test::temporary_folder folder;
  auto file = example(folder);
  file.rename([](const std::string& name) { return "x." + name; });
  CHECK(file.names() == std::vector<std::string>{"x.a", "x.b"});
  CHECK(file.read<float>("x.a") == floats);
  trm_test::check_error([&] { file.rename([](const std::string&) { return std::string("y"); }); },
                        (folder / "f").string() + ": tensor x.b: another tensor of the file means y too");
  CHECK(file.names() == std::vector<std::string>{"x.a", "x.b"});
}

}  // namespace
