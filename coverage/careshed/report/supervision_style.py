"""Style the page that tells what changed between two runs: calm, printable, told apart without colour."""

from __future__ import annotations

from typing import Final

GAIN, LOSS, INK, SOFT, LINE = "#1f6aa5", "#b5530f", "#1d2730", "#55616c", "#dfe3e6"
"""Blue and orange, which people with any colour vision tell apart; signs and words repeat them."""

STYLE: Final = """
:root{--ink:#1d2730;--soft:#55616c;--line:#dfe3e6;--gain:#1f6aa5;--loss:#b5530f;--paper:#f6f5f1}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:15px/1.65 "Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei","Segoe UI",system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:66rem;margin:0 auto;padding:40px 24px 64px}
h1{margin:0;font-size:26px;line-height:1.3;text-wrap:balance}
h2{margin:44px 0 6px;font-size:19px;line-height:1.4}
h3{margin:18px 0 2px;font-size:15px}
p{margin:6px 0}
.soft{color:var(--soft);font-size:13.5px}
.ribbon{display:inline-block;margin:0 0 12px;padding:2px 12px;border:1px solid var(--loss);border-radius:3px;color:var(--loss);font-size:13px;font-weight:600}
.hero{margin:20px 0 0;font-size:18px}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin:20px 0 0;padding:0;list-style:none}
.tiles li{padding:10px 14px 12px;border:1px solid var(--line);border-top:3px solid var(--line);border-radius:4px}
.tiles b{display:block;font-size:26px;line-height:1.25}
.tiles .up{border-top-color:var(--gain)}.tiles .down{border-top-color:var(--loss)}
.tiles span{color:var(--soft);font-size:13px;line-height:1.4;display:block}
.up b,.gain{color:var(--gain)}.down b,.loss{color:var(--loss)}
table{width:100%;margin-top:10px;border-collapse:collapse;font-size:13.5px;line-height:1.5}
caption{text-align:left;color:var(--soft);font-size:13px;padding-bottom:4px}
th{padding:6px 14px 6px 0;border-bottom:1px solid var(--ink);text-align:left;font-weight:600;vertical-align:bottom}
td{padding:7px 14px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap}
td.w{white-space:nowrap}
tr{break-inside:avoid}
td small{display:block;color:var(--soft);font-size:12px;line-height:1.5}
.turned td:first-child{font-weight:600}
.mark{display:inline-block;padding:0 7px;border:1px solid currentColor;border-radius:9px;font-size:12px;white-space:nowrap}
.side{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:28px;align-items:start}
.charts{display:grid;grid-template-columns:1fr 1fr;gap:28px}
svg{display:block;width:100%;height:auto}
svg text{font-family:inherit;fill:var(--ink)}
.dumb{width:132px}
.wide{overflow-x:auto}
.notes{margin:8px 0 0;padding-left:18px;font-size:13.5px}
details{margin-top:12px}
summary{cursor:pointer;color:var(--soft);font-size:13.5px}
footer{margin-top:40px;padding-top:14px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
@media (max-width:760px){main{padding:24px 16px 48px}.tiles{grid-template-columns:1fr 1fr}.side,.charts{grid-template-columns:1fr}.wide table{min-width:38rem}.side .wide table{min-width:0}}
@media print{@page{size:A4;margin:14mm}body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}svg,.tiles li,.mark{print-color-adjust:exact;-webkit-print-color-adjust:exact}.side{grid-template-columns:2fr 3fr;gap:16px}.charts,figure{break-inside:avoid}details{display:none}}
"""  # noqa: E501
