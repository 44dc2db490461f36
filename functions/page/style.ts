/** The sections of the overview, wherever they stand. */
export const sectionStyle = `
.numbers{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(min(9.5rem,100%),1fr))}
.numbers div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem}
dt{color:var(--soft);font-size:.85rem}
dd{font-size:1.65rem;font-variant-numeric:tabular-nums;font-weight:600;letter-spacing:-.01em;line-height:1.3}
dd.of{color:var(--soft);font-size:.8rem;font-weight:400;letter-spacing:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.55rem 0;text-align:left;vertical-align:middle}
thead th{color:var(--soft);font-size:.8rem;font-weight:400}
tbody th{font-weight:600;padding-right:1rem;width:36%}
th small{color:var(--soft);display:block;font-size:.8rem;font-weight:400}
td{font-variant-numeric:tabular-nums;white-space:nowrap}
td b{font-weight:600}
th:last-child,td:last-child{padding-left:1rem;text-align:right;width:5rem}
.bar{background:light-dark(#d3ccc2,#47433c);border-radius:3px;display:inline-block;height:.8rem;margin-right:.5rem;max-width:calc(100% - 3.6rem);min-width:3px;vertical-align:-1px}
.own .bar{background:var(--warm)}.bare th{font-weight:400}
.failures{color:var(--warm);font-weight:600}.none{color:var(--soft)}
.routes{list-style:none;padding:0}
.routes li{border-bottom:1px solid var(--line);display:grid;gap:0 .75rem;grid-template-columns:3rem minmax(8rem,11rem) 1fr;padding:.4rem 0}
.method{color:var(--soft);font-size:.8rem;line-height:1.55rem}
.summary,.note{color:var(--soft);font-size:.92rem}.note{margin-top:.75rem;max-width:40rem}
code,pre{font:.88em/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
a{color:var(--warm);text-underline-offset:.2em}
pre{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow-x:auto;padding:.9rem 1rem}
.trouble{border-left:3px solid var(--warm);margin-top:2rem;padding:.5rem 0 .5rem 1rem}
.running{color:var(--warm)}
@media (max-width:36rem){.routes li{grid-template-columns:3rem 1fr}.summary{grid-column:2}tbody th{width:42%}th:last-child,td:last-child{width:3.6rem}}
`;

/** The style of the page: the system's fonts, one accent, light and dark. */
export const style = `
:root{color-scheme:light dark;--paper:light-dark(#fbfaf8,#141311);--card:light-dark(#fff,#1d1b18);--ink:light-dark(#211e1a,#ede8e1);
--soft:light-dark(#6a635a,#a39b90);--line:light-dark(#e6e1d9,#33302b);--warm:light-dark(#b8500a,#f58a4b)}
*{box-sizing:border-box;margin:0}
body{background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{margin:0 auto;max-width:54rem;padding:clamp(2rem,6vw,4.5rem) clamp(1rem,4vw,2rem) 4rem}
section{margin-top:2.75rem}
.eyebrow{color:var(--warm);font-size:.85rem;font-weight:600}
h1{font-size:clamp(1.7rem,5vw,2.5rem);font-weight:650;letter-spacing:-.02em;line-height:1.15;margin:.35rem 0 .8rem;text-wrap:balance}
h2{font-size:1.05rem;font-weight:650;margin-bottom:.8rem}
.lead{color:var(--soft);max-width:40rem;text-wrap:pretty}.lead b{color:var(--ink);font-weight:600}
.unseen{clip-path:inset(50%);height:1px;overflow:hidden;position:absolute;width:1px}
${sectionStyle}`;
