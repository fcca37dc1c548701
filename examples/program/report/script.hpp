// SPDX-License-Identifier: MIT
// The script of a report: values under the pointer, and what is linked to is unfolded. All is readable without it.
#pragma once
#include <string_view>

namespace program::report {

inline constexpr std::string_view script = R"js(
'use strict';
for (const plot of document.querySelectorAll('.plot')) {
  const [x0, x1] = plot.dataset.x.split(' ').map(Number), [y0, y1] = plot.dataset.y.split(' ').map(Number);
  const log = plot.dataset.scale === 'log', percent = plot.dataset.unit === 'percent';
  const names = [...plot.parentElement.querySelectorAll('.legend li')].map(
      li => [li.querySelector('path').classList[0], li.childNodes[1].textContent.trim()]);
  let lines = null;
  const read = () => names.map(([s, name]) => {
    const path = plot.querySelector('.lines .line.' + s);
    return [s, name, [...path.getAttribute('d').matchAll(/([-\d.e]+) ([-\d.e]+)/g)].map(m => [+m[1], +m[2]])];
  });
  const value = v => {
    const t = 1 - v / 1000, y = log ? Math.exp(Math.log(y0) + (Math.log(y1) - Math.log(y0)) * t) : y0 + (y1 - y0) * t;
    return percent ? (100 * y).toFixed(1) + '%' : Number(y.toPrecision(3)).toString();
  };
  const rule = document.createElement('div'), tip = document.createElement('div');
  rule.className = 'rule';
  tip.className = 'tip';
  tip.setAttribute('aria-hidden', 'true');
  const hide = () => { rule.remove(); tip.remove(); };
  plot.addEventListener('pointerleave', hide);
  plot.addEventListener('pointermove', event => {
    lines ||= read();
    const box = plot.firstElementChild.getBoundingClientRect(), at = 1000 * (event.clientX - box.left) / box.width;
    if (at < -5 || at > 1005) return hide();
    let step = null;
    const rows = [];
    for (const [s, name, points] of lines) {
      let best = null;
      for (const p of points) if (!best || Math.abs(p[0] - at) < Math.abs(best[0] - at)) best = p;
      if (!best || Math.abs(best[0] - at) > 60) continue;
      if (step === null || Math.abs(best[0] - at) < Math.abs(step - at)) step = best[0];
      rows.push([s, name, value(best[1])]);
    }
    if (!rows.length) return hide();
    tip.textContent = '';
    const head = document.createElement('p');
    head.textContent = Math.round(x0 + (x1 - x0) * step / 1000).toLocaleString('en');
    tip.append(head);
    for (const [s, name, text] of rows) {
      const row = document.createElement('p'), b = document.createElement('b');
      row.className = 'of-' + s;
      b.textContent = text;
      row.append(name + ' ', b);
      tip.append(row);
    }
    rule.style.left = tip.style.left = step / 10 + '%';
    tip.classList.toggle('leftwards', step > 550);
    plot.append(rule, tip);
  });
}
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target || null; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
  if (target) target.scrollIntoView();
};
addEventListener('hashchange', unfold);
unfold();
)js";

}  // namespace program::report
