// SPDX-License-Identifier: MIT
#include "trm/io/published_names.hpp"

#include <doctest/doctest.h>

#include "support/throws.hpp"

namespace {

using names = std::map<std::string, std::string>;

/// What becomes of two names with this in front.
names with_prefix(const std::string& prefix) {
  return trm::published_names({prefix + "embed_tokens.embedding_weight", prefix + "L_level.layers.0.x"}, "f");
}

TEST_CASE("whatever is in front of the model's names becomes model.inner.") {
  for (const char* prefix : {"model.inner.", "_orig_mod.model.inner.", "", "inner.", "state_dict.model.inner.",
                             "module._orig_mod.model._orig_mod.inner.", "_orig_mod."}) {
    CAPTURE(prefix);
    for (const auto& [name, published] : with_prefix(prefix)) {
      CHECK(published == "model.inner." + name.substr(std::string(prefix).size()));
    }
  }
  CHECK(trm::published_names({"_orig_mod.model.inner.embed_tokens.embedding_weight", "model.inner._orig_mod.x"}, "f")
            .at("model.inner._orig_mod.x") == "model.inner.x");
}

TEST_CASE("what is not the model's stays as it is") {
  const names found =
      trm::published_names({"model.model.inner.embed_tokens.embedding_weight", "optimizer.state.0.exp_avg"}, "f");
  CHECK(found.at("optimizer.state.0.exp_avg") == "optimizer.state.0.exp_avg");
  CHECK(found.at("model.model.inner.embed_tokens.embedding_weight") == "model.inner.embed_tokens.embedding_weight");
  CHECK(trm::published_names({"_orig_mod.a", "xembed_tokens.embedding_weight"}, "f") ==
        names{{"_orig_mod.a", "_orig_mod.a"}, {"xembed_tokens.embedding_weight", "xembed_tokens.embedding_weight"}});
}

TEST_CASE("a puzzle table alone is found too") {
  CHECK(trm::published_names({"inner.puzzle_emb.weights"}, "f").at("inner.puzzle_emb.weights") ==
        trm::published_puzzle_table);
}

TEST_CASE("several models in one file are refused by their prefixes") {
  trm_test::check_error(
      [] {
        trm::published_names({"model.inner.embed_tokens.embedding_weight", "ema.inner.embed_tokens.embedding_weight"},
                             "f.pt");
      },
      "f.pt: holds several models, under \"ema.inner.\", \"model.inner.\": save the one to be read in a file of its "
      "own");
}

}  // namespace
