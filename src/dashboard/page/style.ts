/**
 * The look of the page. Warm is orange and cold is blue, which every kind of colour blindness tells apart; what else differs by colour differs by
 * shape too. All sizes are known before anything is told, so that nothing moves.
 */
export const style = `
:root{color-scheme:light dark;
--paper:light-dark(#f7f5f1,#12110f);--card:light-dark(#fffefc,#1b1917);--ink:light-dark(#23201c,#ece7df);--soft:light-dark(#635c53,#a89f93);
--line:light-dark(#e4ded4,#322e29);--faint:light-dark(#f1ede6,#24211e);
--warm:light-dark(#b8500a,#f59a4b);--cold:light-dark(#1d5fd1,#7fb2ff);--thaw:light-dark(#0a776d,#3fd0be);--fail:light-dark(#ae1268,#ff85c8);
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;--round:10px;--gap:1rem}
*{box-sizing:border-box;margin:0}
body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
main{margin:0 auto;max-width:84rem;padding:clamp(1.25rem,3vw,2.5rem) clamp(.75rem,3vw,2rem) 3rem}
h1{font-size:clamp(1.45rem,3.4vw,2rem);font-weight:650;letter-spacing:-.02em;line-height:1.2;text-wrap:balance}
h2{font-size:1.05rem;font-weight:650}h3{color:var(--soft);font-size:.8rem;font-weight:600}
.eyebrow{color:var(--warm);font-size:.85rem;font-weight:650}
.lead{color:var(--soft);margin-top:.35rem;max-width:46rem;text-wrap:pretty}.lead b{color:var(--ink);font-weight:600}
.unseen{clip-path:inset(50%);height:1px;overflow:hidden;position:absolute;white-space:nowrap;width:1px}
.top{align-items:end;display:flex;flex-wrap:wrap;gap:var(--gap);justify-content:space-between}
.tools{align-items:center;display:flex;flex-wrap:wrap;gap:.6rem}
button{background:var(--card);border:1px solid var(--line);border-radius:8px;color:var(--ink);cursor:pointer;font:inherit;font-size:.92rem;font-weight:550;min-height:2.4rem;padding:.35rem .85rem}
button:hover{border-color:var(--soft)}button:active{background:var(--faint)}
button.first{background:var(--ink);border-color:var(--ink);color:var(--paper)}
button:disabled{cursor:default;opacity:.55}
:focus-visible{outline:2px solid var(--cold);outline-offset:2px}
.strikes{align-items:center;display:flex;flex-wrap:wrap;gap:.5rem;margin-top:1.25rem}
.said{color:var(--soft);font-size:.88rem;margin-top:.5rem;min-height:1.5em}
.legend{color:var(--soft);display:flex;flex-wrap:wrap;font-size:.82rem;gap:.2rem 1.1rem;list-style:none;margin-top:1.1rem;padding:0}
.legend li{align-items:center;display:flex;gap:.4rem}.legend svg{flex:none;height:12px;width:18px}
.sides{display:grid;gap:var(--gap);grid-template-columns:minmax(0,1fr);margin-top:.8rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:var(--round);min-width:0;padding:1rem}
.head{align-items:baseline;display:flex;gap:.6rem;justify-content:space-between}
.about{color:var(--soft);font-size:.86rem;height:1.5em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.chip{align-items:center;display:inline-flex;font-size:.86rem;font-weight:600;gap:.4rem;white-space:nowrap}
.chip::before{background:var(--soft);border-radius:50%;content:"";height:.6em;width:.6em}
.chip[data-is=good]::before{background:var(--thaw)}
.chip[data-is=bad]{color:var(--fail)}.chip[data-is=bad]::before{background:none;border:2px solid var(--fail);border-radius:0;transform:rotate(45deg)}
.big{display:grid;gap:.25rem 1rem;grid-template-columns:repeat(4,minmax(0,1fr));margin:.75rem 0 .9rem}
.big dt,.small dt{color:var(--soft);font-size:.8rem;line-height:1.3}
.big dd{font-size:1.55rem;font-weight:620;letter-spacing:-.015em;line-height:1.25}
.big .is-bad dd{color:var(--fail)}
canvas{display:block;width:100%}
.lanes{background:var(--faint);border-radius:6px}
.words{color:var(--soft);font-size:.86rem;margin-top:.5rem;min-height:3em}
.small{border-top:1px solid var(--line);display:grid;gap:.4rem 1rem;grid-template-columns:repeat(6,minmax(0,1fr));margin-top:.6rem;padding-top:.7rem}
.small dd{font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.lower{display:grid;gap:1.1rem var(--gap);grid-template-columns:minmax(0,1fr);margin-top:.9rem}
.bars{align-items:end;border-bottom:1px solid var(--line);display:grid;gap:2px;grid-auto-columns:1fr;grid-auto-flow:column;height:64px;margin-top:.4rem}
.bars i{background:var(--warm);border-radius:2px 2px 0 0;height:100%;transform:scaleY(0);transform-origin:bottom}
.scale{color:var(--soft);display:grid;font-size:.72rem;gap:2px;grid-auto-columns:minmax(0,1fr);grid-auto-flow:column;margin-top:.2rem}
.scale span{overflow:hidden;text-align:center}
@media (max-width:30rem){.said{min-height:4.5em}.words{min-height:4.5em}.scale span:nth-child(even){visibility:hidden}.scale span{overflow:visible}.big{grid-template-columns:1fr 1fr}.small{grid-template-columns:repeat(3,minmax(0,1fr))}.strikes{display:grid;grid-template-columns:1fr 1fr}.strikes .first{grid-column:1/-1}}
.quantiles{color:var(--soft);font-size:.86rem;margin-top:.35rem}.quantiles b{color:var(--ink);font-weight:600}
.errors{list-style:none;margin-top:.3rem;height:10.5rem;overflow-y:auto;padding:0}
.errors li{border-top:1px solid var(--line);font-size:.86rem;padding:.5rem 0}.errors li:first-child{border-top:0}
.errors .none{color:var(--soft)}
.errors b{font-weight:620}.errors .fate{color:var(--fail);font-weight:600}.errors time,.errors .times{color:var(--soft)}
.errors p{overflow-wrap:anywhere}
pre{font:.8rem/1.45 var(--mono);overflow-x:auto}
.errors pre{background:var(--faint);border-radius:6px;margin-top:.35rem;padding:.4rem .6rem}
details{margin-top:.6rem}summary{color:var(--soft);cursor:pointer;font-size:.86rem;padding:.15rem 0}
table{border-collapse:collapse;font-size:.86rem;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem .35rem 0;text-align:left;vertical-align:top}
th{font-weight:600}thead th{color:var(--soft);font-size:.8rem;font-weight:400}
.plan{margin-top:var(--gap)}.plan td:nth-child(2){font-weight:600;overflow-wrap:anywhere}.plan td:last-child{color:var(--soft)}
.plan table{margin-top:.4rem}#plan{min-height:21rem}.warnings{color:var(--fail);font-size:.88rem;padding-left:1.1rem}
@media (max-width:40rem){.plan tr{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr)}.plan thead{display:none}.plan td:last-child{border:0;grid-column:1/-1;grid-row:2;padding-top:0}
.plan th,.plan td{border:0}.plan tr{border-bottom:1px solid var(--line)}}
@media (min-width:64rem){.sides.pair,.sides:not(.pair) .lower{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}.sides:not(.pair) .words{min-height:1.5em}}
@media (forced-colors:active){.bars i{background:CanvasText;forced-color-adjust:none}}
`;
