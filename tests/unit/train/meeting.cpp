// SPDX-License-Identifier: MIT
#include "trm/train/meeting.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/throws.hpp"

namespace {

/// A port that was free a moment ago.
int free_port() {
  const trm::detail::open_socket s(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(s.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0);
  socklen_t n = sizeof a;
  REQUIRE(::getsockname(s.get(), reinterpret_cast<sockaddr*>(&a), &n) == 0);
  return ntohs(a.sin_port);
}

trm::meeting_point here(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  return {"localhost", free_port(), patience};
}

trm::meeting_point point_of(const std::map<std::string, std::string>& variables) {
  const auto get = [&](const char* name) {
    const auto at = variables.find(name);
    return at == variables.end() ? nullptr : at->second.c_str();
  };
  return trm::meeting_point::of(trm::read_launch(get), get);
}

}  // namespace

TEST_CASE("all have what the first one says, whoever comes first, and strangers are sent away") {
  const trm::meeting_point at = here();
  constexpr int size = 4;
  std::vector<std::vector<int>> said(size, std::vector<int>(32, 0));
  for (int i = 0; i < 32; ++i) said[0][static_cast<std::size_t>(i)] = i * i;
  {
    std::vector<std::jthread> threads;
    for (int rank : {2, 1, 3, 0}) {
      threads.emplace_back([&, rank] {
        if (rank == 0) std::this_thread::sleep_for(std::chrono::milliseconds(150));  // the others have to wait
        trm::meet(at, rank, size, std::as_writable_bytes(std::span(said[static_cast<std::size_t>(rank)])));
      });
    }
    for (int tries = 0; tries < 100; ++tries) {  // says something else, and is given nothing
      const auto stranger = trm::detail::connect_to(at);
      if (stranger) {
        const std::string words(sizeof(trm::detail::meeting_card), 'x');
        const trm::detail::deadline soon(std::chrono::seconds(5));
        trm::detail::send_all(stranger.get(), std::as_bytes(std::span(words)), soon);
        std::byte answer{};
        CHECK(!trm::detail::receive_all(stranger.get(), std::span(&answer, 1), soon));
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  for (const auto& s : said) CHECK(s == said[0]);
}

TEST_CASE("who does not come is named") {
  int value = 0;
  const auto bytes = std::as_writable_bytes(std::span(&value, 1));
  trm::meeting_point at = here(std::chrono::milliseconds(300));
  trm_test::check_error([&] { trm::meet(at, 0, 3, bytes); }, "these ranks did not come: 1, 2");
  trm_test::check_error([&] { trm::meet(at, 2, 3, bytes); }, "rank 2 of 3: rank 0 was not at localhost, port ");
  const auto taken = trm::detail::listen_on(at.port);
  trm_test::check_error([&] { trm::meet(at, 0, 3, bytes); }, "set TRM_MEETING_PORT to a free port");
}

TEST_CASE("the meeting point keeps off torchrun's port") {
  std::map<std::string, std::string> v{
      {"RANK", "1"}, {"WORLD_SIZE", "8"}, {"MASTER_ADDR", "node-0"}, {"MASTER_PORT", "29500"}};
  CHECK(point_of(v).address == "node-0");
  CHECK(point_of(v).port == 29517);
  v["MASTER_PORT"] = "65530";
  CHECK(point_of(v).port == 65513);
  v["TRM_MEETING_PORT"] = "4000";
  CHECK(point_of(v).port == 4000);
  v["TRM_MEETING_PORT"] = "x";
  trm_test::check_error([&] { point_of(v); }, "environment variable TRM_MEETING_PORT");
  trm_test::check_error([&] { point_of({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}}); }, "set MASTER_ADDR");
}

TEST_CASE("a process alone meets nobody") {
  int value = 7;
  trm::meet({}, 0, 1, std::as_writable_bytes(std::span(&value, 1)));
  CHECK(value == 7);
}
