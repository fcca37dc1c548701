// SPDX-License-Identifier: MIT
// What processes do together with memory of their devices: the sums and gatherings of trm::collectives, in the same order, with the same bits.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "trm/backend/cuda/block.hpp"
#include "trm/backend/cuda/device.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/communicator.hpp"
#include "trm/train/cuda/step_results.hpp"

namespace trm::cuda {

/// A communicator that sends memory of the device itself, in the device's order of work: trm::nccl::communicator. What it is asked for may
/// be captured.
///   enqueue(out, in, device)   the messages of exchange(); their bytes are on the device, and are sent when it comes to that
///   finish(device, mark)       waits until the device has reached the mark; throws communication_error where another process is gone
template <class C, class Device>
concept device_communicator = communicator<C> &&
    requires(C& c, std::span<const outgoing> out, std::span<const incoming> in, Device& d,
             const typename Device::mark& until) {
  c.enqueue(out, in, d);
  c.finish(d, until);
};

namespace detail {

/// mine = ((v0 + v1) + v2) + ... of the ranks in order, v_r = theirs + r * stride, but for this rank, whose own is `mine`. A thread an
/// element.
template <class T>
struct add_in_order_kernel {
  T* mine;
  const T* theirs;
  std::size_t stride, n;
  int rank, ranks;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    const std::size_t i = static_cast<std::size_t>(b.index()) * static_cast<std::size_t>(b.threads()) +
                          static_cast<std::size_t>(b.thread());
    if (i >= n) return;
    const auto value = [&](int r) { return r == rank ? mine[i] : theirs[static_cast<std::size_t>(r) * stride + i]; };
    T sum = value(0);
    for (int r = 1; r < ranks; ++r) sum += value(r);
    mine[i] = sum;
  }
};

}  // namespace detail

/// The collectives of a step over a communicator, which must outlive them. With a device_communicator they are part of the captured
/// step; with any other the values go by way of the host, between the two graphs into which the step is cut then.
template <class Device, communicator Communicator>
class device_collectives {
 public:
  /// Is all of it done in the device's order of work?
  static constexpr bool captured =
      std::is_same_v<Communicator, single_process> || device_communicator<Communicator, Device>;

  /// `summed`: bytes that will be summed at most; `gathered`: bytes that will be gathered at most, those of all processes.
  device_collectives(Device& d, Communicator& c, std::size_t summed, std::size_t gathered)
      : device_(d),
        group_(c, captured ? 0 : trm::sum_bytes),
        received_(d, captured && c.size() > 1 ? summed + 16 * static_cast<std::size_t>(c.size()) : 0),
        staging_(d, !captured && c.size() > 1 ? std::max(summed, gathered) : 0) {
    out_.reserve(static_cast<std::size_t>(c.size()));
    in_.reserve(static_cast<std::size_t>(c.size()));
  }

  /// As trm::collectives::gather: `all` [size * n] on the device.
  template <class T>
  void gather(T* all, std::size_t count) {
    if (size() == 1 || count == 0) return;
    if constexpr (captured) {
      const std::size_t n = count / static_cast<std::size_t>(size());
      begin();
      each_other([&](int r) {
        out_.push_back({r, bytes(all + static_cast<std::size_t>(rank()) * n, n)});
        in_.push_back({r, bytes(all + static_cast<std::size_t>(r) * n, n)});
      });
      enqueue();
    } else {
      staged(all, count, [&](std::span<T> values) { group_.gather(values); });
    }
  }
  /// As trm::collectives::sum_in_order: the values [count] on the device, the same bits whichever way they are brought together.
  template <class T>
  void sum_in_order(T* values, std::size_t count) {
    if (size() == 1 || count == 0) return;
    if constexpr (captured) {
      const auto n = static_cast<std::size_t>(size());
      const auto from = [&](int r) { return count * static_cast<std::size_t>(r) / n; };
      const auto slice = [&](int r) { return bytes(values + from(r), from(r + 1) - from(r)); };
      const std::size_t stride = (count + n - 1) / n, mine = from(rank() + 1) - from(rank());
      T* theirs = received_.template as<T>();
      begin();
      each_other([&](int r) {
        if (!slice(r).empty()) out_.push_back({r, slice(r)});
        if (mine > 0) in_.push_back({r, bytes(theirs + static_cast<std::size_t>(r) * stride, mine)});
      });
      enqueue();
      if (mine > 0) {
        device_.launch(detail::add_in_order_kernel<T>{values + from(rank()), theirs, stride, mine, rank(), size()},
                       blocks_of(mine, 256), 256, 0);
      }
      begin();
      each_other([&](int r) {
        if (mine > 0) out_.push_back({r, slice(rank())});
        if (!slice(r).empty()) in_.push_back({r, slice(r)});
      });
      enqueue();
    } else {
      staged(values, count, [&](std::span<T> v) { group_.sum_in_order(v); });
    }
  }
  /// Waits until the device has reached the mark, and on the way maybe for other processes.
  void finish(const typename Device::mark& until) {
    if constexpr (device_communicator<Communicator, Device>) {
      if (size() > 1) group_.processes().finish(device_, until);
    }
    device_.wait(until);
  }

  int rank() const { return group_.rank(); }               // of this process
  int size() const { return group_.size(); }               // processes
  collectives<Communicator>& on_host() { return group_; }  // of memory of the host

 private:
  template <class T>
  static std::span<std::byte> bytes(T* p, std::size_t n) {
    return {reinterpret_cast<std::byte*>(p), n * sizeof(T)};
  }
  template <class F>
  void each_other(F f) const {
    for (int i = 1; i < size(); ++i) f((rank() + i) % size());
  }
  void begin() { out_.clear(), in_.clear(); }
  void enqueue() {
    if constexpr (device_communicator<Communicator, Device>) group_.processes().enqueue(out_, in_, device_);
  }
  template <class T, class F>
  void staged(T* values, std::size_t count, F f) {
    T* host = staging_.template as<T>();
    device_.copy_out(host, values, count * sizeof(T));
    f(std::span<T>(host, count));
    device_.copy_in(values, host, count * sizeof(T));
  }

  Device& device_;
  mutable collectives<Communicator> group_;
  device_memory<Device> received_;
  host_memory<Device> staging_;
  std::vector<outgoing> out_;
  std::vector<incoming> in_;
};

}  // namespace trm::cuda
