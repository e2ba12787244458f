// SPDX-License-Identifier: Apache-2.0
/**
 * The report's style: the look's tokens, a newspaper's front page, an annual report behind it; light, dark, narrow and on paper.
 * Input: fonts as data, where they are there; week and revision for the foot of each page. Output: one text for a style element.
 */

export const TOKENS = `:root{color-scheme:light dark;
--sans:"Inter Variable","Inter",system-ui,"Segoe UI",Roboto,sans-serif;--serif:"Vollkorn Variable","Vollkorn",Charter,"Source Serif 4",Georgia,serif;--mono:"JetBrains Mono Variable","JetBrains Mono",ui-monospace,Menlo,Consolas,monospace;
--canvas:light-dark(#fbfaf7,#131416);--sunken:light-dark(#f3f1eb,#0d0e10);--hair:light-dark(#e6e2d8,#27292d);--line:light-dark(#cdc8bb,#3d4045);--rule:light-dark(#1c1b19,#8f8c84);
--ink:light-dark(#1c1b19,#edebe5);--ink2:light-dark(#504e49,#b9b6ad);--ink3:light-dark(#67645d,#9a978f);--accent:light-dark(#1f4e9e,#8db4ff);
--critical:light-dark(#7d0c33,#ffa3bb);--high:light-dark(#b5380a,#f08a48);--medium:light-dark(#bf7d0c,#a97d1e);--low:light-dark(#7489a0,#667c92);--info:light-dark(#868c93,#6b727a);
--good:light-dark(#0b6a72,#55bfc4);--bad:light-dark(#a52c14,#ff8a6e);--warn:light-dark(#8f6206,#e6bd5a);--except:light-dark(#6a479f,#b9a0f2);--unknown:light-dark(#67645d,#9a978f)}`;

const BODY = `*{box-sizing:border-box;font-feature-settings:"lnum"!important}table *,.dl *,.key *,.pt *,.cov,svg text{font-feature-settings:"tnum","lnum","cv05"!important}html{background:var(--sunken)}body{margin:0;color:var(--ink);font:400 13px/18.5px var(--serif);font-feature-settings:"lnum";-webkit-text-size-adjust:100%}
h1,h2,p,ul,figure{margin:0;padding:0}ul{list-style:none}main{max-width:880px;margin:24px auto;background:var(--canvas);padding:48px 56px 56px;border:1px solid var(--hair)}
svg text{font:10px var(--sans);fill:var(--ink3);font-feature-settings:"tnum"}svg .v{fill:var(--ink);font-weight:600}svg.g{display:inline-block;vertical-align:-1px;flex:none}svg.bar{display:inline-block;vertical-align:-1px;max-width:100%}svg.days,svg.line{display:block;width:100%;height:auto}
.hidden{position:absolute;width:0;height:0}.mono{font-family:var(--mono);font-size:.88em;letter-spacing:-.02em;overflow-wrap:anywhere}.bad{color:var(--bad);font-weight:600}.dim{color:var(--ink3)}.serif{font:400 13.5px/17px var(--serif)}b{font-weight:600}
.mast{border-top:5px solid var(--rule);padding-top:3px}.np{border-top:1px solid var(--rule);display:grid;grid-template-columns:1fr auto 1fr;align-items:center;gap:12px;padding:10px 0 8px}.nm{display:flex;gap:8px;align-items:center;font:600 17px/20px var(--serif)}.nm svg{width:18px;height:18px}.tt{font:600 32px/36px var(--serif);letter-spacing:-.006em;text-align:center}.wk{text-align:right;font:600 17px/20px var(--serif)}
.dl{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 16px;border-top:1px solid var(--rule);border-bottom:1px solid var(--rule);padding:4px 0;font:400 11px/15px var(--sans);color:var(--ink2);font-feature-settings:"tnum"}.dl span{overflow-wrap:anywhere}
.rev{margin-top:12px;border-left:2px solid var(--rule);padding-left:12px;font:400 12px/17px var(--sans);color:var(--ink2)}
.front h1{font:600 44px/47px var(--serif);letter-spacing:-.014em;margin:24px 0 12px;text-wrap:balance;overflow-wrap:anywhere}.stand{text-wrap:pretty;font-size:18px;line-height:26px;color:var(--ink2);overflow-wrap:anywhere}
.fg{display:grid;grid-template-columns:minmax(0,1fr) 330px;gap:34px;margin-top:16px}.story{font-size:14px;line-height:20.5px;overflow-wrap:anywhere}.story p+p{text-indent:1.3em}
.vf{font-family:var(--sans)}.pv{display:flex;gap:12px;align-items:center;margin-bottom:8px}.pn{white-space:nowrap;font:600 46px/44px var(--serif);letter-spacing:-.02em}.pn small{font-size:22px}.pt{font-size:11.5px;line-height:16px;color:var(--ink2)}.pt b{color:var(--ink)}
.key{font:400 11px/16px var(--sans);color:var(--ink2);display:flex;flex-wrap:wrap;gap:2px 14px;margin:5px 0 6px;font-feature-settings:"tnum"}.key span{white-space:nowrap}
.bw{display:grid;grid-template-columns:1fr 1fr;gap:34px;margin-top:16px}.fh{font:600 13px/18px var(--sans);border-top:1.5px solid var(--rule);padding-top:6px}.bw li{padding:5px 0;border-bottom:1px solid var(--hair);font-size:13.5px;line-height:19px;overflow-wrap:anywhere}.dh{margin-top:18px}
.tw{overflow-x:auto;margin:2px 0 10px}table{width:100%;border-collapse:collapse;font:400 11.5px/15.5px var(--sans);font-feature-settings:"tnum","lnum","cv05"}th{font-weight:500;color:var(--ink3);text-align:left;border-bottom:1px solid var(--line);padding:3px 10px 3px 0;white-space:nowrap;vertical-align:bottom}td{padding:4px 10px 4px 0;border-bottom:1px solid var(--hair);vertical-align:top;white-space:nowrap}td.w{white-space:normal;overflow-wrap:anywhere;min-width:84px}.n{text-align:right}tr>*:last-child{padding-right:0}td svg.g{margin-right:3px}tr.sum td{font-weight:600}
.dec td:first-child{font:400 14px/18px var(--serif);width:99%}
.s{display:grid;grid-template-columns:132px minmax(0,1fr);gap:26px;border-top:2px solid var(--rule);padding-top:10px;margin-top:26px}.mg .no{font:400 40px/38px var(--serif)}.mg h2{font:600 16px/19px var(--serif);margin:4px 0 6px}.cov{font:400 10.5px/14.5px var(--sans);color:var(--ink3);font-feature-settings:"tnum"}
.take{text-wrap:pretty;font:500 16.5px/23px var(--serif);margin-bottom:8px;overflow-wrap:anywhere}.two{display:grid;grid-template-columns:1fr 1fr;gap:26px;align-items:start}.nt{font-size:12.5px;line-height:17.5px;color:var(--ink2);margin-bottom:8px;overflow-wrap:anywhere}
.hx{position:relative;border:1px solid var(--unknown);margin:4px 0 10px;padding:5px;background:repeating-linear-gradient(135deg,var(--unknown) 0 1px,transparent 1px 4px)}.hx p{background:var(--canvas);padding:7px 11px;font:400 12px/17px var(--sans);color:var(--ink2)}.hx svg{margin-right:7px}
.in{margin-top:16px}.in div{display:grid;grid-template-columns:1fr 1fr 1fr;gap:3px 34px;margin-top:5px}.in a{color:inherit;text-decoration:none;font-size:13.5px;line-height:20px}.in a:hover{text-decoration:underline}.in b{display:inline-block;width:20px}
.sg td{height:26px}.sg td,.sg th{width:33%}figcaption{font:500 11px/16px var(--sans);color:var(--ink2);margin:6px 0 4px}figure{margin-bottom:6px}
.q{font:500 9.5px/1 var(--mono);color:var(--accent);text-decoration:none;border-bottom:1px dotted;vertical-align:1px}a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.qs{columns:2;column-gap:26px;margin-bottom:8px}.qs p{break-inside:avoid;font:400 11px/14.5px var(--sans);margin-bottom:6px}.qs .mono{display:block;font-size:9.5px;line-height:13px;color:var(--ink2)}.qs p:target{outline:2px solid var(--accent);outline-offset:2px}
@media(max-width:800px){.tw .many{min-width:540px}main{margin:0;border:0;padding:20px 18px 32px}.np{grid-template-columns:1fr auto}.tt{grid-column:1/3;grid-row:2;font-size:26px;line-height:30px;text-align:left}.dl{flex-direction:column}.front h1{font-size:31px;line-height:34px;margin:18px 0 10px}.stand{font-size:16px;line-height:23px}.fg,.bw,.two,.s{grid-template-columns:minmax(0,1fr);gap:14px}.s{padding-top:8px}.mg{display:grid;grid-template-columns:auto 1fr;column-gap:12px;align-items:baseline}.mg .cov{grid-column:1/3}.mg .no{font-size:28px;line-height:30px}.in div{grid-template-columns:1fr}.in a{line-height:30px}.qs{columns:1}}`;

const foot = (week: string, revision: number): string =>
  `@page{size:A4;margin:15mm 16mm 17mm;@bottom-left{content:"Vigil weekly posture report ${week}, revision ${revision}";font:7.5pt "Inter Variable","Inter",sans-serif;color:#67645d}@bottom-right{content:counter(page) " of " counter(pages);font:7.5pt "Inter Variable","Inter",sans-serif;color:#67645d}}
@media print{:root{color-scheme:light!important;--canvas:#fff}html,body{background:#fff}main{margin:0;max-width:none;padding:0;border:0;zoom:.93}.tw{overflow:visible}.front{break-after:page}.s{break-inside:avoid;margin-top:26px}.s.long{display:block;position:relative;break-inside:auto}.s.long>.mg{position:absolute;width:132px}.s.long>.ct{margin-left:158px;min-height:96px}table{break-inside:auto}thead{display:table-header-group}tr,.two,figure,.nt,.hx,.qs p{break-inside:avoid}.take{break-after:avoid}.take,.mg{break-inside:avoid}#s2{margin-top:0}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}`;

/** Fonts as data, by family. */
export interface Fonts {
  readonly sans: string;
  readonly serif: string;
  readonly mono: string;
}

const face = (family: string, data: string): string =>
  `@font-face{font-family:"${family}";font-style:normal;font-display:swap;font-weight:100 900;src:url(data:font/woff2;base64,${data}) format("woff2")}`;

export const styleOf = (week: string, revision: number, fonts: Fonts | null): string =>
  [
    ...(fonts === null
      ? []
      : [face('Inter Variable', fonts.sans), face('Vollkorn Variable', fonts.serif), face('JetBrains Mono Variable', fonts.mono)]),
    TOKENS,
    BODY,
    foot(week, revision),
  ].join('\n');
