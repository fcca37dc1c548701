// SPDX-License-Identifier: MIT
// Options from a TOML file, for a program of one command: what is not understood is an error of the option parser.
#include "program/toml.hpp"

#include <memory>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  CLI::App app("fuzz", "fuzz");
  int batch = 0;
  double rate = 0;
  bool resume = false;
  std::string preset;
  std::vector<std::string> paths;
  app.set_config("--config");
  app.config_formatter(std::make_shared<program::toml_reader>());
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.fallthrough();
  CLI::App* train = app.add_subcommand("train", "train");
  train->add_option("--batch", batch);
  train->add_option("--rate", rate);
  train->add_option("--preset", preset);
  train->add_option("--data", paths)->delimiter(',');
  train->add_flag("--resume", resume);
  try {
    trm_fuzz::attempt([&] {
      app.parse("--config " + memory.put(trm_fuzz::text_of(data, size)).string() + " train");
      // What was understood is written as TOML that is understood alike.
      const std::string text = program::to_toml(*train);
      const int batch_before = batch;
      const std::string preset_before = preset;
      app.parse("--config " + memory.put(text).string() + " train");
      trm_fuzz::require(batch == batch_before && preset == preset_before, "written and read options differ");
    });
  } catch (const CLI::ParseError& e) {
    trm_fuzz::require(*e.what() != '\0', "an error without words");
  }
  return 0;
}
