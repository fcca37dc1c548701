// SPDX-License-Identifier: MIT
// toy_rows as a task of the shared commands; --data is a number that makes them.
#pragma once
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "program/task.hpp"
#include "toy_rows.hpp"

namespace trm_toy {

class toy_task final : public program::task {
 public:
  std::string program() const override { return "trm-toy"; }
  std::string title(const program::example_data&) const override { return "Rows of words"; }
  std::string training_example() const override { return "trm-toy train --data 1 --preset plain --run run"; }
  std::string evaluation_example() const override {
    return "trm-toy evaluate --data 1 --checkpoint run/checkpoints/step_100";
  }
  std::string data_help() const override { return "A number that makes the data"; }
  bool has_split(const program::paths&, const std::string&) const override { return true; }
  program::paths files(const program::paths&, const std::string&) const override { return {}; }
  trm::json data_options(const program::paths& data, const std::string&) const override {
    return {{"number", data.front().string()}};
  }
  program::example_data open(const program::paths& data, const std::string& split, bool, std::uint64_t) const override {
    const std::string number = data.front().string();
    std::uint64_t seed = 0;
    const auto [end, bad] = std::from_chars(number.data(), number.data() + number.size(), seed);
    if (bad != std::errc{} || end != number.data() + number.size()) throw trm::error(number, "not a number");
    const auto rows = std::make_shared<const toy_rows>(seed, split == "test");
    program::example_data all{.metadata = rows->metadata(), .set_of = {0}, .place = "data " + number};
    all.sources.emplace_back(rows);
    return all;
  }
  program::drawing draw() const override {
    using drawn = program::drawing::tokens;
    const auto text = [](drawn row) {
      std::string digits;
      for (const int t : row) digits += fmt::format("{} ", t);
      return "<svg viewBox=\"0 0 200 20\"><text y=\"15\">" + digits + "</text></svg>";
    };
    return {[=](drawn inputs) { return text(inputs); }, [=](drawn, drawn labels) { return text(labels); },
            [=](drawn, drawn, drawn answer) { return text(answer); }};
  }
  std::unique_ptr<program::scorer> scores(const program::paths&, const std::string&) const override { return nullptr; }
};

}  // namespace trm_toy
