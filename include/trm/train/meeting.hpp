// SPDX-License-Identifier: MIT
// How processes that have no other way to talk yet are told a few bytes by the first: over TCP, once, at the start.
#pragma once
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "trm/train/communicator.hpp"
#include "trm/train/launch.hpp"

namespace trm {

/// Where processes meet: the machine of the first one and a port that is free there.
struct meeting_point {
  std::string address;                                            // of the machine of rank 0
  int port = 0;                                                   // on it
  std::chrono::milliseconds patience = std::chrono::minutes(30);  // for the others to come

  /// What the launcher says. The store of torchrun keeps listening on MASTER_PORT, so the processes that it starts meet 17 ports
  /// further on; TRM_MEETING_PORT names another one.
  /// \throws trm::error where the launcher names no meeting point
  static meeting_point of(
      const launch& started,
      const detail::launch_reader::getter& get = [](const char* name) -> const char* { return std::getenv(name); }) {
    const auto own = detail::launch_reader(get).number("TRM_MEETING_PORT", 1, 65535);
    const int behind = started.port > 65535 - 17 ? started.port - 17 : started.port + 17;
    const meeting_point p{started.address, own ? *own : started.launcher == "torchrun" ? behind : started.port};
    if (p.address.empty() || p.port == 0) {
      throw error("meeting of " + std::to_string(started.size) + " processes",
                  "the launcher does not say where: set MASTER_ADDR to the machine of rank 0 and TRM_MEETING_PORT to a "
                  "free port there");
    }
    return p;
  }
};

namespace detail {

/// A socket, closed at the end.
class open_socket {
 public:
  explicit open_socket(int number = -1) : number_(number) {}
  open_socket(open_socket&& o) noexcept : number_(std::exchange(o.number_, -1)) {}
  open_socket& operator=(open_socket&& o) noexcept {
    std::swap(number_, o.number_);
    return *this;
  }
  ~open_socket() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

/// What remains of a time.
class deadline {
 public:
  explicit deadline(std::chrono::milliseconds patience) : end_(std::chrono::steady_clock::now() + patience) {}
  /// Milliseconds, for poll(); 0 where it is over.
  int left() const {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now()).count();
    return static_cast<int>(ms < 0 ? 0 : ms > 3600000 ? 3600000 : ms);
  }

 private:
  std::chrono::steady_clock::time_point end_;
};

/// What a process says when it comes, so that a stranger is known as one. All numbers as the machine has them.
struct meeting_card {
  std::array<char, 8> word{'t', 'r', 'm', 'm', 'e', 'e', 't', '1'};
  std::int32_t rank = 0, size = 0;
  std::uint64_t bytes = 0;  // wanted
  friend bool operator==(const meeting_card&, const meeting_card&) = default;
};

/// All of `bytes` through the socket, `transfer(socket, place, count)` of them at a time; false where that fails or takes too long.
template <class Byte, class Transfer>
bool pass_all(int socket, std::span<Byte> bytes, short event, const deadline& end, Transfer transfer) {
  while (!bytes.empty()) {
    pollfd ready{socket, event, 0};
    if (::poll(&ready, 1, end.left()) <= 0) return false;
    const ::ssize_t n = transfer(socket, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}
inline bool send_all(int socket, std::span<const std::byte> bytes, const deadline& end) {
  return pass_all(socket, bytes, POLLOUT, end,
                  [](int s, const std::byte* p, std::size_t n) { return ::send(s, p, n, MSG_NOSIGNAL); });
}
inline bool receive_all(int socket, std::span<std::byte> bytes, const deadline& end) {
  return pass_all(socket, bytes, POLLIN, end, [](int s, std::byte* p, std::size_t n) { return ::recv(s, p, n, 0); });
}

/// A socket that listens on the port, on all addresses.
inline open_socket listen_on(int port) {
  open_socket s(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool six = static_cast<bool>(s);
  if (!six) s = open_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1, no = 0;
  ::setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  int bound = -1;
  if (six) {
    ::setsockopt(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6, a.sin6_port = htons(static_cast<std::uint16_t>(port));
    bound = ::bind(s.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a);
  } else {
    sockaddr_in a{};
    a.sin_family = AF_INET, a.sin_port = htons(static_cast<std::uint16_t>(port));
    bound = ::bind(s.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a);
  }
  if (bound != 0 || ::listen(s.get(), 128) != 0) {
    throw communication_error(
        "meeting on port " + std::to_string(port),
        std::string(std::strerror(errno)) + ": set TRM_MEETING_PORT to a free port of this machine");
  }
  return s;
}

/// A connection to the place, or none now.
inline open_socket connect_to(const meeting_point& at) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_UNSPEC, hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(at.address.c_str(), std::to_string(at.port).c_str(), &hints, &found) != 0) return open_socket();
  open_socket result;
  for (const addrinfo* a = found; a != nullptr && !result; a = a->ai_next) {
    open_socket s(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol));
    if (s && ::connect(s.get(), a->ai_addr, a->ai_addrlen) == 0) result = std::move(s);
  }
  ::freeaddrinfo(found);
  return result;
}

/// Rank 0: gives `bytes` to each of the others once.
inline void give_bytes(const meeting_point& at, int size, std::span<const std::byte> bytes) {
  const open_socket door = listen_on(at.port);
  const deadline end(at.patience);
  std::vector<bool> here(static_cast<std::size_t>(size));
  for (int missing = size - 1; missing > 0;) {
    pollfd ready{door.get(), POLLIN, 0};
    if (::poll(&ready, 1, end.left()) <= 0) {
      std::string ranks;
      for (int r = 1; r < size; ++r) {
        if (!here[static_cast<std::size_t>(r)]) ranks += (ranks.empty() ? "" : ", ") + std::to_string(r);
      }
      throw communication_error("meeting on port " + std::to_string(at.port), "these ranks did not come: " + ranks);
    }
    const open_socket guest(::accept(door.get(), nullptr, nullptr));
    meeting_card card;
    const deadline soon(std::chrono::seconds(10));  // a stranger may say nothing
    if (!guest || !receive_all(guest.get(), std::as_writable_bytes(std::span(&card, 1)), soon)) continue;
    const meeting_card expected{.rank = card.rank, .size = size, .bytes = bytes.size()};
    if (!(card == expected) || card.rank < 1 || card.rank >= size) continue;
    if (!send_all(guest.get(), bytes, soon)) continue;
    if (!here[static_cast<std::size_t>(card.rank)]) --missing;
    here[static_cast<std::size_t>(card.rank)] = true;
  }
}

/// The others: wait for rank 0 and take `bytes`.
inline void take_bytes(const meeting_point& at, int rank, int size, std::span<std::byte> bytes) {
  const deadline end(at.patience);
  const meeting_card card{.rank = rank, .size = size, .bytes = bytes.size()};
  do {
    const open_socket host = connect_to(at);
    if (host && send_all(host.get(), std::as_bytes(std::span(&card, 1)), end) && receive_all(host.get(), bytes, end))
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  } while (end.left() > 0);
  throw communication_error("rank " + std::to_string(rank) + " of " + std::to_string(size),
                            "rank 0 was not at " + at.address + ", port " + std::to_string(at.port));
}

}  // namespace detail

/// Every process calls it; all have the bytes of rank 0 then. A few are meant, such as the identifier by which NCCL's processes find
/// each other. Whoever reaches the port can ask for them: it belongs behind the firewall of the job.
/// \throws communication_error that names who did not come, or the port that is taken
inline void meet(const meeting_point& at, int rank, int size, std::span<std::byte> bytes) {
  if (size == 1) return;
  if (rank == 0) {
    detail::give_bytes(at, size, bytes);
  } else {
    detail::take_bytes(at, rank, size, bytes);
  }
}

}  // namespace trm
