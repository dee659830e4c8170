/** The style of the pages of links: the colours and sizes of the dashboard. */
export const linkStyle = `
:root{color-scheme:light dark;--bg:light-dark(#f6f7f9,#0f1216);--surface:light-dark(#fff,#161a20);--sunk:light-dark(#eef0f3,#0b0d10);
--line:light-dark(#e0e4e9,#2a3039);--line-strong:light-dark(#c4cad2,#3b434e);--text:light-dark(#171b21,#e8ebef);--dim:light-dark(#59616c,#98a2af);
--accent:light-dark(#3451c9,#8ea6ff);--accent-strong:light-dark(#3451c9,#4c68e0);--danger:light-dark(#bb2032,#ff8a92);
--mono:ui-monospace,"SF Mono",Menlo,Consolas,monospace}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;padding:1.5rem 1rem 3rem;background:var(--bg);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:44rem;margin:0 auto;padding:1.75rem;border:1px solid var(--line);border-radius:12px;background:var(--surface)}
.brand{display:flex;align-items:center;gap:.55rem;max-width:44rem;margin:0 auto 1rem;color:var(--dim);font-weight:600}
.brand svg{width:1.5rem;height:1.5rem}
h1{margin:.15rem 0 0;font-size:1.6rem;font-weight:680;letter-spacing:-.02em;line-height:1.2;overflow-wrap:anywhere}
p{margin:.75rem 0 0}
a{color:var(--accent);text-underline-offset:.15em}
.dim{color:var(--dim)}.from{margin:0;color:var(--dim)}.failed{color:var(--danger)}
.note{padding:.7rem .9rem;border-left:3px solid var(--line-strong);background:var(--sunk);white-space:pre-wrap;overflow-wrap:anywhere}
.actions{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:1.25rem}
.button,button{display:inline-flex;align-items:center;justify-content:center;gap:.5rem;padding:.5rem 1.1rem;border:1px solid var(--line-strong);
border-radius:8px;background:var(--surface);color:inherit;font:inherit;font-weight:540;text-decoration:none;cursor:pointer}
.primary{border-color:transparent;background:var(--accent-strong);color:#fff}
.button:hover,button:hover{border-color:var(--dim)}
.preview{display:block;max-width:100%;max-height:28rem;margin:1.25rem auto 0;border-radius:8px}
audio.preview{width:100%}
pre.preview{margin-left:0;padding:.8rem 1rem;overflow:auto;background:var(--sunk);font:.86rem/1.5 var(--mono);tab-size:4}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1.25rem;margin:1.5rem 0 0;padding-top:1.25rem;border-top:1px solid var(--line)}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
code{font:.88em var(--mono)}
label{display:block;font-weight:540}
input{display:block;width:100%;max-width:22rem;margin-top:.3rem;padding:.5rem .7rem;border:1px solid var(--line-strong);border-radius:8px;background:var(--surface);color:inherit;font:inherit}
form{margin-top:1.25rem}form button{margin-top:.8rem}
ul{list-style:none;margin:1.25rem 0 0;padding:0}
li{display:flex;align-items:baseline;justify-content:space-between;gap:1rem;padding:.4rem 0;border-top:1px solid var(--line)}
li a,li .name{overflow-wrap:anywhere;min-width:0}li span{color:var(--dim);white-space:nowrap}li .name{color:inherit;white-space:normal}
.drop{padding:1.5rem 1.25rem;border:1.5px dashed var(--line-strong);border-radius:12px;background:var(--sunk);cursor:pointer}
.drop input{max-width:none;padding:.35rem 0;border:0;background:none}.over .drop{border-color:var(--accent)}
li.file{display:grid;grid-template-columns:minmax(0,1fr) auto auto;align-items:center;gap:.35rem 1rem}li.file button{padding:.2rem .7rem;margin:0}
li.file>span:nth-child(2):not(:has(+button)){grid-column:2/-1}
input::file-selector-button{margin-right:.8rem;padding:.4rem .9rem;border:1px solid var(--line-strong);border-radius:8px;background:var(--surface);color:var(--text);font:inherit;font-weight:540;cursor:pointer}
progress{grid-column:1/-1;width:100%;height:.4rem;border:0;border-radius:4px;background:var(--sunk);accent-color:var(--accent)}
progress::-webkit-progress-bar{border-radius:4px;background:var(--sunk)}progress::-webkit-progress-value{border-radius:4px;background:var(--accent)}
li .failed{grid-column:1/-1;color:var(--danger);white-space:normal;overflow-wrap:anywhere}[hidden]{display:none!important}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media (max-width:30rem){main{padding:1.1rem}h1{font-size:1.3rem}dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.5rem}.actions .button{flex:1;white-space:nowrap}li.file{grid-template-columns:minmax(0,1fr) auto}li.file .name{grid-column:1/-1}li.file>span:nth-child(2):not(:has(+button)){grid-column:1/-1}}
`
