// SPDX-License-Identifier: MIT
#include "trm/data/arc/virtual_dataset.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "small_sources.hpp"
#include "support/corruption.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/materialize.hpp"
#include "trm/data/numpy_random.hpp"

using namespace trm::arc;
using trm_test::check_error;
using trm_test::temporary_folder;

TEST_CASE("a row straight from its source is the encoded augmentation of it") {
  trm::numpy_random random(4);
  for (int trial = 0; trial < 400; ++trial) {
    grid g(static_cast<int>(random.randint(1, 9)), static_cast<int>(random.randint(1, 9)));
    for (auto& cell : g.cells()) cell = static_cast<std::uint8_t>(random.randint(0, 10));
    augmentation how{.transform = trial % 8};
    random.shuffle(how.colours);
    const grid image = how.apply(g);
    CHECK(turned_sides(g.rows(), g.columns(), how.transform) == std::pair(image.rows(), image.columns()));
    const int top = static_cast<int>(random.randint(0, 9 - image.rows()));
    const int left = static_cast<int>(random.randint(0, 9 - image.columns()));
    std::vector<std::int32_t> encoded(64), written(64);
    encode<std::int32_t>(image, 8, std::min(top, 8 - image.rows()), std::min(left, 8 - image.columns()), encoded);
    write_canvas(g, how.transform, tokens_of<std::int32_t>(how.colours), 8, std::min(top, 8 - image.rows()),
                 std::min(left, 8 - image.columns()), written.data());
    CHECK(encoded == written);
    CHECK(detail::unpack(detail::pack(how)) == how);
    CHECK(detail::is_packed_augmentation(detail::pack(how)));
  }
  CHECK_FALSE(detail::is_packed_augmentation(0));
  CHECK_FALSE(detail::is_packed_augmentation(detail::pack({}) | std::uint64_t{1} << 43));
}

TEST_CASE("whatever the bytes of a virtual file, it is opened and read or refused in one line") {
  const temporary_folder folder;
  build_options options = trm_test::small_sources(folder);
  options.virtual_form = true;
  options.augmentations = 0;
  build(options);
  const auto file = trm::virtual_file_path(options.output / "test", "all");
  const std::string valid = trm_test::get(file);
  std::vector<std::int32_t> inputs(25), labels(25);
  const auto counts = trm_test::corrupt(
      valid,
      [&](const std::string& bytes) {
        trm_test::put(file, bytes);
        const trm::dataset d = trm::dataset::open(options.output, "test");
        for (std::int64_t row = 0; row < d.sources()[0].rows(); ++row) {
          d.sources()[0].read(row, inputs.data(), labels.data());
        }
      },
      200);
  CHECK(counts.refused > 5000);  // the digest sees all but changes of names that nothing reads
}

TEST_CASE("what a right digest does not show is checked, each with its tensor") {
  const temporary_folder folder;
  trm::dataset_metadata m;
  m.ignore_label_id = 0;
  m.vocab_size = vocabulary;
  m.seq_len = 16;
  m.num_puzzle_identifiers = 3;
  struct content {
    std::vector<std::uint8_t> cells{1, 2, 3}, sides{1, 2, 1, 1}, places{0, 0, 1, 2};
    std::vector<std::int64_t> group_examples{0, 1}, group_indices{0, 2};
    std::vector<std::uint64_t> augmentations{detail::pack({}), detail::pack({.transform = 1})};
    std::vector<std::int32_t> identifiers{1, 2};
    int canvas = 4, version = 1;
    std::string kind = "arc";
  };
  const auto open = [&](const std::function<void(content&)>& change) {
    content c;
    change(c);
    const auto count = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
    trm::virtual_file_writer out(c.kind, c.version);
    out.number("canvas", c.canvas);
    out.add<std::uint8_t>("cells", {count(c.cells)}, c.cells);
    out.add<std::uint8_t>("sides", {count(c.sides) / 4, 4}, c.sides);
    out.add<std::uint8_t>("places", {count(c.places) / 2, 2}, c.places);
    out.add<std::int64_t>("group_examples", {count(c.group_examples)}, c.group_examples);
    out.add<std::int64_t>("group_indices", {count(c.group_indices)}, c.group_indices);
    out.add<std::uint64_t>("augmentations", {count(c.augmentations)}, c.augmentations);
    out.add<std::int32_t>("puzzle_identifiers", {count(c.identifiers)}, c.identifiers);
    out.save(trm::virtual_file_path(folder.path(), "all"));
    trm::open_virtual_set(folder.path(), "all", m);
  };
  CHECK_NOTHROW(open([](content&) {}));
  const auto refused = [&](const char* words, const std::function<void(content&)>& change) {
    check_error([&] { open(change); }, words);
  };
  refused("rows of the kind \"maze\"", [](content& c) { c.kind = "maze"; });
  refused("version 2 of its kind", [](content& c) { c.version = 2; });
  refused("a canvas of 5, seq_len of dataset.json is 16", [](content& c) { c.canvas = 5; });
  refused("\"canvas\" is \"31\"", [](content& c) { c.canvas = 31; });
  refused("cells: element 1: no colour", [](content& c) { c.cells[1] = 10; });
  refused("cells: 1 cells belong to no example", [](content& c) { c.cells.push_back(0); });
  refused("sides: element 2: beyond the end of the cells", [](content& c) { c.cells.pop_back(); });
  refused("sides: element 0: 0 x 2 cells", [](content& c) { c.sides[0] = 0; });
  refused("sides: element 2: 1 x 5 cells", [](content& c) { c.sides[3] = 5; });
  refused("group_examples: expected to begin with 0", [](content& c) { c.group_examples[0] = 1; });
  refused("group_examples: ends at 2", [](content& c) { c.group_examples[1] = 2; });
  refused("group_indices: ends at 3", [](content& c) { c.group_indices[1] = 3; });
  refused("group_examples: another number", [](content& c) { c.group_indices = {0, 1, 2}; });
  refused("augmentations: element 1: no symmetry", [](content& c) { c.augmentations[1] = 5; });
  refused("puzzle_identifiers: puzzle 1 has identifier 3", [](content& c) { c.identifiers[1] = 3; });
  refused("puzzle_identifiers: ends at 1", [](content& c) { c.identifiers.pop_back(); });
  refused("places: fewer rows", [](content& c) { c.places.resize(2); });
  refused("places: ends at 3, but there are 2 rows", [](content& c) { c.places.resize(6); });
  refused("places: element 1: the grids leave the canvas", [](content& c) { c.places[2] = 3; });
  refused("places: element 0: the grids leave the canvas", [](content& c) { c.places[1] = 3; });
}

TEST_CASE("materialize writes the arrays of the builder; nothing where there is no room or nothing virtual") {
  const temporary_folder folder;
  build_options options = trm_test::small_sources(folder);
  build(options);
  options.virtual_form = true;
  options.output = folder / "virtual";
  build(options);
  const auto made = folder / "made";
  trm::materialize_options how;
  how.available_space = 1000;
  check_error([&] { trm::materialize(folder / "virtual", made, how); }, "1000 are free: make room");
  CHECK_FALSE(std::filesystem::exists(made));
  check_error([&] { trm::materialize(folder / "files", made); }, "has no set in virtual form");
  check_error([&] { trm::materialize(folder.path() / "files" / "train", made); }, "no dataset");
  std::int64_t last = 0, of = -1;
  how = {};
  how.progress = [&](std::int64_t done, std::int64_t total) { last = done, of = total; };
  trm::materialize(folder / "virtual", made, how);
  CHECK(last == of);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "files")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const auto name = std::filesystem::relative(entry.path(), folder / "files");
    CHECK(trm_test::get(made / name.string()) == trm_test::get(entry.path()));
  }
  CHECK(files == 15);
}
