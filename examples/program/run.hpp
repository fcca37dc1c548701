// SPDX-License-Identifier: MIT
// What every program shares around its main: commands, options from several places, errors, interruption, terminals.
#pragma once
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "toml.hpp"
#include "trm/core/error.hpp"
#include "trm/version.hpp"

namespace program {

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
/// For work that cannot be gone on with: unwinds, so that whatever is half made is removed.
inline void stop_if_interrupted() {
  if (interrupted()) throw trm::error("interrupted", "nothing was left half made");
}

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

/// A program of several commands. An option's value comes from, in this order: the command line, the environment
/// (TRM_BATCH for --batch), the file of --config (a table for each command), the preset, the default.
class application {
 public:
  application(const std::string& name, const std::string& about) : app_(about, name) {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", name + " " + trm::version_string);
    const char* file = std::getenv("TRM_CONFIG");
    app_.set_config("--config", file == nullptr ? "" : file,
                    "Read options from this TOML file, a table for each command: [train]", file != nullptr);
    app_.config_formatter(std::make_shared<toml_reader>());
    app_.add_flag("--print-config", print_config_, "Print the options as they would be used, as TOML, and exit")
        ->configurable(false);
    app_.allow_config_extras(CLI::config_extras_mode::error);
    app_.fallthrough();
    app_.failure_message(CLI::FailureMessage::simple);
    app_.footer(
        "An option may stand, the first wins: on the command line; in the environment, --batch as TRM_BATCH; in\n"
        "the file of --config.  " +
        name + " COMMAND --help tells of a command, with an example.");
  }
  application(const application&) = delete;
  application& operator=(const application&) = delete;

  /// A command with an example for its help. `body` runs where it was asked for; `prepare` before that, to fill in what
  /// depends on other options.
  CLI::App& command(
      const std::string& name, const std::string& about, const std::string& example, std::function<void()> body,
      std::function<void()> prepare = [] {}) {
    CLI::App* c = app_.add_subcommand(name, about);
    c->footer("Example:\n  " + example);
    commands_.push_back({c, std::move(body), std::move(prepare)});
    return *c;
  }

  /// Exit code 0, or 1 for a failure and 2 for wrong usage, each with one line on standard error.
  int run(int argc, char** argv) {
    const std::string& name = app_.get_name();
    for (const entry& c : commands_) {
      for (CLI::Option* o : c.app->get_options()) {
        if (o->get_configurable() && !o->get_lnames().empty()) o->envname(environment_name(o->get_lnames().front()));
      }
    }
    try {
      app_.parse(argc, argv);
      for (const entry& c : commands_) {
        if (c.app->parsed()) return run(c);
      }
    } catch (const CLI::ParseError& e) {
      if (e.get_exit_code() == 0) return app_.exit(e);  // --help, --version
      std::string line = e.what();
      for (char& c : line) c = c == '\n' ? ' ' : c;
      fmt::print(stderr, "{}: {} (see {} --help)\n", name, line, name);
      return 2;
    } catch (const std::bad_alloc&) {
      fmt::print(stderr, "{}: out of memory: try a smaller --batch or --micro-batch\n", name);
    } catch (const std::exception& e) {
      fmt::print(stderr, "{}: {}\n", name, e.what());
    }
    return 1;
  }

 private:
  struct entry {
    CLI::App* app;
    std::function<void()> body, prepare;
  };

  int run(const entry& c) {
    c.prepare();
    if (print_config_) {
      fmt::print("{}", to_toml(*c.app));
      return 0;
    }
    note_interruption();
    c.body();
    // What was printed may still be on its way to a full disk.
    if (std::fflush(stdout) != 0) throw trm::error("standard output", "cannot write");
    return 0;
  }

  CLI::App app_;
  bool print_config_ = false;
  std::vector<entry> commands_;
};

}  // namespace program
