/** The style of the /docs page, light and dark, by the reader's setting. */
export const STYLE = `
:root { color-scheme: light dark; --page: light-dark(#fff, #14171c); --side: light-dark(#f6f7f9, #191d23); --text: light-dark(#1d232b, #dfe4ea);
  --faint: light-dark(#5a6572, #97a3b0); --line: light-dark(#e1e5ea, #2b323b); --link: light-dark(#0b57c2, #7db4ff); --mark: light-dark(#fff3c4, #4a3f14); }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  display: grid; grid-template-columns: 14rem minmax(0, 1fr); }
nav { background: var(--side); border-right: 1px solid var(--line); padding: 1.5rem 1rem; position: sticky; top: 0; height: 100vh; overflow: auto; }
nav ul { list-style: none; margin: 0; padding: 0; } nav ul ul { margin: 0 0 .6rem .8rem; } nav > ul > li > a { font-weight: 600; }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none; }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem) 6rem; max-width: 64rem; }
a { color: var(--link); text-underline-offset: 2px; } a:hover, nav a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
h1 { font-size: 1.9rem; margin: 0 0 .5rem; } h2 { font-size: 1.4rem; margin: 3rem 0 1rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2rem 0 .75rem; } h4 { font-size: 1rem; margin: 0; display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; }
p { margin: .4rem 0; } code { font: .9em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
article { border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem; margin: 0 0 1rem; }
:target { background: var(--mark); } article:target { background: none; outline: 2px solid var(--link); }
.method { font: 700 .75rem/1 ui-monospace, Menlo, Consolas, monospace; padding: .35em .55em; border-radius: 4px; color: #fff; background: #4b5563; }
.get { background: #1f6f43; } .post { background: #0b57c2; } .put { background: #8a5a00; } .patch { background: #6b3fa0; } .delete { background: #b3261e; }
.access { font-size: .8rem; font-weight: 400; color: var(--faint); border: 1px solid var(--line); border-radius: 99px; padding: 0 .6em; }
.label { margin: .8rem 0 .2rem; font-size: .8rem; font-weight: 600; color: var(--faint); }
.refusals { margin: 0; font-size: .85rem; } .refusals a { margin-right: .6em; display: inline-block; }
.optional { font-size: .75rem; font-weight: 400; color: var(--faint); }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line); font-weight: 400; }
tbody th { width: 14rem; } .grid td:first-child, thead th { white-space: nowrap; } thead th { font-size: .8rem; font-weight: 600; color: var(--faint); border: 0; } td p { margin: 0; color: var(--faint); font-size: .9rem; }
@media (max-width: 760px) { body { display: block; } nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  nav ul ul { display: flex; flex-wrap: wrap; gap: 0 1rem; } tbody th { width: 9rem; } }
`;
