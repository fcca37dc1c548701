// SPDX-License-Identifier: MIT
#include "trm/io/weights.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/io/model_config.hpp"
#include "trm/models/model.hpp"

namespace {

constexpr trm::config tiny{
    .tokens = 1, .vocab = 3, .hidden = 2, .heads = 1, .layers = 1, .puzzle_positions = 1, .puzzle_width = 2};
using model = trm::model<tiny>;
constexpr const char* embedding = "model.inner.embed_tokens.embedding_weight";

struct checkpoint {
  trm_test::temporary_folder folder;
  trm::weights<model> weights;
  trm::puzzle_table<float> table{4, model::W, 1};

  checkpoint() { weights.initialise(1); }
  std::filesystem::path save() const {
    const auto path = folder / "m.safetensors";
    trm::write_weights(path, weights, weights.parameters(), table);
    return path;
  }
};
/// The same checkpoint with one tensor changed before it is written.
template <class Change>
std::filesystem::path changed(const checkpoint& good, Change change) {
  const auto file = trm::safetensors_file::open(good.save());
  std::map<std::string, trm::stored_tensor> tensors = file.tensors();
  change(tensors);
  trm::safetensors_writer out;
  for (const auto& [name, t] : tensors) out.add(name, t.type, t.shape, t.bytes);
  out.save(good.folder / "changed");
  return good.folder / "changed";
}
std::string reading(const std::filesystem::path& path) {
  trm::weights<model> w;
  const std::string message = trm_test::error_of([&] { trm::read_weights(trm::safetensors_file::open(path), w); });
  return message.substr(0, path.string().size()) == path.string() ? message.substr(path.string().size() + 2) : message;
}
std::string reading_table(const std::filesystem::path& path) {
  const std::string message =
      trm_test::error_of([&] { trm::read_puzzle_table<model>(trm::safetensors_file::open(path), 1); });
  return message.substr(0, path.string().size()) == path.string() ? message.substr(path.string().size() + 2) : message;
}

TEST_CASE("weights and puzzle table come back bit for bit") {
  checkpoint c;
  c.table.data()[7] = 0.5f;
  const auto file = trm::safetensors_file::open(c.save());
  trm::weights<model> read;
  trm::read_weights(file, read);
  CHECK(std::equal(read.parameters(), read.parameters() + model::extent, c.weights.parameters()));
  CHECK(std::equal(read.constants(), read.constants() + model::constant_extent, c.weights.constants()));
  const auto table = trm::read_puzzle_table<model>(file, 1);
  CHECK(table.rows() == 4);
  CHECK(table.data()[7] == 0.5f);
}

TEST_CASE("a weight that is not finite is refused with tensor and position") {
  checkpoint c;
  c.weights[embedding][5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(reading(c.save()) ==
        "tensor model.inner.embed_tokens.embedding_weight: element [2, 1] is nan, expected finite "
        "numbers (did the training diverge?)");
  c.weights[embedding][5] = 1;
  c.weights["model.inner.H_init"][0] = -std::numeric_limits<float>::infinity();
  CHECK(reading(c.save()) ==
        "tensor model.inner.H_init: element [0] is infinite, expected finite numbers (did the training diverge?)");
  c.table.data()[4] = std::numeric_limits<float>::infinity();
  CHECK(reading_table(c.save()) ==
        "tensor model.inner.puzzle_emb.weights: element [2, 0] is infinite, expected finite "
        "numbers (did the training diverge?)");
}

TEST_CASE("a tensor that is missing, of another shape or of integers beyond its type is named") {
  const checkpoint c;
  CHECK(reading(changed(c, [](auto& t) { t.erase(embedding); })) ==
        "tensor model.inner.embed_tokens.embedding_weight: is not in the file");
  CHECK(reading(changed(c, [](auto& t) {
          t[embedding].shape = {2, 3};
        })) == "tensor model.inner.embed_tokens.embedding_weight: expected shape [3, 2], found [2, 3]");
  const std::vector<double> large(6, 1e300);
  CHECK(reading(changed(c, [&](auto& t) {
          t[embedding] = {trm::element_type::f64, {3, 2}, std::as_bytes(std::span(large))};
        })) == "tensor model.inner.embed_tokens.embedding_weight: element 0 (float64) does not fit in float32");
}

TEST_CASE("a puzzle table of another width, and one of absurdly many rows of nothing") {
  const checkpoint c;
  const auto with_shape = [&](std::vector<std::int64_t> shape, bool empty) {
    return reading_table(changed(c, [&](auto& t) {
      trm::stored_tensor& table = t[model::puzzle_table_name];
      table.shape = shape;
      if (empty) table.bytes = {};
    }));
  };
  const std::string place = "tensor model.inner.puzzle_emb.weights: ";
  CHECK(with_shape({8}, false) == place + "expected shape [rows, 2], found [8]");
  CHECK(with_shape({2, 4}, false) == place + "expected shape [rows, 2], found [2, 4]");
  CHECK(with_shape({std::int64_t{1} << 60, 0}, true) ==
        place + "expected shape [rows, 2], found [1152921504606846976, 0]");
  CHECK(with_shape({0, 2}, true) == "(no error)");
}

TEST_CASE("a checkpoint of another model is refused by the first field that differs") {
  const auto message = [](const trm::json& stored) {
    return trm_test::error_of([&] { trm::check_same_config(stored, tiny, "m: metadata config"); });
  };
  trm::json stored = trm::to_json(tiny);
  CHECK(message(stored) == "(no error)");
  const auto with = [&](const char* field, trm::json value) {
    trm::json j = stored;
    j[field] = std::move(value);
    return message(j);
  };
  CHECK(with("vocab", 12) == "m: metadata config: vocab is 12, the compiled model has 3");
  CHECK(with("mixing", "tokens") == "m: metadata config: mixing is \"tokens\", the compiled model has \"attention\"");
  CHECK(with("vocab", "\x1b[2J\n\xc3\xa9") ==
        "m: metadata config: vocab is \"\\u001b[2J\\n??\", the compiled model has 3");
  CHECK(with("vocab", std::string(100'000, 'x')).size() < 200);
  CHECK(with("vocab", trm::json::array({1, 2})) ==
        "m: metadata config: vocab is a list or an object, the compiled model has 3");
  stored.erase("vocab");
  CHECK(message(stored) == "m: metadata config: the configuration has no field vocab");
  CHECK(message(3) == "m: metadata config: the configuration is not an object");
}

TEST_CASE("writing to a folder that is not there leaves nothing and says why") {
  const checkpoint c;
  const std::string path = (c.folder / "no/m").string();
  CHECK_THROWS_WITH_AS(trm::write_weights(path, c.weights, c.weights.parameters(), c.table),
                       (path + ": cannot create: No such file or directory").c_str(), trm::error);
  CHECK(c.folder.files() == 0);
}

}  // namespace
