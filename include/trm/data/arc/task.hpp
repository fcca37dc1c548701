// SPDX-License-Identifier: MIT
// Tasks of the Abstraction and Reasoning Corpus, read from the layouts in which they are published.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/data/arc/augmentation.hpp"
#include "trm/data/arc/grid.hpp"
#include "trm/io/file.hpp"
#include "trm/io/json.hpp"

namespace trm::arc {

/// A pair of grids. Only a test input may be without its output.
struct example {
  grid input;
  std::optional<grid> output;
};

/// A puzzle before augmentation: at least one demonstration and at least one test input.
struct task {
  std::string id;              // the task's name, such as "007bbfb7"
  std::vector<example> train;  // the demonstrations
  std::vector<example> test;
  /// True where the file names "test" before "train": a published build lays its examples out in that order.
  bool test_first = false;
};

namespace detail {

/// Reads the values of one file; `at` is the position in it that messages name.
class task_reader {
 public:
  explicit task_reader(const std::string& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& at, const std::string& what) const {
    throw error(file_ + ": " + trm::detail::printable(at), what);
  }

  const json& member(const json& object, const char* key, const std::string& at) const {
    if (!object.is_object()) fail(at, "expected an object, found " + shown(object));
    const auto found = object.find(key);
    if (found == object.end()) fail(at, "\"" + std::string(key) + "\" is missing");
    return *found;
  }

  grid read_grid(const json& value, const std::string& at) const {
    if (!value.is_array()) fail(at, "expected rows of cells, found " + shown(value));
    if (value.empty() || value.size() > max_side) fail(at, counted(value, "row"));
    for (std::size_t row = 0; row < value.size(); ++row) {
      const json& cells = value[row];
      const std::string where = "row " + std::to_string(row);
      if (!cells.is_array()) fail(at, where + ": expected cells, found " + shown(cells));
      if (row == 0 && (cells.empty() || cells.size() > max_side)) fail(at, where + " has " + counted(cells, "cell"));
      if (cells.size() != value[0].size()) {
        fail(at,
             where + " has " + std::to_string(cells.size()) + " cells, row 0 has " + std::to_string(value[0].size()));
      }
    }
    grid g(static_cast<int>(value.size()), static_cast<int>(value[0].size()));
    for (int row = 0; row < g.rows(); ++row) {
      for (int column = 0; column < g.columns(); ++column) {
        const json& cell = value[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
        // What is not negative is unsigned to the parser.
        if (!cell.is_number_unsigned() || cell.get<std::uint64_t>() >= colour_count) {
          fail(at, "row " + std::to_string(row) + ", column " + std::to_string(column) +
                       ": expected a colour 0 to 9, found " + shown(cell));
        }
        g(row, column) = static_cast<std::uint8_t>(cell.get<std::uint64_t>());
      }
    }
    return g;
  }

  std::vector<example> read_examples(const json& value, const std::string& at, bool output_required) const {
    if (!value.is_array()) fail(at, "expected pairs of grids, found " + shown(value));
    if (value.empty()) fail(at, "no pair of grids");
    std::vector<example> examples;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string where = at + "[" + std::to_string(i) + "]";
      example pair{read_grid(member(value[i], "input", where), where + ".input"), {}};
      if (output_required || value[i].contains("output")) {
        pair.output = read_grid(member(value[i], "output", where), where + ".output");
      }
      examples.push_back(std::move(pair));
    }
    return examples;
  }

  task read_task(const json& value, const std::string& id, bool test_first) const {
    const std::string at = "task " + id;
    if (id.empty()) fail("task \"\"", "a task without a name");
    if (std::ranges::any_of(id, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }))
      fail(at, "a name with control characters");
    if (id.find(name_separator) != id.npos) fail(at, "a name may not contain " + std::string(name_separator));
    return {id, read_examples(member(value, "train", at), at + ": train", true),
            read_examples(member(value, "test", at), at + ": test", false), test_first};
  }

 private:
  static std::string shown(const json& value) {
    if (value.is_structured() && !value.empty()) return value.is_array() ? "an array" : "an object";
    return trm::detail::printable(value.dump(), 60);
  }
  static std::string counted(const json& array, const char* what) {
    return std::to_string(array.size()) + " " + what + (array.size() == 1 ? "" : "s") + ", expected 1 to " +
           std::to_string(max_side);
  }

  const std::string& file_;
};

inline json parse_object(std::string_view text, const std::string& place) {
  json document = parse_json(text, place);
  if (!document.is_object()) throw error(place, "expected an object");
  return document;
}

/// What json, which sorts its keys, forgets of a text of tasks.
struct task_order {
  std::vector<std::string> ids;  // keys of the document
  std::vector<bool> test_first;  // of the member of this number: does "test" come before "train"?
};
/// Requires a text that parse_json accepts.
inline task_order order_of(std::string_view text) {
  task_order order;
  bool decided = false;
  [[maybe_unused]] const json nothing = json::parse(text, [&](int depth, json::parse_event_t event, const json& key) {
    if (event != json::parse_event_t::key) return false;  // nothing is kept
    if (depth == 1) {
      order.ids.push_back(key.get<std::string>());
      order.test_first.push_back(false);
      decided = false;
    } else if (depth == 2 && !decided && (key == "test" || key == "train")) {
      order.test_first.back() = key == "test";
      decided = true;
    }
    return false;
  });
  return order;
}

}  // namespace detail

/// Tasks from the text of one file: the combined layout `{id: {"train": [...], "test": [...]}, ...}`, in its order, or one task
/// `{"train": [...], "test": [...]}`, which gets the name `single_id`. Keys that are not known are ignored.
/// \throws trm::error with `place`, the task and the position: `FILE: task ID: train[2].input: row 3 has 4 cells, row 0 has 5`
inline std::vector<task> parse_tasks(std::string_view text, const std::string& place, const std::string& single_id) {
  const json document = detail::parse_object(text, place);
  const detail::task_order order = detail::order_of(text);
  const detail::task_reader reader(place);
  const auto is_array = [&](const char* key) { return document.contains(key) && document[key].is_array(); };
  if (is_array("train") || is_array("test")) {
    const auto test = std::ranges::find(order.ids, "test"), train = std::ranges::find(order.ids, "train");
    return {reader.read_task(document, single_id, test < train)};
  }
  std::vector<task> tasks;
  for (std::size_t i = 0; i < order.ids.size(); ++i) {
    tasks.push_back(reader.read_task(*document.find(order.ids[i]), order.ids[i], order.test_first[i]));
  }
  return tasks;
}

/// Gives the test inputs of all tasks their outputs, from text of the layout `{id: [grid, ...], ...}`. What it holds of other
/// tasks is ignored.
/// \throws trm::error where a task is missing or has another number of outputs than test inputs, or a grid is malformed
inline void add_solutions(std::span<task> tasks, std::string_view text, const std::string& place) {
  const json document = detail::parse_object(text, place);
  const detail::task_reader reader(place);
  for (task& t : tasks) {
    const std::string at = "task " + t.id;
    const auto found = document.find(t.id);
    if (found == document.end()) reader.fail(at, "no solution");
    const json& outputs = *found;
    if (!outputs.is_array() || outputs.size() != t.test.size()) {
      reader.fail(at, "expected one output for each of " + std::to_string(t.test.size()) + " test inputs, found " +
                          (outputs.is_array() ? std::to_string(outputs.size()) : "no array"));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      t.test[i].output = reader.read_grid(outputs[i], at + ": [" + std::to_string(i) + "]");
    }
  }
}
/// The same, from a file.
inline void add_solutions(std::span<task> tasks, const std::filesystem::path& path) {
  add_solutions(tasks, read_file(path), path.string());
}

/// Tasks from a file (see parse_tasks; a single task is named after the file) or from all `*.json` of a folder, in the order of
/// their names.
inline std::vector<task> read_tasks(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_directory(path, code)) {
    return parse_tasks(read_file(path), path.string(), path.stem().string());
  }
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  }
  if (code) throw error(path.string(), "cannot list the folder: " + code.message());
  if (files.empty()) throw error(path.string(), "no .json file in this folder");
  std::ranges::sort(files);
  std::vector<task> tasks;
  for (const auto& file : files) std::ranges::move(read_tasks(file), std::back_inserter(tasks));
  return tasks;
}

/// The subset of a published collection: `SOURCE_SUBSET_challenges.json`, with `SOURCE_SUBSET_solutions.json` where that is
/// there; otherwise the folder `SOURCE/SUBSET` or the file `SOURCE/SUBSET.json`.
inline std::vector<task> read_subset(const std::string& source, const std::string& subset) {
  std::error_code code;  // what cannot be looked at is taken to be absent
  const std::string combined = source + "_" + subset + "_challenges.json";
  if (std::filesystem::exists(combined, code)) {
    std::vector<task> tasks = read_tasks(combined);
    const std::string solutions = source + "_" + subset + "_solutions.json";
    if (std::filesystem::exists(solutions, code)) add_solutions(tasks, std::filesystem::path(solutions));
    return tasks;
  }
  const std::filesystem::path folder = std::filesystem::path(source) / subset;
  if (std::filesystem::is_directory(folder, code)) return read_tasks(folder);
  if (std::filesystem::exists(folder.string() + ".json", code)) return read_tasks(folder.string() + ".json");
  throw error(combined, "no such file, nor a folder " + folder.string() + ", nor " + folder.string() + ".json");
}

/// The text of a grid: `[[0,1],[2,3]]`; `[]` for the empty one.
inline std::string to_json(const grid& g) {
  std::string text = "[";
  for (int row = 0; row < g.rows(); ++row) {
    text += row == 0 ? "[" : ",[";
    for (int column = 0; column < g.columns(); ++column) {
      if (column > 0) text += ',';
      text += static_cast<char>('0' + g(row, column));
    }
    text += ']';
  }
  return text + "]";
}

/// The text of tasks in the combined layout, outputs of test inputs included where they are known.
inline std::string to_json(std::span<const task> tasks) {
  const auto examples = [](const std::vector<example>& all) {
    std::string text;
    for (const example& pair : all) {
      text += (text.empty() ? "{\"input\":" : ",{\"input\":") + to_json(pair.input);
      if (pair.output) text += ",\"output\":" + to_json(*pair.output);
      text += '}';
    }
    return "[" + text + "]";
  };
  std::string text = "{";
  for (const task& t : tasks) {
    const std::string train = "\"train\":" + examples(t.train), test = "\"test\":" + examples(t.test);
    text += (text.size() > 1 ? "," : "") + json(t.id).dump() + ":{" + (t.test_first ? test : train) + "," +
            (t.test_first ? train : test) + "}";
  }
  return text + "}";
}

}  // namespace trm::arc
