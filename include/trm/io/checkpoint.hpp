// SPDX-License-Identifier: MIT
// A checkpoint: a folder with all that a run needs to go on, bit for bit, and that an evaluation needs to run.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/core/sha256.hpp"
#include "trm/io/file_hash.hpp"
#include "trm/io/json.hpp"
#include "trm/io/model_config.hpp"
#include "trm/io/partial_folder.hpp"
#include "trm/io/weights.hpp"
#include "trm/train/samples.hpp"
#include "trm/version.hpp"

namespace trm {

/// Names within a checkpoint.
namespace checkpoint_file {
inline constexpr const char* manifest = "checkpoint.json";        // written last; says what belongs to it
inline constexpr const char* weights = "weights.safetensors";     // what is evaluated: the EMA where there is one
inline constexpr const char* table = "puzzle_table.safetensors";  // the puzzle rows, where the model has any
inline constexpr const char* training = "training.safetensors";   // raw weights, moments, carry, samples
}  // namespace checkpoint_file
inline constexpr const char* checkpoint_format = "trm.checkpoint.1";  // in the manifest
inline constexpr const char* weights_format = "trm.weights.1";        // in the metadata of weights

namespace detail {

/// SHA-256 of what a manifest says, but for its member "sha256", which is this.
inline std::string manifest_digest(json manifest) {
  manifest.erase("sha256");
  sha256 hash;
  hash.update(manifest.dump());
  return to_hex(hash.finish());
}

}  // namespace detail

/// A checkpoint on disk, its manifest read.
class checkpoint_folder {
 public:
  /// What opening compares with the manifest: sizes, those of all files; hashes, also their SHA-256, which reads
  /// them.
  enum class verify { sizes, hashes };

  /// Throws `FOLDER: ...` where it is no checkpoint, or a file of it is missing, has another size than the manifest says or, with verify::hashes,
  /// other content (SHA-256): it was torn, cut off or altered.
  static checkpoint_folder open(const std::filesystem::path& path, verify how) {
    checkpoint_folder c(path);
    c.check(how);
    return c;
  }
  /// Is there a manifest?
  static bool is_one(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path / checkpoint_file::manifest, ignored);
  }

  const std::filesystem::path& path() const { return path_; }  // of the folder
  const json& manifest() const { return manifest_; }           // all of manifest.json
  /// A member of the manifest with its place for messages.
  json_field field(const std::string& name) const { return json_field(manifest_, place()).at(name); }
  long long step() const { return field("step").integer(0, most_steps); }  // updates done when it was written
  bool has(const std::string& file) const { return manifest_.at("files").contains(file); }  // is it in the manifest?

 private:
  explicit checkpoint_folder(std::filesystem::path path)
      : path_(std::move(path)), manifest_(read_json(path_ / checkpoint_file::manifest, std::size_t{1} << 24)) {
    const json_field root(manifest_, place());
    if (const std::string& format = root.at("format").string(); format != checkpoint_format) {
      root.fail("format \"" + detail::printable(format, 60) + "\", this version reads " + checkpoint_format);
    }
    root.at("step").integer(0, most_steps);
    if (!root.at("files").is_object()) root.at("files").expected("an object");
  }
  std::string place() const { return (path_ / checkpoint_file::manifest).string(); }
  void check(verify how) const {
    if (how == verify::hashes || manifest_.contains("sha256")) {
      if (field("sha256").string() != detail::manifest_digest(manifest_)) {
        throw error(place(), "damaged checkpoint: its SHA-256 is not what was written");
      }
    }
    const json_field files = field("files");
    for (const auto& [name, unused] : files.value().items()) {
      const std::filesystem::path file = path_ / name;
      if (name.empty() || std::filesystem::path(name).filename() != name || name == "." || name == "..") {
        files.fail("\"" + detail::printable(name, 60) + "\" is not the name of a file beside it");
      }
      const json_field entry = files.at(name);
      const auto expected = static_cast<std::uint64_t>(entry.at("bytes").integer(0));
      const std::string& hash = entry.at("sha256").string();
      std::error_code code;
      const std::uint64_t size = std::filesystem::file_size(file, code);
      if (code) throw error(file.string(), "damaged checkpoint: " + code.message());
      if (size != expected) {
        throw error(file.string(), "damaged checkpoint: has " + std::to_string(size) + " bytes, " +
                                       std::to_string(expected) + " were written");
      }
      if (how == verify::hashes && sha256_of_file(file) != hash) {
        throw error(file.string(), "damaged checkpoint: its SHA-256 is not what was written");
      }
    }
  }

  static constexpr std::int64_t most_steps = std::int64_t{1} << 53;  // random draws are numbered by steps below 2^56

  std::filesystem::path path_;
  json manifest_;
};

namespace detail {

/// Throws where what a file says of the samples cannot be.
inline void check_samples(const samples& s, int vocab, std::size_t identifiers, const std::string& place) {
  const auto within = [&](const char* what, const auto& values, int least, int limit, bool or_ignored = false) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int v = values[i];
      if ((v >= least && v < limit) || (or_ignored && v == ignored_label)) continue;
      throw error(place + ": samples." + what, "element " + std::to_string(i) + " is " + std::to_string(v) +
                                                   ", expected " + std::to_string(least) + " to " +
                                                   std::to_string(limit - 1));
    }
  };
  const int rows = s.tokens + s.puzzle_positions;
  within("inputs", s.inputs, 0, vocab);
  within("labels", s.labels, 0, vocab, true);
  within("puzzle_identifiers", s.puzzle_identifiers, 0,
         identifiers == 0 ? std::numeric_limits<int>::max() : static_cast<int>(identifiers));
  within("lengths", s.lengths, 0, rows + 1);
  within("prefixes", s.prefixes, 0, rows + 1);
  within("steps", s.steps, 0, std::numeric_limits<int>::max() / 2);
  within("halted", s.halted, 0, 2);
}

/// Throws where a weight is not finite: such a state is nothing to go on from.
template <class Trainer>
void require_finite_state(const Trainer& t) {
  using model = typename Trainer::model;
  for (const auto* values : {t.weights().parameters(), t.ema()}) {
    for (const parameter_entry& e : model::table) {
      const auto bad =
          std::find_if(values + e.offset, values + e.offset + e.count, [](auto v) { return !std::isfinite(v); });
      if (bad == values + e.offset + e.count) continue;
      throw error("step " + std::to_string(t.step_number()),
                  std::string(e.name()) + " has values that are not finite: no checkpoint is written");
    }
  }
}

template <class Model>
json checkpoint_head(const auto& trainer) {
  const auto c = trainer.count();
  return {{"format", checkpoint_format},
          {"version", version_string},
          {"config", to_json(Model::description)},
          {"arithmetic", name_of(element_type_of<typename Model::compute>())},
          {"optimizer", trainer.optimizer_name()},
          {"step", c.step},
          {"moments_since", c.moments_since},
          {"averaging", c.averaging},
          {"padded", c.padded},
          {"prefixed", c.prefixed}};
}

}  // namespace detail

/// Writes further files into the folder of a checkpoint that is being made, and returns their names.
using checkpoint_additions = std::function<std::vector<std::string>(const std::filesystem::path& folder)>;

/// Writes the state of `t` as the folder `path`, which must not be there: made beside it, flushed, renamed. `about` joins the metadata
/// of the weights, `more` the manifest, what `add` writes the files that the manifest answers for. Returns the manifest. Throws where
/// something cannot be written; nothing is left then.
template <class Trainer>
json write_checkpoint(const std::filesystem::path& path, const Trainer& t,
                      std::map<std::string, std::string> about = {}, const json& more = json::object(),
                      const checkpoint_additions& add = {}) {
  using model = typename Trainer::model;
  using master = typename Trainer::master;
  json manifest = detail::checkpoint_head<model>(t);
  for (const auto& [key, value] : more.items()) manifest[key] = value;
  detail::require_finite_state(t);
  partial_folder folder(path);
  std::vector<std::string> files{checkpoint_file::weights};

  const bool averaging = t.count().averaging;
  about["format"] = weights_format;
  about["version"] = version_string;
  about["config"] = to_json(model::description).dump();
  about["step"] = std::to_string(t.step_number());
  about["weights"] = averaging ? "ema" : "raw";
  write_weights(folder.path() / checkpoint_file::weights, t.weights(), t.ema(), {}, about);
  if (t.table().rows() > 0) {
    write_puzzle_table<model>(folder.path() / checkpoint_file::table, t.table());
    files.push_back(checkpoint_file::table);
  }
  safetensors_writer state;
  t.each_state(
      [&](const std::string& prefix, const master* values) {
        for (const parameter_entry& e : model::table) {
          state.add(prefix + std::string(e.name()), detail::shape_of(e),
                    std::span<const master>(values + e.offset, e.count));
        }
      },
      [&](const std::string& name, std::vector<std::int64_t> shape, const auto values) {
        state.add(name, std::move(shape), values);
      });
  state.save(folder.path() / checkpoint_file::training);
  files.push_back(checkpoint_file::training);
  if (add) std::ranges::move(add(folder.path()), std::back_inserter(files));

  for (const std::string& name : files) {
    const file_hash hash = hash_file(folder.path() / name);
    manifest["files"][name] = {{"bytes", hash.bytes}, {"sha256", to_hex(hash.sha256)}};
  }
  manifest["sha256"] = detail::manifest_digest(manifest);
  write_file(folder.path() / checkpoint_file::manifest, manifest.dump(2) + "\n");
  folder.commit();
  return manifest;
}

/// The state of a run, into a trainer of the same model, optimizer and batch. Throws `FILE: ...` where they differ; `t` is then partly read.
template <class Trainer>
void read_checkpoint(const checkpoint_folder& from, Trainer& t) {
  using model = typename Trainer::model;
  using master = typename Trainer::master;
  check_same_config(from.field("config").value(), model::description, from.path().string());
  const json head = detail::checkpoint_head<model>(t);
  for (const char* name : {"arithmetic", "optimizer"}) {
    const std::string& found = from.field(name).string();
    if (found != head.at(name)) {
      throw error(from.path().string(), std::string(name) + " is " + detail::printable(found, 60) + ", the run has " +
                                            head.at(name).get<std::string>());
    }
  }
  typename Trainer::counters c;
  c.step = from.step();
  c.moments_since = from.field("moments_since").integer(0, c.step);
  c.averaging = from.field("averaging").boolean();
  c.padded = from.field("padded").boolean(), c.prefixed = from.field("prefixed").boolean();
  if (c.averaging && t.average() == nullptr)
    throw error(from.path().string(), "holds an average of the weights, the run has no EMA");
  t.resume(c);

  const auto weights = safetensors_file::open(from.path() / checkpoint_file::weights);
  read_weights(weights, t.weights());
  if (c.averaging) std::copy_n(t.weights().parameters(), model::extent, t.average());
  if (t.table().rows() > 0) {
    const auto table = safetensors_file::open(from.path() / checkpoint_file::table);
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(t.table().rows()),
                                          static_cast<std::int64_t>(t.table().width())};
    const std::span<master> rows(t.table().data(), t.table().rows() * t.table().width());
    table.template read<master>(model::puzzle_table_name, shape, rows);
    detail::require_finite<master>(table, model::puzzle_table_name, rows);
  }
  const auto state = safetensors_file::open(from.path() / checkpoint_file::training);
  t.each_state(
      [&](const std::string& prefix, master* values) {
        for (const parameter_entry& e : model::table) {
          const std::string name = prefix + std::string(e.name());
          const std::span<master> tensor(values + e.offset, e.count);
          state.template read<master>(name, detail::shape_of(e), tensor);
          detail::require_finite<master>(state, name, tensor);
        }
      },
      [&](const std::string& name, const std::vector<std::int64_t>& shape, auto values) {
        state.read(name, shape, values);
      });
  detail::check_samples(t.samples(), model::V, t.table().rows(), state.path().string());
}

}  // namespace trm
