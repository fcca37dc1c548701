// SPDX-License-Identifier: MIT
// Processes with a GPU each, talking by NCCL.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include "trm/core/error.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/communicator.hpp"
#include "trm/train/meeting.hpp"

namespace trm::nccl {

/// The processes of an NCCL communicator. Spans of exchange() lie in memory of the host or of the device and go through memory of
/// the device that the first call takes; those of enqueue() lie on the device and are sent from where they are. NCCL does the calls of
/// all streams in one order, so exchange() waits for what has been enqueued: see `beside`. So far compiled only, not run.
class communicator {
 public:
  /// Made together by all processes of `others`, which tells them NCCL's identifier; each has chosen its device by cudaSetDevice.
  /// `staging`: bytes on the device for what is sent at a time, and again for what is received. `patience`: how long finish() may take.
  template <trm::communicator Others>
  explicit communicator(Others& others, std::size_t staging = default_staging,
                        std::chrono::milliseconds patience = std::chrono::minutes(30))
      : rank_(others.rank()),
        size_(others.size()),
        piece_(staging / static_cast<std::size_t>(others.size())),
        patience_(patience) {
    start([&](std::span<ncclUniqueId> id) { collectives(others).broadcast(id); });
  }
  /// Made together by the processes of a launcher that have nothing else to talk by, such as those of torchrun: rank 0 tells NCCL's
  /// identifier at the meeting point. Throws communication_error as well where not all come.
  explicit communicator(const launch& started, const meeting_point& at, std::size_t staging = default_staging)
      : rank_(started.rank),
        size_(started.size),
        piece_(staging / static_cast<std::size_t>(started.size)),
        patience_(at.patience) {
    start([&](std::span<ncclUniqueId> id) { meet(at, rank_, size_, std::as_writable_bytes(id)); });
  }
  communicator(const communicator&) = delete;
  communicator& operator=(const communicator&) = delete;
  ~communicator() { release(); }

  int rank() const { return rank_; }  // as given
  int size() const { return size_; }  // as given

  /// As trm::communicator asks for; the bytes go by way of the device.
  void exchange(std::span<const outgoing> out, std::span<const incoming> in) {
    const std::size_t longest = longest_message(out, in);
    take_staging();
    for (std::size_t at = 0; at < longest; at += piece_) exchange_piece(out, in, at);
  }

  /// The messages of exchange(), whose spans lie on the device, in the order of `stream`: nothing has been sent when it returns, and
  /// it may be captured into a graph. finish() says whether they arrived.
  void enqueue(std::span<const outgoing> out, std::span<const incoming> in, cudaStream_t stream) {
    check(ncclGroupStart(), "ncclGroupStart");
    for (const outgoing& o : out)
      check(ncclSend(o.bytes.data(), o.bytes.size(), ncclUint8, o.to, comm_, stream), "ncclSend");
    for (const incoming& i : in)
      check(ncclRecv(i.bytes.data(), i.bytes.size(), ncclUint8, i.from, comm_, stream), "ncclRecv");
    check(ncclGroupEnd(), "ncclGroupEnd");
  }
  /// The same in the order of a device's work; see trm::cuda::device_communicator.
  template <class Device>
  void enqueue(std::span<const outgoing> out, std::span<const incoming> in, Device& d) {
    enqueue(out, in, static_cast<cudaStream_t>(d.stream()));
  }
  /// Waits until the device has reached the mark. Throws communication_error where NCCL reports that another process failed, or where
  /// it takes longer than the patience: a process that is gone is not always noticed. NCCL's work on the device has then been ended.
  template <class Device>
  void finish(Device&, const typename Device::mark& until) {
    finish([&] { return cudaEventQuery(until.event()); });
  }
  /// The same until the stream has done what it was given.
  void finish(cudaStream_t stream) {
    finish([stream] { return cudaStreamQuery(stream); });
  }

  /// Ends this process; NCCL then fails the calls of the others, and their launcher ends them.
  [[noreturn]] void abort(std::string_view message) {
    std::fprintf(stderr, "rank %d of %d: %.*s\n", rank_, size_, static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    if (comm_ != nullptr) ncclCommAbort(comm_);
    std::_Exit(1);
  }

  static constexpr std::size_t default_staging = std::size_t{64} << 20;  // bytes

 private:
  template <class Tell>
  void start(Tell tell) {
    if (piece_ == 0) throw error(here(), "the memory to send from is smaller than the number of processes");
    ncclUniqueId id{};
    if (rank_ == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
    tell(std::span(&id, 1));
    try {
      check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
      check(ncclCommInitRank(&comm_, size_, id, rank_), "ncclCommInitRank");
    } catch (...) {
      release();
      throw;
    }
  }
  void take_staging() {
    const std::size_t size = piece_ * static_cast<std::size_t>(size_);
    if (sent_ == nullptr) check(cudaMalloc(&sent_, size), "cudaMalloc");
    if (received_ == nullptr) check(cudaMalloc(&received_, size), "cudaMalloc");
  }
  template <class Query>
  void finish(Query query) requires std::is_same_v<std::invoke_result_t<Query>, cudaError_t> {
    const auto end = std::chrono::steady_clock::now() + patience_;
    try {
      for (;;) {
        const cudaError_t state = query();
        if (state == cudaSuccess) return;
        if (state != cudaErrorNotReady) check(state, "the device's work");
        ncclResult_t late = ncclSuccess;
        check(ncclCommGetAsyncError(comm_, &late), "ncclCommGetAsyncError");
        if (late != ncclInProgress) check(late, "exchange");
        if (std::chrono::steady_clock::now() > end)
          throw communication_error(here(), "another process no longer answers: its own last line says why");
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    } catch (...) {
      // Kernels that wait for a process that is gone would keep the device, and whoever waits for it, for ever.
      ncclCommAbort(std::exchange(comm_, nullptr));
      throw;
    }
  }
  void exchange_piece(std::span<const outgoing> out, std::span<const incoming> in, std::size_t at) {
    const auto count = [&](std::size_t bytes) { return bytes <= at ? 0 : std::min(piece_, bytes - at); };
    const auto place = [&](void* base, int rank) {
      return static_cast<char*>(base) + static_cast<std::size_t>(rank) * piece_;
    };
    for (const outgoing& o : out) {
      if (const std::size_t n = count(o.bytes.size()); n > 0) copy(place(sent_, o.to), o.bytes.data() + at, n);
    }
    check(ncclGroupStart(), "ncclGroupStart");
    for (const outgoing& o : out) {
      if (const std::size_t n = count(o.bytes.size()); n > 0)
        check(ncclSend(place(sent_, o.to), n, ncclUint8, o.to, comm_, stream_), "ncclSend");
    }
    for (const incoming& i : in) {
      if (const std::size_t n = count(i.bytes.size()); n > 0)
        check(ncclRecv(place(received_, i.from), n, ncclUint8, i.from, comm_, stream_), "ncclRecv");
    }
    check(ncclGroupEnd(), "ncclGroupEnd");
    for (const incoming& i : in) {
      if (const std::size_t n = count(i.bytes.size()); n > 0) copy(i.bytes.data() + at, place(received_, i.from), n);
    }
    finish(stream_);
  }
  void copy(void* to, const void* from, std::size_t n) {
    check(cudaMemcpyAsync(to, from, n, cudaMemcpyDefault, stream_), "cudaMemcpyAsync");
  }
  void release() noexcept {
    if (comm_ != nullptr) ncclCommDestroy(comm_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
    cudaFree(received_);
    cudaFree(sent_);
  }
  std::string here() const { return "rank " + std::to_string(rank_) + " of " + std::to_string(size_); }
  void check(ncclResult_t code, const char* call) const {
    if (code != ncclSuccess) throw communication_error(here() + ": " + call, ncclGetErrorString(code));
  }
  void check(cudaError_t code, const char* call) const {
    if (code != cudaSuccess) throw communication_error(here() + ": " + call, cudaGetErrorString(code));
  }

  int rank_, size_;
  std::size_t piece_;  // of a message, at a time
  std::chrono::milliseconds patience_ = std::chrono::minutes(30);
  void *sent_ = nullptr, *received_ = nullptr;
  cudaStream_t stream_ = nullptr;
  ncclComm_t comm_ = nullptr;
};
static_assert(trm::communicator<communicator>);

/// Processes whose devices talk by NCCL, and whose hosts go on talking by the communicator that they have met by: a word between hosts
/// does not wait for the work of the devices then. For a trainer on several GPUs; so far compiled only, not run.
template <trm::communicator Host>
class beside {
 public:
  /// Made together by all processes of `host`, which must outlive it; each has chosen its device by cudaSetDevice. A process alone needs
  /// no NCCL. `patience`: of finish().
  explicit beside(Host& host, std::chrono::milliseconds patience = std::chrono::minutes(30)) : host_(host) {
    if (host.size() > 1) devices_.emplace(host, communicator::default_staging, patience);
  }
  int rank() const { return host_.rank(); }                                                                // the host's
  int size() const { return host_.size(); }                                                                // the host's
  void exchange(std::span<const outgoing> out, std::span<const incoming> in) { host_.exchange(out, in); }  // the host's
  void abort(std::string_view message) { host_.abort(message); }                                           // the host's
  /// As of communicator.
  template <class Device>
  void enqueue(std::span<const outgoing> out, std::span<const incoming> in, Device& d) {
    if (devices_) devices_->enqueue(out, in, d);
  }
  /// As of communicator.
  template <class Device>
  void finish(Device& d, const typename Device::mark& until) {
    if (devices_) devices_->finish(d, until);
  }

 private:
  Host& host_;
  std::optional<communicator> devices_;
};

}  // namespace trm::nccl
