// SPDX-License-Identifier: MIT
#include "trm/io/pickle.hpp"

#include <doctest/doctest.h>

#include "support/corruption.hpp"
#include "support/python.hpp"
#include "support/throws.hpp"
#include "support/zip_bytes.hpp"

namespace {

using namespace std::string_literals;
using kind = trm::pickle_value::kind;

bool allowed(std::string_view module, std::string_view name) {
  return (module == "collections" && name == "OrderedDict") || (module == "torch" && name == "f");
}
std::span<const std::byte> span_of(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }
std::string reading(const std::string& bytes) {
  return trm_test::error_of([&] { trm::pickle(span_of(bytes), allowed, "f"); });
}
/// A value as text: {"a": [1, (2.5,)]}.
std::string text(const trm::pickle& p, const trm::pickle_value& v) {
  const auto list = [&](const char* open, const char* close) {
    std::string out = open;
    for (std::size_t i = 0; i < v.items.size(); ++i) out += (i == 0 ? "" : ", ") + text(p, p.at(v.items[i]));
    return out + close;
  };
  switch (v.what) {
    case kind::none:
      return "None";
    case kind::boolean:
      return v.integer != 0 ? "True" : "False";
    case kind::integer:
      return std::to_string(v.integer);
    case kind::real:
      return std::to_string(v.real);
    case kind::string:
      return std::string("'").append(v.text).append("'");
    case kind::bytes:
      return "bytes:" + std::to_string(v.text.size());
    case kind::tuple:
      return list("(", ")");
    case kind::list:
      return list("[", "]");
    case kind::dict:
      return list("{", "}");
    case kind::global:
      return std::string(v.module) + "." + std::string(v.text);
    case kind::call:
      return list("call(", ")");
    case kind::persistent:
      return list("persistent(", ")");
  }
  return "?";
}
std::string text(const std::string& bytes) {
  const trm::pickle p(span_of(bytes), allowed, "f");
  return text(p, p.root());
}

TEST_CASE("values of every kind, and what Python 2 wrote") {
  CHECK(text("\x80\x02N.") == "None");
  CHECK(text("(I01\nI00\nI-7\nL12345678901L\nt.") == "(True, False, -7, 12345678901)");
  CHECK(text("(K\xffM\xff\xffJ\xfe\xff\xff\xff\x8a\x01\xff\x8a\0t."s) == "(255, 65535, -2, -1, 0)");
  CHECK(text("\x8a\x08\0\0\0\0\0\0\0\x80."s) == "-9223372036854775808");
  CHECK(text("(\x8a\x09\0\0\0\0\0\0\0\x80\0L99999999999999999999\nt."s) == "(bytes:9, bytes:20)");
  CHECK(text("(G\x40\x04\0\0\0\0\0\0F-0.5\nt."s) == "(2.500000, -0.500000)");
  CHECK(text("(X\1\0\0\0aU\1bT\1\0\0\0c\x8c\1d\x8d\1\0\0\0\0\0\0\0et."s) == "('a', 'b', 'c', 'd', 'e')");
  CHECK(text("(C\1aB\1\0\0\0b\x8e\1\0\0\0\0\0\0\0ct."s) == "(bytes:1, bytes:1, bytes:1)");
  CHECK(text("]K\1a(K\2K\3e.") == "[1, 2, 3]");
  CHECK(text("(K\1K\2d(K\3K\4u.") == "{1, 2, 3, 4}");
  CHECK(text("}K\1)s.") == "{1, ()}");
  CHECK(text("\x8f(K\1\x90.") == "[1]");
  CHECK(text("K\1K\2K\3\x87.") == "(1, 2, 3)");
  CHECK(text("K\1"
             "20.") == "1");
  CHECK(text("((K\1K\2"
             "1t.") == "()");
}

TEST_CASE("what is remembered is shared") {
  CHECK(text("(U\1aq\0h\0p5\ng5\n\x94j\2\0\0\0t."s) == "('a', 'a', 'a', 'a')");
  CHECK(reading("h\7.") == "f: byte 0: value 7 was not remembered before");
  CHECK(reading("j\xff\xff\xff\xff.") == "f: byte 0: value 4294967295 was not remembered before");
  CHECK(reading("gx\n.") == "f: byte 0: expected the number of a remembered value");
  // a list that has itself as its element is read without end by nobody here
  const std::string self = "]q\0h\0a."s;
  const trm::pickle p(span_of(self), allowed, "f");
  CHECK(&p.at(p.root().items.at(0)) == &p.root());
}

TEST_CASE("calls are written down; an ordered dictionary is a dictionary, whatever attributes it has") {
  CHECK(text("ctorch\nf\n(K\1tR.") == "call(torch.f, (1))");
  CHECK(text("\x8c\5torch\x8c\1f\x93)R.") == "call(torch.f, ())");
  CHECK(text("ccollections\nOrderedDict\n)RU\1aK\1s}U\1mNsb.") == "{'a', 1}");
  CHECK(text("U\1kQ.") == "persistent('k')");
}

TEST_CASE("a pickle that would call anything else is refused by its name") {
  const std::string remedy = ": refused (only tensors in dictionaries are read: save model.state_dict() alone)";
  CHECK(reading("cos\nsystem\n(S'ls'\ntR.") == "f: byte 0: would call os.system" + remedy);
  CHECK(reading("\x80\x04\x8c\2os\x8c\6system\x93.") == "f: byte 14: would call os.system" + remedy);
  CHECK(reading("(S'ls'\nios\nsystem\n.") == "f: byte 1: opcode 83, which no dictionary of tensors needs: refused");
  CHECK(reading("(ios\nsystem\n.") == "f: byte 1: would call os.system" + remedy);
  CHECK(reading("(itorch\nf\n.") == "f: byte 1: would call torch.f" + remedy);
  CHECK(reading("c__builtin__\neval\n.") == "f: byte 0: would call __builtin__.eval" + remedy);
  CHECK(reading("ctorch\nf\n)\x81.").find("opcode 129") != std::string::npos);
  CHECK(reading("U\1a)R.") == "f: byte 4: would call something that has no name: refused");
  CHECK(reading("ctorch\nf\nNR.") == "f: byte 10: would call something with what are no arguments: refused");
  CHECK(reading("ctorch\nf\n)R}b.") == "f: byte 12: would set the state of an object: refused");
  CHECK(reading("c\x1b[2J\n\xc3\xa9\n.").find("would call ?[2J.??") != std::string::npos);
  CHECK(reading("NN\x93.") == "f: byte 2: a name that is no string");
}

TEST_CASE("broken pickles") {
  CHECK(reading("") == "f: byte 0: cut off");
  CHECK(reading("N") == "f: byte 1: cut off");
  CHECK(reading(".") == "f: byte 0: nothing is on the stack");
  CHECK(reading("N.N") == "f: byte 1: something follows the pickle");
  CHECK(reading("\x80\x06.") == "f: byte 0: a pickle of a protocol above 5");
  CHECK(reading("\x95\xff\xff\xff\xff\xff\xff\xff\xff.") == "f: byte 0: cut off");
  CHECK(reading("\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.") == "f: byte 0: cut off");
  CHECK(reading("t.") == "f: byte 0: there is no mark");
  CHECK(reading("N(\x85.") == "f: byte 2: nothing is on the stack");
  CHECK(reading("}K\1(a.").find("nothing is on the stack") != std::string::npos);
  CHECK(reading("](K\1u.") == "f: byte 4: adds to something that is no container");
  CHECK(reading("}(K\1u.") == "f: byte 4: a key without a value");
  CHECK(reading("(K\1d.") == "f: byte 3: a key without a value");
  CHECK(reading("Ix\n.") == "f: byte 0: expected an integer");
  CHECK(reading("Fx\n.") == "f: byte 0: expected a number");
  CHECK(reading("I1") == "f: byte 0: cut off");
}

TEST_CASE("a million values, marks, memories, and levels are the limit, and none is left on the way out") {
  const auto many = [](const std::string& what, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += what;
    return out;
  };
  CHECK(reading(many("N", 2'000'000)).find("more than 1048576 values") != std::string::npos);
  CHECK(reading("N"s + many("2", 2'000'000)).find("more than 1048576 values") != std::string::npos);
  CHECK(reading(many("(", 2'000'000)).find("more than 1048576 marks") != std::string::npos);
  CHECK(reading("N"s + many("\x94", 2'000'000)).find("more than 1048576 remembered values") != std::string::npos);
  CHECK(reading(")"s + many("\x85", 1'000'000) + ".") == "(no error)");
  CHECK(reading(std::string((std::size_t{1} << 24) + 1, 'N')) == "f: larger than the limit of 16777216 bytes");
}

TEST_CASE("Python's pickles of every protocol") {
  if (!trm_test::python_has("pickle")) return;
  const trm_test::temporary_folder folder;
  CHECK(trm_test::run_python(folder.path(), R"(
import collections, pickle
shared = ['x', 2 ** 40]
value = {'a': [1, -2, 300, 70000, 2.5, True, None], 'b': (shared, shared), 'c': collections.OrderedDict(k=(1, 2, 3, 4)), 5: {}}
for p in range(1, 6): open(str(p), 'wb').write(pickle.dumps(value, protocol=p))
)"));
  for (const char* protocol : {"1", "2", "3", "4", "5"}) {
    CAPTURE(protocol);
    const std::string bytes = trm_test::get(folder / protocol);
    CHECK(text(bytes) ==
          "{'a', [1, -2, 300, 70000, 2.500000, True, None], 'b', (['x', 1099511627776], ['x', 1099511627776]), "
          "'c', {'k', (1, 2, 3, 4)}, 5, {}}");
  }
}

TEST_CASE("arbitrary bytes give a value or a trm::error") {
  const std::string good =
      "\x80\x02}q\0(U\1actorch\nf\n(K\1G\x40\x04\0\0\0\0\0\0M\1\1tRU\1b](NI5\neX\1\0\0\0c(h\0U\1xQtu."s;
  REQUIRE(reading(good) == "(no error)");
  const auto counts =
      trm_test::corrupt(good, [](const std::string& bytes) { trm::pickle(span_of(bytes), allowed, "f"); });
  CHECK(counts.accepted > 50);
  CHECK(counts.refused > 500);
}

}  // namespace
