// SPDX-License-Identifier: MIT
// Processes that were started by mpirun or srun, talking by MPI.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// The C interface alone.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif
#include <mpi.h>

#include "trm/core/error.hpp"
#include "trm/train/communicator.hpp"

namespace trm::mpi {

/// The processes of an MPI communicator. Initialises MPI where that was not done, and then also ends it; a process that leaves by
/// an exception ends all. MPI is called from one thread alone, that of the constructor.
class communicator {
 public:
  /// `patience`: how long a message of another process may take; then exchange throws and names that process.
  /// \throws trm::error where MPI does not start
  explicit communicator(std::chrono::milliseconds patience = std::chrono::minutes(30), MPI_Comm parent = MPI_COMM_WORLD)
      : patience_(patience) {
    int initialised = 0;
    MPI_Initialized(&initialised);
    if (initialised == 0) {
      int provided = MPI_THREAD_SINGLE;
      check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
      ended_by_us_ = true;
      if (provided < MPI_THREAD_FUNNELED)
        throw error("MPI_Init_thread", "this MPI does not allow threads beside the one that calls it");
    }
    check(MPI_Comm_dup(parent, &comm_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
    requests_.reserve(2 * static_cast<std::size_t>(size_));
    from_.reserve(static_cast<std::size_t>(size_));
  }
  communicator(const communicator&) = delete;
  communicator& operator=(const communicator&) = delete;
  ~communicator() {
    if (std::uncaught_exceptions() > exceptions_ && size_ > 1) abort("left by an exception");
    MPI_Comm_free(&comm_);
    if (ended_by_us_) MPI_Finalize();
  }

  int rank() const { return rank_; }  // as MPI says
  int size() const { return size_; }  // as MPI says

  /// As trm::communicator asks for. Longer messages go in pieces, an int counts MPI's elements.
  void exchange(std::span<const outgoing> out, std::span<const incoming> in) {
    const std::size_t longest = longest_message(out, in);
    // MPI counts with int: what is longer goes in pieces.
    for (std::size_t at = 0; at < longest; at += piece) exchange_piece(out, in, at);
  }

  /// Ends all processes with the message, this one included.
  [[noreturn]] void abort(std::string_view message) {
    std::fprintf(stderr, "rank %d of %d: %.*s\n", rank_, size_, static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    // What was written has to get through the launcher before it is told to end everything.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    MPI_Abort(MPI_COMM_WORLD, 1);
    std::terminate();
  }

  static constexpr std::size_t piece = std::size_t{1} << 30;  // bytes sent at once

 private:
  using clock = std::chrono::steady_clock;

  void exchange_piece(std::span<const outgoing> out, std::span<const incoming> in, std::size_t at) {
    requests_.clear();
    from_.clear();
    const auto request = [&] { return &requests_.emplace_back(MPI_REQUEST_NULL); };
    const auto count = [&](std::size_t bytes) { return static_cast<int>(std::min(piece, bytes - at)); };
    for (const incoming& i : in) {
      if (i.bytes.size() <= at) continue;
      from_.push_back(i.from);
      check(MPI_Irecv(i.bytes.data() + at, count(i.bytes.size()), MPI_BYTE, i.from, 0, comm_, request()), "MPI_Irecv");
    }
    for (const outgoing& o : out) {
      if (o.bytes.size() <= at) continue;
      check(MPI_Isend(o.bytes.data() + at, count(o.bytes.size()), MPI_BYTE, o.to, 0, comm_, request()), "MPI_Isend");
    }
    wait();
  }
  /// Until all requests are done. Waiting longer leaves the processor to the threads of a slower process.
  void wait() {
    const auto began = clock::now();
    for (int done = 0;;) {
      check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE),
            "MPI_Testall");
      if (done != 0) return;
      const auto waited = clock::now() - began;
      if (waited > patience_) give_up();
      if (waited < std::chrono::milliseconds(50)) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    }
  }
  [[noreturn]] void give_up() {
    std::string missing;
    for (std::size_t i = 0; i < from_.size(); ++i) {
      int done = 0;
      MPI_Test(&requests_[i], &done, MPI_STATUS_IGNORE);
      if (done == 0) missing += (missing.empty() ? "" : ", ") + std::to_string(from_[i]);
    }
    for (MPI_Request& r : requests_) {  // whose memory goes away with the exception
      if (r == MPI_REQUEST_NULL) continue;
      MPI_Cancel(&r);
      MPI_Request_free(&r);
    }
    const auto seconds = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience_).count());
    throw communication_error("MPI", missing.empty() ? "a message was not taken in " + seconds + " s"
                                                     : "no message of rank " + missing + " in " + seconds + " s");
  }
  std::string here() const { return "rank " + std::to_string(rank_) + " of " + std::to_string(size_); }
  void check(int code, const char* call) const {
    if (code == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = {};
    int length = 0;
    MPI_Error_string(code, text, &length);
    throw communication_error(here() + ": " + call, std::string(text, static_cast<std::size_t>(length)));
  }

  std::chrono::milliseconds patience_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  bool ended_by_us_ = false;
  int exceptions_ = std::uncaught_exceptions();
  std::vector<MPI_Request> requests_;  // receives, then sends
  std::vector<int> from_;              // whose message each receive waits for
};
static_assert(trm::communicator<communicator>);

}  // namespace trm::mpi
