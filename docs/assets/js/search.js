/* The search index weighs more than a page: fetch it when the reader reaches for the search.
 *
 * The theme asks for it at once, so this runs before the theme's script.
 */
(() => {
  "use strict";
  const { open, send } = XMLHttpRequest.prototype,
    waiting = [];
  let wanted = new URLSearchParams(location.search).has("q");
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isIndex = String(url).endsWith("/search_index.json");
    open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.isIndex && !wanted) waiting.push(() => send.call(this, body));
    else send.call(this, body);
  };
  const reach = ({ type, key, target }) => {
    const near = target.closest?.("[data-md-component=search], [for=__search], #__search");
    if (!near && !(type === "keydown" && "fs/".includes(key))) return;
    wanted = true;
    for (const start of waiting.splice(0)) start();
  };
  for (const type of ["focusin", "pointerover", "change", "keydown"]) addEventListener(type, reach);
})();
