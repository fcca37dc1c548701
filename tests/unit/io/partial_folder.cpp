// SPDX-License-Identifier: MIT
#include "trm/io/partial_folder.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

using trm::partial_folder;
using trm_test::temporary_folder;

TEST_CASE("the folder appears with all that is in it, at commit") {
  const temporary_folder at;
  {
    partial_folder folder(at / "a/b/");
    CHECK(folder.path().parent_path() == at / "a");
    trm_test::put(folder.path() / "file", "content");
    CHECK_FALSE(std::filesystem::exists(at / "a/b"));
    folder.commit();
  }
  CHECK(trm_test::get(at / "a/b/file") == "content");
  CHECK(at.files() == 1);
}

TEST_CASE("without commit nothing remains") {
  const temporary_folder at;
  {
    partial_folder first(at / "a"), second(at / "a");
    CHECK(first.path() != second.path());
    trm_test::put(first.path() / "file", "content");
    std::filesystem::create_directory(first.path() / "inner");
    CHECK(at.files() == 2);
  }
  CHECK(at.files() == 0);
}

namespace {

/// A process that makes a partial folder of `path` with a file in it and waits to be killed.
class half_done {
 public:
  explicit half_done(const std::filesystem::path& path) {
    int made[2];
    REQUIRE(::pipe(made) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const partial_folder folder(path);
      trm_test::put(folder.path() / "file", "content");
      (void)!::write(made[1], "x", 1);
      for (;;) ::pause();
    }
    char byte;
    REQUIRE(::read(made[0], &byte, 1) == 1);
    ::close(made[0]);
    ::close(made[1]);
  }
  half_done(const half_done&) = delete;
  half_done& operator=(const half_done&) = delete;
  ~half_done() { kill(); }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("what a killed process left is removed by the next of the same path, and nothing else") {
  const temporary_folder at;
  half_done killed(at / "a");
  const std::string dead = std::to_string(killed.pid());
  CHECK(at.files() == 1);
  const partial_folder beside_living(at / "a");
  CHECK(at.files() == 2);
  killed.kill();
  for (const char* other : {"a.partial-", "a.partial-x", "a.partial-0-0", "a.partial--1-0"}) {
    std::filesystem::create_directory(at / other);
  }
  for (const std::string& name : {"a.partial-" + dead, "a.partial-" + dead + "-0-1", "ba.partial-" + dead + "-0"}) {
    std::filesystem::create_directory(at / name);
  }
  trm_test::put(at / ("a.partial-" + dead + "-9"), "a file, no folder");
  std::filesystem::create_directory_symlink(beside_living.path(), at / ("a.partial-" + dead + "-8"));
  CHECK(at.files() == 11);
  { const partial_folder another(at / "b"); }
  CHECK(at.files() == 11);
  { const partial_folder same(at / "a"); }
  CHECK(at.files() == 10);
  CHECK(std::filesystem::exists(beside_living.path()));

  // A dead process may have had our number.
  const std::string ours = "a.partial-" + std::to_string(::getpid()) + "-";
  std::filesystem::create_directories(at / (ours + "4000000000") / "inner");
  { const partial_folder same(at / "a"); }
  CHECK(at.files() == 10);
}

TEST_CASE("an empty folder is replaced, anything else is left alone") {
  const temporary_folder at;
  std::filesystem::create_directory(at / "empty");
  partial_folder(at / "empty").commit();
  CHECK(std::filesystem::is_directory(at / "empty"));

  trm_test::put(at / "file", "old");
  CHECK_THROWS_AS(partial_folder(at / "file"), trm::error);
  CHECK_THROWS_AS(partial_folder(at / "file/inside"), trm::error);
  std::filesystem::create_directories(at / "full/inner");
  CHECK_THROWS_AS(partial_folder(at / "full"), trm::error);
  CHECK_THROWS_AS(partial_folder(""), trm::error);

  // Someone else was first.
  partial_folder late(at / "raced");
  std::filesystem::create_directories(at / "raced/inner");
  CHECK_THROWS_AS(late.commit(), trm::error);
  CHECK(trm_test::get(at / "file") == "old");
}
