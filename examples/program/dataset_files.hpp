// SPDX-License-Identifier: MIT
// The files of a dataset: which they are, their digests, and one digest of all.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "trm/core/error.hpp"
#include "trm/core/sha256.hpp"
#include "trm/io/file_hash.hpp"
#include "trm/io/json.hpp"

namespace program {

using paths = std::vector<std::filesystem::path>;

/// One dataset folder, or several: does the first have the split?
inline bool is_dataset(const std::filesystem::path& path, const std::string& split) {
  std::error_code ignored;
  return std::filesystem::exists(path / split / "dataset.json", ignored);
}

/// The files of a split of dataset folders; hidden ones are none of them. \throws trm::error where a folder lacks the split
inline paths dataset_files(const paths& data, const std::string& split) {
  paths files;
  for (const auto& folder : data) {
    std::error_code code, ignored;
    const std::filesystem::path place = folder / split;
    for (std::filesystem::recursive_directory_iterator at(place, code), end; !code && at != end; at.increment(code)) {
      const std::string name = at->path().filename().string();
      if (at->is_regular_file(ignored) && !name.starts_with('.')) files.push_back(at->path());
    }
    if (code) throw trm::error(place.string(), "cannot list the files: " + code.message());
  }
  std::ranges::sort(files);
  return files;
}

/// A split as it is on disk.
struct dataset_facts {
  struct file {
    std::string name;  // within the data folder; of several folders with their number before it, "0/train/..."
    trm::file_hash hash;
  };
  std::string split;
  trm::json options;  // the task's own that change the examples
  std::vector<file> files;

  /// SHA-256 over names, sizes and digests of the files, and the options. It does not depend on where the data lie.
  std::string fingerprint() const {
    trm::sha256 all;
    for (const file& f : files) {
      all.update(fmt::format("{}\n{}\n{}\n", f.name, f.hash.bytes, trm::to_hex(f.hash.sha256)));
    }
    all.update(options.dump());
    return trm::to_hex(all.finish());
  }
  trm::json to_json() const {
    trm::json list = trm::json::array();
    for (const file& f : files) {
      list.push_back({{"name", f.name}, {"bytes", f.hash.bytes}, {"sha256", trm::to_hex(f.hash.sha256)}});
    }
    return {{"split", split}, {"options", options}, {"fingerprint", fingerprint()}, {"files", std::move(list)}};
  }
};

namespace detail {
/// The name of a file of a dataset, wherever the dataset lies.
inline std::string name_in_data(const std::filesystem::path& file, const paths& data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::filesystem::path name = file.lexically_normal().lexically_relative(data[i].lexically_normal());
    if (name.empty() || *name.begin() == "..") continue;
    const std::string text = name == "." ? file.filename().string() : name.generic_string();
    return data.size() > 1 ? fmt::format("{}/{}", i, text) : text;
  }
  return file.filename().string();
}
}  // namespace detail

/// What `files` of a split are; `options`: the task's own that change the examples.
/// \throws trm::error where a file cannot be read
inline dataset_facts hash_dataset(const paths& files, const paths& data, std::string split, trm::json options) {
  dataset_facts facts{std::move(split), std::move(options), {}};
  for (const auto& file : files) facts.files.push_back({detail::name_in_data(file, data), trm::hash_file(file)});
  std::ranges::sort(facts.files, {}, &dataset_facts::file::name);
  return facts;
}

}  // namespace program
