// SPDX-License-Identifier: MIT
#include "trm/data/dataset.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "support/python.hpp"
#include "support/temporary_folder.hpp"
#include "trm/data/dataset_writer.hpp"

namespace {

using trm::dataset;
using trm::dataset_metadata;
using trm::dataset_writer;
using trm_test::temporary_folder;
using tokens = std::vector<std::int32_t>;

static_assert(trm::example_source<trm::dataset_set>);

/// Two groups: puzzles of identifiers {1, 2} with 2 and 1 examples; {3} with 3. Example k has inputs k % 5, labels (k
/// + 1) % 5.
void write_small(const std::filesystem::path& path, dataset_metadata m, const std::string& split = "train") {
  dataset_writer w(path, split, std::move(m));
  std::int32_t k = 0;
  const auto examples = [&](int n) {
    for (int i = 0; i < n; ++i, ++k) w.add(tokens(3, k % 5), tokens(3, (k + 1) % 5));
  };
  examples(2);
  w.end_puzzle(1);
  examples(1);
  w.end_puzzle(2);
  w.end_group();
  examples(3);
  w.end_puzzle(3);
  w.end_group();
  w.commit();
}
dataset_metadata small() {
  dataset_metadata m;
  m.ignore_label_id = 0;
  m.vocab_size = 5;
  m.seq_len = 3;
  m.num_puzzle_identifiers = 4;
  return m;
}
std::string opening(const std::filesystem::path& path) {
  try {
    dataset::open(path, "train");
    return "opened";
  } catch (const trm::error& e) {
    const std::string what = e.what(), place = (path / "train").string() + "/";
    return what.substr(0, place.size()) == place ? what.substr(place.size()) : what;
  }
}

TEST_CASE("what is written is read, labels that do not count become ignored_label") {
  const temporary_folder folder;
  write_small(folder.path(), small());
  const dataset d = dataset::open(folder.path(), "train");
  const dataset_metadata& m = d.metadata();
  CHECK(m.sets == std::vector<std::string>{"all"});
  CHECK(m.total_groups == 2);
  CHECK(m.total_puzzles == 3);
  CHECK(m.mean_puzzle_examples == 2.0);
  REQUIRE(d.sources().size() == 1);
  const trm::dataset_set& s = d.sources()[0];
  CHECK(s.name() == "all");
  CHECK(s.rows() == 6);
  CHECK(s.puzzles() == 3);
  CHECK(s.groups() == 2);
  CHECK((s.puzzles_of(0).first == 0 && s.puzzles_of(0).last == 2 && s.puzzles_of(1).last == 3));
  CHECK((s.rows_of(0).last == 2 && s.rows_of(1).first == 2 && s.rows_of(2).size() == 3));
  CHECK(s.puzzle_identifier(2) == 3);
  tokens inputs(3), labels(3);
  s.read(2, inputs.data(), labels.data());
  CHECK(inputs == tokens(3, 2));
  CHECK(labels == tokens(3, 3));
  s.read(4, inputs.data(), labels.data());
  CHECK(labels == tokens(3, trm::ignored_label));
  CHECK_THROWS_AS(s.read(6, inputs.data(), labels.data()), trm::error);
}

TEST_CASE("ignored labels are stored as ignore_label_id, and refused where there is none") {
  const temporary_folder folder;
  dataset_metadata m = small();
  m.ignore_label_id = -100;  // does not fit in uint8
  dataset_writer w(folder.path(), "train", m);
  w.add(tokens{0, 1, 2}, tokens{trm::ignored_label, 0, 4});
  w.end_puzzle(0);
  w.end_group();
  w.commit();
  const dataset d = dataset::open(folder.path(), "train");
  tokens inputs(3), labels(3);
  d.sources()[0].read(0, inputs.data(), labels.data());
  CHECK(labels == tokens{-100, 0, 4});
  CHECK(trm::npy_file::open(folder / "train/all__labels.npy").type() == trm::element_type::i32);

  m.ignore_label_id.reset();
  dataset_writer none(folder.path(), "other", m);
  CHECK_THROWS_AS(none.add(tokens{0, 1, 2}, tokens{trm::ignored_label, 0, 4}), trm::error);
  none.add(tokens{0, 1, 2}, tokens{0, 0, 4});
  none.end_puzzle(0);
  none.end_group();
  none.commit();
  CHECK(!dataset::open(folder.path(), "other").metadata().ignore_label_id);
}

TEST_CASE("any integer type is read; floating point is refused") {
  const temporary_folder folder;
  write_small(folder.path(), small());
  const auto file = folder / "train/all__inputs.npy";
  const std::vector<std::int64_t> wide(18, 4);
  trm::save_npy(file, {6, 3}, std::span<const std::int64_t>(wide));
  tokens inputs(3), labels(3);
  dataset::open(folder.path(), "train").sources()[0].read(5, inputs.data(), labels.data());
  CHECK(inputs == tokens(3, 4));
  const std::vector<float> real(18);
  trm::save_npy(file, {6, 3}, std::span<const float>(real));
  CHECK(opening(folder.path()) == "all__inputs.npy: expected integers, found float32");
}

TEST_CASE("a token outside the vocabulary is an error with file, row and position") {
  const temporary_folder folder;
  write_small(folder.path(), small());
  std::vector<std::int16_t> bad(18, 1);
  bad[7] = 5;
  const auto message = [&](const char* name) {
    trm::save_npy(folder / name, {6, 3}, std::span<const std::int16_t>(bad));
    const dataset d = dataset::open(folder.path(), "train");
    tokens inputs(3), labels(3);
    d.sources()[0].read(1, inputs.data(), labels.data());
    try {
      d.sources()[0].read(2, inputs.data(), labels.data());
      return std::string("read");
    } catch (const trm::error& e) {
      return std::string(e.what());
    }
  };
  CHECK(message("train/all__labels.npy") ==
        (folder / "train/all__labels.npy").string() + ": row 2, position 1: token 5 outside the vocabulary of 5");
  bad[7] = -1;
  CHECK(message("train/all__inputs.npy") ==
        (folder / "train/all__inputs.npy").string() + ": row 2, position 1: token -1 outside the vocabulary of 5");
}

TEST_CASE("dataset.json: what is missing, wrong or impossible") {
  const temporary_folder folder;
  write_small(folder.path(), small());
  const trm::json good = trm::read_json(folder / "train/dataset.json");
  const auto with = [&](const char* key, const trm::json& value) {
    trm::json changed = good;
    changed[key] = value;
    trm_test::put(folder / "train/dataset.json", changed.dump());
    return opening(folder.path());
  };
  CHECK(with("seq_len", 3) == "opened");
  CHECK(with("note", "keys that are not the format's are passed over") == "opened");
  CHECK(with("mean_puzzle_examples", 2) == "opened");
  CHECK(with("total_puzzles", 2) == "opened");  // the published Sudoku builder counts groups
  CHECK(with("seq_len", "abc") == "dataset.json: /seq_len: expected an integer in 1..2147483647, found \"abc\"");
  CHECK(with("seq_len", 0) == "dataset.json: /seq_len: expected an integer in 1..2147483647, found 0");
  CHECK(with("seq_len", 4) == "all__inputs.npy: expected rows of seq_len 4 tokens");
  CHECK(with("pad_id", 5) == "dataset.json: /pad_id: expected an integer in 0..4, found 5");
  CHECK(with("blank_identifier_id", 4) == "dataset.json: /blank_identifier_id: expected an integer in 0..3, found 4");
  CHECK(with("ignore_label_id", 0.5) ==
        "dataset.json: /ignore_label_id: expected an integer in -2147483648..2147483647, found 0.5");
  CHECK(with("num_puzzle_identifiers", 3) ==
        "all__puzzle_identifiers.npy: puzzle 2 has identifier 3, dataset.json says there are 3");
  CHECK(with("total_groups", 3) == "dataset.json: total_groups is 3, the sets hold 2");
  CHECK(with("mean_puzzle_examples", -1).find("dataset.json: /mean_puzzle_examples: expected a number in 0.0..") == 0);
  CHECK(with("sets", trm::json::array()) == "dataset.json: /sets: expected the names of the sets, found []");
  CHECK(with("sets", {"all", "all"}) == "dataset.json: /sets: \"all\" occurs twice");
  CHECK(with("sets", {"../all"}) == "dataset.json: /sets/0: expected the name of a set, found \"../all\"");
  CHECK(with("sets", {"a\nb"}) == "dataset.json: /sets/0: expected the name of a set, found \"a\\nb\"");
  CHECK(with("sets", {std::string(1000, 'x')}).size() < 200);
  CHECK(with("sets", {"other"}) == "other__inputs.npy: cannot open: No such file or directory");
  trm::json missing = good;
  missing.erase("ignore_label_id");
  trm_test::put(folder / "train/dataset.json", missing.dump());
  CHECK(opening(folder.path()) == "dataset.json: /: \"ignore_label_id\" is missing");
  CHECK(opening(folder / "absent") == "dataset.json: cannot open: No such file or directory");
  CHECK_THROWS_AS(dataset::open(std::vector<std::filesystem::path>{}, "train"), trm::error);
}

TEST_CASE("indices that do not describe the data are refused") {
  const temporary_folder folder;
  write_small(folder.path(), small());
  const auto with = [&](const char* field, const tokens& values) {
    const auto file = folder / ("train/all__" + std::string(field) + ".npy");
    const std::string before = trm_test::get(file);
    trm::save_npy(file, {static_cast<std::int64_t>(values.size())}, std::span<const std::int32_t>(values));
    const std::string message = opening(folder.path());
    trm_test::put(file, before);
    return message;
  };
  CHECK(with("puzzle_indices", {0, 2, 3, 6}) == "opened");
  CHECK(with("puzzle_indices", {0, 2, 2, 6}) == "opened");  // a puzzle without examples gives nothing
  CHECK(with("puzzle_indices", {1, 2, 3, 6}) == "all__puzzle_indices.npy: expected to begin with 0");
  CHECK(with("puzzle_indices", {}) == "all__puzzle_indices.npy: expected to begin with 0");
  CHECK(with("puzzle_indices", {0, 3, 2, 6}) == "all__puzzle_indices.npy: element 2 is 2 after 3");
  CHECK(with("puzzle_indices", {0, 2, 3, 7}) == "all__puzzle_indices.npy: ends at 7, but there are 6 rows");
  CHECK(with("puzzle_indices", {0, 2, 6}) == "all__group_indices.npy: ends at 3, but there are 2 puzzles");
  CHECK(with("group_indices", {0, 2, 2, 3}) ==
        "all__group_indices.npy: element 2 is 2 after 2: a group without puzzles");
  CHECK(with("group_indices", {0, 3}) == "dataset.json: total_groups is 2, the sets hold 1");
  CHECK(with("puzzle_identifiers", {1, 2}) == "all__puzzle_identifiers.npy: ends at 2, but there are 3 puzzles");
  CHECK(with("puzzle_identifiers", {1, 2, -1}) ==
        "all__puzzle_identifiers.npy: puzzle 2 has identifier -1, dataset.json says there are 4");
  const tokens five_rows(15);
  trm::save_npy(folder / "train/all__labels.npy", {5, 3}, std::span<const std::int32_t>(five_rows));
  CHECK(opening(folder.path()) == "all__labels.npy: ends at 5, but there are 6 rows of inputs");
}

TEST_CASE(
    "several sets and several paths: sets in turn, within them paths; counts are merged, identifiers are not shifted") {
  const temporary_folder folder;
  const auto write = [&](const std::string& name, int examples) {
    dataset_writer w(folder / name, "train", small(), "first");
    for (int i = 0; i < examples; ++i) w.add(tokens(3, 1), tokens(3, 1));
    w.end_puzzle(2);
    w.end_group();
    w.begin_set("second");
    w.add(tokens(3, 2), tokens(3, 2));
    w.end_puzzle(3);
    w.end_group();
    w.commit();
  };
  write("a", 1);
  write("b", 5);
  const dataset d = dataset::open({folder / "a", folder / "b"}, "train");
  REQUIRE(d.sources().size() == 4);
  CHECK((d.sources()[0].name() == "first" && d.sources()[0].rows() == 1));
  CHECK((d.sources()[1].name() == "first" && d.sources()[1].rows() == 5));
  CHECK((d.sources()[2].name() == "second" && d.sources()[3].name() == "second"));
  CHECK(d.sources()[1].puzzle_identifier(0) == 2);
  CHECK(d.metadata().num_puzzle_identifiers == 4);
  CHECK(d.metadata().total_groups == 4);
  CHECK(d.metadata().total_puzzles == 4);
  CHECK(d.metadata().mean_puzzle_examples == 2.0);  // (1 * 2 + 3 * 2) / 4

  const std::vector<std::pair<const char*, std::function<void(dataset_metadata&)>>> changes{
      {"seq_len", [](auto& m) { m.seq_len = 4; }},
      {"vocab_size", [](auto& m) { m.vocab_size = 6; }},
      {"pad_id", [](auto& m) { m.pad_id = 1; }},
      {"ignore_label_id", [](auto& m) { m.ignore_label_id.reset(); }},
      {"blank_identifier_id", [](auto& m) { m.blank_identifier_id = 1; }},
      {"num_puzzle_identifiers", [](auto& m) { m.num_puzzle_identifiers = 5; }}};
  for (const auto& [key, change] : changes) {
    dataset_metadata m = small();
    change(m);
    dataset_writer(folder / "c", "train", m, "first").commit();
    const std::string expected =
        (folder / "c/train/dataset.json").string() + ": \"" + key + "\" differs from the first data path's";
    CHECK_THROWS_WITH_AS(dataset::open({folder / "a", folder / "c"}, "train"), expected.c_str(), trm::error);
  }
  dataset_writer(folder / "c", "train", small(), "other").commit();
  CHECK_THROWS_AS(dataset::open({folder / "a", folder / "c"}, "train"), trm::error);
}

TEST_CASE("the writer refuses what the reader would, and puts nothing in place before it is complete") {
  const temporary_folder folder;
  dataset_writer w(folder.path(), "train", small());
  CHECK_THROWS_AS(w.add(tokens(2), tokens(3)), trm::error);
  CHECK_THROWS_AS(w.add(tokens(3), tokens(4)), trm::error);
  CHECK_THROWS_AS(w.add(tokens(3, 5), tokens(3)), trm::error);
  CHECK_THROWS_AS(w.add(tokens(3), tokens(3, -1)), trm::error);
  CHECK_THROWS_AS(w.end_puzzle(1), trm::error);
  CHECK_THROWS_AS(w.end_group(), trm::error);
  w.add(tokens(3), tokens(3));
  CHECK_THROWS_AS(w.commit(), trm::error);
  CHECK_THROWS_AS(w.end_puzzle(4), trm::error);
  w.end_puzzle(0);
  CHECK_THROWS_AS(w.commit(), trm::error);
  w.end_group();
  CHECK_THROWS_AS(w.begin_set("a/b"), trm::error);
  CHECK_THROWS_AS(w.begin_set("all"), trm::error);
  w.begin_set("more");
  CHECK(!std::filesystem::exists(folder / "train/all__inputs.npy"));
  w.commit();
  CHECK_THROWS_AS(w.commit(), trm::error);
  CHECK_THROWS_AS(w.add(tokens(3), tokens(3)), trm::error);
  CHECK(dataset::open(folder.path(), "train").sources()[1].rows() == 0);
  trm_test::put(folder / "file", "");
  CHECK_THROWS_AS(dataset_writer(folder / "file", "train", small()), trm::error);
  dataset_metadata m = small();
  m.pad_id = 5;
  CHECK_THROWS_AS(dataset_writer(folder.path(), "train", m), trm::error);
}

TEST_CASE("a dataset written over another replaces it; one that is not committed leaves it as it was") {
  const temporary_folder folder;
  write_small(folder.path(), small());
  {
    dataset_writer w(folder.path(), "train", small());
    w.add(tokens(3), tokens(3));
  }
  CHECK(dataset::open(folder.path(), "train").sources()[0].rows() == 6);
  dataset_writer w(folder.path(), "train", small());
  w.add(tokens(3), tokens(3));
  w.end_puzzle(0);
  w.end_group();
  w.commit();
  CHECK(dataset::open(folder.path(), "train").sources()[0].rows() == 1);
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "train"), {}) == 6);
}

TEST_CASE("the published total number of steps") {
  dataset_metadata m;
  m.total_groups = 960;
  m.mean_puzzle_examples = 3.1415;
  CHECK(trm::training_steps(100000, m, 768) == 392687);  // int(100000 * 960 * 3.1415 / 768) in Python
  m.total_groups = 1000;
  m.mean_puzzle_examples = 1;
  CHECK(trm::training_steps(50000, m, 384) == 130208);
  CHECK(trm::training_steps(0, m, 384) == 0);
  CHECK_THROWS_AS(trm::training_steps(1, m, 0), trm::error);
  CHECK_THROWS_AS(trm::training_steps(std::int64_t{1} << 62, m, 1), trm::error);
}

TEST_CASE("Python's reader sees the written dataset") {
  if (!trm_test::python_has("numpy")) return;
  const temporary_folder folder;
  write_small(folder.path(), small());
  CHECK(trm_test::run_python(folder.path(), R"(
import json, numpy as np
m = json.load(open('train/dataset.json'))
assert m == {'pad_id': 0, 'ignore_label_id': 0, 'blank_identifier_id': 0, 'vocab_size': 5, 'seq_len': 3, 'num_puzzle_identifiers': 4,
             'total_groups': 2, 'mean_puzzle_examples': 2.0, 'total_puzzles': 3, 'sets': ['all']}
load = lambda f: np.load(f'train/all__{f}.npy')
assert load('inputs').dtype == np.uint8 and load('inputs').tolist() == [[k % 5] * 3 for k in range(6)]
assert load('labels').tolist() == [[(k + 1) % 5] * 3 for k in range(6)]
assert load('puzzle_indices').dtype == np.int32 and load('puzzle_indices').tolist() == [0, 2, 3, 6]
assert load('group_indices').tolist() == [0, 2, 3] and load('puzzle_identifiers').tolist() == [1, 2, 3]
)"));
}

}  // namespace
