/* For readers who use a keyboard or a screen reader: what the theme builds in the browser.
 *
 * A formula or a table wider than the page scrolls, so the keyboard must reach it. The row of
 * buttons on each code block is no landmark: a page has dozens.
 */
(() => {
  "use strict";
  const mend = () => {
    for (const box of document.querySelectorAll(".lab-math, .lab-table, .md-typeset__scrollwrap")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
    for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "none");
  };
  let planned;
  const plan = () => { cancelAnimationFrame(planned); planned = requestAnimationFrame(mend); };
  new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
  addEventListener("resize", plan);
  plan();
})();
