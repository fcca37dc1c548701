// SPDX-License-Identifier: MIT
// Examples wherever they come from: files of a dataset or memory.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trm/data/dataset.hpp"
#include "trm/data/example_source.hpp"

namespace program {

/// An example_source (data/example_source.hpp) of any type. Copies share it.
class any_source {
 public:
  template <trm::example_source Source>
  explicit any_source(std::shared_ptr<const Source> source)
      : held_(std::make_shared<holder<Source>>(std::move(source))) {}

  std::int64_t rows() const { return held_->rows(); }
  std::int64_t puzzles() const { return held_->puzzles(); }
  std::int64_t groups() const { return held_->groups(); }
  trm::index_range puzzles_of(std::int64_t group) const { return held_->puzzles_of(group); }
  trm::index_range rows_of(std::int64_t puzzle) const { return held_->rows_of(puzzle); }
  std::int64_t longest_puzzle(std::int64_t group) const { return held_->longest_puzzle(group); }
  std::int32_t puzzle_identifier(std::int64_t puzzle) const { return held_->puzzle_identifier(puzzle); }
  void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const { held_->read(row, inputs, labels); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual std::int64_t rows() const = 0;
    virtual std::int64_t puzzles() const = 0;
    virtual std::int64_t groups() const = 0;
    virtual trm::index_range puzzles_of(std::int64_t group) const = 0;
    virtual trm::index_range rows_of(std::int64_t puzzle) const = 0;
    virtual std::int64_t longest_puzzle(std::int64_t group) const = 0;
    virtual std::int32_t puzzle_identifier(std::int64_t puzzle) const = 0;
    virtual void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const = 0;
  };
  template <class Source>
  struct holder final : interface {
    explicit holder(std::shared_ptr<const Source> s) : source(std::move(s)) {}
    std::int64_t rows() const override { return source->rows(); }
    std::int64_t puzzles() const override { return source->puzzles(); }
    std::int64_t groups() const override { return source->groups(); }
    trm::index_range puzzles_of(std::int64_t group) const override { return source->puzzles_of(group); }
    trm::index_range rows_of(std::int64_t puzzle) const override { return source->rows_of(puzzle); }
    std::int64_t longest_puzzle(std::int64_t group) const override { return trm::longest_puzzle(*source, group); }
    std::int32_t puzzle_identifier(std::int64_t puzzle) const override { return source->puzzle_identifier(puzzle); }
    void read(std::int64_t row, std::int32_t* inputs, std::int32_t* labels) const override {
      source->read(row, inputs, labels);
    }
    std::shared_ptr<const Source> source;
  };

  std::shared_ptr<const interface> held_;
};

/// One split: sources of examples that agree in `metadata`. Source i belongs to the set metadata.sets[set_of[i]].
struct example_data {
  trm::dataset_metadata metadata = {};
  std::vector<any_source> sources = {};
  std::vector<std::size_t> set_of = {};
  std::string place = {};  // where it comes from, for messages

  std::int64_t rows() const {
    std::int64_t sum = 0;
    for (const any_source& s : sources) sum += s.rows();
    return sum;
  }
};

/// A split of dataset folders.
inline example_data open_dataset(const std::vector<std::filesystem::path>& paths, const std::string& split) {
  const auto data = std::make_shared<const trm::dataset>(trm::dataset::open(paths, split));
  example_data all{.metadata = data->metadata(), .place = (paths.front() / split).string()};
  for (std::size_t i = 0; i < data->sources().size(); ++i) {
    using source = std::remove_cvref_t<decltype(data->sources()[i])>;
    all.sources.emplace_back(std::shared_ptr<const source>(data, &data->sources()[i]));
    all.set_of.push_back(i / paths.size());  // the first set of every path, the second set of every path, ...
  }
  return all;
}

}  // namespace program
