// SPDX-License-Identifier: MIT
// Latent recursion: one interpreter for every schedule.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "trm/compose/schedule.hpp"
#include "trm/layers/contract.hpp"
#include "trm/ops/rows.hpp"

namespace trm {

namespace detail {

template <class F, class Names, class Items>
constexpr void named_fields(F& f, const Names& names, Items& items) {
  std::apply(
      [&](auto&... item) {
        std::size_t i = 0;
        (f(names[i++], item), ...);
      },
      items);
}

/// f(index as a type) for a run-time index below N.
template <std::size_t N, std::size_t Index = 0, class F>
constexpr void with_index(int i, F&& f) {
  if constexpr (Index + 1 < N) {
    if (i != static_cast<int>(Index)) return with_index<N, Index + 1>(i, std::forward<F>(f));
  }
  f(std::integral_constant<std::size_t, Index>{});
}

/// Says which application of the schedule comes next (their number: none does), to a backend that wants to know.
template <class B>
constexpr void announce([[maybe_unused]] const call<B>& c, [[maybe_unused]] std::size_t i) {
  if constexpr (requires { c.backend.application(i); }) c.backend.application(i);
}

}  // namespace detail

/// The states of a schedule and the networks that update them. With one network given, all of the schedule's are of that kind.
template <class Schedule, class... Nets>
struct recursion {
  template <shape In, class Num>
  struct at {
    static constexpr std::size_t state_count = Schedule::states.size(), net_count = Schedule::nets.size();
    static_assert(sizeof...(Nets) == 1 || sizeof...(Nets) == net_count,
                  "recursion: give one network, or one for each of the schedule's");
    static_assert(state_count + 1 <= static_cast<std::size_t>(sink::most_states),
                  "recursion: too many states in the schedule");
    using flow = gradient_flow<Schedule>;
    using state = activation_of<In, Num>;
    template <std::size_t Index>
    using net = bound<std::tuple_element_t<std::min(Index, sizeof...(Nets) - 1), std::tuple<Nets...>>, In, Num>;

    template <class Sequence>
    struct parts;
    template <std::size_t... Index>
    struct parts<std::index_sequence<Index...>> {
      static_assert(((net<Index>::out == In) && ...), "recursion: the network must keep the shape of the state");
      template <class T>
      using params = std::tuple<typename net<Index>::template params<T>...>;
      using saved =
          std::tuple<std::array<typename net<Index>::template saved<mode::training>, flow::applications_of(Index)>...>;
      template <mode M>
      using scratch = std::tuple<typename net<Index>::template scratch<M>...>;
      using inference_saved = std::tuple<typename net<Index>::template saved<mode::inference>...>;
    };
    using nets = parts<std::make_index_sequence<net_count>>;

    template <class T>
    struct params {
      typename nets::template params<T> of;
      template <class F>
      constexpr void fields(F&& f) {
        detail::named_fields(f, Schedule::nets, of);
      }
    };
    /// The states between supervision steps.
    struct carry {
      std::array<state, state_count> z;
      template <class F>
      constexpr void fields(F&& f) {
        for (std::size_t i = 0; i < state_count; ++i) f(Schedule::states[i], z[i]);
      }
      /// The samples from `first` on.
      constexpr carry from_sample(int first, int rows) const {
        carry c;
        for (std::size_t i = 0; i < state_count; ++i) c.z[i] = z[i].from_sample(first, rows);
        return c;
      }
    };
    /// What the gradient needs of one supervision step: an interior for each application with a gradient, what it was applied to,
    /// and what it gave where a later application of the cycle overwrites the state.
    struct saved {
      typename nets::saved interior;
      std::array<state, flow::count> u;
      std::array<state, flow::overwritten> z;
      template <class F>
      constexpr void fields(F&& f) {
        detail::named_fields(f, Schedule::nets, interior);
        f("u", u);
        f("z", z);
      }
    };
    /// For applications without a gradient: two inputs in turn.
    struct inference_memory {
      typename nets::inference_saved interior;
      typename nets::template scratch<mode::inference> scratch;
      std::array<state, 2> u;
      template <class F>
      constexpr void fields(F&& f) {
        detail::named_fields(f, Schedule::nets, interior);
        std::apply([&](auto&... s) { f.overlay(s...); }, scratch);
        f("u", u);
      }
    };
    struct training_memory {
      typename nets::template scratch<mode::training> scratch;
      std::array<state, 2> d;               // gradients of two neighbouring applications' results
      std::array<state, flow::waiting> dz;  // gradients that wait for a further contribution
      template <class F>
      constexpr void fields(F&& f) {
        std::apply([&](auto&... s) { f.overlay(s...); }, scratch);
        f("d", d);
        f("dz", dz);
      }
    };
    struct scratch {
      inference_memory inference;
      training_memory training;
      template <class F>
      constexpr void fields(F&& f) {
        f.overlay(inference, training);
      }
    };

    /// Applications [begin, end) without a gradient; the states are updated in place.
    template <class B, class P>
    static constexpr void advance(const call<B>& c, const P& p, state x, const carry& z, inference_memory& k,
                                  std::size_t begin = 0, std::size_t end = flow::total) {
      const auto where = [&](int s) { return z.z[static_cast<std::size_t>(s)]; };
      const application* previous = nullptr;
      for (std::size_t i = begin; i < std::min(end, flow::total); ++i) {
        const application& a = Schedule::applications[i];
        const application* next = i + 1 < std::min(end, flow::total) ? &Schedule::applications[i + 1] : nullptr;
        const state u = k.u[i % 2], u_next = k.u[(i + 1) % 2];
        detail::announce(c, i);
        if (previous == nullptr || !fused(*previous, a)) sum_input(c, a, x, where, u);
        previous = &a;
        const auto sink = store_result(where(a.writes), next, x, where, u_next, a);
        detail::with_index<net_count>(a.net, [&](auto n) {
          net<n()>::template forward<mode::inference>(c, std::get<n()>(p.of), u, std::get<n()>(k.interior),
                                                      std::get<n()>(k.scratch), sink);
        });
      }
      detail::announce(c, flow::total);
    }
    /// The part of the schedule that has no gradient.
    template <class B, class P>
    static constexpr void without_gradient(const call<B>& c, const P& p, state x, const carry& z, scratch& k) {
      advance(c, p, x, z, k.inference, 0, flow::first);
    }
    /// The part that has one; what it needs is saved.
    template <class B, class P>
    static constexpr void with_gradient(const call<B>& c, const P& p, state x, const carry& z, saved& s, scratch& k) {
      for (std::size_t g = 0; g < flow::count; ++g) {
        const application& a = flow::step(g);
        detail::announce(c, flow::first + g);
        const auto before = [&](int n) { return value(flow::writer(g, n), n, z, s); };
        if (g == 0 || !fused(flow::step(g - 1), a)) sum_input(c, a, x, before, s.u[g]);
        const auto after = [&](int n) { return value(flow::writer(g + 1, n), n, z, s); };
        const bool more = g + 1 < flow::count;
        const auto sink =
            store_result(after(a.writes), more ? &flow::step(g + 1) : nullptr, x, after, s.u[more ? g + 1 : g], a);
        detail::with_index<net_count>(a.net, [&](auto n) {
          net<n()>::template forward<mode::training>(c, std::get<n()>(p.of), s.u[g],
                                                     std::get<n()>(s.interior)[flow::index_in_net(g)],
                                                     std::get<n()>(k.training.scratch), sink);
        });
      }
      detail::announce(c, flow::total);
    }
    /// From the gradient of the output state to those of the parameters (added) and of x (written). The states that the
    /// gradient part began with are constants.
    template <class B, class P, class G>
    static constexpr void backward(const call<B>& c, const P& p, const G& grad, const carry& z, state dz, saved& s,
                                   scratch& k, state dx) {
      training_memory& t = k.training;
      std::size_t inputs_seen = 0;  // applications done that read x
      if (!reads_input()) ops::zero(c, dx);
      detail::announce(c, flow::total - 1);
      enter(c, flow::count - 1, dz, z, s, t);
      for (std::size_t g = flow::count; g-- > 0;) {
        const application& a = flow::step(g);
        detail::announce(c, flow::first + g);
        if (flow::reaches_output[g]) {
          detail::with_index<net_count>(a.net, [&](auto n) {
            detail::with_index<net_count>(g > 0 ? flow::step(g - 1).net : a.net, [&](auto below) {
              net<n()>::backward(c, std::get<n()>(p.of), std::get<n()>(grad.of), s.u[g], result(g, z, s), t.d[g % 2],
                                 std::get<n()>(s.interior)[flow::index_in_net(g)], std::get<n()>(t.scratch),
                                 gradient_sink<below()>(g, z, s, t, dx, inputs_seen > 0));
            });
          });
          inputs_seen += a.input;
        }
        const bool delivered = flow::reaches_output[g] && g > 0 && a.reads(flow::step(g - 1).writes);
        if (g > 0 && !delivered && flow::reaches_output[g - 1])
          enter(c, g - 1, waiting(flow::step(g - 1).writes, t), z, s, t);
      }
      detail::announce(c, flow::total);
    }

   private:
    static constexpr bool fused(const application& before, const application& a) { return a.reads(before.writes); }
    static constexpr bool reads_input() {
      for (std::size_t g = 0; g < flow::count; ++g) {
        if (flow::step(g).input && flow::reaches_output[g]) return true;
      }
      return false;
    }
    static constexpr state value(int writer, int s, const carry& z, const saved& kept) {
      return writer < 0 ? z.z[static_cast<std::size_t>(s)] : result(static_cast<std::size_t>(writer), z, kept);
    }
    static constexpr state result(std::size_t g, const carry& z, const saved& s) {
      const bool last = flow::last_of_state(g);
      if constexpr (flow::overwritten > 0) {
        if (!last) return s.z[flow::place(g)];
      }
      return z.z[static_cast<std::size_t>(flow::step(g).writes)];
    }
    static constexpr state waiting(int s, const training_memory& t) {
      if constexpr (flow::waiting > 0) {
        return t.dz[flow::waiting_place(s)];
      } else {
        return {};
      }
    }
    /// The sum that `a` is applied to; the value of state `own` is what the sink receives.
    template <class Where>
    static constexpr sink::sum_with<state> input_of(const application& a, int own, state x, Where where, state u) {
      sink::sum_with<state> sum{u, 0, 0, 0, {}};
      for (const unsigned group : {a.hidden, a.injected}) {
        for (int s = 0; s < static_cast<int>(state_count); ++s) {
          if ((group >> static_cast<unsigned>(s) & 1u) == 0) continue;
          if (s == own) sum.own = sum.count;
          sum.terms[sum.count++] = where(s);
        }
        if (group == a.hidden && sum.split == 0) sum.split = sum.count;
      }
      if (a.input) sum.terms[sum.count++] = x;
      return sum;
    }
    /// The same as a pass of its own.
    template <class B, class Where>
    static constexpr void sum_input(const call<B>& c, const application& a, state x, Where where, state u) {
      int own = 0;
      while (!a.reads(own)) ++own;
      ops::emit(c, where(own), input_of(a, own, x, where, u));
    }
    /// Stores what `a` gives and, where the next application reads it, that one's input.
    template <class Where>
    static constexpr sink::store_and_sum<state> store_result(state y, const application* next, state x, Where where,
                                                             state u_next, const application& a) {
      sink::store_and_sum<state> sink{y, false, {}};
      if (next != nullptr && fused(a, *next)) {
        sink.next = true;
        sink.sum = input_of(*next, a.writes, x, where, u_next);
      }
      return sink;
    }
    template <std::size_t N>
    static constexpr auto entry_of(std::size_t g, const carry& z, const saved& s, const training_memory& t) {
      return net<N>::entry(std::get<N>(s.interior)[flow::index_in_net(g)], result(g, z, s), t.d[g % 2]);
    }
    /// Hands the complete gradient of what application g gave to its network.
    template <class B>
    static constexpr void enter(const call<B>& c, std::size_t g, state d, const carry& z, const saved& s,
                                const training_memory& t) {
      detail::with_index<net_count>(flow::step(g).net, [&](auto n) { ops::emit(c, d, entry_of<n()>(g, z, s, t)); });
    }
    /// Where the gradient of application g's input goes: to x, to states that others read too, and, complete, to application g - 1.
    template <std::size_t Below>
    static constexpr auto gradient_sink(std::size_t g, const carry& z, const saved& s, const training_memory& t,
                                        state dx, bool add_to_dx) {
      const application& a = flow::step(g);
      auto then = entry_of<Below>(g > 0 ? g - 1 : g, z, s, t);  // not delivered to when g is the first
      sink::fan_out<state, decltype(then)> out{0, {}, {}, false, false, {}, then};
      for (int n = 0; n < static_cast<int>(state_count); ++n) {
        const int writer = a.reads(n) ? flow::writer(g, n) : -1;
        if (writer < 0) continue;
        const auto w = static_cast<std::size_t>(writer);
        if (w + 1 == g) {
          out.deliver = true;
          out.has_pending = flow::read_after(w, g);
          if (out.has_pending) out.pending = waiting(n, t);
        } else {
          out.accumulate[out.count] = flow::read_after(w, g);
          out.targets[out.count++] = waiting(n, t);
        }
      }
      if (a.input) {
        out.accumulate[out.count] = add_to_dx;
        out.targets[out.count++] = dx;
      }
      return out;
    }
  };
};

}  // namespace trm
