// SPDX-License-Identifier: MIT
// The rows of a trained table by the names of their puzzles, and what new rows begin as.
#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "../program/run.hpp"
#include "trm/io/json.hpp"
#include "trm/io/model_files.hpp"
#include "trm/io/puzzle_rows.hpp"
#include "trm/optim/new_row.hpp"

namespace trm_arc {

/// The rows of puzzles by name, for a table of `rows` rows; none without a file or without rows.
inline std::map<std::string, int> known_puzzles(const std::filesystem::path& identifiers, std::size_t rows) {
  std::map<std::string, int> known;
  if (identifiers.empty() || rows == 0) return known;
  const trm::json names = trm::read_json(identifiers);
  if (!names.is_array() || names.size() != rows) {
    throw trm::error(identifiers.string(),
                     fmt::format("expected the {} puzzle names of the checkpoint's dataset", rows));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].is_string()) known.emplace(names[i].get<std::string>(), static_cast<int>(i));
  }
  return known;
}

/// The file `name` that goes with a checkpoint: in its folder, beside it, or in its run's folder. Empty where there is none.
inline std::filesystem::path companion(const std::filesystem::path& checkpoint, const char* name) {
  std::error_code ignored;
  const std::filesystem::path beside = checkpoint.parent_path();
  for (const auto& folder : {checkpoint, beside, beside.parent_path()}) {
    if (std::filesystem::exists(folder / name, ignored)) return folder / name;
  }
  return {};
}

/// What --new-row says: mean, zero, the name of a puzzle, or its identifier.
inline trm::new_row parse_new_row(const std::string& text, const std::map<std::string, int>& known) {
  if (text == "mean") return trm::new_row::mean();
  if (text == "zero") return trm::new_row::zero();
  if (const auto found = known.find(text); found != known.end()) return trm::new_row::copy_of(found->second);
  int id = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (code == std::errc() && end == text.data() + text.size()) return trm::new_row::copy_of(id);
  throw trm::error("--new-row", "\"" + trm::detail::printable(text, 60) + "\" is neither mean nor zero nor " +
                                    (known.empty() ? "an identifier (names need --identifiers)"
                                                   : "the name or identifier of a puzzle of the checkpoint"));
}

/// The puzzle rows of a checkpoint, which stay in their file, by the names of their puzzles.
class trained_rows {
 public:
  trained_rows(const std::filesystem::path& checkpoint, const std::filesystem::path& identifiers)
      : files_(trm::model_files::open(checkpoint, trm::model_files::verify::sizes)) {
    if (files_.table()) {
      const trm::stored_tensor& t = files_.table()->view(trm::published_puzzle_table);
      const std::int64_t width = t.shape.empty() ? 0 : t.shape.back();
      rows_ = trm::stored_puzzle_rows<float>(t, static_cast<int>(width),
                                             files_.table()->place(trm::published_puzzle_table));
    }
    known_ = known_puzzles(identifiers, rows_.rows());
  }
  const std::map<std::string, int>& known() const { return known_; }
  /// The same row; of the mean its numbers, which are computed once and kept here.
  trm::new_row settled(const trm::new_row& how) {
    if (how.what != trm::new_row::kind::mean) return how;
    if (mean_.empty()) mean_ = trm::mean_row(rows_);
    return trm::new_row::of(mean_);
  }

 private:
  trm::model_files files_;
  trm::puzzle_rows<float> rows_;
  std::map<std::string, int> known_;
  std::vector<float> mean_;
};

inline void add_identifiers_option(CLI::App& c, std::filesystem::path& identifiers) {
  c.add_option("--identifiers", identifiers,
               "identifiers.json of the dataset; default: the one beside the checkpoint or in its run's folder")
      ->type_name("FILE");
}
inline void add_new_row_option(CLI::App& c, std::string& text) {
  c.add_option("--new-row", text,
               "What the row of an unknown puzzle begins as: mean (of all), zero, or a copy: name or identifier")
      ->capture_default_str()
      ->type_name("ROW");
}

}  // namespace trm_arc
