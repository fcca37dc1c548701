// SPDX-License-Identifier: MIT
// safetensors files: opened, then every tensor as every type.
#include "trm/io/safetensors.hpp"

#include "formats.hpp"

namespace {

template <class T>
void read(const trm::safetensors_file& file, const std::string& name) {
  trm_fuzz::attempt(
      [&] { trm_fuzz::require(file.read<T>(name).size() == file.view(name).count(), "another number of values"); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  trm_fuzz::attempt([&] {
    const auto file =
        trm::safetensors_file::open(memory.put(trm_fuzz::safetensors_bytes(trm_fuzz::text_of(data, size))));
    std::size_t bytes = 0;
    for (const std::string& name : file.names()) {
      bytes += file.view(name).bytes.size();
      read<std::uint8_t>(file, name);
      read<std::int32_t>(file, name);
      read<std::int64_t>(file, name);
      read<trm::bf16>(file, name);
      read<float>(file, name);
      read<double>(file, name);
      const std::vector<std::int64_t> other{7, 7};
      trm_fuzz::attempt([&] { file.view(name, other); });
    }
    trm_fuzz::require(bytes <= size, "more data than the file has");
    trm_fuzz::attempt([&] { file.view("absent"); });
  });
  return 0;
}
