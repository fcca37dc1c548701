// SPDX-License-Identifier: MIT
// Processes with a GPU each, talking by NCCL.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include "trm/core/error.hpp"
#include "trm/train/collectives.hpp"
#include "trm/train/communicator.hpp"

namespace trm::nccl {

/// The processes of an NCCL communicator. Spans of exchange lie in memory of the host or of the device: they go through memory of
/// the device that the constructor takes. So far compiled only, not run.
class communicator {
 public:
  /// Made together by all processes of `others`, which tells them NCCL's identifier; each has chosen its device by cudaSetDevice.
  /// `staging`: bytes on the device for what is sent at a time, and again for what is received.
  template <trm::communicator Others>
  explicit communicator(Others& others, std::size_t staging = std::size_t{64} << 20)
      : rank_(others.rank()), size_(others.size()), piece_(staging / static_cast<std::size_t>(others.size())) {
    if (piece_ == 0) throw error(here(), "the memory to send from is smaller than the number of processes");
    ncclUniqueId id{};
    if (rank_ == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
    collectives(others).broadcast(std::span(&id, 1));
    try {
      check(cudaMalloc(&sent_, staging), "cudaMalloc");
      check(cudaMalloc(&received_, staging), "cudaMalloc");
      check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
      check(ncclCommInitRank(&comm_, size_, id, rank_), "ncclCommInitRank");
    } catch (...) {
      release();
      throw;
    }
  }
  communicator(const communicator&) = delete;
  communicator& operator=(const communicator&) = delete;
  ~communicator() { release(); }

  int rank() const { return rank_; }  // as given
  int size() const { return size_; }  // as given

  /// As trm::communicator asks for; the bytes go by way of the device.
  void exchange(std::span<const outgoing> out, std::span<const incoming> in) {
    const std::size_t longest = longest_message(out, in);
    for (std::size_t at = 0; at < longest; at += piece_) exchange_piece(out, in, at);
  }

  /// Ends this process; NCCL then fails the calls of the others, and their launcher ends them.
  [[noreturn]] void abort(std::string_view message) {
    std::fprintf(stderr, "rank %d of %d: %.*s\n", rank_, size_, static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    if (comm_ != nullptr) ncclCommAbort(comm_);
    std::_Exit(1);
  }

 private:
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
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    ncclResult_t late = ncclSuccess;
    check(ncclCommGetAsyncError(comm_, &late), "ncclCommGetAsyncError");
    check(late, "exchange");
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
  void *sent_ = nullptr, *received_ = nullptr;
  cudaStream_t stream_ = nullptr;
  ncclComm_t comm_ = nullptr;
};
static_assert(trm::communicator<communicator>);

}  // namespace trm::nccl
