// SPDX-License-Identifier: MIT
// That all processes work on the same thing, and that all learn of it where one cannot.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/communicator.hpp"

namespace trm {

/// What is the same on all processes: {"dataset", "3f2a..."}, {"version", "0.3.0"}.
struct fact {
  std::string name, value;  // what it is called in messages; equal everywhere, or an error
  friend bool operator==(const fact&, const fact&) = default;
};

/// An error that every process has thrown: one of them is enough to say it, and none has to be ended by another.
class agreed_error : public error {
 public:
  using error::error;
};

namespace detail {

/// "rank 2", "ranks 0, 1, 3"
inline std::string rank_list(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
  return text;
}

/// The different values of a list, in the order in which they come, each with the ranks that have it.
inline std::vector<std::pair<std::string, std::vector<int>>> by_value(const std::vector<std::string>& values) {
  std::vector<std::pair<std::string, std::vector<int>>> all;
  for (std::size_t r = 0; r < values.size(); ++r) {
    auto at = std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.first == values[r]; });
    if (at == all.end()) at = all.insert(all.end(), {values[r], {}});
    at->second.push_back(static_cast<int>(r));
  }
  return all;
}

}  // namespace detail

/// All processes call it with facts of the same names. Where a value differs every process throws
///   "dataset: 3f2a on ranks 0, 1, 77c0 on rank 2: all processes must have the same"
/// of the first such fact.
/// \throws agreed_error
template <communicator Communicator>
void require_agreement(Communicator& c, const std::vector<fact>& facts) {
  if (c.size() == 1) return;
  collectives all(c);
  std::string names;
  for (const fact& f : facts) names += f.name + "\n";
  const auto same = [&](const std::string& name, const std::string& mine) {
    const auto values = detail::by_value(all.gather_each(mine));
    if (values.size() == 1) return;
    std::string what;
    for (const auto& [value, ranks] : values) {
      what += (what.empty() ? "" : ", ") + (value.empty() ? "nothing" : value) + " on " + detail::rank_list(ranks);
    }
    std::replace(what.begin(), what.end(), '\n', ' ');
    throw agreed_error(name, what + ": all processes must have the same");
  };
  same("facts to agree on", names);
  for (const fact& f : facts) same(f.name, f.value);
}

/// f() on every process. Where it fails on some, every process throws one line that names them, with what they said:
///   "rank 2: data/train: there is no such folder"
/// and where all say the same, just that. `f` must not talk to other processes. A process alone throws what f threw.
/// \throws agreed_error
template <communicator Communicator, class F>
void together(Communicator& c, F f) {
  if (c.size() == 1) return f();
  std::string failure;  // behind a mark, so that no failure is empty
  try {
    f();
  } catch (const std::bad_alloc&) {
    failure = "!out of memory";
  } catch (const std::exception& e) {
    failure = std::string("!") + e.what();
  }
  collectives all(c);
  std::string line;
  const auto said = detail::by_value(all.gather_each(failure));
  if (said.size() == 1 && !failure.empty()) throw agreed_error(failure.substr(1));
  for (const auto& [what, ranks] : said) {
    if (what.empty()) continue;
    line += (line.empty() ? "" : "; ") + detail::rank_list(ranks) + ": " + what.substr(1);
  }
  if (!line.empty()) throw agreed_error(line);
}

/// f() on process 0; the others wait, and throw what it threw. Returns on all of them the text that it returned.
/// \throws agreed_error
template <communicator Communicator, class F>
std::string by_first(Communicator& c, F f) {
  if (c.size() == 1) return f();
  std::string result;
  if (c.rank() == 0) {
    try {
      result = " " + f();
    } catch (const std::bad_alloc&) {
      result = "!out of memory";
    } catch (const std::exception& e) {
      result = std::string("!") + e.what();
    }
  }
  collectives all(c);
  std::uint64_t length = result.size();
  all.broadcast(std::span(&length, 1));
  result.resize(length);
  all.broadcast(std::span(result));
  if (result.front() == '!') throw agreed_error(result.substr(1));
  return result.substr(1);
}

}  // namespace trm
