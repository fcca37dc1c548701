// SPDX-License-Identifier: MIT
#include "trm/io/published_config.hpp"

#include <doctest/doctest.h>

#include <string>

#include "trm/io/model_config.hpp"

namespace {

/// The published defaults of an architecture, as its YAML file has them, for ARC.
trm::json published() {
  return trm::parse_json(R"({"batch_size": 768, "seq_len": 900, "vocab_size": 12, "num_puzzle_identifiers": 5,
    "puzzle_emb_ndim": 512, "puzzle_emb_len": 16, "H_cycles": 3, "L_cycles": 6, "H_layers": 0, "L_layers": 2, "hidden_size": 512,
    "num_heads": 8, "expansion": 4, "pos_encodings": "rope", "forward_dtype": "bfloat16", "mlp_t": false,
    "no_ACT_continue": true, "halt_max_steps": 16, "halt_exploration_prob": 0.1})",
                         "test");
}
trm::json with(const char* name, trm::json value) {
  trm::json j = published();
  j[name] = std::move(value);
  return j;
}
trm::json translated(const trm::json& fields, const std::string& arch = "trm",
                     const std::string& loss = "stablemax_cross_entropy") {
  return trm::to_json(trm::published_config(arch, fields, loss, "run.json"));
}
std::string message(const trm::json& fields, const std::string& arch = "trm",
                    const std::string& loss = "stablemax_cross_entropy") {
  try {
    translated(fields, arch, loss);
  } catch (const trm::error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the published ARC configuration") {
  const trm::config ours{
      .tokens = 900, .vocab = 12, .hidden = 512, .heads = 8, .puzzle_positions = 16, .puzzle_width = 512};
  CHECK(translated(published()) == trm::to_json(ours));
}

TEST_CASE("every field that changes the model is translated") {
  CHECK(translated(published(), "trm_singlez")["architecture"] == "single_state");
  CHECK(translated(published(), "trm_hier6")["architecture"] == "six_state");
  CHECK(translated(with("mlp_t", true))["mixing"] == "tokens");
  CHECK(translated(with("mlp_t", true))["heads"] == 0);
  CHECK(translated(with("pos_encodings", "learned"))["positions"] == "learned");
  CHECK(translated(with("pos_encodings", "none"))["positions"] == "none");
  CHECK(translated(with("no_ACT_continue", false))["halting"] == "q_continue");
  CHECK(translated(published(), "trm", "softmax_cross_entropy")["loss"] == "softmax");
  CHECK(translated(with("rope_theta", 500000.0))["rope_theta"] == 500000.0);
  CHECK(translated(with("rms_norm_eps", 1e-6))["norm_epsilon"] == 1e-6);
  CHECK(translated(with("expansion", 2.5))["expansion"] == 2.5);
  CHECK(translated(with("L_layers", 4))["layers"] == 4);
}

TEST_CASE("puzzle positions: given, or as many as the row fills") {
  CHECK(translated(with("puzzle_emb_len", 0))["puzzle_positions"] == 1);
  trm::json wide = with("puzzle_emb_ndim", 513);
  wide["puzzle_emb_len"] = 0;
  CHECK(translated(wide)["puzzle_positions"] == 2);
  trm::json none = with("puzzle_emb_ndim", 0);
  none["puzzle_emb_len"] = 0;
  CHECK(translated(none)["puzzle_positions"] == 0);
}

TEST_CASE("hrm: layers of both networks, positions always as many as the row fills") {
  trm::json fields = with("H_layers", 4);
  fields["L_layers"] = 4;
  const trm::json same = translated(fields, "hrm");
  CHECK(same["architecture"] == "hrm");
  CHECK(same["layers"] == 4);
  CHECK(same["h_layers"] == 0);
  CHECK(same["puzzle_positions"] == 1);
  fields["H_layers"] = 3;
  CHECK(translated(fields, "hrm")["h_layers"] == 3);
}

TEST_CASE("transformers_baseline: H_layers, no L cycles, act_enabled") {
  trm::json fields = with("H_layers", 8);
  fields.erase("L_layers");
  fields.erase("L_cycles");
  const trm::json j = translated(fields, "transformers_baseline");
  CHECK(j["architecture"] == "transformer");
  CHECK(j["layers"] == 8);
  CHECK(j["halting"] == "q_halt");
  fields["act_enabled"] = false;
  CHECK(translated(fields, "transformers_baseline")["halting"] == "fixed");
}

TEST_CASE("what is missing, of another type or unknown is named") {
  trm::json fields = published();
  fields.erase("hidden_size");
  CHECK(message(fields) == "run.json: /: \"hidden_size\" is missing");
  CHECK(message(with("seq_len", "long")).find("/seq_len: expected an integer") != std::string::npos);
  CHECK(message(with("seq_len", -1)).find("/seq_len") != std::string::npos);
  CHECK(message(with("mlp_t", 1)).find("/mlp_t: expected true or false") != std::string::npos);
  CHECK(message(published(), "gpt").find("unknown architecture \"gpt\"") != std::string::npos);
  CHECK(message(published(), "trm", "mse").find("unknown loss_type \"mse\"") != std::string::npos);
  CHECK(message(with("pos_encodings", "Rope")) ==
        "run.json: /pos_encodings: expected rope, learned or none, found \"Rope\"");
  CHECK(message(published(), "a\nb\xc3\xa9").find("unknown architecture \"a?b??\"") != std::string::npos);
  CHECK(message(published(), "trm", std::string(1000, 'x')).size() < 200);
  CHECK(message(trm::json::array()).find("expected an object") != std::string::npos);
}
