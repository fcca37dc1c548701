// SPDX-License-Identifier: MIT
// The files of a trained model, wherever they come from: a checkpoint, a Hugging Face folder, one file.
#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "trm/core/error.hpp"
#include "trm/io/checkpoint.hpp"
#include "trm/io/file_hash.hpp"
#include "trm/io/json.hpp"
#include "trm/io/published_names.hpp"
#include "trm/io/safetensors.hpp"
#include "trm/io/tensor_file.hpp"
#include "trm/io/torch_file.hpp"

namespace trm {

namespace detail {

/// Is it a safetensors file, and not one of torch.save? Throws where it is neither, by its first bytes.
inline bool is_safetensors(const std::filesystem::path& path) {
  const mapped_file file(path);
  const std::span<const std::byte> bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 64));
  if (text.size() > 8 && text[8] == '{') return true;  // behind the header's length
  if (torch_file::is_one(bytes)) return false;
  if (text.starts_with("version https://git-lfs")) {
    throw error(path.string(), "a pointer of Git LFS and not the file itself: get it with git lfs pull");
  }
  throw error(path.string(), "neither safetensors nor of torch.save (is it cut off?)");
}

}  // namespace detail

/// The weights and the puzzle table of one model, and what is said about it. What kind of file something is, its content says and not
/// its name. Tensors have the published names (published_names.hpp).
class model_files {
 public:
  /// sizes: what opening a file checks. hashes: also the SHA-256 of a checkpoint's weights, the CRC-32 of torch.save's storages.
  enum class verify { sizes, hashes };

  /// `path`:
  ///  - a checkpoint, RUN/checkpoints/step_N: weights.safetensors, puzzle_table.safetensors, checkpoint.json (checkpoint_folder);
  ///  - a Hugging Face folder: model.safetensors, puzzle_table.safetensors where the weights have no table, config.json;
  ///  - a safetensors file, or what torch.save made of a state dict (torch_file).
  /// Throws trm::error that names the file: neither of them, damaged, several models in one file, two tables.
  static model_files open(const std::filesystem::path& path, verify how = verify::hashes) {
    model_files m(path);
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
      m.weights_ = open_tensors(path, how);
    } else if (checkpoint_folder::is_one(path)) {
      m.open_checkpoint(how);
    } else if (std::filesystem::exists(path / published_weights, ignored)) {
      m.open_published_folder(how);
    } else {
      fail_unknown_folder(path);
    }
    for (const auto& [key, value] : m.weights_->metadata()) m.tell(key, value);
    m.find_table();
    return m;
  }

  /// As it was given to open().
  const std::filesystem::path& path() const { return path_; }
  const tensor_file& weights() const { return *weights_; }  // the file with the parameters
  /// The file that has the tensor published_puzzle_table, which may be weights(); null where there is none.
  const std::shared_ptr<const tensor_file>& table() const { return table_; }
  /// Metadata by name: of the weights, of a checkpoint's manifest, of a Hugging Face folder's config.json. "config", where it is there, is
  /// a configuration as JSON (model_config.hpp); "preset", "step". What is no string is written as JSON.
  const std::map<std::string, std::string>& about() const { return about_; }

  /// Compares a checkpoint's puzzle table with its SHA-256, which open() leaves out because a table may be as large as memory. Throws where
  /// they differ. What has no hash passes.
  void verify_table() const {
    if (table_ && !table_hash_.empty()) check_hash(table_->path(), table_hash_);
  }

 private:
  static constexpr const char* published_weights = "model.safetensors";
  static constexpr const char* published_about = "config.json";

  explicit model_files(std::filesystem::path path) : path_(std::move(path)) {}

  /// Throws where the content is of neither kind.
  static std::shared_ptr<const tensor_file> open_tensors(const std::filesystem::path& path, verify how) {
    if (detail::is_safetensors(path)) return with_published_names(safetensors_file::open(path));
    return with_published_names(torch_file::open(path, how == verify::hashes));
  }
  template <class File>
  static std::shared_ptr<const tensor_file> with_published_names(File file) {
    use_published_names(file);
    return std::make_shared<File>(std::move(file));
  }
  static void check_hash(const std::filesystem::path& file, const std::string& wanted) {
    if (sha256_of_file(file) != wanted) {
      throw error(file.string(), "damaged checkpoint: its SHA-256 is not what was written");
    }
  }

  void open_checkpoint(verify how) {
    const auto folder = checkpoint_folder::open(path_, checkpoint_folder::verify::sizes);
    const json_field files = folder.field("files");
    if (how == verify::hashes) {
      check_hash(path_ / checkpoint_file::weights, files.at(checkpoint_file::weights).at("sha256").string());
    }
    weights_ = open_tensors(path_ / checkpoint_file::weights, how);
    if (folder.has(checkpoint_file::table)) {
      table_ = open_tensors(path_ / checkpoint_file::table, how);
      table_hash_ = files.at(checkpoint_file::table).at("sha256").string();
    }
    tell_all(folder.manifest());
  }
  void open_published_folder(verify how) {
    weights_ = open_tensors(path_ / published_weights, how);
    std::error_code ignored;
    if (std::filesystem::exists(path_ / checkpoint_file::table, ignored)) {
      table_ = open_tensors(path_ / checkpoint_file::table, how);
    }
    if (std::filesystem::exists(path_ / published_about, ignored)) {
      const std::filesystem::path file = path_ / published_about;
      const json root = read_json(file, std::size_t{1} << 24);
      if (!root.is_object()) json_field(root, file.string()).expected("an object");
      tell_all(root);
    }
  }
  /// Which folder was meant?
  [[noreturn]] static void fail_unknown_folder(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path / "checkpoints", ignored)) {
      throw error(path.string(), "a run and not a checkpoint: give " + (path / "checkpoints" / "step_N").string());
    }
    if (std::filesystem::exists(path / checkpoint_file::weights, ignored)) {
      throw error(path.string(), "damaged checkpoint: it has no " + std::string(checkpoint_file::manifest));
    }
    if (std::filesystem::exists(path / (std::string(published_weights) + ".index.json"), ignored)) {
      throw error(path.string(), "its weights are in several files: save them as one model.safetensors");
    }
    throw error(path.string(), "neither a checkpoint (checkpoint.json) nor a Hugging Face folder (model.safetensors)");
  }

  void find_table() {
    const bool inside = weights_->contains(published_puzzle_table);
    if (table_ && inside) {
      throw error(table_->path().string(), "the weights have a puzzle table of their own: remove one of the two");
    }
    if (table_) table_->view(published_puzzle_table);
    if (inside) table_ = weights_;
  }
  void tell_all(const json& members) {
    for (const auto& [key, value] : members.items()) {
      if (key == "files") continue;
      tell(key, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  /// Throws where two configurations differ; otherwise what was said first is kept.
  void tell(const std::string& key, const std::string& value) {
    const auto [at, fresh] = about_.emplace(key, value);
    if (fresh || key != "config") return;
    const std::string place = weights_->path().string() + ": metadata config";
    if (parse_json(value, place) != parse_json(at->second, path_.string() + ": config")) {
      throw error(place, "is another one than that of the JSON file beside it");
    }
  }

  std::filesystem::path path_;
  std::shared_ptr<const tensor_file> weights_, table_;
  std::string table_hash_;
  std::map<std::string, std::string> about_;
};

}  // namespace trm
