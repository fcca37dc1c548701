// SPDX-License-Identifier: MIT
// .npy files: opened, then every row and the whole array as every type.
#include "trm/io/npy.hpp"

#include "formats.hpp"

namespace {

template <class T>
void read(const trm::npy_file& file) {
  trm_fuzz::attempt([&] {
    const std::vector<T> all = file.read<T>();
    trm_fuzz::require(all.size() == file.count(), "another number of values");
  });
  std::vector<T> row(file.row_size());
  for (const std::int64_t i : {std::int64_t{0}, std::int64_t{1}, file.rows() - 1, file.rows(), std::int64_t{-1}}) {
    trm_fuzz::attempt([&] { file.read_row(i, std::span<T>(row)); });
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  trm_fuzz::attempt([&] {
    const trm::npy_file file = trm::npy_file::open(memory.put(trm_fuzz::npy_bytes(trm_fuzz::text_of(data, size))));
    trm_fuzz::require(file.count() * size_of(file.type()) == file.bytes().size(), "bytes that are no values");
    if (file.row_size() > size) return;  // without rows, any width
    read<std::uint8_t>(file);
    read<std::int16_t>(file);
    read<std::int32_t>(file);
    read<std::uint64_t>(file);
    read<trm::bf16>(file);
    read<float>(file);
    read<double>(file);
  });
  return 0;
}
