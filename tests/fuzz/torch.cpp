// SPDX-License-Identifier: MIT
// Files of torch.save: opened, every tensor read, the model behind the names guessed.
#include "trm/io/torch_file.hpp"

#include "../support/zip_bytes.hpp"
#include "formats.hpp"
#include "trm/io/infer_config.hpp"
#include "trm/io/published_names.hpp"

namespace {

/// An input that begins with `PK`, or is no pickle at all, is a whole file; any other is the data.pkl of an archive with two storages, which
/// no mutation of a whole archive would reach because of its CRC-32.
std::string torch_bytes(std::string_view input) {
  if (input.starts_with("PK") || input.starts_with("\x80\x02\x8a\x0a")) return std::string(input);
  return trm_test::zip_bytes({{.name = "x/data.pkl", .bytes = std::string(input)},
                              {.name = "x/data/0", .bytes = std::string(64, '\1')},
                              {.name = "x/data/1", .bytes = std::string(6, '\x7f')}});
}

template <class T>
void read(const trm::torch_file& file, const std::string& name) {
  trm_fuzz::attempt(
      [&] { trm_fuzz::require(file.read<T>(name).size() == file.view(name).count(), "another number of values"); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  const std::string bytes = torch_bytes(trm_fuzz::text_of(data, size));
  trm_fuzz::attempt([&] {
    const trm::zip_archive zip(std::as_bytes(std::span(bytes)), "archive");
    std::size_t all = 0;
    for (const auto& entry : zip.entries()) {
      all += entry.second.bytes.size();
      trm_fuzz::attempt([&] { zip.verify(entry.first); });
    }
    trm_fuzz::require(all < bytes.size(), "more data than the archive has");
  });
  trm_fuzz::attempt([&] {
    auto file = trm::torch_file::open(memory.put(bytes), false);
    for (const auto& [name, t] : file.tensors()) {
      trm_fuzz::require(t.bytes.size() <= bytes.size(), "a tensor larger than the file");
      std::uint64_t wanted = 0;
      trm_fuzz::require(trm::detail::tensor_bytes(t.type, t.shape, wanted) && wanted == t.bytes.size(),
                        "a tensor whose shape has another size");
      if (file.tensors().size() > 64) continue;  // the same storage, many times
      read<std::int32_t>(file, name);
      read<trm::bf16>(file, name);
      read<double>(file, name);
    }
    trm::use_published_names(file);
    trm_fuzz::check_message(trm::to_text(trm::infer_config(file)));
  });
  return 0;
}
