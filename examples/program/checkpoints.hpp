// SPDX-License-Identifier: MIT
// The checkpoints of a run: which are there, the newest that can be trusted, which may go.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "retention.hpp"
#include "terminal.hpp"
#include "trm/io/checkpoint.hpp"

namespace program {

/// A folder of checkpoints step_N that one process writes.
class checkpoint_store {
 public:
  /// The folder is there already.
  explicit checkpoint_store(std::filesystem::path folder)
      : folder_(std::move(folder)), opened_(folder_, O_RDONLY | O_DIRECTORY) {
    remove_partial();
  }

  std::filesystem::path at(long long step) const { return folder_ / fmt::format("step_{}", step); }

  /// \throws trm::error where the folder was removed, renamed or replaced since the start
  void require_folder() const {
    struct stat here = {}, then = {};
    if (opened_ && ::fstat(opened_.get(), &then) == 0 && ::stat(folder_.c_str(), &here) == 0 &&
        here.st_dev == then.st_dev && here.st_ino == then.st_ino) {
      return;
    }
    throw trm::error(folder_.string(), "the folder is gone: it was there when training started");
  }

  /// The steps there are checkpoints of, whatever their state, in order.
  std::vector<long long> steps() const {
    std::vector<long long> all;
    for (const auto& [name, unused] : entries()) {
      const auto dash = name.find('_');
      long long step = 0;
      const char *first = name.data() + dash + 1, *last = name.data() + name.size();
      const auto read = std::from_chars(first, last, step);
      if (name.starts_with("step_") && read.ec == std::errc() && read.ptr == last && step >= 0) all.push_back(step);
    }
    std::ranges::sort(all);
    return all;
  }

  /// The newest that is whole; those that are not are named on standard error and put aside as step_N.damaged.
  /// \throws trm::error where there are some and none is whole
  std::optional<trm::checkpoint_folder> newest() const {
    std::vector<long long> all = steps();
    std::string last;
    for (; !all.empty(); all.pop_back()) {
      try {
        auto found = trm::checkpoint_folder::open(at(all.back()), trm::checkpoint_folder::verify::hashes);
        if (found.step() != all.back()) {
          throw trm::error(at(all.back()).string(), fmt::format("is the checkpoint of step {}, renamed", found.step()));
        }
        return found;
      } catch (const trm::error& e) {
        last = e.what();
        say(last + "\n");
        damaged_.push_back(at(all.back()));
      }
    }
    if (last.empty()) return std::nullopt;
    throw trm::error(folder_.string(),
                     "no checkpoint of the run is whole: remove them to begin anew. The last: " + last);
  }
  /// What newest() found damaged makes room for checkpoints of the same steps.
  void put_aside() {
    for (const auto& path : damaged_) {
      std::filesystem::path aside = path;
      aside += ".damaged";
      std::error_code code;
      for (int n = 2; std::filesystem::exists(aside, code); ++n) aside = path.string() + fmt::format(".damaged-{}", n);
      std::filesystem::rename(path, aside, code);
      if (code) throw trm::error(path.string(), "cannot put aside: " + code.message());
      say(fmt::format("put aside as {}\n", aside.string()));
    }
    damaged_.clear();
  }

  /// Removes what the policy does not keep. `values`: of its metric at the steps that were evaluated.
  void prune(const retention_policy& policy, const std::map<long long, double>& values) const {
    if (policy.newest == 0) return;
    std::vector<kept_checkpoint> all;
    for (const long long step : steps()) {
      kept_checkpoint here{.step = step, .time = static_cast<double>(step)};
      if (const auto value = values.find(step); value != values.end()) here.value = value->second;
      all.push_back(here);
    }
    for (const long long step : to_delete(all, policy)) remove(at(step));
  }

 private:
  std::vector<std::pair<std::string, std::filesystem::path>> entries() const {
    std::vector<std::pair<std::string, std::filesystem::path>> all;
    std::error_code code;
    for (std::filesystem::directory_iterator entry(folder_, code), end; !code && entry != end; entry.increment(code))
      all.emplace_back(entry->path().filename().string(), entry->path());
    return all;
  }
  /// Half-written and half-removed ones of processes that were killed: the folder is ours alone.
  void remove_partial() const {
    std::error_code ignored;
    for (const auto& [name, path] : entries()) {
      if (name.starts_with("step_") && name.find(".partial-") != std::string::npos)
        std::filesystem::remove_all(path, ignored);
    }
  }
  /// First out of sight, so that a process that is killed meanwhile leaves no half checkpoint.
  static void remove(const std::filesystem::path& path) {
    std::filesystem::path gone = path;
    gone += ".partial-removed";
    std::error_code ignored;
    std::filesystem::rename(path, gone, ignored);
    std::filesystem::remove_all(gone, ignored);
  }

  std::filesystem::path folder_;
  trm::detail::descriptor opened_;
  mutable std::vector<std::filesystem::path> damaged_;
};

}  // namespace program
