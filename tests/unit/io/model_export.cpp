// SPDX-License-Identifier: MIT
#include "trm/io/model_export.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/core/bf16.hpp"

namespace {

using trm::model_files;
using trm_test::check_error;

constexpr trm::config c{.tokens = 4, .vocab = 3, .hidden = 2, .heads = 1, .puzzle_positions = 1, .puzzle_width = 2};
const std::vector<float> numbers{1, 2, 3, 4, 5, -0.0f};
const std::vector<std::uint16_t> halves{0x3f80, 0xff80, 0x7fc1, 1};  // 1, -infinity, a NaN, a subnormal: bits are bits

/// A state dict as torch.compile names it, in two types, with a tensor that is no part of the model.
void save(const std::filesystem::path& path, std::map<std::string, std::string> metadata = {}) {
  trm::safetensors_writer w;
  w.add("_orig_mod.model.inner.embed_tokens.embedding_weight", {3, 2}, std::span<const float>(numbers));
  w.add("_orig_mod.model.inner.H_init", trm::element_type::bf16, {4}, std::as_bytes(std::span(halves)));
  w.add("_orig_mod.model.inner.puzzle_emb.weights", {3, 2}, std::span<const float>(numbers));
  w.add("optimizer.step", {6}, std::span<const float>(numbers));
  for (const auto& [key, value] : metadata) w.metadata(key, value);
  w.save(path);
}
std::string bytes_of(const trm::stored_tensor& t) {
  return {reinterpret_cast<const char*>(t.bytes.data()), t.bytes.size()};
}
void check_same_model(const model_files& a, const model_files& b) {
  for (const char* name : {"model.inner.embed_tokens.embedding_weight", "model.inner.H_init"}) {
    CAPTURE(name);
    const trm::stored_tensor &x = a.weights().view(name), &y = b.weights().view(name);
    CHECK(x.type == y.type);
    CHECK(x.shape == y.shape);
    CHECK(bytes_of(x) == bytes_of(y));
  }
}

}  // namespace

TEST_CASE("one file: the model's tensors, bit for bit, and its table") {
  const trm_test::temporary_folder folder;
  save(folder / "in", {{"step", "7"}, {"weights", "ema"}, {"author", "unknown"}});
  const auto files = model_files::open(folder / "in");
  const auto counts = trm::export_safetensors(files, folder / "out", true, {{"preset", "small"}, {"step", "9"}});
  CHECK(counts.tensors == 2);
  CHECK(counts.numbers == 10);
  CHECK(counts.left_out == 1);
  CHECK(counts.rows == 3);
  CHECK(counts.types == std::set<std::string>{"bfloat16", "float32"});
  const auto back = model_files::open(folder / "out");
  check_same_model(back, files);
  CHECK(bytes_of(back.table()->view(trm::published_puzzle_table)) ==
        bytes_of(files.table()->view(trm::published_puzzle_table)));
  CHECK(back.weights().names().size() == 3);
  CHECK(back.about().at("step") == "7");  // what the file says itself
  CHECK(back.about().at("preset") == "small");
  CHECK(back.about().count("author") == 0);
  trm::export_safetensors(back, folder / "again", true);
  CHECK(trm_test::get(folder / "again") == trm_test::get(folder / "out"));
  check_error([&] { trm::export_safetensors(back, folder / "out", true); }, "out: is there already");

  CHECK(trm::export_safetensors(files, folder / "dense", false).rows == 0);
  CHECK(model_files::open(folder / "dense").table() == nullptr);
}

TEST_CASE("a Hugging Face folder: weights, table and configuration, read back") {
  const trm_test::temporary_folder folder;
  save(folder / "in", {{"step", "7"}});
  const auto files = model_files::open(folder / "in");
  const auto hub = folder / "hub";
  std::filesystem::create_directory(hub);
  const std::map<std::string, std::string> known{{"config", trm::to_json(c).dump()}, {"preset", "small"}};
  trm::export_published_weights(files, hub, true, known);
  const trm::json about = trm::export_config(files, c, known);
  trm_test::put(hub / "config.json", about.dump(2));
  CHECK(about.at("model_type") == "trm");
  CHECK(about.at("architectures").at(0) == "TinyRecursiveReasoningModel_ACTV1");
  CHECK(about.at("step") == 7);
  CHECK(about.at("published").at("fields").at("hidden_size") == 2);

  const auto back = model_files::open(hub);
  check_same_model(back, files);
  CHECK(back.table().get() != &back.weights());
  CHECK(bytes_of(back.table()->view(trm::published_puzzle_table)) ==
        bytes_of(files.table()->view(trm::published_puzzle_table)));
  CHECK(trm::parse_json(back.about().at("config"), "config") == trm::to_json(c));
  CHECK(back.about().at("preset") == "small");
  CHECK(back.about().at("step") == "7");
  CHECK(trm::export_config(back, c) == about);

  std::filesystem::remove_all(hub);
  std::filesystem::create_directory(hub);
  trm::export_published_weights(files, hub, false, known);
  CHECK_FALSE(std::filesystem::exists(hub / "puzzle_table.safetensors"));
}

TEST_CASE("a published PyTorch file becomes safetensors with every bit") {
  const auto reference = trm_test::reference_dir();
  if (!trm_test::available(reference, "model/trm_attention_final.pt")) return;
  const trm_test::temporary_folder folder;
  const auto files = model_files::open(*reference / "model/trm_attention_final.pt");
  const auto counts = trm::export_safetensors(files, folder / "out", true);
  CHECK(counts.tensors == 14);
  CHECK(counts.rows == 10);
  const auto back = model_files::open(folder / "out");
  REQUIRE(back.weights().names() == files.weights().names());
  for (const std::string& name : files.weights().names()) {
    CAPTURE(name);
    const trm::stored_tensor &x = files.weights().view(name), &y = back.weights().view(name);
    CHECK(x.type == y.type);
    CHECK(x.shape == y.shape);
    CHECK(bytes_of(x) == bytes_of(y));
  }
}

TEST_CASE("what holds no model is refused") {
  const trm_test::temporary_folder folder;
  trm::safetensors_writer w;
  w.add("something", {6}, std::span<const float>(numbers));
  w.metadata("step", "{");
  w.save(folder / "in");
  const auto files = model_files::open(folder / "in");
  check_error([&] { trm::export_safetensors(files, folder / "out", true); }, "in: holds no model");
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  check_error([&] { trm::export_config(files, c); }, "in: step");
}
