// SPDX-License-Identifier: MIT
#include "trm/data/memory_limit.hpp"

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

using trm::detail::control_group_limit;

TEST_CASE("the least limit of the control groups around counts, in both versions") {
  constexpr std::uint64_t none = ~std::uint64_t{0};
  const trm_test::temporary_folder root;
  std::filesystem::create_directories(root / "a/b");
  std::filesystem::create_directories(root / "memory/x");
  trm_test::put(root / "a/memory.max", "3000\n");
  trm_test::put(root / "a/b/memory.max", "max\n");
  trm_test::put(root / "memory/memory.limit_in_bytes", "9223372036854771712\n");
  trm_test::put(root / "memory/x/memory.limit_in_bytes", "2000\n");
  CHECK(control_group_limit("0::/a/b\n", root.path()) == 3000);
  CHECK(control_group_limit("0::/\n", root.path()) == none);
  CHECK(control_group_limit("4:memory:/x\n3:cpuset:/a\n", root.path()) == 2000);
  CHECK(control_group_limit("4:memory:/x\n0::/a\n", root.path()) == 2000);
  CHECK(control_group_limit("4:memory:/of/the/host\n", root.path()) == 9223372036854771712u);
  trm_test::put(root / "a/b/memory.max", "no number");
  CHECK(control_group_limit("0::/a/b\n", root.path()) == 3000);
  for (const char* text : {"", "\n", ":", "::", "4:memory", "x:memory:", "0::../../..\n"}) {
    CHECK(control_group_limit(text, root / "a/b") == none);
  }
  const std::uint64_t here = trm::memory_limit();
  CHECK(here > 1u << 20);
  CHECK(here < none);
}
