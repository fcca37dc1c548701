// SPDX-License-Identifier: MIT
// Virtual ARC sets. An input that begins with `{` or a length is the file itself (formats.hpp). One that begins with `=`
// is given its digest here: `=`, the canvas, then the tensors in the order of their description, parted by lines of four
// equal signs.
#include <cstring>

#include "formats.hpp"
#include "trm/data/dataset.hpp"

namespace {

/// The elements of the next part.
template <class T>
std::vector<T> next(std::string_view& rest) {
  const std::string_view part = trm_fuzz::take_until(rest, "\n====\n");
  std::vector<T> values(part.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), part.data(), values.size() * sizeof(T));
  return values;
}

void write(const std::filesystem::path& path, std::string_view rest) {
  trm::virtual_file_writer file("arc", 1);
  file.number("canvas", std::atoi(std::string(trm_fuzz::take_until(rest, "\n====\n")).c_str()));
  const auto cells = next<std::uint8_t>(rest);
  auto sides = next<std::uint8_t>(rest);
  sides.resize(sides.size() / 4 * 4);
  const auto examples = next<std::int64_t>(rest), groups = next<std::int64_t>(rest);
  const auto augmentations = next<std::uint64_t>(rest);
  const auto identifiers = next<std::int32_t>(rest);
  auto places = next<std::uint8_t>(rest);
  places.resize(places.size() / 2 * 2);
  const auto n = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  file.add<std::uint8_t>("cells", {n(cells)}, cells);
  file.add<std::uint8_t>("sides", {n(sides) / 4, 4}, sides);
  file.add<std::int64_t>("group_examples", {n(examples)}, examples);
  file.add<std::int64_t>("group_indices", {n(groups)}, groups);
  file.add<std::uint64_t>("augmentations", {n(augmentations)}, augmentations);
  file.add<std::int32_t>("puzzle_identifiers", {n(identifiers)}, identifiers);
  file.add<std::uint8_t>("places", {n(places) / 2, 2}, places);
  file.save(path);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_folder folder;
  const std::string_view input = trm_fuzz::text_of(data, size);
  if (input.substr(0, 1) == "=") {
    write(trm::virtual_file_path(folder.path(), "s"), input.substr(1));
  } else {
    folder.put("s__virtual.safetensors", trm_fuzz::safetensors_bytes(input));
  }
  trm::dataset_metadata m;
  m.vocab_size = 12;
  m.seq_len = 9;
  m.num_puzzle_identifiers = 4;
  m.ignore_label_id = 0;
  trm_fuzz::attempt([&] {
    const trm::dataset_set s(folder.path(), "s", m);
    std::int32_t inputs[9], labels[9];
    for (std::int64_t row = 0; row < s.rows(); ++row) {
      s.read(row, inputs, labels);
      for (const std::int32_t t : inputs) trm_fuzz::require(t >= 0 && t < m.vocab_size, "no token");
    }
    trm_fuzz::attempt([&] { s.read(s.rows(), inputs, labels); });
  });
  return 0;
}
