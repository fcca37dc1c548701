// SPDX-License-Identifier: MIT
#include "trm/io/strided.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

#include "support/throws.hpp"

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

struct storage {
  std::vector<std::int32_t> values = std::vector<std::int32_t>(12);
  std::vector<std::vector<std::byte>> owned;
  std::uint64_t to_copy = 96;

  storage() { std::iota(values.begin(), values.end(), 0); }
  trm::stored_tensor part(std::uint64_t offset, std::vector<std::int64_t> shape,
                          const std::vector<std::int64_t>& strides) {
    return trm::strided_tensor(trm::element_type::i32, std::as_bytes(std::span(values)), offset, std::move(shape),
                               strides, {"t", to_copy, owned});
  }
  std::vector<std::int32_t> values_of(const trm::stored_tensor& t) const {
    std::vector<std::int32_t> out(t.count());
    if (!out.empty()) std::memcpy(out.data(), t.bytes.data(), t.bytes.size());
    return out;
  }
};

TEST_CASE("elements one after another are a view, whatever the strides of single elements") {
  storage s;
  const auto whole = s.part(0, {3, 4}, {4, 1});
  CHECK(whole.bytes.data() == reinterpret_cast<const std::byte*>(s.values.data()));
  CHECK(s.values_of(s.part(4, {1, 2, 1}, {most, 1, most})) == std::vector<std::int32_t>{4, 5});
  CHECK(s.values_of(s.part(11, {}, {})) == std::vector<std::int32_t>{11});
  CHECK(s.values_of(s.part(99, {3, 0}, {1, 1})).empty());
  CHECK(s.owned.empty());
}

TEST_CASE("other elements are copied in row-major order") {
  storage s;
  CHECK(s.values_of(s.part(0, {2, 3}, {1, 4})) == std::vector<std::int32_t>{0, 4, 8, 1, 5, 9});
  CHECK(s.values_of(s.part(1, {2, 1, 2}, {4, most, 2})) == std::vector<std::int32_t>{1, 3, 5, 7});
  CHECK(s.owned.size() == 2);
  CHECK(s.to_copy == 96 - 24 - 16);
}

TEST_CASE("what is outside of the storage, overflows or overlaps is refused") {
  const auto fails = [](std::uint64_t offset, std::vector<std::int64_t> shape,
                        const std::vector<std::int64_t>& strides) {
    storage s;
    return trm_test::error_of([&] { s.part(offset, std::move(shape), strides); });
  };
  CHECK(fails(1, {3, 4}, {4, 1}) ==
        "t: shape [3, 4] with strides [4, 1] from element 1 lies outside its storage of 12");
  CHECK(fails(12, {}, {}).find("lies outside") != std::string::npos);
  CHECK(fails(~std::uint64_t{0}, {2}, {1}).find("lies outside") != std::string::npos);
  CHECK(fails(0, {2, 2}, {most, most}).find("lies outside") != std::string::npos);
  CHECK(fails(0, {3}, {most}).find("lies outside") != std::string::npos);
  CHECK(fails(4, {3}, {-1}).find("lies outside") != std::string::npos);
  CHECK(fails(0, {most, most}, {0, 0}) == "t: shape [9223372036854775807, 9223372036854775807] overflows");
  CHECK(fails(0, {1 << 20, 12}, {0, 1}) == "t: its elements overlap: save it after .contiguous()");
  CHECK(fails(0, {3}, {1, 1}) == "t: has another number of strides than of dimensions");
  storage s;
  for (int i = 0; i < 2; ++i) s.part(0, {4, 3}, {1, 4});
  trm_test::check_error([&] { s.part(0, {4, 3}, {1, 4}); }, "t: its elements overlap");
}

}  // namespace
