// SPDX-License-Identifier: MIT
// Processes that talk over TCP, a connection for each pair: where a launcher brings nothing else, such as torchrun.
#pragma once
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/train/communicator.hpp"
#include "trm/train/launch.hpp"
#include "trm/train/meeting.hpp"

namespace trm::tcp {

namespace detail {

using trm::detail::deadline;
using trm::detail::open_socket;

/// Where a process can be reached. IPv6, or IPv4 in its form; of a port alone where it is the machine of rank 0.
struct place {
  std::array<unsigned char, 16> address{};
  std::uint32_t scope = 0;
  std::int32_t port = 0;
  bool beside_first() const { return address == std::array<unsigned char, 16>{}; }
};
/// What a process says to one that it connects to.
struct card {
  std::array<char, 8> word{'t', 'r', 'm', 'p', 'e', 'e', 'r', '1'};
  std::int32_t rank = 0, size = 0, port = 0, unused = 0;
  std::uint64_t job = 0;  // 0 at the meeting point, then the number that rank 0 has drawn
};
inline bool is_one_of(const card& c, int size, std::uint64_t job) {
  return c.word == card().word && c.size == size && c.rank > 0 && c.rank < size && c.job == job && c.port > 0 &&
         c.port < 65536;
}

/// The address of the other end, or of this one.
template <class Name>
sockaddr_in6 end_of(int socket, Name name) {
  sockaddr_storage s{};
  socklen_t n = sizeof s;
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  if (name(socket, reinterpret_cast<sockaddr*>(&s), &n) != 0) return six;
  if (s.ss_family == AF_INET6) {
    std::memcpy(&six, &s, sizeof six);
  } else if (s.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &s, sizeof four);
    six.sin6_port = four.sin_port;
    six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(six.sin6_addr.s6_addr + 12, &four.sin_addr, 4);
  }
  return six;
}
inline bool is_loopback(const in6_addr& a) {
  return IN6_IS_ADDR_LOOPBACK(&a) || (IN6_IS_ADDR_V4MAPPED(&a) && a.s6_addr[12] == 127);
}
inline void send_at_once(int socket) {
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/// A connection to that place, or none now.
inline open_socket connect_to(const place& p, const meeting_point& first) {
  if (p.beside_first()) return trm::detail::connect_to({first.address, p.port});
  const unsigned char* a = p.address.data();
  const bool four = std::memcmp(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
  open_socket s(::socket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int result = -1;
  if (four) {
    sockaddr_in to{};
    to.sin_family = AF_INET, to.sin_port = htons(static_cast<std::uint16_t>(p.port));
    std::memcpy(&to.sin_addr, a + 12, 4);
    result = ::connect(s.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6, to.sin6_port = htons(static_cast<std::uint16_t>(p.port)), to.sin6_scope_id = p.scope;
    std::memcpy(&to.sin6_addr, a, 16);
    result = ::connect(s.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  return result == 0 ? std::move(s) : open_socket();
}

}  // namespace detail

/// The processes of a launcher that says where they meet. Rank 0 listens at the meeting point, the others at ports that the system
/// chooses; all must be able to reach each other. Nothing is encrypted, and the processes are told from strangers by a number alone: the
/// ports belong behind the firewall of the job.
class communicator {
 public:
  /// Made together by all. `patience`: how long the others may take to come, and later a message; 30 minutes at the meeting point's.
  /// \throws communication_error that names who did not come, or the port that is taken
  communicator(const launch& started, const meeting_point& at)
      : rank_(started.rank),
        size_(started.size),
        patience_(at.patience),
        peers_(static_cast<std::size_t>(started.size)) {
    if (size_ == 1) return;
    const detail::deadline end(patience_);
    if (rank_ == 0) {
      receive_all(at, end);
    } else {
      join(at, end);
    }
    for (const auto& p : peers_) {
      if (p) detail::send_at_once(p.get());
    }
  }

  int rank() const { return rank_; }  // as started
  int size() const { return size_; }  // as started

  /// As trm::communicator asks for.
  void exchange(std::span<const outgoing> out, std::span<const incoming> in) {
    left_.clear();
    for (const incoming& i : in) left_.push_back({i.from, i.bytes, {}});
    for (const outgoing& o : out) left_.push_back({o.to, {}, o.bytes});
    const detail::deadline end(patience_);
    for (;;) {
      waiting_.clear();
      for (transfer& t : left_) {
        if (t.done() || t.move(peers_[static_cast<std::size_t>(t.peer)].get()).done()) continue;
        if (t.gone)
          throw communication_error(name(), "rank " + std::to_string(t.peer) + " is gone: its own last line says why");
        waiting_.push_back(
            {peers_[static_cast<std::size_t>(t.peer)].get(), static_cast<short>(t.in.empty() ? POLLOUT : POLLIN), 0});
      }
      if (waiting_.empty()) return;
      if (::poll(waiting_.data(), waiting_.size(), end.left()) == 0 && end.left() == 0) give_up();
    }
  }

  /// Ends this process with the message; the others find its connections closed, and their launcher ends them.
  [[noreturn]] void abort(std::string_view message) {
    std::fprintf(stderr, "rank %d of %d: %.*s\n", rank_, size_, static_cast<int>(message.size()), message.data());
    std::fflush(stderr);
    std::_Exit(1);
  }

 private:
  /// What is left of a message, to be received or sent.
  struct transfer {
    int peer;
    std::span<std::byte> in;
    std::span<const std::byte> out;
    bool gone = false;

    bool done() const { return in.empty() && out.empty(); }
    /// As much as goes without waiting.
    transfer& move(int socket) {
      while (!done()) {
        const ::ssize_t n = in.empty() ? ::send(socket, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                       : ::recv(socket, in.data(), in.size(), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n <= 0) {
          gone = true;
          break;
        }
        if (in.empty()) {
          out = out.subspan(static_cast<std::size_t>(n));
        } else {
          in = in.subspan(static_cast<std::size_t>(n));
        }
      }
      return *this;
    }
  };

  std::string name() const { return "rank " + std::to_string(rank_) + " of " + std::to_string(size_); }
  [[noreturn]] void give_up() const {
    std::string from, to;
    for (const transfer& t : left_) {
      if (t.done()) continue;
      std::string& ranks = t.in.empty() ? to : from;
      ranks += (ranks.empty() ? "" : ", ") + std::to_string(t.peer);
    }
    const auto seconds = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience_).count());
    throw communication_error("TCP", from.empty() ? "a message was not taken by rank " + to + " in " + seconds + " s"
                                                  : "no message of rank " + from + " in " + seconds + " s");
  }

  /// Rank 0: the others come, and are told where each of them is.
  void receive_all(const meeting_point& at, const detail::deadline& end) {
    const auto door = trm::detail::listen_on(at.port);
    std::vector<detail::place> places(peers_.size());
    accept_from(1, door.get(), 0, end, [&](const detail::card& c, int socket) {
      detail::place& p = places[static_cast<std::size_t>(c.rank)];
      const sockaddr_in6 from = detail::end_of(socket, ::getpeername);
      const sockaddr_in6 here = detail::end_of(socket, ::getsockname);
      p.port = c.port, p.scope = from.sin6_scope_id;
      // Of a process on this machine the others do not know the address by which it came.
      const bool beside = detail::is_loopback(from.sin6_addr) ||
                          std::memcmp(&from.sin6_addr, &here.sin6_addr, sizeof from.sin6_addr) == 0;
      if (!beside) std::memcpy(p.address.data(), &from.sin6_addr, p.address.size());
    });
    std::uint64_t job = 0;
    if (::getrandom(&job, sizeof job, 0) != sizeof job) throw error("meeting", "the system gives no random numbers");
    for (int r = 1; r < size_; ++r) {
      const int s = peers_[static_cast<std::size_t>(r)].get();
      if (!trm::detail::send_all(s, std::as_bytes(std::span(&job, 1)), end) ||
          !trm::detail::send_all(s, std::as_bytes(std::span(places)), end))
        throw communication_error(name(), "rank " + std::to_string(r) + " is gone before it could begin");
    }
  }
  /// The others: come to rank 0, then to those before, then wait for those behind.
  void join(const meeting_point& at, const detail::deadline& end) {
    const auto door = trm::detail::listen_on(0);
    detail::card mine{.rank = rank_, .size = size_, .port = ntohs(detail::end_of(door.get(), ::getsockname).sin6_port)};
    std::vector<detail::place> places(peers_.size());
    for (;;) {
      auto first = trm::detail::connect_to(at);
      std::uint64_t job = 0;
      if (first && trm::detail::send_all(first.get(), std::as_bytes(std::span(&mine, 1)), end) &&
          trm::detail::receive_all(first.get(), std::as_writable_bytes(std::span(&job, 1)), end) &&
          trm::detail::receive_all(first.get(), std::as_writable_bytes(std::span(places)), end)) {
        mine.job = job;
        peers_[0] = std::move(first);
        break;
      }
      if (end.left() == 0) {
        throw communication_error(name(), "rank 0 was not at " + at.address + ", port " + std::to_string(at.port));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    for (int r = 1; r < rank_; ++r) {
      auto s = detail::connect_to(places[static_cast<std::size_t>(r)], at);
      if (!s || !trm::detail::send_all(s.get(), std::as_bytes(std::span(&mine, 1)), end)) {
        throw communication_error(name(), "rank " + std::to_string(r) + " cannot be reached (" + std::strerror(errno) +
                                              "): all ports have to be open between the machines");
      }
      peers_[static_cast<std::size_t>(r)] = std::move(s);
    }
    accept_from(rank_ + 1, door.get(), mine.job, end, [](const detail::card&, int) {});
  }
  /// Waits for the ranks from `first` on. Who says something else is sent away.
  template <class F>
  void accept_from(int first, int door, std::uint64_t job, const detail::deadline& end, F came) {
    for (int missing = size_ - first; missing > 0;) {
      pollfd ready{door, POLLIN, 0};
      if (::poll(&ready, 1, end.left()) <= 0) {
        if (end.left() > 0) continue;  // a signal
        throw communication_error(name(), "these ranks did not come: " + missing_from(first));
      }
      detail::open_socket guest(::accept4(door, nullptr, nullptr, SOCK_CLOEXEC));
      detail::card c;
      const detail::deadline soon(std::chrono::seconds(10));  // a stranger may say nothing
      if (!guest || !trm::detail::receive_all(guest.get(), std::as_writable_bytes(std::span(&c, 1)), soon)) continue;
      if (!detail::is_one_of(c, size_, job) || c.rank < first) continue;
      detail::open_socket& peer = peers_[static_cast<std::size_t>(c.rank)];
      if (!peer) --missing;  // who comes again has given up the first connection
      peer = std::move(guest);
      came(c, peer.get());
    }
  }
  std::string missing_from(int first) const {
    std::string ranks;
    for (int r = first; r < size_; ++r) {
      if (!peers_[static_cast<std::size_t>(r)]) ranks += (ranks.empty() ? "" : ", ") + std::to_string(r);
    }
    return ranks;
  }

  int rank_, size_;
  std::chrono::milliseconds patience_;
  std::vector<detail::open_socket> peers_;  // by rank; none of this one
  std::vector<transfer> left_;
  std::vector<pollfd> waiting_;
};
static_assert(trm::communicator<communicator>);

}  // namespace trm::tcp
