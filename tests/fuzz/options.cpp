// SPDX-License-Identifier: MIT
// Options from a TOML file, for a program of one command: what is not understood is an error of the option parser.
#include "program/toml.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  CLI::App app("fuzz", "fuzz");
  int batch = 0;
  double rate = 0;
  bool resume = false;
  std::string preset;
  std::vector<std::string> paths;
  CLI::App* train = app.add_subcommand("train", "train");
  train->add_option("--batch", batch);
  train->add_option("--rate", rate);
  train->add_option("--preset", preset);
  train->add_option("--data", paths)->delimiter(',');
  train->add_flag("--resume", resume);
  const auto read = [&](std::string_view text) {
    app.parse("train");
    program::complete_options(app, *train, memory.put(text));
  };
  try {
    trm_fuzz::attempt([&] {
      read(trm_fuzz::text_of(data, size));
      // What was understood is written as TOML that is understood alike.
      const std::string text = program::to_toml(*train);
      const int batch_before = batch;
      const std::string preset_before = preset;
      read(text);
      trm_fuzz::require(batch == batch_before && preset == preset_before, "written and read options differ");
    });
  } catch (const CLI::ParseError& e) {
    for (const char* c = e.what(); *c != '\0'; ++c) {
      trm_fuzz::require(static_cast<unsigned char>(*c) >= ' ' && *c != 127, "a control character in a message");
    }
    trm_fuzz::require(*e.what() != '\0', "an error without words");
  }
  return 0;
}
