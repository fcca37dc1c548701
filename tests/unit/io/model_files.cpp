// SPDX-License-Identifier: MIT
#include "trm/io/model_files.hpp"

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

namespace {

using trm::model_files;
using trm_test::check_error;
using trm_test::put;

constexpr const char* embedding = "model.inner.embed_tokens.embedding_weight";
const std::vector<float> numbers{1, 2, 3, 4, 5, 6};

struct content {
  bool weights = true, table = false;
  std::string prefix = "model.inner.";
  std::map<std::string, std::string> metadata = {};
};
void save(const std::filesystem::path& path, const content& c) {
  trm::safetensors_writer w;
  if (c.weights) w.add(c.prefix + "embed_tokens.embedding_weight", {3, 2}, std::span<const float>(numbers));
  if (c.table) w.add(c.prefix + "puzzle_emb.weights", {2, 3}, std::span<const float>(numbers));
  for (const auto& [key, value] : c.metadata) w.metadata(key, value);
  w.save(path);
}
/// A checkpoint of these files, with its manifest.
std::filesystem::path save_checkpoint(const trm_test::temporary_folder& folder, const std::string& name,
                                      const trm::json& more = trm::json::object()) {
  const auto path = folder / name;
  std::filesystem::create_directory(path);
  save(path / "weights.safetensors", {.metadata = {{"preset", "small"}, {"step", "7"}}});
  save(path / "puzzle_table.safetensors", {.weights = false, .table = true});
  trm::json manifest{{"format", trm::checkpoint_format}, {"step", 7}};
  for (const char* file : {"weights.safetensors", "puzzle_table.safetensors"}) {
    manifest["files"][file] = {{"bytes", std::filesystem::file_size(path / file)},
                               {"sha256", trm::sha256_of_file(path / file)}};
  }
  manifest.update(more);
  put(path / "checkpoint.json", manifest.dump());
  return path;
}
void flip_last_bit(const std::filesystem::path& path) {
  std::string bytes = trm_test::get(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  put(path, bytes);
}

TEST_CASE("one file, with or without its table, under any name and prefix") {
  const trm_test::temporary_folder folder;
  save(folder / "m.pt", {.table = true, .prefix = "_orig_mod.model.inner.", .metadata = {{"preset", "small"}}});
  const auto both = model_files::open(folder / "m.pt");
  CHECK(both.weights().read<float>(embedding, {3, 2}) == numbers);
  CHECK(both.table().get() == &both.weights());
  CHECK(both.about().at("preset") == "small");
  CHECK(both.path() == folder / "m.pt");
  save(folder / "dense", {.prefix = ""});
  const auto dense = model_files::open(folder / "dense");
  CHECK(dense.weights().contains(embedding));
  CHECK(dense.table() == nullptr);
  dense.verify_table();
}

TEST_CASE("a checkpoint: weights, table, what the manifest says") {
  const trm_test::temporary_folder folder;
  const auto path = save_checkpoint(folder, "step_7", {{"config", {{"tokens", 6}}}, {"arithmetic", "float32"}});
  const auto files = model_files::open(path);
  CHECK(files.weights().contains(embedding));
  CHECK(files.table()->read<float>(trm::published_puzzle_table, {2, 3}) == numbers);
  files.verify_table();
  CHECK(files.about().at("preset") == "small");
  CHECK(files.about().at("step") == "7");
  CHECK(files.about().at("config") == R"({"tokens":6})");
  CHECK(files.about().at("arithmetic") == "float32");
  CHECK(files.about().count("files") == 0);
}

TEST_CASE("a checkpoint that is damaged is named by the file") {
  const trm_test::temporary_folder folder;
  const auto weights = save_checkpoint(folder, "weights");
  flip_last_bit(weights / "weights.safetensors");
  check_error([&] { model_files::open(weights); },
              (weights / "weights.safetensors").string() + ": damaged checkpoint: its SHA-256");
  CHECK(model_files::open(weights, model_files::verify::sizes).weights().contains(embedding));

  const auto table = save_checkpoint(folder, "table");
  flip_last_bit(table / "puzzle_table.safetensors");
  const auto files = model_files::open(table);
  check_error([&] { files.verify_table(); },
              (table / "puzzle_table.safetensors").string() + ": damaged checkpoint: its SHA-256");

  const auto torn = save_checkpoint(folder, "torn");
  std::filesystem::resize_file(torn / "puzzle_table.safetensors", 100);
  check_error([&] { model_files::open(torn); }, "puzzle_table.safetensors: damaged checkpoint: has 100 bytes");
  std::filesystem::remove(torn / "checkpoint.json");
  check_error([&] { model_files::open(torn); }, torn.string() + ": damaged checkpoint: it has no checkpoint.json");
  const auto other = save_checkpoint(folder, "other", {{"files", trm::json::object()}});
  check_error([&] { model_files::open(other); }, "\"weights.safetensors\" is missing");
}

TEST_CASE("a Hugging Face folder: its table inside or beside, what config.json says") {
  const trm_test::temporary_folder folder;
  const auto hub = folder / "hub";
  std::filesystem::create_directory(hub);
  save(hub / "model.safetensors", {.metadata = {{"config", R"({"tokens": 6})"}}});
  CHECK(model_files::open(hub).table() == nullptr);
  save(hub / "puzzle_table.safetensors", {.weights = false, .table = true});
  put(hub / "config.json", R"({"model_type": "trm", "config": {"tokens": 6}, "preset": "small", "step": 3})");
  const auto files = model_files::open(hub);
  CHECK(files.table()->contains(trm::published_puzzle_table));
  CHECK(files.about().at("preset") == "small");
  CHECK(files.about().at("step") == "3");
  put(hub / "config.json", R"({"config": {"tokens": 5}})");
  check_error([&] { model_files::open(hub); },
              "model.safetensors: metadata config: is another one than that of the JSON file beside it");
  put(hub / "config.json", "[1]");
  check_error([&] { model_files::open(hub); }, "config.json: /: expected an object");
  std::filesystem::remove(hub / "config.json");
  save(hub / "model.safetensors", {.table = true});
  check_error([&] { model_files::open(hub); }, "the weights have a puzzle table of their own");
}

TEST_CASE("what torch.save made: the model within a checkpoint, whatever the file is called") {
  const trm_test::temporary_folder folder;
  const auto fixtures = std::filesystem::path(__FILE__).parent_path() / "fixtures";
  std::filesystem::copy(fixtures / "checkpoint.pt", folder / "model.safetensors");
  const auto files = model_files::open(folder / "model.safetensors");
  CHECK(files.weights().read<float>("model.inner.lm_head.weight", {3, 2}) == std::vector<float>(6, 1));
  CHECK(files.weights().contains(embedding));
  CHECK(files.weights().contains("optimizer.state.0.exp_avg"));
  CHECK(files.table().get() == &files.weights());
  CHECK(files.table()->read<float>(trm::published_puzzle_table, {4, 2}) == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(files.about().empty());
  check_error([&] { model_files::open(fixtures / "legacy.pt"); }, "saved in the form before torch 1.6");
  put(folder / "pointer.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  check_error([&] { model_files::open(folder / "pointer.pt"); }, "a pointer of Git LFS and not the file itself");
  put(folder / "empty", "");
  check_error([&] { model_files::open(folder / "empty"); }, "empty: neither safetensors nor of torch.save");
}

TEST_CASE("what is no model is refused with what was probably meant") {
  const trm_test::temporary_folder folder;
  check_error([&] { model_files::open(folder / "absent"); }, "absent: cannot open: No such file or directory");
  check_error([&] { model_files::open(folder.path()); },
              folder.path().string() + ": neither a checkpoint (checkpoint.json) nor a Hugging Face folder");
  std::filesystem::create_directory(folder / "checkpoints");
  check_error([&] { model_files::open(folder.path()); },
              "a run and not a checkpoint: give " + (folder / "checkpoints").string() + "/step_N");
  std::filesystem::create_directory(folder / "parts");
  put(folder / "parts" / "model.safetensors.index.json", "{}");
  check_error([&] { model_files::open(folder / "parts"); }, "its weights are in several files");
}

}  // namespace
