// SPDX-License-Identifier: MIT
// Builds an ARC dataset: tasks, their augmentations and translations, in the published format and with its random draws.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/build_options.hpp"
#include "trm/data/arc/build_record.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/data/arc/group.hpp"
#include "trm/data/arc/row.hpp"
#include "trm/data/arc/split_writer.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/disk_space.hpp"
#include "trm/data/numpy_random.hpp"
#include "trm/io/partial_folder.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

namespace detail {

/// One build. The order of the random draws is the published builder's: for each subset its shuffle, then for each task its
/// augmentations; when all are drawn, for each split and puzzle the example that stays in the corner, then the others' places.
class dataset_build {
 public:
  explicit dataset_build(const build_options& options) : options_(options), random_(options.seed) {}

  build_report run() {
    check_options();
    std::error_code unseen;
    const bool recorded = std::filesystem::exists(build_record::path_in(options_.output), unseen);
    std::optional<partial_folder> folder;
    if (!recorded) folder.emplace(options_.output);  // a folder that cannot be written is found before the work
    read();
    build_record record(options_, digests_);
    if (recorded) {
      if (is_there(record)) return std::move(report_);
      folder.emplace(options_.output);  // refuses
    }
    augment();
    name();
    count();
    const std::string test_puzzles = test_puzzles_text();
    require_disk_space(folder->path(), bytes_needed(test_puzzles.size()), options_.available_space, options_.space);
    write(folder->path(), test_puzzles);
    record.set_report(report_);
    record.write(folder->path());
    folder->commit();
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
      digests_.push_back(source_digest(subsets_.back()));
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

  /// Whether the output holds this build in this form, all of it readable. Then the report is what it says.
  bool is_there(const build_record& record) {
    const std::filesystem::path file = build_record::path_in(options_.output);
    const json there = read_json(file);
    if (!record.same_build(there)) return false;
    report_ = report_of(there, file.string());
    report_.already_there = true;
    for (const build_report::split& s : report_.splits) {
      const dataset data = dataset::open(options_.output, s.name);
      for (const dataset_set& set : data.sources()) {
        if (set.is_virtual() != options_.virtual_form) return false;
      }
    }
    return true;
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
      if (report_.unsolved_tasks.empty() || report_.unsolved_tasks.back() != t.id)
        report_.unsolved_tasks.push_back(t.id);
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

  void count() {
    for (const bool test_split : {false, true}) {
      build_report::split counts{.name = test_split ? "test" : "train"};
      for (const group& g : groups_) {
        const std::size_t examples = examples_of(g, test_split).size();
        if (examples == 0) continue;
        ++counts.groups;
        counts.puzzles += g.puzzles.size();
        counts.examples += g.puzzles.size() * examples;
      }
      total_ += counts.examples;
      if (counts.examples > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        throw error("split " + counts.name,
                    std::to_string(counts.examples) + " examples, int32 indices count 2^31 - 1");
      }
      if (counts.groups > 0) report_.splits.push_back(std::move(counts));
    }
  }

  /// What the files will hold, with 4 KiB more for each of them and the folders.
  std::uint64_t bytes_needed(std::size_t test_puzzles) const {
    constexpr std::uint64_t around_a_file = 4096, files = 20;
    std::uint64_t bytes = files * around_a_file + test_puzzles;
    for (const build_report::split& s : report_.splits) {
      const auto tokens = static_cast<std::uint64_t>(options_.canvas) * static_cast<std::uint64_t>(options_.canvas);
      bytes += options_.virtual_form ? 2 * s.examples + 12 * s.puzzles + 16 * s.groups
                                     : 2 * tokens * s.examples + 8 * s.puzzles + 4 * s.groups;
    }
    for (const group& g : groups_) {
      const std::size_t name = json(g.source.id).dump().size() + 1, augmented = name + compose_name("", {}).size();
      bytes += name + (g.puzzles.size() - 1) * augmented;
      for_each_grid(g.source, [&](const grid& cells, const std::string&) {
        if (options_.virtual_form) bytes += cells.size() + 4;
      });
      bytes += 100 * (g.source.id.size() + 1);  // build.json, where its name may be noted
    }
    return bytes + 12 * static_cast<std::uint64_t>(options_.first_identifier);
  }

  /// Nothing has a dataset.json before all else is written.
  void write(const std::filesystem::path& folder, const std::string& test_puzzles) {
    std::vector<std::unique_ptr<split_writer>> writers;
    for (const build_report::split& s : report_.splits) {
      const dataset_metadata metadata = arc_metadata(options_.canvas, report_.identifiers);
      if (options_.virtual_form) {
        writers.push_back(std::make_unique<virtual_split_writer>(folder, s.name, metadata));
      } else {
        writers.push_back(std::make_unique<array_split_writer>(folder, s.name, metadata));
      }
      write_split(*writers.back(), s.name == "test");
    }
    write_file(folder / "test_puzzles.json", test_puzzles);
    write_identifiers(folder);
    for (const auto& writer : writers) writer->commit();
  }

  void write_split(split_writer& writer, bool test_split) {
    for (const group& g : groups_) {
      const std::vector<const example*> examples = examples_of(g, test_split);
      if (examples.empty()) continue;
      writer.begin_group(examples);
      for (std::size_t puzzle = 0; puzzle < g.puzzles.size(); ++puzzle) {
        writer.begin_puzzle(g.puzzles[puzzle], g.identifiers[puzzle]);
        const auto in_corner = static_cast<std::size_t>(random_.randint(0, static_cast<std::int64_t>(examples.size())));
        for (std::size_t i = 0; i < examples.size(); ++i) {
          const bool translated = !test_split && i != in_corner;
          const auto [rows, columns] = sides_of(*examples[i], g.puzzles[puzzle].transform);
          const int top = translated ? draw_place(rows) : 0;
          const int left = translated ? draw_place(columns) : 0;
          writer.add_row(i, top, left);
        }
        writer.end_puzzle();
      }
      writer.end_group();
      written_ += g.puzzles.size() * examples.size();
      report_progress(build_phase::write, written_, total_);
    }
    writer.commit_rows();
  }

  /// Rows and columns that hold both grids of a pair under the transform.
  static std::pair<int, int> sides_of(const example& pair, int transform) {
    return turned_sides(std::max(pair.input.rows(), pair.output->rows()),
                        std::max(pair.input.columns(), pair.output->columns()), transform);
  }
  int draw_place(int side) { return static_cast<int>(random_.randint(0, options_.canvas - side + 1)); }

  /// Of two held-out tasks of one name the later one counts, at the place of the earlier.
  std::string test_puzzles_text() const {
    std::vector<task> held_out;
    std::unordered_map<std::string, std::size_t> places;
    for (const group& g : groups_) {
      if (!g.held_out) continue;
      const auto [place, fresh] = places.try_emplace(g.source.id, held_out.size());
      if (fresh) held_out.emplace_back();
      held_out[place->second] = g.source;
    }
    return to_json(held_out);
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
        file.write(",");
        file.write(json(puzzle_name_of(g, puzzle)).dump());
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
  std::vector<std::string> digests_;  // of the subsets
  std::vector<group> groups_;
  std::size_t written_ = 0, total_ = 0;
  build_report report_;
};

}  // namespace detail

/// Builds the dataset `options.output`: `train/`, where a test set is named also `test/`, `identifiers.json` and
/// `test_puzzles.json`. For the same options the arrays are those of the published builder, byte for byte, with its augmentations
/// named `TASK|||t3|||0123456789`. (Where the test set is the first subset, the published order of the splits, and so its random
/// draws, depend on Python's hash seed; here "train" always comes first.)
/// Besides there is build.json (build_record.hpp), by which the same build is known again and skipped.
/// The folder is renamed into place when it is complete; the room that it takes is asked for before anything is written.
/// \throws trm::error on malformed tasks, options that make no sense, and whatever cannot be written
inline build_report build(const build_options& options) { return detail::dataset_build(options).run(); }

}  // namespace trm::arc
