// SPDX-License-Identifier: MIT
#include "trm/io/puzzle_rows.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/train/solver.hpp"

namespace {

constexpr const char* name = "model.inner.puzzle_emb.weights";

template <class T>
trm::safetensors_file stored(const trm_test::temporary_folder& folder, const std::vector<T>& values,
                             std::int64_t width) {
  trm::safetensors_writer out;
  out.add(name, {static_cast<std::int64_t>(values.size()) / width, width}, std::span<const T>(values));
  out.save(folder / "table.safetensors");
  return trm::safetensors_file::open(folder / "table.safetensors");
}
std::vector<float> row(const trm::puzzle_rows<float>& rows, int id) {
  std::vector<float> out(rows.width());
  rows.read(id, out.data());
  return out;
}
/// Bytes of this process that are in memory.
std::size_t resident() {
  std::size_t total = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> total >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("rows of every floating-point type are converted when they are read") {
  const trm_test::temporary_folder folder;
  const auto check = [&]<class T>(const std::vector<T>& values) {
    const auto file = stored(folder, values, 2);
    const auto rows = trm::stored_puzzle_rows<float>(file.view(name), 2, file.place(name));
    CHECK(rows.rows() == 2);
    CHECK(row(rows, 1) == std::vector<float>{-0.5f, 3.0f});
  };
  check(std::vector<float>{1, 2, -0.5f, 3});
  check(std::vector<double>{1, 2, -0.5, 3});
  check(std::vector<trm::bf16>{trm::bf16(1.0f), trm::bf16(2.0f), trm::bf16(-0.5f), trm::bf16(3.0f)});
  const std::vector<std::uint16_t> halves{0x3c00, 0x4000, 0xb800, 0x4200};
  trm::safetensors_writer out;
  out.add(name, trm::element_type::f16, {2, 2}, std::as_bytes(std::span(halves)));
  out.save(folder / "halves.safetensors");
  const auto file = trm::safetensors_file::open(folder / "halves.safetensors");
  CHECK(row(trm::stored_puzzle_rows<float>(file.view(name), 2, ""), 1) == std::vector<float>{-0.5f, 3.0f});
}

TEST_CASE("another shape, integers, numbers that are not finite") {
  const trm_test::temporary_folder folder;
  const auto view = [&]<class T>(const std::vector<T>& values, int width) {
    const auto file = stored(folder, values, 2);
    row(trm::stored_puzzle_rows<float>(file.view(name), width, file.place(name)), 1);
  };
  const std::string at = "table.safetensors: tensor model.inner.puzzle_emb.weights: ";
  trm_test::check_error(
      [&] {
        view(std::vector<float>{1, 2, 3, 4}, 3);
      },
      at + "expected shape [rows, 3], found [2, 2]");
  trm_test::check_error([&] { view(std::vector<int>{1, 2, 3, 4}, 2); }, at + "expected floating point, found int32");
  trm_test::check_error(
      [&] {
        view(std::vector<float>{1, 2, 3, NAN}, 2);
      },
      at + "puzzle identifier 1: number 1 is not finite");
  trm_test::check_error(
      [&] {
        view(std::vector<double>{1, 2, 1e300, 0}, 2);
      },
      at + "puzzle identifier 1: number 0 is not finite");
  const trm::stored_tensor long_one{trm::element_type::f32, {std::int64_t{1} << 31, 0}, {}};
  trm_test::check_error([&] { trm::stored_puzzle_rows<float>(long_one, 0, "T"); }, "T: has 2147483648 rows");
  view(std::vector<float>{NAN, 2, 3, 4}, 2);  // a row that is not read does no harm
}

TEST_CASE("a table of 2.4 GB is opened and evaluated in the memory of the rows that are read") {
  constexpr std::int64_t identifiers = 1'190'000;
  constexpr trm::config described{.tokens = 4,
                                  .vocab = 5,
                                  .hidden = 128,
                                  .heads = 2,
                                  .layers = 1,
                                  .h_cycles = 1,
                                  .l_cycles = 1,
                                  .puzzle_positions = 4,
                                  .puzzle_width = 512};
  using model = trm::model<described>;
  const trm_test::temporary_folder folder;
  const auto path = folder / "table.safetensors";
  const std::uintmax_t bytes = identifiers * model::W * sizeof(float);
  std::string header = "{\"" + std::string(name) + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(identifiers) +
                       ",512],\"data_offsets\":[0," + std::to_string(bytes) + "]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string begin(8, '\0');
  begin[0] = static_cast<char>(header.size());
  REQUIRE(header.size() < 128);
  trm_test::put(path, begin + header);
  std::error_code code;
  std::filesystem::resize_file(path, begin.size() + header.size() + bytes, code);  // a hole: takes no room
  if (code) {
    MESSAGE("skipped: the temporary folder takes no file of ", bytes, " bytes: ", code.message());
    return;
  }

  trm::cpu::context<> cpu(1);
  trm::solver<model> solver(cpu, 4);
  trm::weights<model> w;
  w.initialise(1);
  solver.use(w);
  const std::vector<int> inputs(16, 1), ids{0, 1, 777'777, identifiers - 1};
  const std::size_t before = resident();
  const auto clock = std::chrono::steady_clock::now();
  const auto file = trm::safetensors_file::open(path);
  const auto rows = trm::stored_puzzle_rows<float>(file.view(name), model::W, file.place(name));
  solver.begin({inputs, {}, ids}, rows);
  solver.step();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - clock;
  const std::size_t grown = resident() > before ? resident() - before : 0;
  MESSAGE("opened and evaluated in ", seconds.count(), " s, ", grown, " bytes more in memory");
  CHECK(rows.rows() == identifiers);
  CHECK(grown < 50'000'000);
  CHECK(seconds.count() < 1);
  trm_test::check_error([&] { row(rows, identifiers); }, "puzzle identifier 1190000: the table has rows 0 to 1190000");
}
