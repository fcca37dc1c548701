// SPDX-License-Identifier: MIT
// The style sheet of a report: light and dark, narrow and wide windows, paper.
#pragma once
#include <string_view>

namespace program::report {

inline constexpr std::string_view style_sheet = R"css(
:root { color-scheme: light dark;
  --paper: #fdfdfc; --panel: #f3f4f4; --ink: #1c2126; --soft: #59616b; --rule: #d5d9dd; --accent: #0a5aa8;
  --good: #186a3b; --good-paper: #e3f2e8; --bad: #b3261e; --bad-paper: #fbdcd9;
  --s1: #1f6fb2; --s2: #c04a08; --s3: #217a4b; --s4: #8547ad; --s5: #8a6800; --s6: #b82a6a; --s7: #007a85; --s8: #59616b;
  --cell: #ffffff; --line: #c9ced4; --wall: #343a41; --way: #9cc5ec; --given: #111417; --written: #0a5aa8; }
@media screen and (prefers-color-scheme: dark) { :root {
  --paper: #14171a; --panel: #1d2125; --ink: #e3e6e9; --soft: #a5adb7; --rule: #363c43; --accent: #85bdf6;
  --good: #7fd6a0; --good-paper: #16321f; --bad: #ff9d94; --bad-paper: #4d211f;
  --s1: #6cb2f3; --s2: #f3935a; --s3: #6fcf97; --s4: #c79bef; --s5: #dcbb47; --s6: #f08ab5; --s7: #50cdd6; --s8: #b0b8c1;
  --cell: #20252a; --line: #414850; --wall: #6d7781; --way: #2f6db0; --given: #f4f6f8; --written: #85bdf6; } }
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 96rem; padding: 2.5rem clamp(1rem, 4vw, 4rem) 4rem; background: var(--paper);
  color: var(--ink); overflow-wrap: break-word; }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; }
h1 { text-wrap: balance; font-size: clamp(1.5rem, 1.2rem + 1.4vw, 2.1rem); margin: 0 0 1.5rem; letter-spacing: -.012em; }
h2 { font-size: 1.3rem; margin: 3.25rem 0 1rem; padding-top: .9rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.02rem; margin: 0 0 .75rem; }
h4 { font-size: .92rem; margin: 1.25rem 0 .6rem; }
p { margin: 0 0 1rem; max-width: 44rem; }
figure { margin: 0; }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.program { margin: 0 0 .25rem; color: var(--soft); font-size: .9rem; letter-spacing: .02em; }
.remark { color: var(--soft); font-size: .84rem; }
.nothing { color: var(--soft); font-size: .88rem; font-style: italic; margin: .5rem 0; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; font-size: .9rem; margin-top: 1.5rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1.25rem 1.75rem; margin: 0 0 1.5rem; }
.tiles div { border-top: 2px solid var(--rule); padding-top: .55rem; display: flex; flex-direction: column;
  justify-content: space-between; }
.tiles dt { color: var(--soft); font-size: .84rem; line-height: 1.35; }
.tiles dd { margin: .15rem 0 0; font-size: 1.6rem; line-height: 1.3; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
.facts { margin: 0; }
.facts div { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: 0 1.5rem; padding: .4rem 0;
  border-bottom: 1px solid var(--rule); max-width: 60rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; white-space: pre-line; min-width: 0; }

.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .84rem; padding-bottom: .4rem; }
th, td { padding: .32rem 0 .32rem 1.75rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { padding-left: 0; text-align: left; }
thead th { color: var(--soft); font-weight: 500; border-bottom-color: var(--soft); }
tbody th { font-weight: 500; }
details > summary { cursor: pointer; padding: .45rem 0; color: var(--accent); font-size: .94rem; }
pre { background: var(--panel); border: 1px solid var(--rule); border-radius: 4px; padding: 1rem; margin: .5rem 0 1rem; overflow-x: auto;
  font-size: .84rem; line-height: 1.5; tab-size: 2; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 2.5rem 3rem; margin-bottom: 1.5rem; }
.chart { display: flex; flex-direction: column; min-width: 0; }
.chart figcaption { font-weight: 600; }
.chart > .remark { margin: 0; }
.legend { list-style: none; margin: .3rem 0 .5rem; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .84rem;
  color: var(--soft); }
.legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.key { width: 1.75rem; height: .625rem; margin-right: .4rem; }
.plot { position: relative; height: 15rem; margin: auto .9rem 1.6rem 3.3rem; padding-top: .5rem; }
.plot > svg { display: block; overflow: visible; }
.scale line { stroke: var(--rule); stroke-width: 1; shape-rendering: crispEdges; }
.scale .tick { stroke: var(--soft); }
.scale text { fill: var(--soft); font-size: .75rem; text-anchor: middle; font-variant-numeric: tabular-nums; }
.scale .y { text-anchor: end; }
.x-label { margin: 0 .9rem 0 3.3rem; text-align: center; color: var(--soft); font-size: .8rem; max-width: none; }
.lines { overflow: visible; }
.raw, .line, .marks { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; stroke-linecap: round; }
.line { stroke-width: 1.8; }
.raw { stroke-width: 1; opacity: .28; }
.marks { stroke-width: 6.5; }
.s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); }
.s5 { stroke: var(--s5); } .s6 { stroke: var(--s6); } .s7 { stroke: var(--s7); } .s8 { stroke: var(--s8); }
.s3.line { stroke-dasharray: 7 4; } .s4.line { stroke-dasharray: 1.5 4; } .s5.line { stroke-dasharray: 9 4 1.5 4; }
.s6.line { stroke-dasharray: 3 3; } .s7.line { stroke-dasharray: 12 4; } .s8.line { stroke-dasharray: 9 3 1.5 3 1.5 3; }
.rule { position: absolute; top: .5rem; bottom: 0; width: 1px; background: var(--soft); pointer-events: none; }
.tip { position: absolute; top: .75rem; transform: translateX(.6rem); pointer-events: none; background: var(--paper); color: var(--ink);
  border: 1px solid var(--rule); border-radius: 4px; padding: .3rem .6rem; font-size: .8rem; line-height: 1.45; white-space: nowrap;
  box-shadow: 0 2px 8px #0002; font-variant-numeric: tabular-nums; z-index: 1; }
.tip.leftwards { transform: translateX(calc(-100% - .6rem)); }
.tip p { margin: 0; }
.tip p + p { border-left: 3px solid; padding-left: .4rem; }
.of-s1 { border-color: var(--s1) !important; } .of-s2 { border-color: var(--s2) !important; }
.of-s3 { border-color: var(--s3) !important; } .of-s4 { border-color: var(--s4) !important; }
.of-s5 { border-color: var(--s5) !important; } .of-s6 { border-color: var(--s6) !important; }
.of-s7 { border-color: var(--s7) !important; } .of-s8 { border-color: var(--s8) !important; }

.solved, .unsolved, .unknown { font-weight: 600; font-size: .84em; white-space: nowrap; }
.solved { color: var(--good); } .unsolved { color: var(--bad); } .unknown { color: var(--soft); }
.example { margin: 0 0 2.5rem; }
.pair, .grids { display: flex; flex-wrap: wrap; gap: 1rem 1.75rem; margin-bottom: 1.25rem; align-items: flex-start; }
.pair figure { width: min(100%, 15rem); }
.pair figcaption, .grids figcaption { color: var(--soft); font-size: .84rem; margin-bottom: .3rem; }
.strip { list-style: none; margin: 0 -.45rem; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  gap: .75rem .6rem; }
.step { border: 1px solid transparent; border-radius: 4px; padding: .4rem; min-width: 0; }
.step.exact, .grids .exact { border-color: var(--good); background: var(--good-paper); }
.step p { margin: 0; font-size: .8rem; line-height: 1.5; }
.step .number { color: var(--soft); white-space: nowrap; margin-bottom: .25rem; }
.step .solved { font-size: 1em; }
.measure { display: flex; justify-content: space-between; gap: .5rem; font-size: .8rem; line-height: 1.5; margin: 0;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.measure span:first-child { color: var(--soft); }
.bar { display: block; height: .3rem; margin: .35rem 0 .15rem; background: var(--rule); }
.bar i { display: block; height: 100%; background: var(--accent); }

.drawing { display: block; width: auto; height: auto; max-width: 100%; max-height: 30rem; border: 1px solid var(--line); background: var(--cell); }
.drawing path { fill: none; }
.drawing .run { stroke-width: 1; transform: translate(0, .5px); shape-rendering: crispEdges; }
.drawing .lines { stroke: var(--line); stroke-width: 1px; vector-effect: non-scaling-stroke; overflow: visible; }
.drawing .dot { stroke: #fff; stroke-width: .34; stroke-linecap: round; stroke-dasharray: 0 1; transform: translate(.5px, .5px); }
.drawing .dot.wrong-edge { stroke: #000; stroke-width: .58; }
.fine .dot { stroke-width: .52; } .fine .dot.wrong-edge { stroke-width: .95; }
.drawing .invalid { stroke: #e9e4d8; }
.drawing .hatch { stroke: #6d6252; stroke-dasharray: .12 .21333; stroke-dashoffset: -.1; shape-rendering: auto; }
.arc { background: #000; }
.arc .lines { stroke: #8885; }
.a0 { stroke: #000; } .a1 { stroke: #0074d9; } .a2 { stroke: #ff4136; } .a3 { stroke: #2ecc40; } .a4 { stroke: #ffdc00; }
.a5 { stroke: #aaa; } .a6 { stroke: #f012be; } .a7 { stroke: #ff851b; } .a8 { stroke: #7fdbff; } .a9 { stroke: #870c25; }
.wall { stroke: var(--wall); }
.way { stroke: var(--way); }
.maze .start { fill: var(--good); } .maze .goal { fill: var(--s5); }
.maze .dot.wrong-edge, .maze .dot.missing-edge { stroke: var(--bad); stroke-width: 1.05; }
.maze .dot.wrong { stroke: var(--bad); } .maze .dot.missing { stroke: var(--cell); stroke-width: .62; }
.sudoku .boxes { stroke: var(--ink); stroke-width: .07; }
.sudoku { border: 1.5px solid var(--ink); }
.sudoku .mistake { stroke: var(--bad-paper); }
.sudoku .corner { fill: var(--bad); }
.digits { font-size: 12.5px; fill: var(--written); text-anchor: middle; dominant-baseline: central; font-variant-numeric: tabular-nums; }
.digits.small { font-size: 10px; }
.digits .g { fill: var(--given); font-weight: 700; }
.digits .w { fill: var(--bad); }

.index { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .2rem .75rem;
  font-size: .86rem; }
.index a { text-decoration: none; display: block; padding: .15rem 0; font-variant-numeric: tabular-nums; }
.index a:hover { text-decoration: underline; }
.index b { display: inline-block; width: 1.3em; }
.task { border-bottom: 1px solid var(--rule); }
.task[open] { padding-bottom: 1rem; }
.many .inside { content-visibility: auto; contain-intrinsic-size: auto 40rem; }
.task summary { color: var(--ink); }
.demonstrations { display: flex; flex-wrap: wrap; gap: .75rem; }
.grids figure { max-width: min(100%, 15rem); padding: .35rem; border: 1px solid transparent; border-radius: 4px; }
.grids { margin-left: -.35rem; }
.attempt { min-width: 7rem; }
.grids .drawing { max-height: 18rem; }
.grids .remark { margin: .2rem 0 0; }
.demonstrations .grids { gap: 0 .5rem; margin: 0; padding: .3rem; background: var(--panel); border-radius: 4px; align-items: center; flex-wrap: nowrap;
  max-width: 100%; }
.demonstrations figure { max-width: 10.4rem; min-width: 0; }
.demonstrations .drawing { max-height: 14rem; }
.to { color: var(--soft); }
@media (min-width: 90rem) {
  .example { display: grid; grid-template-columns: 11.5rem 1fr; gap: 0 1.75rem; align-items: start; }
  .example h3 { grid-column: 1 / -1; }
  .example .pair { flex-direction: column; }
  .example .pair figure { width: 100%; }
}
@media (min-width: 40.01rem) { caption { white-space: nowrap; } }
@media (max-width: 40rem) {
  body { padding-top: 1.5rem; }
  .tiles { grid-template-columns: repeat(2, 1fr); }
  .tiles dd { font-size: 1.3rem; }
  .strip { grid-template-columns: repeat(2, 1fr); }
  .facts div { grid-template-columns: 1fr; }
  .pair figure { width: calc(50% - .5rem); }
  .pair, .test { gap: 1rem; }
  .test figure { max-width: calc(50% - .5rem); }
  .plot { margin-left: 2.7rem; }
}
@media print {
  :root { --paper: #fff; --panel: #fff; }
  body { max-width: none; padding: 0 .5rem; font-size: 10pt; }
  nav, .index { display: none; }
  .chart, .step, .pair, .grids figure, tr { break-inside: avoid; }
  .many .inside { content-visibility: visible; }
  .charts { grid-template-columns: 1fr 1fr; }
  details::details-content { content-visibility: visible; block-size: auto; }
  svg, .bar, .bar i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace program::report
