/**
 * The style of the page. Colours are named by what they say and chosen so that text has a contrast of at least 4.5 to 1
 * on every ground it stands on, in light and in dark; print is always light. Nothing is fetched: fonts are the reader's.
 */
export const STYLE = `
:root{color-scheme:light dark;
--bg:#fff;--soft:#f6f8fa;--line:#d1d9e0;--faint:#e6eaef;--fg:#1f2328;--muted:#57606a;--link:#0550ae;--focus:#0969da;
--good:#116329;--good-bg:#dafbe1;--bad:#a40e26;--bad-bg:#ffebe9;--wait:#7d4e00;--wait-bg:#fff4d1;--plain-bg:#eaeef2;
--add:#e6ffec;--add-n:#ccffd8;--del:#ffebe9;--del-n:#ffd7d5;--hunk:#ddf4ff;--bar:#54aeff;--bar-good:#2da44e;--bar-bad:#cf222e;--pause:#8c959f;
--mono:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{
--bg:#0d1117;--soft:#151b23;--line:#3d444d;--faint:#262c36;--fg:#e6edf3;--muted:#9da7b3;--link:#79b8ff;--focus:#4493f8;
--good:#56d364;--good-bg:#12261e;--bad:#ff938a;--bad-bg:#2c1519;--wait:#e3b341;--wait-bg:#282215;--plain-bg:#262c36;
--add:#12261e;--add-n:#1c4428;--del:#2d1618;--del-n:#542426;--hunk:#121d2f;--bar:#388bfd;--bar-good:#3fb950;--bar-bad:#f85149;--pause:#6e7681}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.55 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;overflow-wrap:anywhere}
h1,h2,h3,h4,h5,p,ul,ol,dl,dd,pre,blockquote,table{margin:0;padding:0}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:4px}
main:focus{outline:none}
.skip{position:absolute;left:-999px;top:0;z-index:2;padding:.5rem 1rem;background:var(--bg);border:1px solid var(--line)}
.skip:focus{left:.5rem;top:.5rem}
.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
code,pre,.diff,.item-id,.path,.num{font-family:var(--mono);font-size:12px}
code{background:var(--plain-bg);border-radius:5px;padding:.12em .38em}
pre code{background:none;padding:0}
.digest{background:none;padding:0}
.muted{color:var(--muted)}
.num,.nums{white-space:nowrap}
.inner,.page,footer{max-width:1280px;margin:0 auto;padding:0 20px}
.top{background:var(--soft);border-bottom:1px solid var(--line);padding:20px 0 0}
.kicker{color:var(--muted);font-weight:600}
h1{font-size:26px;line-height:1.3;font-weight:600;margin:6px 0;display:flex;flex-wrap:wrap;gap:.3em .5em;align-items:center}
.state{font-size:16px;line-height:1.2;padding:7px 14px;border-radius:2em;border:1px solid currentColor;text-transform:capitalize}
.pill{display:inline-block;white-space:nowrap;max-width:100%;overflow:hidden;text-overflow:ellipsis;font:600 12px/18px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;padding:0 8px;border-radius:2em;border:1px solid transparent;vertical-align:1px}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.plain{color:var(--fg)}
.pill.good,.state.good{background:var(--good-bg)}.pill.bad,.state.bad{background:var(--bad-bg)}.pill.wait,.state.wait{background:var(--wait-bg)}.pill.plain,.state.plain{background:var(--plain-bg)}
.pill.good{border-color:color-mix(in srgb,var(--good) 30%,transparent)}.pill.bad{border-color:color-mix(in srgb,var(--bad) 30%,transparent)}.pill.wait{border-color:color-mix(in srgb,var(--wait) 30%,transparent)}
.codes{list-style:none;margin:10px 0 0}.codes li{margin:4px 0}
.failure{margin-top:10px;padding:8px 12px;border-left:3px solid var(--bad);background:var(--bg);white-space:pre-wrap}
.facts{display:grid;grid-template-columns:repeat(6,minmax(0,1fr));gap:1px;margin-top:18px;background:var(--line);border:1px solid var(--line);border-bottom:0;border-radius:8px 8px 0 0;overflow:hidden}
.facts div{background:var(--bg);padding:10px 14px;min-width:0}
.facts dt{color:var(--muted);font-size:12px}
.facts dd{font-weight:600}.facts dd.muted{font-weight:400;font-size:12px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;padding:12px 0;border-bottom:1px solid var(--line)}
nav a{display:inline-block;padding:4px 0;text-decoration:none}nav a:hover{text-decoration:underline}
main>section{padding:26px 0 4px}
h2{font-size:20px;font-weight:600;line-height:1.3;padding-bottom:8px;margin-bottom:12px;border-bottom:1px solid var(--line)}
h3{font-size:16px;font-weight:600;margin:14px 0 4px}
h4{font-size:14px;font-weight:600;margin:18px 0 6px}
h5{font-size:14px;font-weight:600}
main p{margin:4px 0}
ul.plain{padding-left:1.3em;margin:6px 0}
.prose{white-space:pre-wrap}
.acts{padding-left:1.4em}.acts li{margin:8px 0}
.command{margin:8px 0;padding:12px 14px;background:var(--soft);border:1px solid var(--line);border-radius:6px;white-space:pre-wrap;user-select:all;-webkit-user-select:all}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px;margin:10px 0;max-width:100%}
table{border-collapse:collapse;width:100%}
.scroll th,.scroll td,.stages th,.stages td{text-align:left;vertical-align:top;padding:6px 12px;border-top:1px solid var(--faint);font-weight:400}
.scroll{overflow-wrap:normal}.scroll td,.scroll tbody th{min-width:64px;max-width:46ch;overflow-wrap:anywhere}
thead th{background:var(--soft);color:var(--muted);font-size:12px;font-weight:600!important;border-top:0!important;white-space:nowrap}
tbody th{font-weight:600!important}
.stages{margin:10px 0;border:1px solid var(--line)}.stages td:nth-child(3){width:56%}.stages th,.stages td{vertical-align:middle}
.scroll td:has(.bar){min-width:220px}
.bar{display:block;width:100%;height:12px;background:var(--faint);border-radius:3px;overflow:hidden}
.bar rect.stage{fill:var(--bar)}.bar rect.good{fill:var(--bar-good)}.bar rect.bad{fill:var(--bar-bad)}.bar rect.plain,.bar rect.pause{fill:var(--pause)}.bar rect.rest{fill:var(--faint)}
.budget{max-width:420px;margin:8px 0}
details>summary{cursor:pointer}
details>summary::marker{color:var(--muted)}
.in{padding:2px 0 6px}
main details:not(.round):not(.file){margin:4px 0;border:1px solid var(--line);border-radius:6px}
main details:not(.round):not(.file)>summary{padding:6px 12px}
main details:not(.round):not(.file)>.in{padding:4px 12px 10px;border-top:1px solid var(--faint)}
.item{border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:0 0 16px}
.item>h3{margin-top:0;font-size:17px}.item-id{font-size:15px;color:var(--muted);margin-right:.2em}
.chips code{margin-right:4px}
.round{border-top:1px solid var(--faint);margin:12px -16px 0;padding:8px 16px 0}
.round>summary{padding:2px 0}.round-name{font-weight:600;margin-right:6px}.steps{color:var(--muted)}
blockquote{border-left:3px solid var(--line);padding-left:12px;margin:8px 0}
.lanes{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:12px;margin:8px 0}
.lane,.gate{border:1px solid var(--line);border-radius:6px;padding:10px 14px;min-width:0}
.gate{margin:10px 0;border-left-width:4px;color:var(--fg)}.gate h4{margin-top:0}.gate.good{border-left-color:var(--good)}.gate.bad{border-left-color:var(--bad)}.gate.wait{border-left-color:var(--wait)}
.finding,.note{border:1px solid var(--line);border-left:4px solid var(--pause);border-radius:6px;padding:10px 14px;margin:8px 0;color:var(--fg);background:var(--bg)}
.finding.bad,.note.bad{border-left-color:var(--bad)}.finding.wait,.note.wait{border-left-color:var(--wait)}
.evidence{list-style:none;margin-top:6px}.evidence li{margin:3px 0}
.cut{color:var(--muted);font-style:italic}
.log-name{margin-top:8px!important}
.log{margin:4px 0;padding:10px 12px;background:var(--soft);border:1px solid var(--faint);border-radius:6px;white-space:pre-wrap;max-height:26em;overflow:auto}
.gap{display:block;color:var(--wait);background:var(--wait-bg);padding:2px 6px;margin:6px 0;border-radius:4px}
.file{border:1px solid var(--line);border-radius:6px;margin:10px 0;overflow:hidden}
.file>summary{padding:8px 12px;background:var(--soft)}.file[open]>summary{border-bottom:1px solid var(--line)}
.file .path{font-weight:600}.file>.note,.file>.remark{margin:8px 12px}.nums{margin-left:6px;font-family:var(--mono);font-size:12px}
.plus{color:var(--good)}.minus{color:var(--bad)}
.diff{table-layout:fixed;line-height:20px}.diff col.n{width:50px}
.diff td{padding:0 10px;vertical-align:top}
.diff td:nth-child(1),.diff td:nth-child(2){text-align:right;color:var(--muted);user-select:none;-webkit-user-select:none;padding:0 8px}
.diff tr:not(.f):not(.h) td:nth-child(3){white-space:pre-wrap;tab-size:4}
.diff .a td{background:var(--add)}.diff .d td{background:var(--del)}
.diff .a td:nth-child(-n+2){background:var(--add-n);color:var(--fg)}.diff .d td:nth-child(-n+2){background:var(--del-n);color:var(--fg)}
.diff .h td{background:var(--hunk);color:var(--muted);text-align:left;padding:2px 12px}
.diff .n td{color:var(--muted);font-style:italic}
.diff .f td{text-align:left;padding:2px 12px;background:var(--soft);user-select:text;-webkit-user-select:text;font:14px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;color:var(--fg)}
.tree,.tree ul{list-style:none}.tree{margin:10px 0}.tree>li{margin:10px 0}
.tree ul{margin-left:9px;border-left:2px solid var(--line)}
.tree ul li{padding:3px 0 3px 16px;position:relative}
.tree ul li::before{content:"";position:absolute;left:0;top:13px;width:10px;border-top:2px solid var(--line)}
footer{border-top:1px solid var(--line);margin-top:32px;padding-top:14px;padding-bottom:32px;color:var(--muted);font-size:12px}
@media (min-width:1100px){
.page{display:grid;grid-template-columns:170px minmax(0,1fr);gap:36px}
nav{position:sticky;top:0;align-self:start;padding-top:22px;max-height:100vh;overflow:auto}
nav ul{display:block;border:0}}
@media (max-width:900px){.facts{grid-template-columns:repeat(3,minmax(0,1fr))}}
@media (max-width:640px){
.inner,.page,footer{padding-left:14px;padding-right:14px}
h1{font-size:21px}.facts{grid-template-columns:repeat(2,minmax(0,1fr))}
.stages th,.stages td{padding:6px 8px}.stages th:nth-child(3),.stages td:nth-child(3){display:none}
.diff col.n:first-child{width:0}.diff col.n{width:38px}.diff td{padding:0 6px}
.diff tr:not(.f):not(.h) td:nth-child(1){padding:0;font-size:0}.diff td:nth-child(2){padding:0 5px}
.diff .h td,.diff .f td{padding:2px 8px}}
@media print{
:root{color-scheme:light;--bg:#fff;--soft:#fff;--line:#bbb;--faint:#ddd;--fg:#000;--muted:#444;--link:#000;--good:#0a5220;--good-bg:#fff;--bad:#8b0f20;--bad-bg:#fff;--wait:#5f3b00;--wait-bg:#fff;--plain-bg:#fff;--add:#eef9f0;--add-n:#eef9f0;--del:#fbeeee;--del-n:#fbeeee;--hunk:#fff}
body{font-size:10pt}nav,.skip{display:none}.inner,.page,footer{max-width:none;padding:0;display:block}
details::details-content{content-visibility:visible;height:auto;opacity:1}
.log{max-height:none;overflow:visible}.scroll{overflow:visible;border:0}.scroll th,.scroll td{padding:3px 6px}
h2,h3,h4,summary{break-after:avoid}tr,.finding,.note,.gate,.lane,.command,.facts div{break-inside:avoid}
.pill,.state{border-color:currentColor!important}a{text-decoration:none}}
`;
