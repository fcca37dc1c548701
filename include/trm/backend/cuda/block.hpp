// SPDX-License-Identifier: MIT
// What a kernel sees of the threads that run it, and sums over them in a fixed order.
//
// A kernel is a functor type of trivially copyable members, written once:
//   struct k { template <class Block> TRM_HD void operator()(Block& b) const; };
// Every thread of every block calls it. Block has
//   index(), thread(), threads()  the block's number; the thread's in the block; threads of a block (a multiple of warp_size)
//   sync()                        all threads of the block arrive before one goes on, and what they wrote is seen
//   shared<T>()                   memory of the block, on a boundary of 16 bytes, undefined at the start
//   exchange(v, mask)             the v of thread `thread() ^ mask` of the same warp, mask < warp_size; all threads of the warp
//   warp_sync()                   sync() for the threads of the warp
// Blocks run in any order and share nothing that they write.
#pragma once
#include <cstddef>

#include "trm/backend/cuda/device.hpp"
#include "trm/core/hd.hpp"

namespace trm::cuda {

/// Blocks of `threads` threads for n of them.
constexpr int blocks_of(std::size_t n, int threads) {
  return static_cast<int>((n + static_cast<std::size_t>(threads) - 1) / static_cast<std::size_t>(threads));
}

/// The thread's number in its warp, and the warp's in the block.
template <class Block>
TRM_HD int lane_of(const Block& b) {
  return b.thread() % warp_size;
}
/// The warp's number in the block.
template <class Block>
TRM_HD int warp_of(const Block& b) {
  return b.thread() / warp_size;
}
/// Warps of a block.
template <class Block>
TRM_HD int warps_of(const Block& b) {
  return b.threads() / warp_size;
}

/// The sum of v over the `Threads` (a power of two, up to a warp) neighbouring threads, the same bits in all of them. All threads of
/// the warp call it.
template <int Threads = warp_size, class Block, class T>
TRM_HD T warp_sum(Block& b, T v) {
  for (int mask = Threads / 2; mask > 0; mask /= 2) v += b.exchange(v, mask);
  return v;
}
/// Likewise the largest.
template <int Threads = warp_size, class Block, class T>
TRM_HD T warp_max(Block& b, T v) {
  for (int mask = Threads / 2; mask > 0; mask /= 2) {
    const T other = b.exchange(v, mask);
    v = other > v ? other : v;
  }
  return v;
}

/// The sum of v over the threads of the block, the same bits in all of them; `parts`: shared memory for one T of each warp, free again
/// afterwards. All threads of the block call it.
template <class Block, class T>
TRM_HD T block_sum(Block& b, T v, T* parts) {
  v = warp_sum(b, v);
  b.sync();
  if (lane_of(b) == 0) parts[warp_of(b)] = v;
  b.sync();
  T total = 0;
  for (int w = 0; w < warps_of(b); ++w) total += parts[w];
  b.sync();
  return total;
}

}  // namespace trm::cuda
