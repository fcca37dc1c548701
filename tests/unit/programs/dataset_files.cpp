// SPDX-License-Identifier: MIT
#include "../../../examples/program/dataset_files.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

namespace {

using program::dataset_facts;
using program::paths;
using trm_test::put;
using trm_test::temporary_folder;

paths dataset(const temporary_folder& folder, const std::string& name) {
  std::filesystem::create_directories(folder / name / "train");
  std::filesystem::create_directories(folder / name / "test");
  put(folder / (name + "/train/dataset.json"), "{}");
  put(folder / (name + "/train/all__inputs.npy"), "abc");
  put(folder / (name + "/train/.hidden"), "x");
  put(folder / (name + "/test/dataset.json"), "other");
  return {folder / name};
}
dataset_facts facts(const paths& data, const trm::json& options = trm::json::object()) {
  return program::hash_dataset(program::dataset_files(data, "train"), data, "train", options);
}

TEST_CASE("the files of a split, with the bytes and digest of each") {
  const temporary_folder folder;
  const trm::json j = facts(dataset(folder, "d"), {{"augmentations", 3}}).to_json();
  REQUIRE(j.at("files").size() == 2);
  CHECK(j.at("files")[0] == trm::json{{"name", "train/all__inputs.npy"},
                                      {"bytes", 3},
                                      {"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}});
  CHECK(j.at("files")[1].at("name") == "train/dataset.json");
  CHECK(j.at("split") == "train");
  CHECK(j.at("options") == trm::json{{"augmentations", 3}});
  CHECK(j.at("fingerprint").get<std::string>().size() == 64);
}

TEST_CASE("the fingerprint tells another content, name or option, not another place") {
  const temporary_folder folder;
  const paths d = dataset(folder, "d"), moved = dataset(folder, "elsewhere");
  const std::string before = facts(d).fingerprint();
  CHECK(facts(moved).fingerprint() == before);
  CHECK(facts({folder / "d/../d/"}).fingerprint() == before);
  CHECK(facts(d, {{"augmentations", 3}}).fingerprint() != before);
  CHECK(facts({d[0], moved[0]}).fingerprint() != before);
  put(folder / "elsewhere/train/all__inputs.npy", "abd");
  CHECK(facts(moved).fingerprint() != before);
  CHECK(facts({d[0], moved[0]}).fingerprint() != facts({moved[0], d[0]}).fingerprint());
  put(folder / "d/test/dataset.json", "changed");
  CHECK(facts(d).fingerprint() == before);
  std::filesystem::rename(folder / "d/train/all__inputs.npy", folder / "d/train/all__labels.npy");
  CHECK(facts(d).fingerprint() != before);
}

TEST_CASE("a table is one file, by its own name") {
  const temporary_folder folder;
  put(folder / "train.csv", "q,a\n");
  const auto as_file = program::hash_dataset({folder / "train.csv"}, {folder / "train.csv"}, "train", {});
  const auto in_folder = program::hash_dataset({folder / "train.csv"}, {folder.path()}, "train", {});
  REQUIRE(as_file.files.size() == 1);
  CHECK(as_file.files[0].name == "train.csv");
  CHECK(as_file.fingerprint() == in_folder.fingerprint());
}

TEST_CASE("what is not there is named") {
  const temporary_folder folder;
  trm_test::check_error([&] { program::dataset_files({folder.path()}, "train"); },
                        "train: cannot list the files: No such file or directory");
  trm_test::check_error([&] { program::hash_dataset({folder / "x.csv"}, {folder.path()}, "train", {}); },
                        "x.csv: cannot open");
}

}  // namespace
