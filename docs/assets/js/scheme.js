/* What Material writes into each page, once for all of them: what it remembers of a reader (the
 * scheme, the open tabs) under the site's own path, and the scheme before the page is painted.
 *
 * The names are Material's; its script uses them. This one is not deferred, as they are needed
 * while the page is being read.
 */
"use strict";
globalThis.__md_scope = new URL("../..", document.currentScript.src);
globalThis.__md_get = (key, storage = localStorage, scope = __md_scope) =>
  JSON.parse(storage.getItem(`${scope.pathname}.${key}`));
globalThis.__md_set = (key, value, storage = localStorage, scope = __md_scope) => {
  try {
    storage.setItem(`${scope.pathname}.${key}`, JSON.stringify(value));
  } catch {
    /* storage is full or forbidden: the choice lasts as long as the page */
  }
};
globalThis.__md_scheme = () => {
  const color = __md_get("__palette")?.color ?? { media: "(prefers-color-scheme)" };
  if (color.media === "(prefers-color-scheme)") {
    const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
    const input = document.querySelector(
      `[data-md-color-media="(prefers-color-scheme: ${system})"]`,
    );
    for (const name of ["media", "scheme", "primary", "accent"]) {
      color[name] = input.getAttribute(`data-md-color-${name}`);
    }
  }
  for (const [name, value] of Object.entries(color)) {
    document.body.setAttribute(`data-md-color-${name}`, value);
  }
};
