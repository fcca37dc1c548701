// SPDX-License-Identifier: MIT
#include "trm/data/sudoku/builder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/core/sha256.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/sudoku/text.hpp"
#include "trm/io/npy.hpp"

using namespace trm::sudoku;
using trm_test::check_error;
using trm_test::put;
using trm_test::temporary_folder;

namespace {

const char* const train_table =
    "source,q,a,rating\n"
    "trm,...57..4...9....1....139..229..5....5.3.....6..1.....7...8...2..1.9...53...7....4,"
    "132576948769248315854139672296357481573481296481692537347865129618924753925713864,1\n"
    "trm,...3......3....1.9.....78...23.85....1..74..56......9...........4...39....629..73,"
    "862319547437528169195467832723985614918674325654132798379846251241753986586291473,0\n"
    "trm,.4...7...1.2..3.....648...2....9..24.2..4.1....3..58....7...91.....1.5....4......,"
    "845267391172953468396481752751398624928746135463125879287534916639812547514679283,1\n"
    "trm,.8.1..9...71..........9.2..4...2.......8...4....3..1.27.....6.35...48...8..2....5,"
    "285163974971482536364795218453921867127856349698374152742519683539648721816237495,2\n"
    "trm,3......5....3.7.2..78....9...59.......6..13.2....6....7.92......64.751..8........,"
    "342689751591347826678512493435928617986751342127463985719234568264875139853196274,0\n"
    "trm,.......782....3..........1...874......1..9.5...26...3.3..2.41...57.6.3.......1..6,"
    "413596278275183649689427513538742961761839452942615837396274185157968324824351796,0\n"
    "trm,1..........93..1.282......5.......8.......94.48...1..6658.9..7.9..4.......4.3..5.,"
    "176529834549387162823614795391246587762853941485971326658192473937465218214738659,2\n";
const char* const test_table =
    "source,q,a,rating\n"
    "trm,.......7.7...2.9...3..1..5.5....1..6..2..5..46.8..4.2.......4.3..6...8.....95....,"
    "261549378785326941439817652594281736372695184618734529857162493926473815143958267,8\n"
    "trm,.71.6....3..4..7.28....9.436.9....2.....7..98......4...6...7......5...1..3...65..,"
    "471263985395481762826759143659814327214375698783692451562147839947538216138926574,0\n"
    "trm,.62.3..9.9...56..2.3.......2..8.9.6.....72.5.1.......43.............5..64.8...52.,"
    "562438197914756832837921645275849361643172958189563274356284719721395486498617523,5\n";

/// SHA-256 of the tokens as uint8.
std::string digest_of(const std::filesystem::path& file) {
  const auto tokens = trm::npy_file::open(file).read<std::uint8_t>();
  trm::sha256 hash;
  hash.update(std::span<const std::uint8_t>(tokens));
  return trm::to_hex(hash.finish());
}

build_options options_of(const temporary_folder& folder) {
  put(folder / "train.csv", train_table);
  put(folder / "test.csv", test_table);
  return {.source = folder.path(), .output = folder / "built"};
}

}  // namespace

TEST_CASE("the arrays of the published builder after numpy.random.seed(42)") {
  const temporary_folder folder;
  build_options options = options_of(folder);
  options.subsample_size = 4;
  options.min_difficulty = 1;
  options.augmentations = 3;
  options.seed = 42;
  const build_report report = build_dataset(options);
  REQUIRE(report.splits.size() == 2);
  CHECK(report.splits[0].groups == 4);
  CHECK(report.splits[0].puzzles == 16);
  CHECK(report.splits[1].puzzles == 2);
  // Recorded from the published build_sudoku_dataset.py with that seed, NumPy 2.4.6; its train/ tokens as uint8.
  const std::filesystem::path built = options.output;
  CHECK(digest_of(built / "train/all__inputs.npy") ==
        "559f44bacfe1b6c76e8c6cb4d48085043df2301e53eae6fef1e8093f3acbf82f");
  CHECK(digest_of(built / "train/all__labels.npy") ==
        "06922a8a4313283101348755e12cc72a906ad9a50874c44843c2f36442f8b50d");
  CHECK(digest_of(built / "test/all__inputs.npy") ==
        "1f3b3b13cfcb3a43fb3a40392740a489acf932ae223223369e8c7f0c96c334b1");
  CHECK(digest_of(built / "test/all__labels.npy") ==
        "e33e90465ddcd0b32efe56158fc7b74832e8820ec36f9501015869436e3292c7");
  CHECK(trm_test::get(built / "identifiers.json") == "[\"<blank>\"]");
}

TEST_CASE("what is built is a dataset of solved puzzles") {
  const temporary_folder folder;
  build_options options = options_of(folder);
  options.augmentations = 2;
  std::vector<std::string> seen;
  options.progress = [&](const build_progress& p) {
    seen.push_back(p.split + " " + std::to_string(p.done) + " of " + std::to_string(p.total));
  };
  build_dataset(options);
  CHECK(seen == std::vector<std::string>{"train 7 of 7", "test 3 of 3"});
  const trm::dataset data = trm::dataset::open(options.output, "train");
  CHECK(data.metadata().vocab_size == 11);
  CHECK(data.metadata().seq_len == 81);
  CHECK(data.metadata().ignore_label_id == 0);
  CHECK(data.metadata().total_groups == 7);
  CHECK(data.metadata().total_puzzles == 21);
  const auto& set = data.sources()[0];
  CHECK(set.rows() == 21);
  CHECK(set.puzzles_of(1).size() == 3);
  std::vector<std::int32_t> inputs(81), labels(81);
  for (std::int64_t row = 0; row < set.rows(); ++row) {
    set.read(row, inputs.data(), labels.data());
    const board solution = decode(std::span<const std::int32_t>(labels)).cells;
    CHECK(is_solved(solution));
    CHECK(extends(solution, decode(std::span<const std::int32_t>(inputs)).cells));
  }
}

TEST_CASE("the seed decides, and boards of 6 x 6 are built as well") {
  const temporary_folder folder;
  const char* const row = "s,.23456456123214365365214531642642531,123456456123214365365214531642642531,0\n";
  put(folder / "train.csv", std::string("source,q,a,rating\n") + row);
  put(folder / "test.csv", std::string("source,q,a,rating\n") + row);
  const auto built = [&](const std::string& name, std::uint32_t seed) {
    build_dataset({.source = folder.path(), .output = folder / name, .augmentations = 5, .seed = seed});
    return digest_of(folder / name / "train/all__inputs.npy");
  };
  const std::string first = built("a", 1);
  CHECK(built("b", 1) == first);
  CHECK(built("c", 2) != first);
  CHECK(trm::dataset::open(folder / "a", "test").metadata().vocab_size == 8);
}

TEST_CASE("a build that fails leaves nothing behind") {
  const temporary_folder folder;
  build_options options = options_of(folder);
  put(folder / "test.csv", "source,q,a,rating\ns,1..............1,,0\n");
  check_error([&] { build_dataset(options); }, "test.csv: line 2: column \"a\": empty");
  put(folder / "test.csv", "source,q,a,rating\ns,1..............1,1234341221434321,0\n");
  check_error([&] { build_dataset(options); }, "test.csv: its boards have another size");
  options.min_difficulty = 100;
  check_error([&] { build_dataset(options); }, "train.csv: no puzzle with a rating of at least 100");
  options = options_of(folder);
  options.progress = [](const build_progress&) { throw std::runtime_error("stopped"); };
  CHECK_THROWS_WITH(build_dataset(options), "stopped");
  options.augmentations = -1;
  check_error([&] { build_dataset(options); }, "augmentations");
  options = options_of(folder);
  options.subsample_size = 0;
  check_error([&] { build_dataset(options); }, "subsample_size");
  std::filesystem::remove(folder / "test.csv");
  options = {.source = folder.path(), .output = folder / "built"};
  check_error([&] { build_dataset(options); }, "test.csv");
  CHECK(folder.files() == 1);  // train.csv
}
