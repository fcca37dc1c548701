// SPDX-License-Identifier: MIT
// Builds an ARC dataset: tasks, their augmentations and translations, in the published format and with its random draws.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/sha256.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/numpy_random.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/npy.hpp"

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

struct build_progress {
  enum class phase { augment, write } phase;
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
  /// Called now and then, always at the end of a phase. What it throws ends the build, which then leaves nothing behind.
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

/// A folder that is at its path completely or not at all: filled beside it, renamed by commit(), otherwise removed.
class partial_folder {
 public:
  explicit partial_folder(const std::filesystem::path& path) : path_(path.lexically_normal()) {
    if (!path_.has_filename()) path_ = path_.parent_path();  // "a/b/" ends in an empty name
    if (path_.empty()) throw error("output", "no folder is named");
    std::error_code code;
    if (std::filesystem::exists(path_, code) &&
        !(std::filesystem::is_directory(path_, code) && std::filesystem::is_empty(path_, code))) {
      throw error(path_.string(), "is there already: remove it or name another folder");
    }
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), code);
    if (code) throw error(path_.parent_path().string(), "cannot create: " + code.message());
    partial_ = path_.string() + ".partial-" + std::to_string(::getpid());
    std::filesystem::remove_all(partial_, code);  // of a dead process that had our number
    if (!std::filesystem::create_directory(partial_, code)) {
      const std::filesystem::path wanted = std::exchange(partial_, {});
      throw error(wanted.string(), "cannot create: " + code.message());
    }
  }
  partial_folder(const partial_folder&) = delete;
  partial_folder& operator=(const partial_folder&) = delete;
  ~partial_folder() {
    std::error_code ignored;
    if (!partial_.empty()) std::filesystem::remove_all(partial_, ignored);
  }

  const std::filesystem::path& path() const { return partial_; }
  void commit() {
    std::error_code code;
    std::filesystem::rename(partial_, path_, code);
    if (code) throw error(path_.string(), "cannot put in place: " + code.message());
    partial_.clear();
  }

 private:
  std::filesystem::path path_, partial_;
};

struct digest_hash {
  std::size_t operator()(const sha256_digest& d) const {
    std::size_t word;
    std::memcpy(&word, d.data(), sizeof word);
    return word;
  }
};

/// One name for all puzzles that hold the same pairs, in whatever order and split.
inline sha256_digest content_hash(const task& t, const augmentation& how) {
  std::vector<std::array<sha256_digest, 2>> pairs;
  for (const auto* examples : {&t.train, &t.test}) {
    for (const example& pair : *examples) {
      pairs.push_back({hash(how.apply(pair.input)), hash(how.apply(*pair.output))});
    }
  }
  std::ranges::sort(pairs);
  sha256 all;
  for (const auto& pair : pairs) {
    all.update(pair[0]);
    all.update(pair[1]);
  }
  return all.finish();
}

/// The task itself and up to `wanted` augmentations with distinct content. Gives up after five draws for each one wanted.
inline std::vector<augmentation> draw_augmentations(const task& t, int wanted, numpy_random& random) {
  std::vector<augmentation> group = {augmentation{}};
  if (wanted == 0) return group;
  std::unordered_set<sha256_digest, digest_hash> seen = {content_hash(t, {})};
  for (std::int64_t trial = 0; trial < std::int64_t{5} * wanted; ++trial) {
    augmentation how;
    how.transform = static_cast<int>(random.randint(0, dihedral_transforms));
    std::span<std::uint8_t> not_black = std::span(how.colours).subspan(1);
    random.shuffle(not_black);
    if (seen.insert(content_hash(t, how)).second) group.push_back(how);
    if (group.size() > static_cast<std::size_t>(wanted)) break;
  }
  return group;
}

/// A task with its augmentations; `held_out` where its test pairs belong to the split "test".
struct group {
  task source;
  bool held_out = false;
  std::vector<augmentation> puzzles = {};      // the first is the task itself
  std::vector<std::int32_t> identifiers = {};  // of puzzles
};

/// What one split takes from a group, in the published order.
inline std::vector<const example*> examples_of(const group& g, bool test_split) {
  std::vector<const example*> all;
  const auto take = [&](const std::vector<example>& from) {
    for (const example& pair : from) all.push_back(&pair);
  };
  if (g.held_out) {
    take(test_split ? g.source.test : g.source.train);
  } else if (!test_split) {
    take(g.source.test_first ? g.source.test : g.source.train);
    take(g.source.test_first ? g.source.train : g.source.test);
  }
  return all;
}

/// Calls f(grid, position) for every grid of a task.
template <class F>
void for_each_grid(const task& t, F&& f) {
  const auto visit = [&](const std::vector<example>& examples, const std::string& name) {
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const std::string at = name + "[" + std::to_string(i) + "]";
      f(examples[i].input, at + ".input");
      if (examples[i].output) f(*examples[i].output, at + ".output");
    }
  };
  visit(t.train, "train");
  visit(t.test, "test");
}

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
        throw error("task " + id, "no subset has it");
      }
    }
    for (auto& tasks : subsets_) std::erase_if(tasks, [&](const task& t) { return !wanted(t); });
    for (std::size_t i = 0; i < subsets_.size(); ++i) {
      if (subsets_[i].empty()) throw error("subset " + options_.subsets[i], "no task in it is wanted");
      for (task& t : subsets_[i]) complete(t);
    }
  }

  bool wanted(const task& t) const {
    bool fits = true;
    for_each_grid(t, [&](const grid& g, const std::string&) {
      fits = fits && g.rows() <= options_.filter.max_grid_side && g.columns() <= options_.filter.max_grid_side;
    });
    return fits && (options_.filter.ids.empty() || std::ranges::count(options_.filter.ids, t.id) > 0);
  }

  void complete(task& t) {
    for_each_grid(t, [&](const grid& g, const std::string& at) {
      if (g.rows() <= options_.canvas && g.columns() <= options_.canvas) return;
      throw error("task " + t.id + ": " + at,
                  std::to_string(g.rows()) + " x " + std::to_string(g.columns()) + " cells do not fit on a canvas of " +
                      std::to_string(options_.canvas) + ": take a larger canvas or only tasks with smaller grids");
    });
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
      for (task& t : tasks) {
        group g{std::move(t), held_out};
        g.puzzles = draw_augmentations(g.source, options_.augmentations, random_);
        if (g.puzzles.size() <= static_cast<std::size_t>(options_.augmentations)) {
          report_.short_groups.emplace_back(g.source.id, g.puzzles.size());
        }
        groups_.push_back(std::move(g));
        report_progress(build_progress::phase::augment, groups_.size(), total);
      }
    }
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
    const std::filesystem::path path = folder / counts.name;
    std::error_code code;
    if (!std::filesystem::create_directory(path, code)) throw error(path.string(), "cannot create: " + code.message());

    const std::int64_t tokens = options_.canvas * options_.canvas;
    npy_writer inputs(path / "all__inputs.npy", element_type::u8, {tokens});
    npy_writer labels(path / "all__labels.npy", element_type::u8, {tokens});
    std::vector<std::int32_t> identifiers, puzzle_indices = {0}, group_indices = {0};
    std::vector<std::uint8_t> row(static_cast<std::size_t>(tokens));
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
          encode<std::uint8_t>(input, options_.canvas, top, left, row);
          inputs.append<std::uint8_t>(row);
          encode<std::uint8_t>(output, options_.canvas, top, left, row);
          labels.append<std::uint8_t>(row);
        }
        counts.examples += examples.size();
        ++counts.puzzles;
        if (counts.examples > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
          throw error(path.string(), "more than 2^31 - 1 examples");
        }
        puzzle_indices.push_back(static_cast<std::int32_t>(counts.examples));
        identifiers.push_back(g.identifiers[puzzle]);
      }
      ++counts.groups;
      group_indices.push_back(static_cast<std::int32_t>(counts.puzzles));
      written_ += g.puzzles.size() * examples.size();
      report_progress(build_progress::phase::write, written_, total_);
    }
    inputs.commit();
    labels.commit();
    save(path / "all__puzzle_identifiers.npy", identifiers);
    save(path / "all__puzzle_indices.npy", puzzle_indices);
    save(path / "all__group_indices.npy", group_indices);
    write_metadata(path, counts);  // last: without it the folder is no dataset
    report_.splits.push_back(counts);
  }

  int draw_place(int input_side, int output_side) {
    return static_cast<int>(random_.randint(0, options_.canvas - std::max(input_side, output_side) + 1));
  }

  static void save(const std::filesystem::path& path, const std::vector<std::int32_t>& values) {
    save_npy<std::int32_t>(path, {static_cast<std::int64_t>(values.size())}, values);
  }

  void write_metadata(const std::filesystem::path& path, const build_report::split& counts) const {
    ordered_json metadata;
    metadata["pad_id"] = pad_token;
    metadata["ignore_label_id"] = pad_token;
    metadata["blank_identifier_id"] = 0;
    metadata["vocab_size"] = vocabulary;
    metadata["seq_len"] = options_.canvas * options_.canvas;
    metadata["num_puzzle_identifiers"] = report_.identifiers;
    metadata["total_groups"] = counts.groups;
    metadata["mean_puzzle_examples"] = static_cast<double>(counts.examples) / static_cast<double>(counts.puzzles);
    metadata["total_puzzles"] = counts.puzzles;
    metadata["sets"] = {"all"};
    write_file(path / "dataset.json", metadata.dump());
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

  void report_progress(enum build_progress::phase phase, std::size_t done, std::size_t total) const {
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
