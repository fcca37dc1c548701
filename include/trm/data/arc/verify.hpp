// SPDX-License-Identifier: MIT
// Recomputes the facts of an ARC dataset, whoever built it, from its folder and from the sources.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/build_options.hpp"
#include "trm/data/arc/build_record.hpp"
#include "trm/data/arc/decode.hpp"
#include "trm/data/arc/encoding.hpp"
#include "trm/data/arc/group.hpp"
#include "trm/data/arc/row.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/data/arc/verify_sources.hpp"
#include "trm/data/dataset.hpp"
#include "trm/data/materialize.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// How far a verification is.
struct verify_progress {
  std::string split;                 // the one being read
  std::int64_t done = 0, total = 0;  // rows of the split
};

/// What a dataset is compared with, and how much of it.
struct verify_options {
  /// See build_options. Where only `source` is named the rest is what the dataset's build.json says (recorded_sources);
  /// where no subsets are, either, the folder alone is checked.
  verify_sources sources;
  /// Called after every group. What it throws ends the check.
  std::function<void(const verify_progress&)> progress;
};

/// What a verification found to be there, and as it should be.
struct verify_report {
  std::vector<build_report::split> splits;  // those that were compared
  /// With the blank ones.
  std::size_t identifiers = 0;
  /// Whether sources were given; otherwise every puzzle was compared with the first of its group, and what is held out
  /// with test_puzzles.json.
  bool with_sources = false;
  bool virtual_form = false;
};

namespace detail {

class verification {
 public:
  verification(const std::filesystem::path& folder, const verify_options& options)
      : folder_(folder), options_(options), sources_(options.sources) {}

  verify_report run() {
    if (sources_.subsets.empty() && !sources_.source.empty()) sources_ = recorded_sources(folder_, sources_.source);
    report_.with_sources = !sources_.subsets.empty();
    read_names();
    read_test_puzzles();
    for (const std::string& split : trm::detail::splits_in(folder_)) {
      if (split != "train" && split != "test") throw error((folder_ / split).string(), "no split of an ARC dataset");
    }
    open("train");
    std::error_code unseen;
    if (std::filesystem::exists(folder_ / "test", unseen)) open("test");
    check_record();
    if (report_.with_sources) {
      expected_ = expect_groups(
          sources_,
          [&] {
            std::vector<std::string> order;
            for (std::int64_t g = 0; g < set_of(0).groups(); ++g) order.push_back(task_of(0, g));
            return order;
          }(),
          place(0));
      check_held_out();
    }
    check_test_groups();
    for (std::size_t s = 0; s < splits_.size(); ++s) check_rows(s);
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (!used_[i] && names_[i] != blank) fail_name(i, "is the name of no puzzle");
    }
    return std::move(report_);
  }

 private:
  static constexpr const char* blank = "<blank>";

  struct split {
    std::string name;
    dataset data;
    int canvas;
  };

  const dataset_set& set_of(std::size_t s) const { return splits_[s].data.sources()[0]; }
  bool is_test(std::size_t s) const { return splits_[s].name == "test"; }
  std::string place(std::size_t s) const { return (folder_ / splits_[s].name).string(); }
  [[noreturn]] void fail_name(std::size_t i, const std::string& what) const {
    throw error((folder_ / "identifiers.json").string() + ": /" + std::to_string(i),
                "\"" + trm::detail::printable(names_[i]) + "\" " + what);
  }

  void read_names() {
    const json document = read_json(folder_ / "identifiers.json");
    names_ = json_field(document, (folder_ / "identifiers.json").string()).strings();
    if (names_.empty() || names_[0] != blank) {
      throw error((folder_ / "identifiers.json").string(), "does not begin with <blank>");
    }
    std::unordered_set<std::string_view> seen;
    bool begun = false;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == blank && begun) fail_name(i, "after a name");
      if (names_[i] == blank) continue;
      begun = true;
      if (!seen.insert(names_[i]).second) fail_name(i, "occurs twice");
    }
    used_.resize(names_.size());
    report_.identifiers = names_.size();
  }

  void read_test_puzzles() {
    const auto file = folder_ / "test_puzzles.json";
    const json document = read_json(file);
    if (!document.is_object()) throw error(file.string(), "expected an object");
    for (task& t : parse_tasks(document.dump(), file.string(), "test_puzzles")) {
      for (std::size_t i = 0; i < t.test.size(); ++i) {
        if (!t.test[i].output) {
          throw error(file.string() + ": task " + t.id, "test[" + std::to_string(i) + "]: \"output\" is missing");
        }
      }
      std::string id = t.id;
      test_puzzles_.emplace(std::move(id), std::move(t));
    }
  }

  void open(const std::string& name) {
    dataset data = dataset::open(folder_, name);
    const std::string file = (folder_ / name / "dataset.json").string();
    const dataset_metadata& m = data.metadata();
    const auto require = [&](const char* key, const auto& found, const auto& wanted) {
      if (found == wanted) return;
      throw error(file + ": /" + key, "is " + json(found).dump() + ", expected " + json(wanted).dump());
    };
    require("sets", m.sets, std::vector<std::string>{"all"});
    require("vocab_size", m.vocab_size, vocabulary);
    require("pad_id", m.pad_id, pad_token);
    require("ignore_label_id", m.ignore_label_id.value_or(-1), pad_token);
    require("blank_identifier_id", m.blank_identifier_id, 0);
    require("num_puzzle_identifiers", static_cast<std::size_t>(m.num_puzzle_identifiers), names_.size());
    const dataset_set& set = data.sources()[0];
    require("total_puzzles", m.total_puzzles, set.puzzles());
    if (set.puzzles() == 0) throw error(file, "the split is empty");
    require("mean_puzzle_examples", m.mean_puzzle_examples,
            static_cast<double>(set.rows()) / static_cast<double>(set.puzzles()));
    int canvas = 1;
    while (canvas < max_side && canvas * canvas < m.seq_len) ++canvas;
    if (canvas * canvas != m.seq_len) {
      throw error(file + ": /seq_len", "is " + std::to_string(m.seq_len) + ", no square of 1 to 30");
    }
    if (!splits_.empty()) require("seq_len", m.seq_len, splits_[0].data.metadata().seq_len);
    const auto count = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    report_.splits.push_back({name, count(set.groups()), count(set.puzzles()), count(set.rows())});
    report_.virtual_form = report_.virtual_form || set.is_virtual();
    splits_.push_back({name, std::move(data), canvas});
  }

  /// Where the folder says what was built, it is what is there.
  void check_record() const {
    const std::string file = build_record::path_in(folder_).string();
    const std::optional<json> record = read_build_record(folder_);
    if (!record || json_field(*record, file).at("format").integer(0) != build_record::format) return;
    const build_report built = report_of(*record, file);
    if (built.splits != report_.splits) throw error(file + ": /report/splits", "are not those of the dataset");
    if (built.identifiers != report_.identifiers) {
      throw error(file + ": /report/identifiers", "is " + std::to_string(built.identifiers) +
                                                      ", identifiers.json has " + std::to_string(report_.identifiers));
    }
  }

  const std::string& name_of(std::size_t s, std::int64_t puzzle) const {
    const std::string& name = names_[static_cast<std::size_t>(set_of(s).puzzle_identifier(puzzle))];
    if (name == blank) throw error(place(s), "puzzle " + std::to_string(puzzle) + " has a blank identifier");
    return name;
  }
  /// The name of a group's first puzzle, which is the task itself.
  const std::string& task_of(std::size_t s, std::int64_t group) const {
    const std::int64_t puzzle = set_of(s).puzzles_of(group).first;
    const std::string& name = name_of(s, puzzle);
    if (name.find(name_separator) != name.npos) {
      throw error(place(s), "puzzle " + std::to_string(puzzle) + ", the first of group " + std::to_string(group) +
                                ": \"" + trm::detail::printable(name) + "\" is no unaugmented task");
    }
    return name;
  }

  /// The split test and test_puzzles.json hold exactly the tasks that the sources hold out.
  void check_held_out() {
    std::map<std::string, const task*> wanted;
    for (const group& g : expected_) {
      if (!g.held_out) continue;
      held_out_.push_back(&g);
      wanted[g.source.id] = &g.source;  // the later counts, as published
    }
    const std::string file = (folder_ / "test_puzzles.json").string();
    for (const auto& [id, t] : wanted) {
      const auto found = test_puzzles_.find(id);
      if (found == test_puzzles_.end()) throw error(file, "task " + id + " is missing");
      if (!same_pairs(found->second.train, t->train) || !same_pairs(found->second.test, t->test)) {
        throw error(file, "task " + id + " is not that of the sources");
      }
    }
    for (const auto& [id, unused] : test_puzzles_) {
      if (!wanted.contains(id)) throw error(file, "task " + id + " is not held out");
    }
    const std::size_t groups = splits_.size() > 1 ? static_cast<std::size_t>(set_of(1).groups()) : 0;
    if (groups != held_out_.size()) {
      throw error((folder_ / "test").string(), std::to_string(groups) + " groups, the test sets have " +
                                                   std::to_string(held_out_.size()) + " tasks");
    }
  }

  /// A held-out task has the same puzzles in both splits.
  void check_test_groups() const {
    if (splits_.size() < 2) {
      if (!test_puzzles_.empty()) {
        throw error((folder_ / "test_puzzles.json").string(), "has tasks, but there is no split test");
      }
      return;
    }
    const auto identifiers = [&](std::size_t s, std::int64_t group) {
      std::vector<std::int32_t> all;
      const index_range puzzles = set_of(s).puzzles_of(group);
      for (std::int64_t p = puzzles.first; p < puzzles.last; ++p) all.push_back(set_of(s).puzzle_identifier(p));
      return all;
    };
    std::unordered_multimap<std::string, std::int64_t> trained;
    for (std::int64_t g = 0; g < set_of(0).groups(); ++g) trained.emplace(task_of(0, g), g);
    for (std::int64_t g = 0; g < set_of(1).groups(); ++g) {
      const std::string& id = task_of(1, g);
      if (report_.with_sources && id != held_out_[static_cast<std::size_t>(g)]->source.id) {
        throw error(place(1), "group " + std::to_string(g) + " is task " + id + ", the sources say " +
                                  held_out_[static_cast<std::size_t>(g)]->source.id);
      }
      if (!test_puzzles_.contains(id)) {
        throw error((folder_ / "test_puzzles.json").string(), "task " + id + " of the split test is missing");
      }
      const auto [first, last] = trained.equal_range(id);
      const std::vector<std::int32_t> here = identifiers(1, g);
      if (std::none_of(first, last, [&](const auto& entry) { return identifiers(0, entry.second) == here; })) {
        throw error(place(1), "group " + std::to_string(g) + ", task " + id + ": no group of train has its puzzles");
      }
    }
  }

  void check_rows(std::size_t s) {
    const dataset_set& set = set_of(s);
    std::unordered_map<std::string, int> groups_of;
    for (std::int64_t g = 0; g < set.groups(); ++g) ++groups_of[task_of(s, g)];
    row_check rows(set, splits_[s].canvas, is_test(s), set_place(s));
    for (std::int64_t g = 0; g < set.groups(); ++g) {
      const std::string& id = task_of(s, g);
      const index_range puzzles = set.puzzles_of(g);
      std::vector<example> decoded;
      std::vector<const example*> examples;
      std::optional<distinct_augmentations> distinct;
      if (report_.with_sources) {
        const group& source =
            is_test(s) ? *held_out_[static_cast<std::size_t>(g)] : expected_[static_cast<std::size_t>(g)];
        examples = examples_of(source, is_test(s));
        distinct.emplace(source.source);
      } else if (is_test(s) && groups_of[id] == 1) {
        for (const example& pair : test_puzzles_.at(id).test) examples.push_back(&pair);
      } else {
        decoded = rows.decode(puzzles.first);
        for (const example& pair : decoded) examples.push_back(&pair);
      }
      std::unordered_set<std::int32_t> seen;
      for (std::int64_t puzzle = puzzles.first; puzzle < puzzles.last; ++puzzle) {
        const std::string& name = name_of(s, puzzle);
        const puzzle_name parts = parse_name(name);
        const auto fail = [&](const std::string& what) {
          throw error(place(s), "puzzle " + std::to_string(puzzle) + ", " + trm::detail::printable(name) + ": " + what);
        };
        const std::int32_t identifier = set.puzzle_identifier(puzzle);
        used_[static_cast<std::size_t>(identifier)] = true;
        if (parts.task != id) fail("in the group of task " + id);
        if (!seen.insert(identifier).second) fail("occurs twice in its group");
        if (distinct && !distinct->insert(parts.how)) fail("the same content as an earlier one of its group");
        rows.check(puzzle, name, parts.how, examples);
      }
      if (options_.progress) options_.progress({splits_[s].name, set.rows_of(puzzles.last - 1).last, set.rows()});
    }
  }

  /// Where the rows are, for messages.
  std::filesystem::path set_place(std::size_t s) const {
    const std::filesystem::path split = folder_ / splits_[s].name;
    return set_of(s).is_virtual() ? virtual_file_path(split, "all") : split / "all__";
  }

  const std::filesystem::path& folder_;
  const verify_options& options_;
  verify_sources sources_;
  verify_report report_;
  std::vector<std::string> names_;
  std::vector<bool> used_;
  std::map<std::string, task> test_puzzles_;
  std::vector<split> splits_;
  std::vector<group> expected_;         // of train, in its order, from the sources
  std::vector<const group*> held_out_;  // of test
};

}  // namespace detail

/// Checks the dataset in a folder, of either form and by whatever builder: the descriptions, shapes, value ranges and boundaries;
/// names and identifiers; that no puzzle occurs twice in its group; that every row is an augmentation of its example, at one place
/// for both grids, with its end-of-grid tokens; that test rows and one row of every training puzzle are in the corner; that both
/// splits, test_puzzles.json and, where it is there, build.json agree. With sources: that the examples and the held-out tasks are exactly theirs.
/// Not recomputed: which augmentations and places were drawn (build again with the same seed for that).
/// \throws trm::error that names the first violation, by file, row, puzzle and position
inline verify_report verify(const std::filesystem::path& folder, const verify_options& options = {}) {
  return detail::verification(folder, options).run();
}

}  // namespace trm::arc
