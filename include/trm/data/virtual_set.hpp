// SPDX-License-Identifier: MIT
// A set whose rows are made when they are read: one file <set>__virtual.safetensors in the place of its arrays.
#pragma once
#include <filesystem>
#include <string>
#include <system_error>

#include "trm/core/error.hpp"
#include "trm/data/arc/virtual_dataset.hpp"
#include "trm/data/row_source.hpp"
#include "trm/data/virtual_file.hpp"

namespace trm {

/// Whether the set is there in virtual form.
/// \throws trm::error where it is there in both forms
inline bool is_virtual_set(const std::filesystem::path& folder, const std::string& set) {
  std::error_code unseen;  // what cannot be looked at is taken to be absent
  if (!std::filesystem::exists(virtual_file_path(folder, set), unseen)) return false;
  if (std::filesystem::exists(folder / (set + "__inputs.npy"), unseen)) {
    throw error(virtual_file_path(folder, set).string(), "the set is there as arrays, too: remove one of the two");
  }
  return true;
}

/// Opens a virtual set of any kind that is known.
inline opened_set open_virtual_set(const std::filesystem::path& folder, const std::string& set,
                                   const dataset_metadata& m) {
  virtual_file file = virtual_file::open(virtual_file_path(folder, set));
  if (file.kind() == arc::virtual_rows::kind) return arc::open_virtual_rows(std::move(file), m);
  throw error(file.place(), "rows of the kind \"" + detail::printable(file.kind(), 60) +
                                "\", known is arc: read it with a newer version");
}

}  // namespace trm
