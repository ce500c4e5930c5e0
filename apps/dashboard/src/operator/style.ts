/** The style sheet of the operators' pages; light and dark follow the viewer's system. */
export const STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1d2433, #e6e9f0); --soft: light-dark(#566074, #9aa4b8); --line: light-dark(#e1e5ec, #2b3242);
  --page: light-dark(#f6f7f9, #12151c); --card: light-dark(#fff, #1a1f2a); --link: light-dark(#1f56c4, #8ab4ff);
  --good: light-dark(#0b7a43, #4cc38a); --bad: light-dark(#b3261e, #ff8a80); --warn: light-dark(#8a5a00, #f0b429); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; gap: 1.4rem; align-items: center; padding: .7rem 1.2rem; border-bottom: 1px solid var(--line); background: var(--card); }
header .brand { font-weight: 700; color: var(--text); text-decoration: none; }
header form { margin-left: auto; display: flex; gap: .8rem; align-items: center; }
main { max-width: 76rem; margin: 0 auto; padding: 1.2rem; }
a { color: var(--link); }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.2rem; margin: .8rem 0; }
.card h3 { margin: 0 0 .4rem; font-size: 1rem; display: flex; gap: .8rem; align-items: baseline; flex-wrap: wrap; }
.status { font-size: .8rem; padding: .1rem .6rem; border-radius: 1rem; border: 1px solid currentColor; color: var(--soft); }
.status.finished { color: var(--good); } .status.paused, .status.cancelled { color: var(--bad); } .status.settling { color: var(--warn); }
.reason { color: var(--bad); margin: .3rem 0; }
progress { width: 100%; height: .6rem; accent-color: var(--good); }
dl { display: flex; gap: .4rem 1.8rem; margin: .5rem 0 0; flex-wrap: wrap; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; }
.empty { color: var(--soft); padding: 2.5rem; text-align: center; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); }
th, td { text-align: left; padding: .35rem .8rem; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
.verdict { display: flex; gap: .6rem; align-items: center; flex-wrap: wrap; }
button, input { font: inherit; padding: .4rem .8rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); color: inherit; }
button { cursor: pointer; }
.login { max-width: 22rem; margin: 12vh auto; display: grid; gap: .9rem; padding: 1.6rem; background: var(--card); border: 1px solid var(--line); border-radius: .8rem; }
.login form { display: grid; gap: .9rem; } .login label { display: grid; gap: .2rem; } .problem { color: var(--bad); margin: 0; }
`;
