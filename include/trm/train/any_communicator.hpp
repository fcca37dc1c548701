// SPDX-License-Identifier: MIT
// A communicator that is chosen when the program runs, so that one trainer is compiled for all.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "trm/train/communicator.hpp"

namespace trm {

/// Holds a communicator of any kind; made of nothing, a process alone.
class any_communicator {
 public:
  /// One process alone.
  any_communicator() : any_communicator(std::in_place_type<single_process>) {}
  /// Makes a C of the arguments.
  template <communicator C, class... A>
  explicit any_communicator(std::in_place_type_t<C>, A&&... a)
      : held_(std::make_unique<holder<C>>(std::forward<A>(a)...)), rank_(held_->rank()), size_(held_->size()) {}

  // As trm::communicator asks for: those of what is held.
  int rank() const { return rank_; }
  int size() const { return size_; }
  void exchange(std::span<const outgoing> out, std::span<const incoming> in) { held_->exchange(out, in); }
  void abort(std::string_view message) { held_->abort(message); }

 private:
  struct base {
    virtual ~base() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    virtual void exchange(std::span<const outgoing>, std::span<const incoming>) = 0;
    virtual void abort(std::string_view) = 0;
  };
  template <class C>
  struct holder final : base {
    template <class... A>
    explicit holder(A&&... a) : communicator(std::forward<A>(a)...) {}
    int rank() const override { return communicator.rank(); }
    int size() const override { return communicator.size(); }
    void exchange(std::span<const outgoing> out, std::span<const incoming> in) override {
      communicator.exchange(out, in);
    }
    void abort(std::string_view message) override { communicator.abort(message); }
    C communicator;
  };

  std::unique_ptr<base> held_;
  int rank_ = 0, size_ = 1;
};
static_assert(communicator<any_communicator>);

}  // namespace trm
