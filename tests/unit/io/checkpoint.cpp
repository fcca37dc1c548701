// SPDX-License-Identifier: MIT
#include "trm/io/checkpoint.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/throws.hpp"
#include "trm/train/trainer.hpp"
#include "unit/train/generated_batch.hpp"

namespace {

constexpr trm::config described{.tokens = 6,
                                .vocab = 7,
                                .hidden = 16,
                                .heads = 2,
                                .h_cycles = 1,
                                .l_cycles = 2,
                                .puzzle_positions = 1,
                                .puzzle_width = 12,
                                .halting = trm::halting_kind::q_continue};
using model = trm::model<described>;
using trainer = trm::trainer<model>;
constexpr int B = 4, identifiers = 6;

trm::training_options options() {
  return {
      .batch = B, .max_steps = 3, .exploration = 0.5, .ema_rate = 0.9, .puzzle_identifiers = identifiers, .seed = 3};
}
void steps(trainer& t, int first, int last) {
  for (int step = first; step <= last; ++step)
    t.step(trm_test::batch_for<model>(B, static_cast<std::uint64_t>(step), identifiers).view());
}
std::string contents(const std::filesystem::path& file) { return trm::read_file(file); }

}  // namespace

TEST_CASE("a run that goes on from a checkpoint has the bits of one that was never stopped") {
  const trm_test::temporary_folder folder;
  trm::cpu::context<> device(2);
  trainer whole(device, options());
  whole.weights().initialise(1);
  steps(whole, 1, 4);
  trm::write_checkpoint(folder / "step_4", whole);
  steps(whole, 5, 11);
  trm::write_checkpoint(folder / "whole", whole);

  trainer again(device, options());
  trm::read_checkpoint(trm::checkpoint_folder::open(folder / "step_4", trm::checkpoint_folder::verify::hashes), again);
  CHECK(again.step_number() == 4);
  trm::write_checkpoint(folder / "step_4_again", again);
  steps(again, 5, 11);
  trm::write_checkpoint(folder / "again", again);
  for (const char* file :
       {"weights.safetensors", "puzzle_table.safetensors", "training.safetensors", "checkpoint.json"}) {
    CAPTURE(file);
    CHECK(contents(folder / "again" / file) == contents(folder / "whole" / file));
    CHECK(contents(folder / "step_4_again" / file) == contents(folder / "step_4" / file));
    CHECK(contents(folder / "step_4" / file) != contents(folder / "whole" / file));
  }
}

TEST_CASE("a checkpoint that was torn, cut off or altered is named and not read") {
  const trm_test::temporary_folder folder;
  trm::cpu::context<> device(1);
  trainer t(device, options());
  t.weights().initialise(1);
  steps(t, 1, 2);
  const auto good = folder / "good";
  trm::write_checkpoint(good, t);
  using trm::checkpoint_folder;
  const auto open = [&](const std::filesystem::path& path) {
    checkpoint_folder::open(path, checkpoint_folder::verify::hashes);
  };
  open(good);
  for (const std::string file :
       {"weights.safetensors", "puzzle_table.safetensors", "training.safetensors", "checkpoint.json"}) {
    CAPTURE(file);
    const std::string bytes = contents(good / file);
    for (int damage = 0; damage < 4; ++damage) {
      const auto bad = folder / ("bad" + std::to_string(damage));
      std::filesystem::remove_all(bad);
      std::filesystem::copy(good, bad);
      std::string text = bytes;
      if (damage == 0) std::filesystem::remove(bad / file);
      if (damage == 1) text.resize(text.size() / 2);
      if (damage == 2) text.clear();
      if (damage == 3) text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
      if (damage != 0) trm_test::put(bad / file, text);
      CHECK(trm_test::error_of([&] { open(bad); }).find((bad / file).string()) != std::string::npos);
    }
  }
}

TEST_CASE("further files of a checkpoint are in its manifest, and looked after like the others") {
  const trm_test::temporary_folder folder;
  trm::cpu::context<> device(1);
  trainer t(device, options());
  t.weights().initialise(1);
  const auto write = [&](const std::filesystem::path& path, const std::string& text) {
    trm::write_checkpoint(path, t, {}, {}, [&](const std::filesystem::path& here) {
      trm_test::put(here / "votes", text);
      return std::vector<std::string>{"votes"};
    });
  };
  write(folder / "good", "three");
  using trm::checkpoint_folder;
  const auto good = checkpoint_folder::open(folder / "good", checkpoint_folder::verify::hashes);
  CHECK(good.has("votes"));
  CHECK(good.field("files").at("votes").at("bytes").integer() == 5);
  trm_test::put(folder / "good/votes", "seven");
  CHECK(trm_test::error_of([&] {
          checkpoint_folder::open(folder / "good", checkpoint_folder::verify::hashes);
        }).find("votes: damaged checkpoint: its SHA-256") != std::string::npos);
}

TEST_CASE("a checkpoint of another model, optimizer or batch is refused") {
  const trm_test::temporary_folder folder;
  trm::cpu::context<> device(1);
  trainer t(device, options());
  t.weights().initialise(1);
  steps(t, 1, 2);
  trm::write_checkpoint(folder / "good", t);
  const auto good = trm::checkpoint_folder::open(folder / "good", trm::checkpoint_folder::verify::sizes);
  const auto refused = [&](auto& other) { return trm_test::error_of([&] { trm::read_checkpoint(good, other); }); };
  trm::training_options o = options();
  o.batch = 2;
  trainer smaller(device, o);
  CHECK(refused(smaller).find("expected shape [2, 7, 16], found [4, 7, 16]") != std::string::npos);
  o = options(), o.ema_rate = 0;
  trainer without_ema(device, o);
  CHECK(refused(without_ema).find("the run has no EMA") != std::string::npos);
  o = options(), o.puzzle_identifiers = 5;
  trainer fewer(device, o);
  CHECK(refused(fewer).find("expected shape [5, 12], found [6, 12]") != std::string::npos);
  CHECK(trm_test::error_of([&] { trm::write_checkpoint(folder / "good", t); }).find("is there already") !=
        std::string::npos);
}

TEST_CASE("a step whose loss is not finite leaves the trainer as it was before") {
  const trm_test::temporary_folder folder;
  trm::cpu::context<> device(1);
  trainer t(device, options());
  t.weights().initialise(1);
  steps(t, 1, 3);
  trm::write_checkpoint(folder / "before", t);
  const auto head = t.weights()["model.inner.lm_head.weight"];
  const std::vector<float> kept(head.begin(), head.end());
  std::fill(head.begin(), head.end(), std::numeric_limits<float>::infinity());
  t.resume(t.count());  // the weights have changed
  const auto offered = trm_test::batch_for<model>(B, 4, identifiers);
  trm_test::check_error([&] { t.step(offered.view()); }, "step 4: the loss is not finite");
  std::copy(kept.begin(), kept.end(), head.begin());
  t.resume(t.count());
  trm::write_checkpoint(folder / "after", t);
  for (const char* file : {"weights.safetensors", "puzzle_table.safetensors", "training.safetensors"}) {
    CHECK(contents(folder / "before" / file) == contents(folder / "after" / file));
  }
  CHECK(t.step(offered.view()).step == 4);
}
