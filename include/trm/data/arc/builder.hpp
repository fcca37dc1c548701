// SPDX-License-Identifier: MIT
// Builds an ARC dataset: tasks, their augmentations and translations, in the published format and with its random draws.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/group.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/dataset_writer.hpp"
#include "trm/data/numpy_random.hpp"
#include "trm/data/partial_folder.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// Which tasks take part. The default takes all, as the published builder does.
struct task_filter {
  /// Only these, where any are named. A name that no subset has is an error.
  std::vector<std::string> ids;
  /// Only tasks all of whose grids have sides up to this.
  int max_grid_side = max_side;
  /// At most so many of each subset: the first in its shuffled order.
  std::optional<std::size_t> max_tasks;
};

enum class build_phase { augment, write };

struct build_progress {
  build_phase phase;
  std::size_t done;   // tasks augmented, or examples written
  std::size_t total;  // of both splits
};

struct build_options {
  /// See read_subset.
  std::string source;
  std::vector<std::string> subsets;
  /// The subsets whose test pairs are held out as the split "test". Empty for none. All else goes to the split "train".
  std::string test_set, test_set2;
  std::uint32_t seed = 42;
  /// Augmented puzzles wanted of each task, beside the task itself.
  int augmentations = 1000;
  /// Identifiers below it are blank. 0 is always blank.
  std::int32_t first_identifier = 1;
  /// Side of the square that holds a grid: an example has canvas * canvas tokens.
  int canvas = max_side;
  task_filter filter;
  /// The folder to make. It must not exist, or be empty.
  std::filesystem::path output;
  /// Called after every task of each phase. What it throws ends the build, which then leaves nothing behind.
  std::function<void(const build_progress&)> progress;
};

struct build_report {
  struct split {
    std::string name;
    std::size_t groups = 0, puzzles = 0, examples = 0;
  };
  std::vector<split> splits;
  /// With the blank ones.
  std::size_t identifiers = 0;
  /// Tasks with fewer distinct augmentations than wanted: name, and how many puzzles there are of it.
  std::vector<std::pair<std::string, std::size_t>> short_groups;
  /// Test inputs whose output is not known: their label is a single cell of colour 0, as published.
  std::size_t without_solution = 0;
};

namespace detail {

/// One build. The order of the random draws is the published builder's: for each subset its shuffle, then for each task its
/// augmentations; when all are drawn, for each split and puzzle the example that stays in the corner, then the others' places.
class dataset_build {
 public:
  explicit dataset_build(const build_options& options) : options_(options), random_(options.seed) {}

  build_report run() {
    check_options();
    partial_folder folder(options_.output);  // a folder that cannot be written is found before the work
    read();
    augment();
    name();
    for (const bool test_split : {false, true}) {
      for (const group& g : groups_) total_ += g.puzzles.size() * examples_of(g, test_split).size();
    }
    for (const bool test_split : {false, true}) {
      if (std::ranges::any_of(groups_, [&](const group& g) { return !examples_of(g, test_split).empty(); })) {
        write_split(folder.path(), test_split);
      }
    }
    write_test_puzzles(folder.path());
    write_identifiers(folder.path());
    folder.commit();
    return std::move(report_);
  }

 private:
  void check_options() const {
    const auto require = [](bool fine, const char* option, const std::string& what) {
      if (!fine) throw error(option, what);
    };
    require(!options_.subsets.empty(), "subsets", "none is named");
    require(options_.augmentations >= 0, "augmentations", "may not be negative");
    require(options_.first_identifier >= 1, "first_identifier", "must be at least 1, 0 is the blank one");
    require(options_.canvas >= 1 && options_.canvas <= max_side, "canvas", "must be 1 to 30");
    for (const std::string& set : {options_.test_set, options_.test_set2}) {
      require(set.empty() || std::ranges::count(options_.subsets, set) > 0, "test_set",
              "\"" + set + "\" is not among the subsets");
    }
  }

  void read() {
    for (const std::string& subset : options_.subsets) {
      subsets_.push_back(read_subset(options_.source, subset));
    }
    for (const std::string& id : options_.filter.ids) {
      const auto named = [&](const task& t) { return t.id == id; };
      if (std::ranges::none_of(subsets_, [&](const auto& tasks) { return std::ranges::any_of(tasks, named); })) {
        throw error("task " + trm::detail::printable(id), "no subset has it");
      }
    }
    for (auto& tasks : subsets_) {
      std::erase_if(tasks, [&](const task& t) { return !wanted(t); });
      for (const task& t : tasks) require_canvas(t);
    }
  }

  bool wanted(const task& t) const {
    bool fits = true;
    for_each_grid(t, [&](const grid& g, const std::string&) {
      fits = fits && g.rows() <= options_.filter.max_grid_side && g.columns() <= options_.filter.max_grid_side;
    });
    return fits && (options_.filter.ids.empty() || std::ranges::count(options_.filter.ids, t.id) > 0);
  }

  void require_canvas(const task& t) const {
    for_each_grid(t, [&](const grid& g, const std::string& at) {
      if (g.rows() <= options_.canvas && g.columns() <= options_.canvas) return;
      throw error("task " + t.id + ": " + at,
                  std::to_string(g.rows()) + " x " + std::to_string(g.columns()) + " cells do not fit on a canvas of " +
                      std::to_string(options_.canvas) + ": take a larger canvas or only tasks with smaller grids");
    });
  }

  /// What is not known is taken to be a single cell of colour 0.
  void fill_solutions(task& t) {
    for (example& pair : t.test) {
      if (pair.output) continue;
      pair.output = grid(1, 1);
      ++report_.without_solution;
    }
  }

  void augment() {
    const std::size_t most = options_.filter.max_tasks.value_or(std::numeric_limits<std::size_t>::max());
    std::size_t total = 0;
    for (const auto& tasks : subsets_) total += std::min(most, tasks.size());
    for (std::size_t i = 0; i < subsets_.size(); ++i) {
      auto& tasks = subsets_[i];
      const bool held_out = options_.subsets[i] == options_.test_set || options_.subsets[i] == options_.test_set2;
      random_.shuffle(tasks);
      if (tasks.size() > most) tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(most), tasks.end());
      if (held_out && tasks.empty()) throw error("test set " + options_.subsets[i], "the filter leaves no task in it");
      for (task& t : tasks) {
        group g{std::move(t), held_out};
        fill_solutions(g.source);
        g.puzzles = draw_augmentations(g.source, options_.augmentations, random_);
        if (g.puzzles.size() <= static_cast<std::size_t>(options_.augmentations)) {
          report_.short_groups.emplace_back(g.source.id, g.puzzles.size());
        }
        groups_.push_back(std::move(g));
        report_progress(build_phase::augment, groups_.size(), total);
      }
    }
    if (groups_.empty()) throw error("subsets", "the filter leaves no task");
    subsets_.clear();
  }

  static std::string puzzle_name_of(const group& g, std::size_t puzzle) {
    return puzzle == 0 ? g.source.id : compose_name(g.source.id, g.puzzles[puzzle]);
  }

  /// Puzzles of the same name have the same identifier; that can only happen where two subsets have tasks of one name.
  void name() {
    std::unordered_map<std::string, int> tasks_named;
    for (const group& g : groups_) ++tasks_named[g.source.id];
    std::unordered_map<std::string, std::int32_t> known;
    std::int64_t next = options_.first_identifier;
    for (group& g : groups_) {
      const bool repeated = tasks_named[g.source.id] > 1;
      for (std::size_t puzzle = 0; puzzle < g.puzzles.size(); ++puzzle) {
        if (next >= std::numeric_limits<std::int32_t>::max()) throw error("identifiers", "more than 2^31 - 1");
        auto identifier = static_cast<std::int32_t>(next);
        if (repeated) identifier = known.try_emplace(puzzle_name_of(g, puzzle), identifier).first->second;
        if (identifier == next) ++next;
        g.identifiers.push_back(identifier);
      }
    }
    report_.identifiers = static_cast<std::size_t>(next);
  }

  void write_split(const std::filesystem::path& folder, bool test_split) {
    build_report::split counts{.name = test_split ? "test" : "train"};
    dataset_metadata metadata;
    metadata.pad_id = pad_token;
    metadata.ignore_label_id = pad_token;
    metadata.vocab_size = vocabulary;
    metadata.seq_len = options_.canvas * options_.canvas;
    metadata.num_puzzle_identifiers = static_cast<std::int32_t>(report_.identifiers);
    dataset_writer writer(folder, counts.name, metadata);
    std::vector<std::int32_t> inputs(static_cast<std::size_t>(metadata.seq_len)), labels(inputs.size());
    for (const group& g : groups_) {
      const std::vector<const example*> examples = examples_of(g, test_split);
      if (examples.empty()) continue;
      for (std::size_t puzzle = 0; puzzle < g.puzzles.size(); ++puzzle) {
        const auto in_corner = static_cast<std::size_t>(random_.randint(0, static_cast<std::int64_t>(examples.size())));
        for (std::size_t i = 0; i < examples.size(); ++i) {
          const grid input = g.puzzles[puzzle].apply(examples[i]->input);
          const grid output = g.puzzles[puzzle].apply(*examples[i]->output);
          const bool translated = !test_split && i != in_corner;
          const int top = translated ? draw_place(input.rows(), output.rows()) : 0;
          const int left = translated ? draw_place(input.columns(), output.columns()) : 0;
          encode<std::int32_t>(input, options_.canvas, top, left, inputs);
          encode<std::int32_t>(output, options_.canvas, top, left, labels);
          writer.add(inputs, labels);
        }
        writer.end_puzzle(g.identifiers[puzzle]);
      }
      writer.end_group();
      ++counts.groups;
      counts.puzzles += g.puzzles.size();
      counts.examples += g.puzzles.size() * examples.size();
      written_ += g.puzzles.size() * examples.size();
      report_progress(build_phase::write, written_, total_);
    }
    writer.commit();
    report_.splits.push_back(counts);
  }

  int draw_place(int input_side, int output_side) {
    return static_cast<int>(random_.randint(0, options_.canvas - std::max(input_side, output_side) + 1));
  }

  /// Of two held-out tasks of one name the later one counts, at the place of the earlier.
  void write_test_puzzles(const std::filesystem::path& folder) const {
    std::vector<task> held_out;
    std::unordered_map<std::string, std::size_t> places;
    for (const group& g : groups_) {
      if (!g.held_out) continue;
      const auto [place, fresh] = places.try_emplace(g.source.id, held_out.size());
      if (fresh) held_out.emplace_back();
      held_out[place->second] = g.source;
    }
    write_file(folder / "test_puzzles.json", to_json(held_out));
  }

  /// The name of every identifier, in order. Written piece by piece: there may be millions.
  void write_identifiers(const std::filesystem::path& folder) const {
    atomic_file file(folder / "identifiers.json");
    file.write("[\"<blank>\"");
    for (std::int32_t blank = 1; blank < options_.first_identifier; ++blank) file.write(",\"<blank>\"");
    std::int32_t next = options_.first_identifier;
    for (const group& g : groups_) {
      for (std::size_t puzzle = 0; puzzle < g.puzzles.size(); ++puzzle) {
        if (g.identifiers[puzzle] != next) continue;  // named before
        file.write("," + json(puzzle_name_of(g, puzzle)).dump());
        ++next;
      }
    }
    file.write("]");
    file.commit();
  }

  void report_progress(build_phase phase, std::size_t done, std::size_t total) const {
    if (options_.progress) options_.progress({phase, done, total});
  }

  const build_options& options_;
  numpy_random random_;
  std::vector<std::vector<task>> subsets_;
  std::vector<group> groups_;
  std::size_t written_ = 0, total_ = 0;
  build_report report_;
};

}  // namespace detail

/// Builds the dataset `options.output`: `train/`, where a test set is named also `test/`, `identifiers.json` and
/// `test_puzzles.json`. For the same options the arrays are those of the published builder, byte for byte, with its augmentations
/// named `TASK|||t3|||0123456789`. (Where the test set is the first subset, the published order of the splits, and so its random
/// draws, depend on Python's hash seed; here "train" always comes first.)
/// The folder is renamed into place when it is complete.
/// \throws trm::error on malformed tasks, options that make no sense, and whatever cannot be written
inline build_report build(const build_options& options) { return detail::dataset_build(options).run(); }

}  // namespace trm::arc
