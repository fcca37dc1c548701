// SPDX-License-Identifier: MIT
// The command export of every program: a trained model as one file, or as a Hugging Face folder.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "any_model.hpp"
#include "model_card.hpp"
#include "run.hpp"
#include "task.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/file_copy.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/model_export.hpp"
#include "trm/io/model_files.hpp"
#include "trm/io/partial_folder.hpp"

namespace program {

/// The run that a checkpoint RUN/checkpoints/step_N belongs to; empty where it is none.
inline std::filesystem::path run_of(const std::filesystem::path& checkpoint) {
  std::error_code code;
  std::filesystem::path path = std::filesystem::absolute(checkpoint, code).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (code || path.parent_path().filename() != "checkpoints") return {};
  const std::filesystem::path run = path.parent_path().parent_path();
  return std::filesystem::exists(run / "config.toml", code) ? run : std::filesystem::path();
}

/// A trained model that is to be given away: its files, and the compiled model that they were compared with.
struct checked_model {
  trm::model_files files;
  std::unique_ptr<any_model> model = {};          // null: nothing was compared
  std::map<std::string, std::string> known = {};  // what the compiled model says of itself

  /// Opens `checkpoint`, checks its hashes, and reads its dense weights into the compiled model (preset_list::of_checkpoint), which compares
  /// configuration, names and shapes. \throws trm::error that names what differs
  static checked_model open(const std::filesystem::path& checkpoint, const std::string& preset_name, int tokens) {
    checked_model m = open_unchecked(checkpoint);
    const preset_list presets;
    const preset& of = presets.of_checkpoint(checkpoint, preset_name, tokens);
    m.model = of.make();
    const auto read = m.model->solver(checkpoint, 1, 1);
    m.known = {{"config", trm::to_json(m.model->description()).dump()},
               {"preset", of.name},
               {"arithmetic", std::string(trm::name_of(read->logits_type()))}};
    return m;
  }
  static checked_model open_unchecked(const std::filesystem::path& checkpoint) {
    checked_model m{trm::model_files::open(checkpoint)};
    m.files.verify_table();
    return m;
  }
};

/// Fills `folder` with all of a Hugging Face folder but its card: weights, table, config.json, the identifiers.json of the run.
/// Returns what the card says.
inline card_facts export_published(const checked_model& m, const std::filesystem::path& folder, bool with_table,
                                   bool with_identifiers) {
  card_facts card;
  card.counts = trm::export_published_weights(m.files, folder, with_table, m.known);
  card.config = trm::export_config(m.files, m.model->description(), m.known);
  trm::write_file(folder / trm::published_file::about, card.config.dump(2) + "\n");
  const std::filesystem::path run = run_of(m.files.path());
  std::error_code ignored;
  for (const auto& beside : {m.files.path(), run}) {
    const std::filesystem::path names = beside / "identifiers.json";
    if (beside.empty() || !with_identifiers || card.counts.rows == 0 || !std::filesystem::exists(names, ignored))
      continue;
    trm::copy_file(names, folder / names.filename());
    card.identifiers = true;
    break;
  }
  if (run.empty()) return card;
  card.options = trm::read_file(run / "config.toml");
  if (const auto file = run / "provenance.json"; std::filesystem::exists(file, ignored)) {
    card.provenance = trm::read_json(file, std::size_t{1} << 28);
  }
  return card;
}

class export_command {
 public:
  export_command(application& app, const task& t) : program_(t.program()) {
    CLI::App& c =
        app.command("export", "Write a trained model as a Hugging Face folder or one file of weights",
                    fmt::format("{} export --checkpoint runs/first/checkpoints/step_20000 --output model", program_),
                    [this] { run(); });
    c.add_option("--checkpoint", checkpoint_,
                 "Trained model: a checkpoint, a Hugging Face folder, a safetensors file, a PyTorch file")
        ->required()
        ->type_name("PATH");
    c.add_option("--output", output_, "Folder or file to write")->required()->type_name("PATH");
    c.add_option("--format", format_, "huggingface: a folder; safetensors: one file, with the puzzle table inside")
        ->capture_default_str()
        ->check(CLI::IsMember({"huggingface", "safetensors"}));
    c.add_flag("--without-table", without_table_, "Dense weights alone, without the puzzle table");
    c.add_option("--preset", preset_, "Model, where the checkpoint does not say it: " + preset_list().names());
    c.add_option("--tokens", tokens_, "Tokens of an example, where nothing says which size of the preset it is")
        ->check(CLI::PositiveNumber);
    c.add_flag("--unchecked", unchecked_,
               "With safetensors: no comparison with a compiled model, for one that this program does not have");
    c.add_option("--license", license_,
                 "Licence of the weights, for the model card: an identifier that Hugging Face knows, mit");
    c.add_option("--name", name_, "Name of the model, for the card; default: that of --output");
  }

 private:
  void run() {
    const bool folder = format_ == "huggingface";
    if (unchecked_ && folder)
      throw usage_error("--unchecked", "needs --format safetensors: a folder says which model it is");
    const checked_model m =
        unchecked_ ? checked_model::open_unchecked(checkpoint_) : checked_model::open(checkpoint_, preset_, tokens_);
    const trm::export_counts counts =
        folder ? write_folder(m) : trm::export_safetensors(m.files, output_, !without_table_, m.known);
    fmt::print(
        "{}: {} tensors, {} numbers{}{}\n", output_.string(), counts.tensors, counts.numbers,
        counts.rows > 0 ? fmt::format(", {} puzzle rows", counts.rows) : "",
        counts.left_out > 0 ? fmt::format("; {} tensors that are no part of the model left out", counts.left_out) : "");
  }
  trm::export_counts write_folder(const checked_model& m) const {
    trm::partial_folder folder(output_);
    card_facts card = export_published(m, folder.path(), !without_table_, true);
    const std::filesystem::path path = output_.lexically_normal();
    card.name = name_.empty() ? (path.has_filename() ? path : path.parent_path()).filename().string() : name_;
    card.program = program_;
    card.license = license_;
    trm::write_file(folder.path() / trm::published_file::card, model_card(card));
    folder.commit();
    return card.counts;
  }

  std::string program_;
  std::filesystem::path checkpoint_, output_;
  std::string format_ = "huggingface", preset_, license_, name_;
  int tokens_ = 0;
  bool without_table_ = false, unchecked_ = false;
};

}  // namespace program
