/** The inbox's style sheet; light and dark follow the reader's system. */
export const STYLE = `
:root { color-scheme: light; --text: #1c2230; --soft: #5b6579; --line: #dfe3ea; --page: #f5f6f8; --card: #fff; --link: #1d55c5; --good: #0a6b39; --good-bg: #e7f6ed; --bad: #a8121f; --bad-bg: #fdeaec; --hover: #f0f3f8; }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --text: #e5e8ef; --soft: #9aa4b7; --line: #2a3140; --page: #11141a; --card: #191e28; --link: #8ab2ff; --good: #6ddba1; --good-bg: #12291e; --bad: #ff939b; --bad-bg: #331519; --hover: #202633; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, button:focus-visible, input:focus-visible, summary:focus-visible, input:focus-visible + label { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font-family: ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace; font-size: .875rem; }
header { display: flex; gap: 1rem; align-items: center; padding: .75rem max(1rem, calc((100vw - 72rem) / 2)); border-bottom: 1px solid var(--line); background: var(--card); }
.brand { display: flex; gap: .6rem; align-items: center; font-weight: 650; text-decoration: none; color: var(--text); }
.mark { position: relative; width: 1.5rem; height: 1.05rem; border: 2px solid currentColor; border-radius: .2rem; overflow: hidden; }
.mark::after { content: ""; position: absolute; left: 50%; top: -.66rem; width: 1rem; height: 1rem; border: 2px solid currentColor; transform: translateX(-50%) rotate(45deg) skew(8deg, 8deg); }
.note, small, th, dt, label { color: var(--soft); }
.note { font-size: .875rem; }
main { max-width: 72rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
.panel > h2:first-child { margin-top: 0; }
.verdict { padding: .9rem 1.2rem; border-radius: .75rem; border: 1px solid var(--line); background: var(--card); }
.verdict p { margin: 0; font-size: 1.25rem; }
.verdict strong { font-variant-numeric: tabular-nums; }
.verdict.good { background: var(--good-bg); border-color: color-mix(in srgb, var(--good) 35%, transparent); }
.verdict.bad { background: var(--bad-bg); border-color: color-mix(in srgb, var(--bad) 45%, transparent); }
.good .count { color: var(--good); } .bad .count { color: var(--bad); font-weight: 650; }
.verdict details { margin-top: .5rem; } .verdict ul { margin: .5rem 0 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
.runs { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: 1rem 0 0; padding: 0; }
.runs a { display: block; padding: .25rem .75rem; border: 1px solid var(--line); border-radius: 2rem; background: var(--card); text-decoration: none; font-size: .875rem; overflow-wrap: anywhere; }
.runs a[aria-current] { border-color: var(--link); box-shadow: inset 0 0 0 1px var(--link); }
.runs span { color: var(--soft); font-variant-numeric: tabular-nums; } .runs b { color: var(--bad); }
form { display: flex; gap: .5rem; align-items: center; margin: 1rem 0; flex-wrap: wrap; }
form label { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
input[type=search], button, .button { font: inherit; padding: .45rem .9rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); color: inherit; text-decoration: none; }
input[type=search] { flex: 1; min-width: 12rem; }
button, .button { cursor: pointer; } button:hover, .button:hover, .runs a:hover, tbody tr:hover { background: var(--hover); }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: .9375rem; }
th, td { text-align: left; padding: .55rem 1rem; border-bottom: 1px solid var(--line); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
th { font-weight: 500; font-size: .8125rem; }
th:nth-child(1) { width: 29%; } th:nth-child(3) { width: 28%; } th:nth-child(4) { width: 11rem; }
td { font-variant-numeric: tabular-nums; } .subject a { font-weight: 550; text-decoration: none; } .subject a:hover { text-decoration: underline; }
.run, .time { color: var(--soft); font-size: .8125rem; }
.pages { display: flex; justify-content: space-between; padding: 1rem 0; }
.empty { color: var(--soft); padding: 2rem 1rem; text-align: center; }
.back { margin: 0 0 .75rem; }
.facts { margin: 0; }
.facts > div { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: 1rem; padding: .2rem 0; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.tabs { display: flex; flex-wrap: wrap; margin-top: 1.25rem; }
.tabs > input { position: absolute; opacity: 0; pointer-events: none; }
.tabs > label { padding: .5rem 1rem; margin-bottom: -1px; border: 1px solid transparent; border-radius: .6rem .6rem 0 0; cursor: pointer; }
.tabs > label:hover { color: var(--text); }
.tabs > input:checked + label { background: var(--card); border-color: var(--line); border-bottom-color: var(--card); color: var(--text); font-weight: 550; z-index: 1; }
.panel { display: none; order: 1; flex: 0 0 100%; min-width: 0; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 0 .75rem .75rem .75rem; }
#tab-text:checked ~ .panel-text, #tab-html:checked ~ .panel-html, #tab-headers:checked ~ .panel-headers, #tab-attachments:checked ~ .panel-attachments, #tab-source:checked ~ .panel-source { display: block; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55; }
iframe { display: block; width: 100%; height: 34rem; border: 0; border-radius: .4rem; background: #fff; }
@media (max-width: 44rem) {
  .note, thead, .run { display: none; }
  tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; padding: .6rem 1rem; border-bottom: 1px solid var(--line); } tbody tr:last-child { border-bottom: 0; }
  td { padding: 0; border: 0; } .subject { grid-column: 1 / -1; } .to { color: var(--soft); font-size: .875rem; } .time { padding-left: .75rem; }
  .facts > div { grid-template-columns: 1fr; gap: 0; padding: .35rem 0; }
  .tabs > label { padding: .5rem .6rem; }
}
`;
