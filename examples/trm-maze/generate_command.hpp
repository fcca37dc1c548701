// SPDX-License-Identifier: MIT
// trm-maze generate.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/generation.hpp"
#include "../program/run.hpp"
#include "trm/data/maze/csv.hpp"
#include "trm/data/maze/generator.hpp"
#include "trm/data/maze/render.hpp"

namespace trm_maze {

class generate_command {
 public:
  explicit generate_command(program::application& app) {
    CLI::App& c = app.command("generate", "Make mazes with one shortest path",
                              "trm-maze generate --count 1000 --test 1000 --output data/maze\n"
                              "  trm-maze generate --side 10 --min-path 12",
                              [this] { run(); });
    c.add_option("--side", o_.side, "Rows and columns")
        ->capture_default_str()
        ->check(CLI::Range(5, trm::maze::max_side));
    c.add_option("--min-path", o_.min_path, "Steps of the shortest path at least")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    c.add_option("--count", count_, "Mazes to train on")->capture_default_str()->check(CLI::PositiveNumber);
    c.add_option("--test", test_, "Mazes to test with")->capture_default_str()->check(CLI::NonNegativeNumber);
    c.add_option("--seed", o_.seed, "Seed of the random draws")->capture_default_str();
    c.add_option("--threads", threads_, "Threads; 0: all processors. The result does not depend on it")
        ->capture_default_str()
        ->check(CLI::Range(0, program::most_threads));
    c.add_option("--output", output_, "Folder for train.csv and test.csv; without it mazes are shown")
        ->type_name("FOLDER");
    c.add_flag("--quiet", quiet_, "No progress");
  }

 private:
  void run() const {
    if (output_.empty()) {
      program::generate<trm::maze::puzzle>(count_, threads_, true, maker(0), [](const trm::maze::puzzle& p) {
        fmt::print("{}\n", program::shows_colours() ? trm::maze::to_ansi(p.question) : trm::maze::to_text(p.question));
      });
      return;
    }
    const program::tables_folder folder(output_);
    trm::maze::csv_rows_writer train(output_ / "train.csv"), test(output_ / "test.csv");
    fill(train, 0, count_);
    if (test_ > 0) fill(test, std::uint64_t{1} << 32, test_);
    // Both or none: neither is of use without the other.
    train.commit();
    fmt::print("{}: {} mazes\n", (output_ / "train.csv").string(), count_);
    if (test_ == 0) return;
    test.commit();
    fmt::print("{}: {} mazes\n", (output_ / "test.csv").string(), test_);
  }
  void fill(trm::maze::csv_rows_writer& table, std::uint64_t first, std::int64_t count) const {
    program::generate<trm::maze::puzzle>(count, threads_, quiet_, maker(first), [&](const trm::maze::puzzle& p) {
      table.write({"trm", p.question, p.answer, std::to_string(p.path_length)});
    });
  }
  std::function<std::optional<trm::maze::puzzle>(std::uint64_t, int)> maker(std::uint64_t first) const {
    // A generator for each worker: it keeps memory from one maze to the next.
    const int workers = program::thread_count(threads_);
    auto generators = std::make_shared<std::vector<trm::maze::generator>>(static_cast<std::size_t>(workers),
                                                                          trm::maze::generator(o_));
    return [first, generators](std::uint64_t number, int worker) {
      return std::optional(generators->at(static_cast<std::size_t>(worker)).make(first + number));
    };
  }

  trm::maze::generator_options o_;
  std::int64_t count_ = 1, test_ = 0;
  std::filesystem::path output_;
  int threads_ = 0;
  bool quiet_ = false;
};

}  // namespace trm_maze
