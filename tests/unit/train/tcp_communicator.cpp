// SPDX-License-Identifier: MIT
#include "trm/train/tcp_communicator.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "support/throws.hpp"
#include "unit/train/collectives_checks.hpp"

namespace {

trm::meeting_point here(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto free = trm::detail::listen_on(0);
  return {"localhost", ntohs(trm::tcp::detail::end_of(free.get(), ::getsockname).sin6_port), patience};
}
trm::launch one_of(int size, int rank) {
  trm::launch started;
  started.rank = rank, started.size = size;
  return started;
}

/// f(communicator) by so many ranks, each a thread; the later ones come first.
template <class F>
void by_ranks(int size, const trm::meeting_point& at, F f) {
  std::vector<std::jthread> threads;
  for (int rank = size - 1; rank >= 0; --rank) {
    threads.emplace_back([&, rank] {
      trm::tcp::communicator c(one_of(size, rank), at);
      f(c);
    });
  }
}

}  // namespace

TEST_CASE("collectives, the same bits on all ranks") {
  for (const int size : {1, 2, 4}) by_ranks(size, here(), [](auto& c) { trm_test::check_collectives(c); });
}

TEST_CASE("messages that no connection holds at once go both ways") {
  by_ranks(3, here(), [](trm::tcp::communicator& c) {
    constexpr std::size_t n = 12 << 20;
    std::vector<int> all(3 * n / sizeof(int), c.rank());
    trm::collectives(c).gather(std::span(all));
    for (std::size_t i : {std::size_t{0}, n / 4 - 1, n / 4, 2 * n / 4 - 1, 2 * n / 4, 3 * n / 4 - 1})
      CHECK(all[i] == static_cast<int>(i / (n / 4)));
  });
}

TEST_CASE("a stranger at the meeting point is sent away") {
  const trm::meeting_point at = here();
  std::jthread stranger([&] {
    trm::detail::open_socket s;
    while (!s) s = trm::detail::connect_to(at);
    trm::tcp::detail::card c{.rank = 1, .size = 3, .port = 7};  // of another job's size
    trm::detail::send_all(s.get(), std::as_bytes(std::span(&c, 1)), trm::detail::deadline(std::chrono::seconds(5)));
    std::byte answer{};
    CHECK(!trm::detail::receive_all(s.get(), std::span(&answer, 1), trm::detail::deadline(std::chrono::seconds(5))));
  });
  std::jthread first([&] {
    trm::tcp::communicator c(one_of(2, 0), at);
    CHECK(trm::collectives(c).any(false));
  });
  stranger.join();
  trm::tcp::communicator c(one_of(2, 1), at);
  CHECK(trm::collectives(c).any(true));
}

TEST_CASE("who does not come, does not answer, or is gone is named") {
  const trm::meeting_point at = here(std::chrono::milliseconds(400));
  trm_test::check_error([&] { trm::tcp::communicator(one_of(3, 0), at); }, "these ranks did not come: 1, 2");
  trm_test::check_error([&] { trm::tcp::communicator(one_of(3, 2), at); }, "rank 2 of 3: rank 0 was not at localhost");
  by_ranks(3, at, [](trm::tcp::communicator& c) {
    trm::collectives all(c);
    if (c.rank() == 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(900));
      return;
    }
    trm_test::check_error([&] { all.barrier(); }, "TCP: no message of rank 2 in 0 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    trm_test::check_error([&] { all.barrier(); }, "is gone: its own last line says why");
  });
}
