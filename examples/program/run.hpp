// SPDX-License-Identifier: MIT
// What every program shares around its main: errors, interruption, terminals.
#pragma once
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include <fmt/core.h>

#include "trm/core/error.hpp"

namespace program {

/// Runs `body` of program `name`: exit code 0, 1 for a failure and 2 for wrong usage, each with one line on standard error.
template <class Body>
int run(const char* name, CLI::App& app, int argc, char** argv, Body body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    fmt::print(stderr, "{}: {} (see {} --help)\n", name, e.what(), name);
    return 2;
  }
  try {
    body();
    return 0;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory: try a smaller --batch or --micro-batch\n", name);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", name, e.what());
  }
  return 1;
}

inline volatile std::sig_atomic_t interrupted_by = 0;

/// From now on Ctrl-C and a termination signal are noted and can be asked for; a second one ends the program at once.
inline void note_interruption() {
  const auto note = [](int signal) {
    if (interrupted_by != 0) std::_Exit(128 + signal);
    interrupted_by = signal;
  };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}
inline bool interrupted() { return interrupted_by != 0; }

/// Is standard output / standard error a terminal that can show colours and rewrite its line?
inline bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) != 0 && term != nullptr && std::string(term) != "dumb";
}
inline bool shows_colours() { return is_terminal(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr; }
inline bool shows_true_colour() {
  const char* mode = std::getenv("COLORTERM");
  return mode != nullptr && (std::string(mode) == "truecolor" || std::string(mode) == "24bit");
}

}  // namespace program
