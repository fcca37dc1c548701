// SPDX-License-Identifier: MIT
// Many puzzles made on all processors, in their order.
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/core.h>

#include "machine.hpp"
#include "progress.hpp"
#include "run.hpp"
#include "run_folder.hpp"
#include "trm/backend/cpu/thread_pool.hpp"
#include "trm/core/error.hpp"

namespace program {

/// A folder for new tables: one of before is not overwritten, its other half would no longer belong to it.
class tables_folder {
 public:
  explicit tables_folder(const std::filesystem::path& folder) : folder_(folder) {
    std::error_code ignored;
    for (const char* name : {"train.csv", "test.csv"}) {
      if (!std::filesystem::exists(folder / name, ignored)) continue;
      throw trm::error(folder.string(),
                       fmt::format("holds a {} already: choose another --output folder, or remove it", name));
    }
  }

 private:
  made_folder folder_;
};

/// Puzzles left out in a row after which nothing more is hoped for.
inline constexpr std::uint64_t most_left_out = 100000;

/// Calls take(puzzle) for make(0), make(1), ... in order until `count` were taken. make(number, worker) is a pure function of
/// `number` that may leave a number out by returning nothing; it runs on `threads` threads (0: all processors). So what is
/// taken does not depend on the number of threads.
template <class Puzzle, class Make, class Take>
void generate(std::int64_t count, int threads, bool quiet, Make make, Take take) {
  trm::cpu::thread_pool pool(thread_count(threads));
  progress shown("puzzles", count, quiet);
  std::vector<std::optional<Puzzle>> block(static_cast<std::size_t>(64 * pool.size()));
  std::int64_t taken = 0;
  std::uint64_t last = 0;  // taken
  for (std::uint64_t first = 0; taken < count; first += block.size()) {
    pool.run(static_cast<int>(block.size()), [&](int task, int worker) {
      if (!interrupted())
        block[static_cast<std::size_t>(task)] = make(first + static_cast<std::uint64_t>(task), worker);
    });
    stop_if_interrupted();
    for (std::size_t i = 0; i < block.size() && taken < count; ++i) {
      if (!block[i]) {
        if (first + i - last < most_left_out) continue;
        throw trm::error("generate",
                         fmt::format("{} puzzles in a row were made and left out: ask for less", most_left_out));
      }
      take(*block[i]);
      ++taken;
      last = first + i;
    }
    shown.show(taken, [] { return std::string(); });
  }
}

}  // namespace program
