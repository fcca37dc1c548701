// SPDX-License-Identifier: MIT
// Recursion schedules: what is applied to what, as data. A schedule is a type with
//
//   states        names of the states in the published state dict: NAME_init, carry z_NAME
//   nets          names of the networks
//   output        the state that the heads read
//   applications  what happens in one supervision step; those with a gradient come last
#pragma once
#include <array>
#include <cstddef>

namespace trm {

/// One application of a network: state `writes` = net((sum of the states in `hidden`) + (sum of those in `injected`, + x if `input`)).
struct application {
  int net = 0;
  int writes = 0;
  unsigned hidden = 0, injected = 0;  // bit s: state s
  bool input = false;
  bool gradient = false;  // of the part that is differentiated

  /// as hidden or injected
  constexpr bool reads(int s) const { return ((hidden | injected) >> static_cast<unsigned>(s) & 1u) != 0; }
};

namespace detail {

/// H times { L times low(l), then high }, of which the last cycle has a gradient.
template <int H, int L, class Low>
constexpr auto cycles(Low low, application high) {
  std::array<application, static_cast<std::size_t>(H * (L + 1))> list{};
  std::size_t i = 0;
  for (int h = 0; h < H; ++h) {
    for (int l = 0; l <= L; ++l) {
      list[i] = l < L ? low(l) : high;
      list[i++].gradient = h + 1 == H;
    }
  }
  return list;
}

}  // namespace detail

/// TRM (arXiv 2510.04871): H times { L times z_L = f(z_L + z_H + x); z_H = f(z_H + z_L) }, gradient through the last cycle.
template <int H, int L>
struct two_state {
  static constexpr std::array states{"H", "L"};
  static constexpr std::array nets{"L_level"};
  static constexpr int output = 0;
  static constexpr auto applications = detail::cycles<H, L>(
      [](int) { return application{0, 1, 0b10, 0b01, true, false}; }, application{0, 0, 0b01, 0b10, false, false});
};

/// One state: H times { L times z = f(z + x); z = f(z) }.
template <int H, int L>
struct single_state {
  static constexpr std::array states{"L"};
  static constexpr std::array nets{"L_level"};
  static constexpr int output = 0;
  static constexpr auto applications = detail::cycles<H, L>([](int) { return application{0, 0, 0b1, 0, true, false}; },
                                                            application{0, 0, 0b1, 0, false, false});
};

/// Six low-level states: H times { for l < L: z_Ll = f(sum of z_L + z_H + x); z_H = f(z_H + sum of z_L) }.
template <int H, int L>
struct six_state {
  static_assert(L <= 6, "six_state: there are six low-level states, so at most six L cycles");
  static constexpr std::array states{"H", "L1", "L2", "L3", "L4", "L5", "L6"};
  static constexpr std::array nets{"L_level"};
  static constexpr int output = 0;
  static constexpr auto applications =
      detail::cycles<H, L>([](int l) { return application{0, 1 + l, 0b1111110, 0b1, true, false}; },
                           application{0, 0, 0b1, 0b1111110, false, false});
};

/// HRM (arXiv 2506.21734): two networks, gradient through the last call of each.
template <int H, int L>
struct hierarchical {
  static constexpr std::array states{"H", "L"};
  static constexpr std::array nets{"H_level", "L_level"};
  static constexpr int output = 0;
  static constexpr auto applications = [] {
    auto list = detail::cycles<H, L>([](int) { return application{1, 1, 0b10, 0b01, true, false}; },
                                     application{0, 0, 0b01, 0b10, false, false});
    for (std::size_t i = 0; i < list.size(); ++i) list[i].gradient = i + 2 >= list.size();
    return list;
  }();
};

/// No recursion inside a step: z = f(z + x), the plain transformer under the same supervision.
struct no_recursion {
  static constexpr std::array states{"H"};
  static constexpr std::array nets{"H_level"};
  static constexpr int output = 0;
  static constexpr std::array<application, 1> applications{application{0, 0, 0b1, 0, true, true}};
};

/// Where the gradient goes in a schedule, worked out at compile time. Gradient applications are numbered 0 .. count-1.
template <class Schedule>
struct gradient_flow {
  /// Applications of one supervision step, and states.
  static constexpr std::size_t total = Schedule::applications.size();
  static constexpr int state_count = static_cast<int>(Schedule::states.size());

  /// Index of the first application with a gradient.
  static constexpr std::size_t first = [] {
    std::size_t i = 0;
    while (i < total && !Schedule::applications[i].gradient) ++i;
    return i;
  }();
  /// Applications with a gradient.
  static constexpr std::size_t count = total - first;
  static_assert(count > 0, "schedule: at least one application must have a gradient");
  /// Has no application behind `first` been left without a gradient? Required: one cycle is differentiated, as a whole.
  static constexpr bool gradients_come_last = [] {
    for (std::size_t i = first; i < total; ++i) {
      if (!Schedule::applications[i].gradient) return false;
    }
    return true;
  }();
  static_assert(gradients_come_last, "schedule: the applications with a gradient must come last");
  /// Gradient application g. Where there is but one, g++ 12 unrolls loops over it too far and warns of a second.
  static constexpr const application& step(std::size_t g) {
    return Schedule::applications[count == 1 ? first : first + g];
  }
  /// Has every application a hidden state? Required: a network has nothing to work on otherwise.
  static constexpr bool every_application_reads = [] {
    for (const application& a : Schedule::applications) {
      if (a.hidden == 0) return false;
    }
    return true;
  }();
  static_assert(every_application_reads, "schedule: every application must read a state");
  static_assert(step(count - 1).writes == Schedule::output,
                "schedule: the last application must write the output state");

 private:
  // How the answers below are found; they are looked up in tables, since the interpreter asks at run time.
  static constexpr int find_writer(std::size_t g, int s) {
    for (std::size_t i = g; i-- > 0;) {
      if (step(i).writes == s) return static_cast<int>(i);
    }
    return -1;
  }
  static constexpr bool find_last(std::size_t g) {
    for (std::size_t i = g + 1; i < count; ++i) {
      if (step(i).writes == step(g).writes) return false;
    }
    return true;
  }
  static constexpr bool find_later_read(std::size_t g, std::size_t from) {
    for (std::size_t i = from + 1; i < count; ++i) {
      if (!reaches_output[i] || !step(i).reads(step(g).writes)) continue;
      if (find_writer(i, step(g).writes) == static_cast<int>(g)) return true;
    }
    return false;
  }

 public:
  /// Which earlier gradient application wrote state s as application g reads it; -1: it is the state the cycle began with.
  static constexpr int writer(std::size_t g, int s) { return writers[g][static_cast<std::size_t>(s)]; }
  /// Is the value that application g writes the last of its state? Then it lies in the carry.
  static constexpr bool last_of_state(std::size_t g) { return lasts[g]; }
  /// Does what application g gives reach the output of the cycle? Otherwise it has no gradient.
  static constexpr std::array<bool, count> reaches_output = [] {
    std::array<bool, count> reaches{};
    reaches[count - 1] = true;
    for (std::size_t i = count; i-- > 0;) {
      for (int s = 0; reaches[i] && s < state_count; ++s) {
        if (step(i).reads(s) && find_writer(i, s) >= 0) reaches[static_cast<std::size_t>(find_writer(i, s))] = true;
      }
    }
    return reaches;
  }();
  /// Does a gradient come to what application g writes from an application after `from`?
  static constexpr bool read_after(std::size_t g, std::size_t from) { return later_reads[g][from]; }
  /// Gradient applications of network `net`.
  static constexpr std::size_t applications_of(int net) {
    std::size_t n = 0;
    for (std::size_t g = 0; g < count; ++g) n += step(g).net == net;
    return n;
  }
  /// The number of gradient application g among those of its network.
  static constexpr std::size_t index_in_net(std::size_t g) { return net_indices[g]; }
  /// Values that are overwritten within the cycle and so need a place of their own.
  static constexpr std::size_t overwritten = [] {
    std::size_t n = 0;
    for (std::size_t g = 0; g < count; ++g) n += !find_last(g);
    return n;
  }();
  /// Which of the `overwritten` places holds what application g writes, where that is not the last of its state.
  static constexpr std::size_t place(std::size_t g) { return places[g]; }
  /// Does the gradient of state s ever wait for a further contribution? Then it needs a place to be summed in.
  static constexpr bool waits(int s) {
    for (std::size_t g = 0; g < count; ++g) {
      if (step(g).writes == s && g + 1 < count && find_later_read(g, g + 1)) return true;
    }
    return false;
  }
  /// States whose gradient waits; so many places it needs.
  static constexpr std::size_t waiting = [] {
    std::size_t n = 0;
    for (int s = 0; s < state_count; ++s) n += waits(s);
    return n;
  }();
  /// Which of the `waiting` places the gradient of state s is summed in, where it waits.
  static constexpr std::size_t waiting_place(int s) { return waiting_places[static_cast<std::size_t>(s)]; }

 private:
  template <std::size_t N, class F>
  static constexpr auto table_of(F f) {
    std::array<decltype(f(std::size_t{})), N> table{};
    for (std::size_t i = 0; i < N; ++i) table[i] = f(i);
    return table;
  }
  static constexpr auto writers = table_of<count + 1>([](std::size_t g) {
    return table_of<Schedule::states.size()>([g](std::size_t s) { return find_writer(g, static_cast<int>(s)); });
  });
  static constexpr auto lasts = table_of<count>([](std::size_t g) { return find_last(g); });
  static constexpr auto later_reads = table_of<count>(
      [](std::size_t g) { return table_of<count>([g](std::size_t from) { return find_later_read(g, from); }); });
  static constexpr auto net_indices = table_of<count>([](std::size_t g) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < g; ++i) n += step(i).net == step(g).net;
    return n;
  });
  static constexpr auto places = table_of<count>([](std::size_t g) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < g; ++i) n += !find_last(i);
    return n;
  });
  static constexpr auto waiting_places = table_of<Schedule::states.size()>([](std::size_t s) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < s; ++i) n += waits(static_cast<int>(i));
    return n;
  });
};

}  // namespace trm
