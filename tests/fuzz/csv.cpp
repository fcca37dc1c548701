// SPDX-License-Identifier: MIT
// Comma-separated tables, from memory and from a file.
#include "trm/io/csv.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  const std::string_view text = trm_fuzz::text_of(data, size);
  trm_fuzz::attempt([&] {
    trm::csv_reader table(text, "table.csv");
    trm_fuzz::attempt([&] { (void)table.column("q"); });
    const std::size_t columns = table.header().size();
    std::size_t bytes = 0, line = 0;
    while (table.next()) {
      trm_fuzz::require(table.line() > line, "a line that does not follow");
      line = table.line();
      for (std::size_t i = 0; i < columns; ++i) bytes += table[i].size();
      trm_fuzz::attempt([&] { table.fail(columns - 1, "refused"); });
    }
    trm_fuzz::require(bytes <= size, "more text than the table has");
    trm::csv_reader mapped(memory.put(text));
    while (mapped.next()) bytes -= std::string(mapped[0]).size();
  });
  return 0;
}
