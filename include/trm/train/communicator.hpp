// SPDX-License-Identifier: MIT
// Processes that work together: what is asked of a communicator, and the one that stands for a process alone.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include "trm/core/error.hpp"

namespace trm {

/// Another process could not be reached, or did not answer.
class communication_error : public error {
 public:
  using error::error;
};

/// A message to, or from, another process. The process itself is never named.
struct outgoing {
  int to = 0;
  std::span<const std::byte> bytes;  // must live until exchange() returns
};
/// A message that is expected.
struct incoming {
  int from = 0;                // rank of the sender
  std::span<std::byte> bytes;  // where it goes; as long as what is sent
};

/// The bytes of the longest of them.
inline std::size_t longest_message(std::span<const outgoing> out, std::span<const incoming> in) {
  std::size_t longest = 0;
  for (const outgoing& o : out) longest = std::max(longest, o.bytes.size());
  for (const incoming& i : in) longest = std::max(longest, i.bytes.size());
  return longest;
}

/// `size()` processes, this one being number `rank()`. One operation moves data, and collectives.hpp builds the others of it:
///
///   exchange(out, in)  sends and receives at most one message to and from each other process, all at once. Whoever is sent a message
///                      receives it with the same call of his own, with a span of the same size. Throws communication_error that
///                      names the rank where a message does not come.
///   abort(message)     says "rank R of N: message" on standard error and ends all processes, this one included.
///
/// All processes make the same calls in the same order, each from one thread.
template <class C>
concept communicator = requires(C& c, const C& k, std::span<const outgoing> out, std::span<const incoming> in,
                                std::string_view message) {
  { k.rank() } -> std::same_as<int>;
  { k.size() } -> std::same_as<int>;
  { c.exchange(out, in) } -> std::same_as<void>;
  c.abort(message);
};

/// A process alone. Everything that is asked of it compiles to nothing; an error is an exception as ever.
struct single_process {
  static constexpr int rank() { return 0; }                               // of the only one
  static constexpr int size() { return 1; }                               // alone
  void exchange(std::span<const outgoing>, std::span<const incoming>) {}  // nobody to talk to
  void abort(std::string_view) {}                                         // nobody to tell
};
static_assert(communicator<single_process>);

}  // namespace trm
