// SPDX-License-Identifier: MIT
// What every program shares around its main: commands, options from several places, errors, interruption.
#pragma once
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "help.hpp"
#include "option_kind.hpp"
#include "orders.hpp"
#include "processes.hpp"
#include "terminal.hpp"
#include "toml.hpp"
#include "trm/core/error.hpp"
#include "trm/version.hpp"

namespace program {

/// From now on Ctrl-C and a termination signal are noted and can be asked for; a second one ends the program at once.
inline void note_interruption() {
  const auto note = [](int signal) {
    if (interrupted_by != 0) std::_Exit(128 + signal);
    interrupted_by = signal;
  };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
  // A limit on the size of files is then an error of writing, like a full disk, and half a file is removed.
  std::signal(SIGXFSZ, SIG_IGN);
}
/// For work that cannot be gone on with: unwinds, so that whatever is half made is removed.
inline void stop_if_interrupted() {
  if (interrupted()) throw trm::error("interrupted", "nothing was left half made");
}

/// A program of several commands. An option's value comes from, in this order: the command line, the environment
/// (TRM_BATCH for --batch), the file of --config (a table for each command), the preset, the default.
class application {
 public:
  application(const std::string& name, const std::string& about) : app_(about, name) {
    app_.formatter(std::make_shared<help_formatter>());
    app_.require_subcommand(1);
    app_.set_version_flag("--version", name + " " + trm::version_string, "Print the version and exit");
    if (const char* file = std::getenv("TRM_CONFIG"); file != nullptr) config_ = file;
    app_.set_help_flag("-h,--help", "Print this help, or a command's, and exit");
    app_.add_option("--config", config_, "Read options from this TOML file, a table for each command: [train]")
        ->type_name("FILE");
    app_.add_flag("--print-config", print_config_,
                  "Print the command's options as they would be used, as TOML, and exit");
    app_.fallthrough();
    app_.footer(
        "An option's value is taken from the first that says it: the command line; the environment, --max-steps as\n"
        "TRM_MAX_STEPS (and --config as TRM_CONFIG); the file of --config; the preset; the default.\n\n" +
        name + " COMMAND --help shows a command's options, with an example.");
  }
  application(const application&) = delete;
  application& operator=(const application&) = delete;

  /// A command with an example for its help. `body` runs where it was asked for; `prepare` before that, to fill in what
  /// depends on other options. `more_options` may name another file whose options come after all others but the preset's.
  CLI::App& command(
      const std::string& name, const std::string& about, const std::string& example, std::function<void()> body,
      std::function<void()> prepare = [] {}, std::function<std::filesystem::path()> more_options = {}) {
    CLI::App* c = app_.add_subcommand(name, about);
    c->group("Commands");
    c->footer("Example:\n  " + example + "\n\n" + app_.get_name() +
              " --help tells where else options may stand: in the environment, in a file.");
    commands_.push_back({c, std::move(body), std::move(prepare), std::move(more_options), {}});
    return *c;
  }

  /// The command may be run by several processes, whose calls between them are the same.
  void in_several_processes(const CLI::App& command) {
    for (entry& c : commands_) c.several = c.several || c.app == &command;
  }

  /// Are the options all that is asked for? Nothing will be computed then, on whatever device.
  bool prints_options() const { return print_config_; }

  /// Exit code 0, or 1 for a failure and 2 for wrong usage, each with one line on standard error.
  int run(int argc, char** argv) {
    int code = 1;
    try {
      start_processes();
      const entry* chosen = nullptr;
      trm::together(processes(), [&] {
        try {
          chosen = understand(argc, argv);
        } catch (const CLI::ParseError& e) {
          code = 2;
          throw trm::error(text_of(e));
        }
      });
      if (chosen != nullptr) run(*chosen);
      return 0;
    } catch (const trm::agreed_error& e) {  // all processes have it
      if (first_process()) complain(e.what());
    } catch (const CLI::ParseError& e) {
      code = 2;
      end(text_of(e));
    } catch (const trm::communication_error& e) {
      detail::dismissed_others() = false;
      end(e.what());
    } catch (const std::bad_alloc&) {
      end("out of memory: try a smaller --batch or --micro-batch");
    } catch (const std::exception& e) {
      end(std::ferror(stdout) != 0 ? "standard output: cannot write" : e.what());
    }
    return code;
  }

 private:
  struct entry {
    CLI::App* app;
    std::function<void()> body, prepare;
    std::function<std::filesystem::path()> more_options;
    std::vector<CLI::Option*> required;
    bool several = false;  // processes may run it
  };

  std::string text_of(const CLI::ParseError& e) const {
    const std::string& name = app_.get_name();
    return fmt::format("{} (see {} --help)", e.what(), asked_ == nullptr ? name : name + " " + asked_->get_name());
  }
  /// What only this process knows of ends them all, unless the first has told the others to end.
  void end(const std::string& line) const {
    if (!alone() && !detail::dismissed_others()) processes().abort(app_.get_name() + ": " + line);
    complain(line);
  }
  void complain(std::string line) const {
    std::ranges::replace(line, '\n', ' ');
    say(app_.get_name() + ": " + line + "\n");
  }
  /// The first word that is no option must be a command; otherwise the parser would miss one without saying why.
  void require_known_command(int argc, char** argv) const {
    if (argc < 2 || argv[1][0] == '-') return;
    std::string names;
    for (const entry& c : commands_) {
      if (c.app->get_name() == argv[1]) return;
      names += (names.empty() ? "" : ", ") + c.app->get_name();
    }
    throw usage_error("there is no command \"" + trm::detail::printable(argv[1], 60) + "\"", names);
  }

  /// The command that was asked for, its options complete; null where only help was.
  const entry* understand(int argc, char** argv) {
    require_known_command(argc, argv);
    for (entry& c : commands_) {
      for (CLI::Option* o : c.app->get_options([](CLI::Option*) { return true; })) require_plain_numbers(*o);
    }
    try {
      parse(argc, argv);
    } catch (const CLI::Success& e) {  // --help, --version
      if (first_process()) app_.exit(e);
      std::cout.flush();
      if (!std::cout) throw trm::error("standard output", "cannot write");
      return nullptr;
    }
    for (const entry& c : commands_) {
      if (!c.app->parsed()) continue;
      complete_options(app_, *c.app, config_);
      if (const auto more = c.more_options ? c.more_options() : std::filesystem::path(); !more.empty())
        complete_options(app_, *c.app, more);
      for (const CLI::Option* o : c.required) {
        if (o->count() == 0) throw CLI::RequiredError(o->get_name());
      }
      if (!c.several && !alone()) {
        throw trm::error(app_.get_name() + " " + c.app->get_name(),
                         fmt::format("works in one process, and was started as {}", processes().size()));
      }
      c.prepare();
      return &c;
    }
    return nullptr;
  }
  /// The command line. What is required may also stand elsewhere, so that is not asked here.
  void parse(int argc, char** argv) {
    const bool wants_help =
        std::any_of(argv, argv + argc, [](std::string_view a) { return a == "--help" || a == "-h"; });
    for (entry& c : commands_) {
      for (CLI::Option* o : c.app->get_options([](const CLI::Option* o) { return o->get_required(); })) {
        c.required.push_back(o);
        if (!wants_help) o->required(false);
      }
    }
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success&) {
      throw;
    } catch (const CLI::ParseError& e) {
      for (const entry& c : commands_) asked_ = c.app->parsed() ? c.app : asked_;
      // The parser says which option it is about and little else.
      if (asked_ != nullptr) {
        for (const CLI::Option* o : asked_->get_options()) {
          const std::string option = o->get_name();
          const std::string_view what = e.what();
          if (what.starts_with(option + ": ") || what.starts_with("Could not convert: " + option + " "))
            throw usage_error(option, refusal(*o));
        }
      }
      throw;
    }
    for (const entry& c : commands_) asked_ = c.app->parsed() ? c.app : asked_;
  }

  void run(const entry& c) {
    note_interruption();
    if (print_config_) {
      if (first_process()) fmt::print("{}", to_toml(*c.app));
    } else {
      c.body();
    }
    // What was printed may still be on its way to a full disk.
    if (std::fflush(stdout) != 0) throw trm::error("standard output", "cannot write");
  }

  CLI::App app_;
  std::string config_;
  bool print_config_ = false;
  std::vector<entry> commands_;
  const CLI::App* asked_ = nullptr;
};

}  // namespace program
