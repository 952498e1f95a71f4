/** Text as it may stand in HTML, also inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fff}" +
  "h1{font-size:1.5rem}a{color:#0b5cad}code{background:#eef1f5;padding:.1em .3em;border-radius:3px}" +
  "td{padding:.2rem 1.5rem .2rem 0;vertical-align:top}" +
  "@media(prefers-color-scheme:dark){body{color:#dde3ea;background:#12161c}a{color:#7db8f7}code{background:#232a33}}";

/** A small page that needs no script. `body` is HTML. */
export function htmlPage(title: string, body: string): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${escapeHtml(title)}</title><style>${style}</style></head><body>${body}</body></html>`
  );
}
