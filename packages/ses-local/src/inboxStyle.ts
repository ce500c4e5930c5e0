/** The inbox's style sheet; light and dark follow the reader's system. */
export const STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1d2433, #e6e9f0); --soft: light-dark(#5a6478, #9aa4b8); --line: light-dark(#e1e5ec, #2b3242);
  --page: light-dark(#f6f7f9, #12151c); --card: light-dark(#fff, #1a1f2a); --link: light-dark(#1f56c4, #8ab4ff); --good: light-dark(#0b6b3a, #63d69a); --bad: light-dark(#a3131f, #ff8a92); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; gap: 1rem; align-items: baseline; padding: .8rem 1.2rem; border-bottom: 1px solid var(--line); background: var(--card); }
header span, small, th, dt { color: var(--soft); }
.brand { font-weight: 700; text-decoration: none; color: var(--text); }
main { max-width: 72rem; margin: 0 auto; padding: 1.2rem; }
a { color: var(--link); }
.verdict, pre, .table, .headers { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.verdict { padding: .9rem 1.2rem; border-left: .4rem solid var(--good); }
.verdict.bad { border-left-color: var(--bad); }
.verdict dl { display: flex; gap: 2.5rem; margin: 0; flex-wrap: wrap; }
.verdict dt { font-size: .85rem; }
.verdict dd { margin: 0; font-size: 1.6rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.good div:last-child dd { color: var(--good); } .bad div:last-child dd { color: var(--bad); }
form { display: flex; gap: .5rem; align-items: center; margin: 1.2rem 0; flex-wrap: wrap; }
input, button { font: inherit; padding: .4rem .7rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); color: inherit; }
input { flex: 1; min-width: 12rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem .9rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
th { font-weight: 500; font-size: .85rem; }
td { font-variant-numeric: tabular-nums; }
nav { display: flex; justify-content: space-between; padding: 1rem 0; }
pre { padding: 1rem 1.2rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font: .9rem/1.55 ui-monospace, monospace; }
.headers { padding: .6rem 1.2rem; margin: 0; }
.headers div { display: grid; grid-template-columns: 13rem 1fr; gap: 1rem; padding: .2rem 0; }
.headers dd { margin: 0; overflow-wrap: anywhere; }
.empty { color: var(--soft); padding: 2rem; text-align: center; }
iframe { width: 100%; height: 30rem; border: 1px solid var(--line); border-radius: .6rem; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; }
@media (max-width: 40rem) { .headers div { grid-template-columns: 1fr; gap: 0; } header span { display: none; } }
`;
