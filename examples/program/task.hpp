// SPDX-License-Identifier: MIT
// What a program says of its task; the rest of training and evaluation is shared.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "any_source.hpp"
#include "dataset_files.hpp"
#include "metrics.hpp"
#include "trm/core/error.hpp"
#include "trm/io/json.hpp"

namespace program {

/// Draws a task's examples for reports, as SVG.
struct drawing {
  using tokens = std::span<const int>;
  std::function<std::string(tokens inputs)> input;
  std::function<std::string(tokens inputs, tokens labels)> truth;
  std::function<std::string(tokens inputs, tokens labels, tokens answer)> answer;  // beside the truth
};

class task {
 public:
  virtual ~task() = default;
  virtual std::string program() const = 0;                        // "trm-maze"
  virtual std::string title(const example_data& data) const = 0;  // "Maze 30 x 30"
  virtual std::string training_example() const = 0;               // for --help
  virtual std::string evaluation_example() const = 0;
  virtual std::string data_help() const = 0;  // what --data takes
  virtual void add_training_options(CLI::App&) {}
  virtual void add_evaluation_options(CLI::App&) {}
  virtual bool has_split(const paths& data, const std::string& split) const = 0;
  /// `training`: examples are augmented where the task does that.
  virtual example_data open(const paths& data, const std::string& split, bool training, std::uint64_t seed) const = 0;
  /// The files that a split is read from.
  virtual paths files(const paths& data, const std::string& split) const { return dataset_files(data, split); }
  /// Options of the task that change the examples of a split as training reads it, by name.
  virtual trm::json data_options(const paths&, const std::string& /*split*/) const { return trm::json::object(); }
  virtual drawing draw() const = 0;
  /// What is measured of a split besides the common metrics; may be null.
  virtual std::unique_ptr<scorer> scores(const paths& data, const std::string& split) const = 0;
  /// Files of the dataset that go with a run's checkpoints.
  virtual paths companions(const paths&) const { return {}; }
};

/// A task whose data may also be tables: FOLDER/train.csv and FOLDER/test.csv, or one file that is the split asked for.
class table_task : public task {
 public:
  std::string data_help() const override { return "Folders with train.csv and test.csv, or dataset folders"; }
  /// One file is what is trained on, not what is held out.
  bool has_split(const paths& data, const std::string& split) const override {
    return is_dataset(data.front(), split) ||
           (!is_table(data.front()) && std::filesystem::exists(table(data.front(), split)));
  }
  example_data open(const paths& data, const std::string& split, bool training, std::uint64_t seed) const override {
    if (is_dataset(data.front(), split)) {
      example_data opened = open_dataset(data, split);
      check(opened);
      return opened;
    }
    if (data.size() > 1) throw trm::error(data[1].string(), "of several --data folders all must be datasets");
    return read_table(table(data.front(), split), training, seed);
  }
  paths files(const paths& data, const std::string& split) const override {
    return is_dataset(data.front(), split) ? dataset_files(data, split) : paths{table(data.front(), split)};
  }
  /// Datasets are read as they are; so are tables that are only evaluated.
  trm::json data_options(const paths& data, const std::string& split) const override {
    return is_dataset(data.front(), split) || split != "train" ? trm::json::object() : table_options();
  }

 protected:
  /// What changes a table's examples in training.
  virtual trm::json table_options() const = 0;
  virtual example_data read_table(const std::filesystem::path& file, bool training, std::uint64_t seed) const = 0;
  /// \throws trm::error where a dataset is none of this task
  virtual void check(const example_data&) const {}
  template <class Source>
  static example_data of_table(const std::filesystem::path& file, Source source) {
    const auto shared = std::make_shared<const Source>(std::move(source));
    example_data all{.metadata = shared->metadata(), .sources = {}, .set_of = {0}, .place = file.string()};
    all.sources.emplace_back(shared);
    return all;
  }

 private:
  static bool is_table(const std::filesystem::path& data) { return data.extension() == ".csv"; }
  static std::filesystem::path table(const std::filesystem::path& data, const std::string& split) {
    return is_table(data) ? data : data / (split + ".csv");
  }
};

/// Reads all files of a split and says what they are. \throws trm::error where one cannot be read
inline dataset_facts hash_dataset(const task& t, const paths& data, const std::string& split) {
  return hash_dataset(t.files(data, split), data, split, t.data_options(data, split));
}

}  // namespace program
