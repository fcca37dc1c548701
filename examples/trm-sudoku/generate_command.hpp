// SPDX-License-Identifier: MIT
// trm-sudoku generate.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "../program/generation.hpp"
#include "../program/run.hpp"
#include "trm/core/random.hpp"
#include "trm/data/sudoku/csv.hpp"
#include "trm/data/sudoku/generator.hpp"
#include "trm/data/sudoku/solver.hpp"
#include "trm/data/sudoku/split.hpp"
#include "trm/data/sudoku/text.hpp"

namespace trm_sudoku {

class generate_command {
 public:
  explicit generate_command(program::application& app) {
    CLI::App& c =
        app.command("generate", "Make puzzles with one solution, rated by search effort",
                    "trm-sudoku generate --size 6 --count 20000 --test 1000 --naked-singles 0.25 --output data/six\n"
                    "  trm-sudoku generate --size 9 --count 5 --min-rating 10",
                    [this] { run(); });
    const auto whole = [&](const char* name, auto& field, const char* about) {
      return c.add_option(name, field, about)->capture_default_str()->check(CLI::NonNegativeNumber);
    };
    c.add_option("--size", o_.size, "4, 6 or 9 rows")->capture_default_str()->check(CLI::IsMember({4, 6, 9}));
    c.add_option("--count", count_, "Puzzles to train on")->capture_default_str()->check(CLI::PositiveNumber);
    whole("--test", test_,
          "Puzzles to test with. No symmetry of Sudoku makes a solution of theirs from one of training");
    c.add_option("--held-out", held_out_, "Share of all solutions that is kept for testing, where there is --test")
        ->capture_default_str()
        ->check(CLI::Range(0.001, 0.999));
    whole("--min-clues", o_.min_clues, "Clues at least");
    whole("--max-clues", o_.max_clues, "Clues at most");
    c.add_flag("--not-minimal", not_minimal_,
               "Leave in clues that could be taken away: their number is drawn from the range");
    whole("--min-rating", o_.min_rating, "Dead ends in the search for the solution at least; 0: singles solve it");
    most_ = c.add_option("--max-rating", max_rating_, "Dead ends at most; any number where it is not said")
                ->check(CLI::NonNegativeNumber);
    c.add_option("--naked-singles", naked_, "Share that is kept of the puzzles that naked singles alone solve")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1.0));
    c.add_option("--seed", o_.seed, "Seed of the random draws")->capture_default_str();
    c.add_option("--threads", threads_, "Threads; 0: all processors. The result does not depend on it")
        ->capture_default_str()
        ->check(CLI::Range(0, program::most_threads));
    c.add_option("--output", output_, "Folder for train.csv and test.csv; without it puzzles are printed, one a line")
        ->type_name("FOLDER");
    c.add_flag("--quiet", quiet_, "No progress");
  }

 private:
  using maker_type = std::function<std::optional<trm::sudoku::puzzle>(std::uint64_t, int)>;

  void run() {
    if (most_->count() > 0) o_.max_rating = max_rating_;
    o_.minimal = !not_minimal_;
    std::optional<trm::sudoku::solution_split> split;
    if (test_ > 0) split.emplace(o_.size, o_.seed, held_out_);
    if (output_.empty()) {
      program::generate<trm::sudoku::puzzle>(count_, threads_, true, maker(split, false, 0), [](const auto& p) {
        fmt::print("{}\n", trm::sudoku::to_line(p.question));
      });
      return;
    }
    const program::tables_folder folder(output_);
    table train(output_ / "train.csv"), test(output_ / "test.csv");
    fill(train, maker(split, false, 0), count_);
    if (test_ > 0) fill(test, maker(split, true, std::uint64_t{1} << 40), test_);
    // Both or none: neither is of use without the other.
    finish(train, count_);
    if (test_ > 0) finish(test, test_);
  }

  struct table {
    explicit table(const std::filesystem::path& path) : path(path.string()), file(path) {}
    std::string path;
    trm::sudoku::puzzle_writer file;
    std::int64_t naked = 0, rated = 0;
  };
  void fill(table& t, const maker_type& make, std::int64_t count) const {
    program::generate<trm::sudoku::puzzle>(count, threads_, quiet_, make, [&](const trm::sudoku::puzzle& p) {
      t.file.write(p);
      t.naked += trm::sudoku::solve_by_naked_singles(p.question).solved;
      t.rated += p.rating > 0;
    });
  }
  static void finish(table& t, std::int64_t count) {
    t.file.commit();
    const auto percent = [&](std::int64_t n) { return 100.0 * static_cast<double>(n) / static_cast<double>(count); };
    fmt::print("{}: {} puzzles, {:.1f} % solvable by naked singles, {:.1f} % need search\n", t.path, count,
               percent(t.naked), percent(t.rated));
  }
  maker_type maker(const std::optional<trm::sudoku::solution_split>& split, bool testing, std::uint64_t first) const {
    trm::sudoku::generator_options o = o_;
    if (split)
      o.accept_solution = [&split, testing](const trm::sudoku::board& b) { return split->held_out(b) == testing; };
    const trm::sudoku::generator make(o);
    return
        [make, first, naked = naked_, seed = o_.seed](std::uint64_t number, int) -> std::optional<trm::sudoku::puzzle> {
          auto p = make(first + number);
          if (naked < 1 && trm::sudoku::solve_by_naked_singles(p.question).solved &&
              trm::philox{seed}.at(trm::purpose::user, first + number).uniform(0) >= naked) {
            return std::nullopt;
          }
          return p;
        };
  }

  trm::sudoku::generator_options o_;
  std::int64_t count_ = 1, test_ = 0;
  std::uint64_t max_rating_ = 0;
  CLI::Option* most_ = nullptr;
  double held_out_ = 0.2, naked_ = 1;
  std::filesystem::path output_;
  int threads_ = 0;
  bool not_minimal_ = false, quiet_ = false;
};

}  // namespace trm_sudoku
