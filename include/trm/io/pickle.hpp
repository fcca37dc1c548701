// SPDX-License-Identifier: MIT
// Pickles as descriptions: what a pickle would build is written down, and nothing of it is executed.
#pragma once
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/json.hpp"

namespace trm {

/// One value of a pickle. What it is made of are indices of other values (pickle::at), so that values may be shared, even by themselves: whoever
/// walks through them counts.
struct pickle_value {
  /// none, boolean, integer, real, string, bytes, tuple, list: as in Python; real is its float. dict: key, value, key, value, ...
  /// global: the name of a function or class, `module` and `text`. call: function, tuple of arguments. persistent: the identifier
  /// of something that is outside of the pickle. Sets are lists; an integer that does not fit in 64 bits is bytes.
  enum class kind { none, boolean, integer, real, string, bytes, tuple, list, dict, global, call, persistent };

  kind what = kind::none;                   // which of the following holds
  std::int64_t integer = 0;                 // also boolean: 0 or 1
  double real = 0;                          // of kind real
  std::string_view module = {}, text = {};  // of a global: its module and name; of a string: text
  std::vector<std::uint32_t> items = {};    // of lists, tuples, dictionaries, calls: indices of values

  bool is(kind k) const { return what == k; }  // of this kind?
};

/// A pickle of protocol 0 to 5 (Python's pickletools), as far as dictionaries of tensors and numbers need it, and within limits: 16 MiB, a million
/// values. Its bytes must outlive it.
class pickle {
 public:
  /// Longer pickles, in bytes, and pickles of more values are refused.
  static constexpr std::size_t largest = std::size_t{1} << 24, most_values = std::size_t{1} << 20;
  /// Is a pickle allowed to name this function or class? ("collections", "OrderedDict")
  using allowed = bool (*)(std::string_view module, std::string_view name);

  /// Throws `PLACE: byte N: ...` at anything that is not understood, and `would call os.system: refused` for a name that is not allowed.
  pickle(std::span<const std::byte> bytes, allowed is_allowed, std::string place)
      : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
        place_(std::move(place)),
        is_allowed_(is_allowed) {
    if (bytes.size() > largest) throw error(place_, "larger than the limit of " + std::to_string(largest) + " bytes");
    while (!stopped_) execute();
    if (at_ != bytes_.size()) fail("something follows the pickle");
  }

  const pickle_value& root() const { return values_[root_]; }  // the object that was pickled
  /// Requires an index out of a value's items.
  const pickle_value& at(std::uint32_t index) const { return values_[index]; }

 private:
  using kind = pickle_value::kind;

  [[noreturn]] void fail(const std::string& what) const {
    throw error(place_ + ": byte " + std::to_string(opcode_at_), what);
  }

  // The bytes.
  std::string_view take(std::uint64_t length) {
    if (length > bytes_.size() - at_) fail("cut off");
    const std::string_view out = bytes_.substr(at_, static_cast<std::size_t>(length));
    at_ += out.size();
    return out;
  }
  std::uint64_t number(int width) {  // little-endian
    std::uint64_t v = 0;
    int shift = 0;
    for (const char c : take(static_cast<std::uint64_t>(width))) {
      v |= static_cast<std::uint64_t>(static_cast<unsigned char>(c)) << shift;
      shift += 8;
    }
    return v;
  }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == bytes_.npos) fail("cut off");
    const std::string_view out = take(end - at_);
    ++at_;
    return out;
  }
  template <class T>
  bool parse(std::string_view text, T& out) const {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    return code == std::errc{} && end == text.data() + text.size();
  }

  // The values and the stack.
  std::uint32_t make(pickle_value v) {
    if (values_.size() >= most_values) fail("more than " + std::to_string(most_values) + " values");
    values_.push_back(std::move(v));
    return static_cast<std::uint32_t>(values_.size() - 1);
  }
  void push(std::uint32_t index) {
    if (stack_.size() >= most_values) fail("more than " + std::to_string(most_values) + " values");
    stack_.push_back(index);
  }
  void push(pickle_value v) { push(make(std::move(v))); }
  void push_text(kind what, std::string_view text) { push({.what = what, .text = text}); }
  void push_integer(std::int64_t v) { push({.what = kind::integer, .integer = v}); }
  void push_boolean(bool v) { push({.what = kind::boolean, .integer = v}); }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  std::uint32_t pop() {
    if (stack_.size() <= floor()) fail("nothing is on the stack");
    const std::uint32_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  std::uint32_t top() const {
    if (stack_.size() <= floor()) fail("nothing is on the stack");
    return stack_.back();
  }
  void mark() {
    if (marks_.size() >= most_values) fail("more than " + std::to_string(most_values) + " marks");
    marks_.push_back(stack_.size());
  }
  /// What was pushed since the last mark, which is gone then.
  std::vector<std::uint32_t> pop_to_mark() {
    if (marks_.empty()) fail("there is no mark");
    std::vector<std::uint32_t> out(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return out;
  }
  std::vector<std::uint32_t> pop_some(std::size_t count) {
    if (stack_.size() - floor() < count) fail("nothing is on the stack");
    std::vector<std::uint32_t> out(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return out;
  }
  void push_items(kind what, std::vector<std::uint32_t> items) {
    if (what == kind::dict && items.size() % 2 != 0) fail("a key without a value");
    push({.what = what, .items = std::move(items)});
  }
  /// Appends to the container on top of the stack.
  void extend(kind what, const std::vector<std::uint32_t>& items) {
    pickle_value& container = values_[top()];
    if (!container.is(what)) fail("adds to something that is no container");
    if (what == kind::dict && items.size() % 2 != 0) fail("a key without a value");
    container.items.insert(container.items.end(), items.begin(), items.end());
  }

  // The memo.
  void put(std::uint64_t index) {
    if (memo_.size() >= most_values) fail("more than " + std::to_string(most_values) + " remembered values");
    memo_[index] = top();
  }
  void get(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail("value " + std::to_string(index) + " was not remembered before");
    push(found->second);
  }
  std::uint64_t written_index() {
    std::uint64_t index = 0;
    if (!parse(line(), index)) fail("expected the number of a remembered value");
    return index;
  }

  // Functions and classes.
  [[noreturn]] void refuse(std::string_view module, std::string_view name) const {
    fail("would call " + detail::printable(module, 80) + "." + detail::printable(name, 80) +
         ": refused (only tensors in dictionaries are read: save model.state_dict() alone)");
  }
  void push_global(std::string_view module, std::string_view name) {
    if (!is_allowed_(module, name)) refuse(module, name);
    push({.what = kind::global, .module = module, .text = name});
  }
  void push_global_of_stack() {
    const std::vector<std::uint32_t> names = pop_some(2);
    if (!values_[names[0]].is(kind::string) || !values_[names[1]].is(kind::string)) fail("a name that is no string");
    push_global(values_[names[0]].text, values_[names[1]].text);
  }
  /// collections.OrderedDict() is a dictionary; every other call stays what it is.
  void reduce() {
    std::vector<std::uint32_t> call = pop_some(2);
    const pickle_value &function = values_[call[0]], &arguments = values_[call[1]];
    if (!function.is(kind::global)) fail("would call something that has no name: refused");
    if (!arguments.is(kind::tuple)) fail("would call something with what are no arguments: refused");
    if (function.module != "collections") return push_items(kind::call, std::move(call));
    if (!arguments.items.empty()) fail("an OrderedDict with arguments");
    push_items(kind::dict, {});
  }
  /// An OrderedDict may have attributes (a state dict's _metadata), which nothing here wants.
  void build() {
    const std::vector<std::uint32_t> object = pop_some(2);
    if (!values_[object[0]].is(kind::dict)) fail("would set the state of an object: refused");
    push(object[0]);
  }

  void push_written_integer(std::string_view text) {
    if (text == "00" || text == "01") return push_boolean(text == "01");
    push_long_text(text);
  }
  void push_long_text(std::string_view text) {
    if (!text.empty() && text.back() == 'L') text.remove_suffix(1);
    std::int64_t v = 0;
    if (text.empty() || text.find_first_not_of("-0123456789") != text.npos) fail("expected an integer");
    if (!parse(text, v)) return push_text(kind::bytes, text);
    push_integer(v);
  }
  void push_long(std::string_view bytes) {  // little-endian, two's complement
    if (bytes.size() > 8) return push_text(kind::bytes, bytes);
    std::uint64_t v = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) v = v << 8 | static_cast<unsigned char>(bytes[i]);
    push_integer(static_cast<std::int64_t>(v));
  }
  void push_real(std::string_view big_endian) {
    std::uint64_t v = 0;
    for (const char c : big_endian) v = v << 8 | static_cast<unsigned char>(c);
    push({.what = kind::real, .real = std::bit_cast<double>(v)});
  }
  void push_written_real(std::string_view text) {
    double v = 0;
    if (!parse(text, v)) fail("expected a number");
    push({.what = kind::real, .real = v});
  }

  void execute() {
    opcode_at_ = at_;
    const auto opcode = static_cast<unsigned char>(take(1)[0]);
    switch (opcode) {
      // clang-format off
      case 0x80: if (number(1) > 5) fail("a pickle of a protocol above 5"); return;
      case 0x95: if (number(8) > bytes_.size() - at_) fail("cut off"); return;  // the size of a frame
      case '.': root_ = pop(); stopped_ = true; return;

      case '(': return mark();
      case '0': pop(); return;
      case '1': pop_to_mark(); return;
      case '2': push(top()); return;

      case 'N': return push(pickle_value{});
      case 0x88: return push_boolean(true);
      case 0x89: return push_boolean(false);
      case 'J': return push_integer(static_cast<std::int32_t>(number(4)));
      case 'K': return push_integer(static_cast<std::int64_t>(number(1)));
      case 'M': return push_integer(static_cast<std::int64_t>(number(2)));
      case 'I': return push_written_integer(line());
      case 'L': return push_long_text(line());
      case 0x8a: return push_long(take(number(1)));
      case 0x8b: return push_long(take(number(4)));
      case 'F': return push_written_real(line());
      case 'G': return push_real(take(8));

      case 0x8c: case 'U': return push_text(kind::string, take(number(1)));
      case 'X': case 'T': return push_text(kind::string, take(number(4)));
      case 0x8d: return push_text(kind::string, take(number(8)));
      case 'C': return push_text(kind::bytes, take(number(1)));
      case 'B': return push_text(kind::bytes, take(number(4)));
      case 0x8e: case 0x96: return push_text(kind::bytes, take(number(8)));

      case ')': return push_items(kind::tuple, {});
      case 0x85: return push_items(kind::tuple, pop_some(1));
      case 0x86: return push_items(kind::tuple, pop_some(2));
      case 0x87: return push_items(kind::tuple, pop_some(3));
      case 't': case 0x91: return push_items(kind::tuple, pop_to_mark());
      case ']': case 0x8f: return push_items(kind::list, {});
      case 'l': return push_items(kind::list, pop_to_mark());
      case 'a': return extend(kind::list, pop_some(1));
      case 'e': case 0x90: return extend(kind::list, pop_to_mark());
      case '}': return push_items(kind::dict, {});
      case 'd': return push_items(kind::dict, pop_to_mark());
      case 's': return extend(kind::dict, pop_some(2));
      case 'u': return extend(kind::dict, pop_to_mark());

      case 'q': return put(number(1));
      case 'r': return put(number(4));
      case 'p': return put(written_index());
      case 0x94: return put(memo_.size());
      case 'h': return get(number(1));
      case 'j': return get(number(4));
      case 'g': return get(written_index());

      case 'c': { const std::string_view module = line(); return push_global(module, line()); }
      case 'i': { const std::string_view module = line(); refuse(module, line()); }  // makes an object
      case 0x93: return push_global_of_stack();
      case 'R': return reduce();
      case 'b': return build();
      case 'Q': return push_items(kind::persistent, pop_some(1));
      // clang-format on
      default:
        fail("opcode " + std::to_string(opcode) + ", which no dictionary of tensors needs: refused");
    }
  }

  std::string_view bytes_;
  std::string place_;
  allowed is_allowed_;
  std::size_t at_ = 0, opcode_at_ = 0;
  bool stopped_ = false;
  std::uint32_t root_ = 0;
  std::vector<pickle_value> values_;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, std::uint32_t> memo_;
};

}  // namespace trm
