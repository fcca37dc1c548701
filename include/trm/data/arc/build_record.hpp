// SPDX-License-Identifier: MIT
// How a dataset was built: build.json in its folder, by which the same build is known again.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "trm/core/sha256.hpp"
#include "trm/data/arc/build_options.hpp"
#include "trm/data/arc/task.hpp"
#include "trm/io/atomic_file.hpp"
#include "trm/io/json.hpp"
#include "trm/version.hpp"

namespace trm::arc {

/// Of what was read, in its order and with its solutions: the same whatever files it came from.
inline std::string source_digest(std::span<const task> tasks) {
  sha256 digest;
  digest.update(to_json(tasks));
  return to_hex(digest.finish());
}

/// build.json: {"format": 1, "trm": version, "options": {...}, "sources": [{"subset", "sha256"}, ...], "report": {...}}.
/// Two builds are the same where format, options and sources are. Neither paths nor the form are a part of it.
struct build_record {
  /// Grows when the same options make other files.
  static constexpr int format = 1;

  json document;  // the whole of build.json

  /// Where the record of a dataset's folder is: FOLDER/build.json.
  static std::filesystem::path path_in(const std::filesystem::path& folder) { return folder / "build.json"; }

  /// `digests`: of the subsets, see source_digest.
  build_record(const build_options& o, const std::vector<std::string>& digests) {
    json sources = json::array();
    for (std::size_t i = 0; i < digests.size(); ++i) {
      sources.push_back({{"subset", o.subsets[i]}, {"sha256", digests[i]}});
    }
    document = {{"format", format},
                {"trm", version_string},
                {"options",
                 {{"subsets", o.subsets},
                  {"test_set", o.test_set},
                  {"test_set2", o.test_set2},
                  {"seed", o.seed},
                  {"augmentations", o.augmentations},
                  {"first_identifier", o.first_identifier},
                  {"canvas", o.canvas},
                  {"tasks", o.filter.ids},
                  {"max_side", o.filter.max_grid_side},
                  {"max_tasks", o.filter.max_tasks ? json(*o.filter.max_tasks) : json(nullptr)}}},
                {"sources", std::move(sources)},
                {"report", json::object()}};
  }

  /// Notes what was written: counts of the splits, and the tasks that got fewer augmentations than asked for.
  void set_report(const build_report& report) {
    json splits = json::array(), short_groups = json::array();
    for (const build_report::split& s : report.splits) {
      splits.push_back({{"name", s.name}, {"groups", s.groups}, {"puzzles", s.puzzles}, {"examples", s.examples}});
    }
    for (const auto& [task, puzzles] : report.short_groups) {
      short_groups.push_back({{"task", task}, {"puzzles", puzzles}});
    }
    document["report"] = {{"splits", std::move(splits)},
                          {"identifiers", report.identifiers},
                          {"short_groups", std::move(short_groups)},
                          {"without_solution", report.without_solution},
                          {"unsolved_tasks", report.unsolved_tasks}};
  }

  /// Do format, options and sources agree with another record? What was written is not compared.
  bool same_build(const json& other) const {
    for (const char* key : {"format", "options", "sources"}) {
      if (!other.is_object() || !other.contains(key) || other[key] != document[key]) return false;
    }
    return true;
  }

  /// Writes FOLDER/build.json. Throws trm::error where it cannot.
  void write(const std::filesystem::path& folder) const { write_file(path_in(folder), document.dump(1)); }
};

/// The build.json of a folder; none where it has none.
inline std::optional<json> read_build_record(const std::filesystem::path& folder) {
  std::error_code unseen;
  const auto file = build_record::path_in(folder);
  if (!std::filesystem::exists(file, unseen)) return std::nullopt;
  return read_json(file);
}

/// The report in a build.json that `file` names.
/// \throws trm::error with file and key where it is malformed
inline build_report report_of(const json& document, const std::string& file) {
  const auto count = [](const json_field& field) { return static_cast<std::size_t>(field.integer(0)); };
  const json_field report = json_field(document, file).at("report");
  build_report out;
  const json_field splits = report.at("splits"), short_groups = report.at("short_groups");
  for (std::size_t i = 0; i < splits.size(); ++i) {
    const json_field s = splits.at(i);
    out.splits.push_back(
        {s.at("name").string(), count(s.at("groups")), count(s.at("puzzles")), count(s.at("examples"))});
  }
  for (std::size_t i = 0; i < short_groups.size(); ++i) {
    out.short_groups.emplace_back(short_groups.at(i).at("task").string(), count(short_groups.at(i).at("puzzles")));
  }
  out.identifiers = count(report.at("identifiers"));
  out.without_solution = count(report.at("without_solution"));
  out.unsolved_tasks = report.at("unsolved_tasks").strings();
  return out;
}

}  // namespace trm::arc
