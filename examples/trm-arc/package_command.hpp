// SPDX-License-Identifier: MIT
// trm-arc package: a trained model with its test puzzles and the command that evaluates it, in a folder that needs nothing else.
#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "../program/evaluation.hpp"
#include "../program/export_command.hpp"
#include "../program/run.hpp"
#include "arc_task.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/file_copy.hpp"
#include "trm/io/file_hash.hpp"
#include "trm/io/partial_folder.hpp"
#include "trm/version.hpp"

namespace trm_arc {

inline constexpr const char* package_format = "trm.package.1";

struct package_options {
  std::filesystem::path checkpoint, data, output;
  std::string preset, license, name;
  int max_steps = 16;
  vote_options votes;
};

/// The words of the command that evaluates a package, from within it.
inline std::vector<std::string> evaluation_command(const package_options& o) {
  std::vector<std::string> words{
      "trm-arc",  "evaluate",    "--checkpoint", "model",       "--data",
      "data",     "--split",     "test",         "--max-steps", fmt::format("{}", o.max_steps),
      "--voting", o.votes.voting};
  if (o.votes.published_submission) words.push_back("--published-submission");
  return words;
}

namespace detail {

inline std::string joined(const std::vector<std::string>& words, std::size_t from = 0) {
  std::string text;
  for (std::size_t i = from; i < words.size(); ++i) text += (text.empty() ? "" : " ") + words[i];
  return text;
}

/// Every word of the command is one of a few letters: none needs quotes.
inline std::string evaluation_script(const std::vector<std::string>& command) {
  return "#!/bin/sh\n"
         "# usage: evaluate.sh [PROGRAM [OUTPUT]]\n"
         "# Checks the files of this folder and evaluates the model on its test puzzles with PROGRAM (trm-arc, as it "
         "is found):\n"
         "# OUTPUT (evaluation)/submission.json, metrics.json, report.html. Options in the environment do not count.\n"
         "set -eu\n"
         "program=${1:-trm-arc}\n"
         "output=${2:-evaluation}\n"
         "case $program in */*) program=$(cd \"$(dirname \"$program\")\" && pwd)/$(basename \"$program\") ;; esac\n"
         "case $output in /*) ;; *) output=$PWD/$output ;; esac\n"
         "for name in $(env | sed -n 's/^\\(TRM_[A-Z0-9_]*\\)=.*/\\1/p'); do unset \"$name\"; done\n"
         "cd \"$(dirname \"$0\")\"\n"
         "sha256sum --check --quiet SHA256SUMS\n"
         "exec \"$program\" " +
         joined(command, 1) + " --output \"$output\"\n";
}

inline std::string package_readme(const std::string& name, const std::vector<std::string>& command,
                                  const program::example_data& data, std::size_t tasks, bool identifiers) {
  std::string text = fmt::format(
      "# {}\n\nA model with {} test examples of {} ARC tasks, to be evaluated offline: this folder needs `trm-arc` {} "
      "(or one that reads its "
      "files) and nothing else.\n\n    sh evaluate.sh\n\nor, here,\n\n    {} --output evaluation\n\n"
      "| | |\n| --- | --- |\n| `model/` | weights, puzzle table, configuration, model card |\n"
      "| `data/` | the test split as it was built, {}`test_puzzles.json` with the solutions where they are known |\n"
      "| `package.json` | what this is, the command, hashes of all files |\n"
      "| `SHA256SUMS` | the same hashes for `sha256sum --check` |\n",
      trm::detail::printable(name, 100), data.rows(), tasks, trm::version_string, joined(command),
      identifiers ? "`identifiers.json` with the names of the puzzle rows, " : "");
  return text;
}

}  // namespace detail

/// Makes the folder o.output. \throws trm::error where the model does not belong to the data
inline void write_package(const arc_task& task, const package_options& o) {
  const program::paths from{o.data};
  const program::example_data data = task.open(from, "test", false, 0);
  const auto score = task.scores(from, "test");
  if (score == nullptr) {
    throw trm::error(o.data.string(), "has no test_puzzles.json, which say what the test is: build it with --test-set");
  }
  const auto m = program::checked_model::open(o.checkpoint, o.preset, data.metadata.seq_len);
  program::detail::require_fit(data, m.model->description());
  trm::partial_folder folder(o.output);
  const auto make = [&](const std::filesystem::path& name) {
    program::make_folder(folder.path() / name);
    return folder.path() / name;
  };

  const std::filesystem::path output = o.output.lexically_normal();
  program::card_facts card = program::export_published(m, make("model"), true, false);
  if (m.model->description().puzzle_width > 0 && card.counts.rows != data.metadata.num_puzzle_identifiers) {
    throw trm::error(o.checkpoint.string(),
                     fmt::format("has {} puzzle rows, the dataset {} identifiers: it was trained on another dataset",
                                 card.counts.rows, data.metadata.num_puzzle_identifiers));
  }
  card.name = !o.name.empty() ? o.name : (output.has_filename() ? output : output.parent_path()).filename().string();
  card.program = task.program();
  card.license = o.license;
  trm::write_file(folder.path() / "model" / trm::published_file::card, program::model_card(card));

  bool identifiers = false;
  for (const auto& file : task.files(from, "test")) {
    const std::filesystem::path name = file.lexically_normal().lexically_relative(o.data.lexically_normal());
    make("data" / name.parent_path());
    trm::copy_file(file, folder.path() / "data" / name);
    identifiers = identifiers || name == "identifiers.json";
  }

  const std::vector<std::string> command = evaluation_command(o);
  const std::filesystem::path script = folder.path() / "evaluate.sh";
  trm::write_file(script, detail::evaluation_script(command));
  std::filesystem::permissions(
      script,
      std::filesystem::perms::owner_exec | std::filesystem::perms::group_exec | std::filesystem::perms::others_exec,
      std::filesystem::perm_options::add);
  const std::size_t tasks = trm::read_json(o.data / "test_puzzles.json", std::size_t{1} << 30).size();
  trm::write_file(folder.path() / "README.md", detail::package_readme(card.name, command, data, tasks, identifiers));

  trm::json about = {{"format", package_format},
                     {"program", task.program()},
                     {"version", trm::version_string},
                     {"name", card.name},
                     {"command", command},
                     {"examples", data.rows()},
                     {"tasks", tasks},
                     {"model", card.config},
                     {"data", program::hash_dataset(task, {folder.path() / "data"}, "test").fingerprint()},
                     {"files", trm::json::object()}};
  std::map<std::string, trm::file_hash> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder.path()).generic_string()] = trm::hash_file(entry.path());
  }
  for (const auto& [name, hash] : files) {
    about["files"][name] = {{"bytes", hash.bytes}, {"sha256", trm::to_hex(hash.sha256)}};
  }
  trm::write_file(folder.path() / "package.json", about.dump(2) + "\n");
  files["package.json"] = trm::hash_file(folder.path() / "package.json");
  std::string sums;
  for (const auto& [name, hash] : files) sums += trm::to_hex(hash.sha256) + "  " + name + "\n";
  trm::write_file(folder.path() / "SHA256SUMS", sums);
  folder.commit();
}

class package_command {
 public:
  package_command(program::application& app, const arc_task& task) : task_(task) {
    CLI::App& c = app.command(
        "package", "Make a folder for the evaluation of a trained model elsewhere",
        "trm-arc package --checkpoint runs/first/checkpoints/step_20000 --data data/arc2 --output arc2-package",
        [this] { run(); });
    c.add_option("--checkpoint", o_.checkpoint,
                 "Trained model: a checkpoint, a Hugging Face folder, a safetensors file, a PyTorch file")
        ->required()
        ->type_name("PATH");
    c.add_option("--data", o_.data, "Dataset folder, in either form; its test split goes into the package")
        ->required()
        ->type_name("FOLDER");
    c.add_option("--output", o_.output, "Folder to make")->required()->type_name("FOLDER");
    c.add_option("--preset", o_.preset, "Model, where the checkpoint does not say it");
    c.add_option("--max-steps", o_.max_steps, "Supervision steps of every example")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    add_voting_option(c, o_.votes,
                      "Which votes count, pooled or per-round: one evaluation is one round, and both are alike");
    c.add_flag("--published-submission", o_.votes.published_submission,
               "Leave test inputs without a prediction out of the submission, as the published code does");
    c.add_option("--license", o_.license, "Licence of the weights, for the model card");
    c.add_option("--name", o_.name, "Name of the model; default: that of --output");
  }

 private:
  void run() {
    write_package(task_, o_);
    fmt::print("{}: evaluate it there with sh evaluate.sh\n", o_.output.string());
  }

  const arc_task& task_;
  package_options o_;
};

}  // namespace trm_arc
