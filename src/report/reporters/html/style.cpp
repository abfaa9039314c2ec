#include "report/reporters/html/parts.h"

namespace ckpt::report::html {

// System fonts, two color schemes, one column. Colors of meaning are always beside a word or a sign.
const std::string_view kStyle = R"css(
:root{color-scheme:light dark;
--bg:#fbfbfa;--card:#fff;--ink:#1c2024;--dim:#5d6670;--line:#e3e5e8;--soft:#f1f2f4;--accent:#2f5fb3;
--error:#b3261e;--error-bg:#fdeceb;--warning:#8a5300;--warning-bg:#fff3dc;--note:#2f5fb3;--note-bg:#e8effb;
--good:#1b6e3c;--good-bg:#e5f5ea;
--h0:#eceef0;--h1:#fdf1d8;--h2:#fbdfae;--h3:#f7c687;--h4:#f0a765;--h5:#e3834f;--h6:#cc6148;--h7:#aa4549;--h8:#82304c;--h9:#561f47;
--h1t:#3b2a10;--h6t:#fff;--s1:#2f5fb3;--s2:#c2571a;--s3:#1b7f5a;--s4:#8a3fa0;--s5:#9a7b00;--s6:#5d6670}
@media(prefers-color-scheme:dark){:root{
--bg:#14171a;--card:#1b1f23;--ink:#e4e7ea;--dim:#9aa4ae;--line:#2e343a;--soft:#23282d;--accent:#8ab0f5;
--error:#ff8a80;--error-bg:#3a1d1b;--warning:#f2b552;--warning-bg:#35290f;--note:#8ab0f5;--note-bg:#1c2a42;
--good:#6fcf97;--good-bg:#15301f;
--h0:#262b30;--h1:#33202f;--h2:#4c253c;--h3:#6b2c46;--h4:#8c384b;--h5:#ad4a4d;--h6:#cb634f;--h7:#e28555;--h8:#f0ac67;--h9:#f8d896;
--h1t:#f3e5e0;--h6t:#21130e;--s1:#8ab0f5;--s2:#f2a06b;--s3:#6fcf97;--s4:#cf9be0;--s5:#e0c65a;--s6:#9aa4ae}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums}
main,footer{max-width:1240px;margin:0 auto;padding:0 24px}
code,pre,.name,.list td:first-child,svg text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
[hidden],.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
[hidden]{display:none}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:6px 12px;z-index:9}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
a{color:var(--accent)}
header{padding:36px 0 8px}
h1{font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.01em;margin:2px 0 14px;overflow-wrap:anywhere}
h2{font-size:19px;font-weight:650;margin:0 0 4px}
section{margin:34px 0 0}
p{margin:0 0 8px}
.tool{margin:0;color:var(--dim);font-size:13px;letter-spacing:.04em}
.lead,.more{color:var(--dim);font-size:13.5px}
.more{margin:8px 0}
.remark{border-left:3px solid var(--line);padding-left:10px}
.dim{color:var(--dim)}.strong{font-weight:600}
.error{color:var(--error)}.warning{color:var(--warning)}.note{color:var(--note)}.good{color:var(--good)}
h1.strong{font-weight:650}
.facts{display:flex;flex-wrap:wrap;gap:1px;margin:20px 0 16px;background:var(--line);
border:1px solid var(--line);border-radius:10px;overflow:hidden}
.facts div{background:var(--card);padding:10px 14px 11px;flex:1 1 120px}
.facts dt{color:var(--dim);font-size:12.5px}
.facts dd{margin:1px 0 0;font-size:18px;font-weight:600;line-height:1.3;overflow-wrap:anywhere}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:13.5px;line-height:1.45}
th,td{padding:3px 14px 3px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere;max-width:44em}
th{font-weight:600;color:var(--dim);font-size:12.5px;white-space:nowrap}
tbody th{color:var(--ink);font-weight:400}
td.n,th.n{text-align:right;white-space:nowrap}
td{min-width:2.2em}
tbody tr+tr>*{border-top:1px solid var(--soft)}
.files{margin:0 0 8px}.files summary{color:var(--dim);font-size:14px}
.inputs{font-size:14px}.inputs .role{color:var(--dim);font-size:12.5px;min-width:0}.inputs .name{font-size:13px}
.list{font-size:13px}.list td,.list th{padding-right:12px}
.list td:first-child,.name{font-size:12.5px}
.list td,.sortable td,.inputs .name{white-space:nowrap;max-width:none}
.list td.w,.sortable td.w,.inputs td.w{white-space:normal;min-width:22em;max-width:66em}
.list .mark{font-weight:700;min-width:1.2em}
.sortable{width:100%}
.sortable td:nth-child(-n+2){font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
.sortable thead th{border-bottom:1px solid var(--line)}
.sortable button{all:unset;cursor:pointer;color:inherit}.sortable button:focus-visible{outline:2px solid var(--accent)}
.sortable [aria-sort] button{color:var(--ink)}
.sortable [aria-sort=ascending] button:after{content:" ↑"}.sortable [aria-sort=descending] button:after{content:" ↓"}
details.card{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:10px 0;padding:0 16px}
details.card>summary{padding:9px 0;overflow-wrap:anywhere}
details.card[open]{padding-bottom:12px}
summary{cursor:pointer}
summary b{font-weight:600}
summary::marker{color:var(--dim)}
.line{padding:5px 17px;margin:0}
details.rule{border-top:1px solid var(--line);padding:6px 0 6px 2px}
details.rule>summary{padding:3px 0}
details.rule>:not(summary){margin-left:18px}
.why{margin:4px 0 8px;font-size:14px}.why summary{color:var(--accent);font-size:13px}
.why dl{background:var(--soft);border-radius:8px;padding:10px 14px;margin:6px 0;max-width:76ch}
.why dt{font-weight:600;font-size:13px}.why dd{margin:0 0 8px;white-space:pre-line}
pre{overflow-x:auto;margin:4px 0;font-size:12.5px;white-space:pre}
.badge,.chip{display:inline-block;border-radius:5px;padding:0 7px;font-size:12px;font-weight:600;line-height:19px;white-space:nowrap;background:var(--soft)}
.badge.error,.chip.error{background:var(--error-bg)}.badge.warning{background:var(--warning-bg)}.badge.note{background:var(--note-bg)}
.count{color:var(--dim);font-size:12.5px}.count:before{content:"×"}
figure{margin:12px 0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
figcaption{font-size:13.5px;color:var(--dim);margin-bottom:8px;overflow-wrap:anywhere}
figcaption b{color:var(--ink);font-weight:600}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(350px,1fr));gap:12px}
.grid figure{margin:0}.grid svg{max-width:100%;height:auto}
.numbers{font-size:13px;margin-top:6px}.numbers summary{color:var(--dim);font-size:12.5px}
.numbers table{margin-top:4px;font-size:12.5px}.numbers td,.numbers th{padding:1px 12px 1px 0;white-space:nowrap}
.legend{font-size:12px;color:var(--dim);margin:8px 0 0}.legend span{display:inline-flex;align-items:center;gap:5px;margin-right:14px;white-space:nowrap}
.legend rect,.legend svg{border-radius:3px}
svg{display:block}
svg text{font-size:10.5px;fill:var(--ink)}svg .label{fill:var(--dim);font-size:11px}svg .tick{fill:var(--dim);font-size:10px}
.h0{fill:var(--h0)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}.h4{fill:var(--h4)}.h5{fill:var(--h5)}
.h6{fill:var(--h6)}.h7{fill:var(--h7)}.h8{fill:var(--h8)}.h9{fill:var(--h9)}
.hn{fill:var(--error-bg);stroke:var(--error);stroke-width:1.5}
svg .h0t{fill:var(--dim)}svg .h1t,svg .h2t,svg .h3t,svg .h4t,svg .h5t{fill:var(--h1t)}
svg .h6t,svg .h7t,svg .h8t,svg .h9t{fill:var(--h6t)}svg .hnt{fill:var(--error);font-weight:700}
.pos{fill:var(--s1)}.neg{fill:var(--s2)}.zero{fill:var(--dim)}
.axis{fill:none;stroke:var(--dim);stroke-width:1}svg .gridline{stroke:var(--line)}
.line{fill:none}svg .line{stroke-width:1.8;stroke-linejoin:round}
.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}.s5{fill:var(--s5)}.s6{fill:var(--s6)}
.line.s1{fill:none;stroke:var(--s1)}.line.s2{fill:none;stroke:var(--s2);stroke-dasharray:6 3}
.line.s3{fill:none;stroke:var(--s3);stroke-dasharray:2 3}.line.s4{fill:none;stroke:var(--s4);stroke-dasharray:9 3 2 3}
.line.s5{fill:none;stroke:var(--s5);stroke-dasharray:12 4}.line.s6{fill:none;stroke:var(--s6);stroke-dasharray:4 2 1 2}
svg .s1t{fill:var(--s1)}svg .s2t{fill:var(--s2)}svg .s3t{fill:var(--s3)}svg .s4t{fill:var(--s4)}svg .s5t{fill:var(--s5)}svg .s6t{fill:var(--s6)}
.tree,.tree ul{list-style:none;margin:0;padding:0 0 0 18px;font-size:13.5px}.tree{padding-left:2px}
.tree li{padding:1px 0;overflow-wrap:anywhere}.tree li[data-s]{padding-left:17px}
.tree .bar{display:inline-block;vertical-align:baseline;background:var(--soft);border-radius:2px}.bar rect{fill:var(--accent)}
.tree .n{color:var(--dim);font-size:12.5px}
.tools{position:sticky;top:0;z-index:5;background:var(--bg);border-bottom:1px solid var(--line);padding:8px 24px;display:flex;gap:10px;
align-items:center;flex-wrap:wrap;justify-content:center;font-size:13.5px}
.tools input{font:inherit;padding:4px 10px;border:1px solid var(--line);border-radius:7px;background:var(--card);color:var(--ink);width:min(420px,50vw)}
.tools button{font:inherit;font-size:13px;padding:4px 10px;border:1px solid var(--line);border-radius:7px;background:var(--card);color:var(--ink);cursor:pointer}
.tools output{color:var(--dim);min-width:9em}
footer{margin-top:44px;padding-top:14px;padding-bottom:40px;border-top:1px solid var(--line);color:var(--dim);font-size:12.5px}
footer code{overflow-wrap:anywhere;white-space:pre-wrap}
@media(max-width:640px){main,footer{padding:0 14px}h1{font-size:24px}header{padding-top:20px}.grid{grid-template-columns:1fr}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:11pt}.tools,.skip{display:none}
main,footer{max-width:none;padding:0}figure,tr,.facts{break-inside:avoid}.scroll{overflow:visible}
details.card,figure{border-color:#ccc}svg{max-width:100%;height:auto}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace ckpt::report::html
