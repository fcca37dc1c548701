// SPDX-License-Identifier: MIT
// A dataset folder of one set: dataset.json and the five arrays, parted by lines of four equal signs.
#include "trm/data/dataset.hpp"

#include "formats.hpp"

namespace {

constexpr bool any_name = true;  // of a set

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_folder folder;
  std::string_view rest = trm_fuzz::text_of(data, size);
  folder.put("dataset.json", trm_fuzz::take_until(rest, "\n====\n"));
  for (const char* field : {"inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices"}) {
    folder.put("s__" + std::string(field) + ".npy", trm_fuzz::npy_bytes(trm_fuzz::take_until(rest, "\n====\n")));
  }
  trm_fuzz::attempt(
      [&] {
        const trm::dataset d = trm::dataset::open(folder.path(), "");
        const trm::dataset_metadata& m = d.metadata();
        if (static_cast<std::size_t>(m.seq_len) > size) return;  // sets without rows
        std::vector<std::int32_t> inputs(static_cast<std::size_t>(m.seq_len)), labels(inputs.size());
        for (const trm::dataset_set& s : d.sources()) {
          std::int64_t puzzles = 0, rows = 0;
          for (std::int64_t g = 0; g < s.groups(); ++g) {
            for (auto p = s.puzzles_of(g); p.first < p.last; ++p.first, ++puzzles) {
              const std::int32_t id = s.puzzle_identifier(p.first);
              trm_fuzz::require(id >= 0 && id < m.num_puzzle_identifiers, "an identifier without a row");
              for (auto r = s.rows_of(p.first); r.first < r.last; ++r.first, ++rows) {
                if (!trm_fuzz::attempt([&] { s.read(r.first, inputs.data(), labels.data()); }, any_name)) continue;
                for (const std::int32_t t : inputs) trm_fuzz::require(t >= 0 && t < m.vocab_size, "no token");
              }
            }
          }
          trm_fuzz::require(puzzles == s.puzzles() && rows == s.rows(), "rows or puzzles that belong to nothing");
        }
      },
      any_name);
  return 0;
}
