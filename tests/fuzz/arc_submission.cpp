// SPDX-License-Identifier: MIT
// Submissions, graded against two tasks.
#include "fuzz.hpp"
#include "trm/data/arc/score.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<trm::arc::task> tasks = trm::arc::parse_tasks(
      R"({"a": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]], "output": [[4,4]]}]},
          "b": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}, {"input": [[3]], "output": [[5]]}]}})",
      "tasks", "none");
  trm_fuzz::attempt([&] {
    const trm::arc::score s = trm::arc::grade(trm_fuzz::text_of(data, size), "submission.json", tasks);
    for (const std::string& line : s.problems) trm_fuzz::check_message(line);
    trm_fuzz::require(s.tasks == 2 && s.inputs == 3 && s.missing_tasks <= 2 && s.missing_inputs <= 3, "other counts");
    (void)trm::arc::to_json(s).dump();
  });
  return 0;
}
