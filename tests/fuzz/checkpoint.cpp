// SPDX-License-Identifier: MIT
// Checkpoints of a tiny model: any manifest, and any state of training behind digests that fit. What is read can be trained on.
#include "trm/io/checkpoint.hpp"

#include "formats.hpp"
#include "trm/train/trainer.hpp"

namespace {

constexpr trm::config tiny{.tokens = 2,
                           .vocab = 3,
                           .hidden = 2,
                           .heads = 1,
                           .layers = 1,
                           .h_cycles = 1,
                           .l_cycles = 1,
                           .width_multiple = 2,
                           .puzzle_positions = 1,
                           .puzzle_width = 2};
using model = trm::model<tiny>;
constexpr int batch = 2, identifiers = 3;
const std::vector<int> inputs{0, 1, 2, 0}, labels{0, 1, trm::ignored_label, 2}, rows{1, 2};
const trm::batch offered{inputs, labels, rows};

/// A trainer and the checkpoint that it wrote after two steps.
struct written {
  written() {
    trainer.weights().initialise(1);
    trainer.weights_changed();
    trainer.step(offered);
    trainer.step(offered);
    trm::write_checkpoint(folder.path() / "good", trainer);
    for (const char* name : {trm::checkpoint_file::weights, trm::checkpoint_file::table}) {
      folder.put(name, trm::read_file(folder.path() / "good" / name));
    }
    manifest = trm::read_file(folder.path() / "good" / trm::checkpoint_file::manifest);
    training = trm::read_file(folder.path() / "good" / trm::checkpoint_file::training);
  }
  trm_fuzz::memory_folder folder;
  trm::cpu::context<> cpu{1};
  trm::trainer<model> trainer{
      cpu, {.batch = batch, .max_steps = 3, .ema_rate = 0.5, .puzzle_identifiers = identifiers, .seed = 1}};
  std::string manifest, training;
};

/// Sizes and digests as the files are, whatever the manifest says of them.
void make_fit(trm::json& manifest, const std::filesystem::path& folder) {
  trm::json& files = manifest["files"] = trm::json::object();
  for (const char* name :
       {trm::checkpoint_file::weights, trm::checkpoint_file::table, trm::checkpoint_file::training}) {
    const trm::file_hash hash = trm::hash_file(folder / name);
    files[name] = {{"bytes", hash.bytes}, {"sha256", trm::to_hex(hash.sha256)}};
  }
  manifest["sha256"] = trm::detail::manifest_digest(manifest);
}

}  // namespace

/// The input: a manifest, `\n\n`, training.safetensors (formats.hpp); for what is empty, that of the good checkpoint.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static written good;
  using trm::checkpoint_folder;
  std::string_view rest = trm_fuzz::text_of(data, size);
  const std::string_view text = trm_fuzz::take_until(rest, "\n\n");
  const std::filesystem::path& path = good.folder.path();
  good.folder.put(trm::checkpoint_file::manifest, text.empty() ? good.manifest : std::string(text));
  good.folder.put(trm::checkpoint_file::training, rest.empty() ? good.training : trm_fuzz::safetensors_bytes(rest));
  for (const auto how : {checkpoint_folder::verify::sizes, checkpoint_folder::verify::hashes}) {
    trm_fuzz::attempt([&] { checkpoint_folder::open(path, how); });
  }
  trm::json manifest;
  if (!trm_fuzz::attempt([&] { manifest = trm::read_json(path / trm::checkpoint_file::manifest); })) return 0;
  if (!manifest.is_object()) return 0;
  make_fit(manifest, path);
  good.folder.put(trm::checkpoint_file::manifest, manifest.dump());
  trm_fuzz::attempt([&] {
    const auto opened = checkpoint_folder::open(path, checkpoint_folder::verify::hashes);
    trm::read_checkpoint(opened, good.trainer);
    trm_fuzz::require(good.trainer.step_number() == opened.step(), "another step");
    good.trainer.weights().each([](const trm::parameter_entry&, std::span<float> values) {
      for (const float v : values) trm_fuzz::require(v - v == 0, "a weight that is not finite");
    });
    good.trainer.step(offered);
    good.trainer.step(offered);
  });
  return 0;
}
