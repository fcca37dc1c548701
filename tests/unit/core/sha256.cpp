// SPDX-License-Identifier: MIT
#include "trm/core/sha256.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

static std::string digest(std::string_view text, trm::detail::sha256_compression compress) {
  trm::sha256 hash(compress);
  hash.update(text);
  return trm::to_hex(hash.finish());
}
static std::string sha(std::string_view text, trm::detail::sha256_compression compress = trm::detail::best_sha256()) {
  return digest(text, compress);
}

// Every way of computing it that this machine has.
static std::vector<trm::detail::sha256_compression> ways() {
  std::vector<trm::detail::sha256_compression> all{trm::detail::sha256_portable};
#if TRM_HAS_SHA_NI
  if (trm::detail::has_sha_ni()) all.push_back(trm::detail::sha256_sha_ni);
#endif
  return all;
}

TEST_CASE("the test vectors of FIPS 180") {
  for (const auto way : ways()) {
    const auto sha = [way](std::string_view text) { return digest(text, way); };
    CHECK(sha("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST_CASE("lengths around the block boundary") {
  // hashlib.sha256(b"a" * n).hexdigest()
  CHECK(sha(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK(sha(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(sha(std::string(63, 'a')) == "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
  CHECK(sha(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  CHECK(sha(std::string(119, 'a')) == "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
  CHECK(sha(std::string(120, 'a')) == "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c");
}

TEST_CASE("the digest does not depend on how the bytes were cut") {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  const std::string expected = sha(text, trm::detail::sha256_portable);
  for (const auto way : ways()) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      trm::sha256 hash(way);
      hash.update(std::string_view(text).substr(0, cut));
      hash.update(std::string_view(text).substr(cut));
      REQUIRE(trm::to_hex(hash.finish()) == expected);
    }
  }
}

TEST_CASE("SHA extensions and portable code agree at every length") {
  if (ways().size() == 1) {
    MESSAGE("SKIPPED, this processor has no SHA extensions");
    return;
  }
  std::string text;
  for (int i = 0; i < 300; ++i) {
    CHECK(sha(text, ways()[1]) == sha(text, ways()[0]));
    text += static_cast<char>(i * 31 + 5);
  }
}
