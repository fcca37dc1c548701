// SPDX-License-Identifier: MIT
// ARC tasks: one file of tasks, and behind a NUL the file of their solutions.
#include "fuzz.hpp"
#include "trm/data/arc/task.hpp"

namespace {

void check(const std::vector<trm::arc::task>& tasks) {
  const auto check_grid = [](const trm::arc::grid& g) {
    trm_fuzz::require(
        g.rows() >= 1 && g.rows() <= trm::arc::max_side && g.columns() >= 1 && g.columns() <= trm::arc::max_side,
        "a grid of another size");
    for (int r = 0; r < g.rows(); ++r) {
      for (int c = 0; c < g.columns(); ++c) trm_fuzz::require(g(r, c) < trm::arc::colour_count, "a colour beyond 9");
    }
  };
  for (const trm::arc::task& t : tasks) {
    trm_fuzz::require(!t.id.empty() && !t.train.empty() && !t.test.empty(), "an incomplete task");
    for (const trm::arc::example& pair : t.train) check_grid(pair.input), check_grid(pair.output.value());
    for (const trm::arc::example& pair : t.test) {
      check_grid(pair.input);
      if (pair.output) check_grid(*pair.output);
    }
  }
  const std::string text = trm::arc::to_json(tasks);
  trm_fuzz::require(trm::arc::to_json(trm::arc::parse_tasks(text, "again", "none")) == text, "written and read differ");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view solutions = trm_fuzz::text_of(data, size);
  const std::string_view text = trm_fuzz::take_until(solutions, std::string_view("\0", 1));
  trm_fuzz::attempt([&] {
    std::vector<trm::arc::task> tasks = trm::arc::parse_tasks(text, "challenges.json", "single");
    check(tasks);
    if (solutions.empty()) return;
    trm::arc::add_solutions(tasks, solutions, "solutions.json");
    check(tasks);
  });
  // The same file read from disk.
  static const trm_fuzz::memory_file file;
  trm_fuzz::attempt([&] { trm::arc::read_tasks(file.put(text)); });
  return 0;
}
