// The page's style sheet. Colours stand once, as variables; uPlot's are read from them (client/plots.ts). The six lines keep apart for the colour-blind too,
// and every colour of a state has a word beside it.

export const style = `:root {
  color-scheme: light dark;
  --back: #f6f7f9; --front: #1b222c; --soft: #5b6675; --card: #ffffff; --edge: #d5dae1; --grid: #e6e9ee;
  --good: #1a7f45; --warn: #9a6200; --bad: #c4232b; --bad-back: #fdecec; --unknown: #8a94a3;
  --line-1: #1f6fd1; --line-2: #c2570c; --line-3: #12805c; --line-4: #8a3ffc; --line-5: #a8154f; --line-6: #5f6b7a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #11161d; --front: #e4e9f0; --soft: #9aa6b5; --card: #1a212b; --edge: #323d4b; --grid: #27303c;
    --good: #4cc27e; --warn: #e3a83b; --bad: #ff6b70; --bad-back: #3a1a1e; --unknown: #7c8898;
    --line-1: #6cb0ff; --line-2: #ff9d57; --line-3: #4ed1a1; --line-4: #be95ff; --line-5: #ff7eb6; --line-6: #a9b4c2;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 12px; max-width: 1180px; background: var(--back); color: var(--front); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; }
h1 { font-size: 22px; margin: 0; }
h2 { font-size: 16px; margin: 22px 0 8px; }
header p { margin: 0; color: var(--soft); }
#link { padding: 0 10px; border-radius: 10px; border: 1px solid currentColor; font-size: 13px; }
a { color: var(--line-1); }
[data-health=good] { --health: var(--good); }
[data-health=warn] { --health: var(--warn); }
[data-health=bad] { --health: var(--bad); }
[data-health=unknown] { --health: var(--unknown); }
#link[data-health] { color: var(--health); }
svg { display: block; font-size: 13px; }
svg text { fill: var(--front); }
.band rect { fill: var(--grid); stroke: var(--edge); }
.band text { text-anchor: middle; font-weight: 600; }
svg line { stroke: var(--health); stroke-width: 2; }
svg line[data-health=bad] { stroke-dasharray: 4 4; }
.node rect { fill: var(--card); stroke: var(--edge); }
.node.self rect { stroke-width: 2; stroke: var(--soft); }
.node[data-health=bad] rect { fill: var(--bad-back); stroke: var(--bad); }
.node circle { fill: var(--health); }
.node .name { font-weight: 600; }
.node .state { fill: var(--health); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 12px; }
figure { margin: 0; padding: 10px; min-width: 0; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; }
figure > div { overflow: hidden; }
figcaption { font-size: 13px; color: var(--soft); margin-bottom: 4px; }
.u-legend { font-size: 12px; }
select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 6px; padding: 3px 6px; max-width: 100%; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 4px 10px; }
.scroll p { margin: 6px 0; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.scroll th, .scroll td { text-align: left; padding: 4px 12px 4px 0; white-space: nowrap; }
.scroll th { color: var(--soft); font-weight: 500; font-size: 13px; }
meter { width: 110px; height: 14px; vertical-align: middle; }
footer { margin: 20px 0 4px; font-size: 13px; }
`;
