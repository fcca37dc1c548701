// SPDX-License-Identifier: MIT
// How the first of several processes tells the others what to do with it.
#pragma once
#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "processes.hpp"

namespace program {

/// What the first process does next, and all with it. It alone knows files, options to go on with, and when to stop.
enum class order : std::int64_t { make_trainer, step, finish, save, resume, begin_from, evaluate, end };
struct given_order {
  order what = order::end;
  std::int64_t number = 0;     // begin_from: the step; evaluate: supervision steps; end: whether the run failed
  std::int64_t batches = 0;    // evaluate: at most
  std::filesystem::path path;  // resume, begin_from
};

namespace detail {
inline bool& giving_orders() {
  static bool yes = false;
  return yes;
}
/// An order is being carried out: the others are not waiting for the next one.
inline bool& order_open() {
  static bool yes = false;
  return yes;
}
/// The other processes have been told to end.
inline bool& dismissed_others() {
  static bool yes = false;
  return yes;
}
inline given_order exchange_order(given_order o) {
  trm::collectives group(processes());
  std::string path = o.path.string();
  std::int64_t numbers[] = {static_cast<std::int64_t>(o.what), o.number, o.batches,
                            static_cast<std::int64_t>(path.size())};
  group.broadcast(std::span<std::int64_t>(numbers));
  path.resize(static_cast<std::size_t>(numbers[3]));
  group.broadcast(std::span<char>(path));
  return {static_cast<order>(numbers[0]), numbers[1], numbers[2], path};
}
}  // namespace detail

/// Tells the others, where this is the first process and there are any.
inline void give_order(order what, std::int64_t number = 0, std::int64_t batches = 0, std::filesystem::path path = {}) {
  if (detail::giving_orders()) detail::exchange_order({what, number, batches, std::move(path)});
}
/// Waits for what the first process does next.
inline given_order next_order() { return detail::exchange_order({}); }

/// An order that this process carries out as well. Where it is left by an exception that the others do not have, they wait in vain,
/// and are ended by the process that has it.
class carried_out {
 public:
  explicit carried_out(order what, std::int64_t number = 0, std::int64_t batches = 0, std::filesystem::path path = {}) {
    give_order(what, number, batches, std::move(path));
    detail::order_open() = true;
  }
  carried_out(const carried_out&) = delete;
  carried_out& operator=(const carried_out&) = delete;
  ~carried_out() {
    if (std::uncaught_exceptions() == exceptions_) done();
  }
  /// All processes know of what comes now, even if it is an exception.
  void done() { detail::order_open() = false; }
  /// f(), all of whose errors that are agreed ones all processes know of.
  template <class F>
  auto agreed(F f) {
    try {
      return f();
    } catch (const trm::agreed_error&) {
      done();
      throw;
    }
  }

 private:
  int exceptions_ = std::uncaught_exceptions();
};

/// The first process gives orders while it lives. At its end the others end too, well or not, if they wait for orders.
class leading {
 public:
  leading() { detail::giving_orders() = !alone() && first_process(); }
  leading(const leading&) = delete;
  leading& operator=(const leading&) = delete;
  ~leading() {
    if (!detail::giving_orders() || detail::order_open()) return;
    try {
      give_order(order::end, std::uncaught_exceptions() > exceptions_ ? 1 : 0);
      detail::dismissed_others() = true;
    } catch (...) {  // they cannot be reached: the exception under way says so, or the next call
    }
    detail::giving_orders() = false;
  }

 private:
  int exceptions_ = std::uncaught_exceptions();
};

/// An evaluation that the first process has stopped.
struct evaluation_stopped {};

/// Where one process has been asked to stop, all have been. All call it at the same points.
inline void share_interruption() {
  if (!alone() && any_process(interrupted()) && !interrupted()) interrupted_by = SIGTERM;
}

}  // namespace program
