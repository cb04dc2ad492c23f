/* What only a browser can do to a page of the book.
 *
 * A figure opens as large as the window. For readers who use a keyboard or a screen reader: a
 * formula, the map, a table or code wider than the page scrolls, so the keyboard must reach it; and
 * the row of buttons on each code block is no landmark, for a page has dozens.
 */
(() => {
  "use strict";
  const SCROLLS = ".lab-math, .lab-map, .lab-table, .md-typeset__scrollwrap, pre > code";

  /* A figure links to its drawing. This shows the drawing above the page instead; Escape, the
   * button and a click close it, and the browser gives the focus back to the link. */
  const enlarge = (figure) => {
    const dialog = document.createElement("dialog");
    dialog.className = "lab-dialog md-typeset";
    dialog.ariaLabel = "Figure, enlarged";
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    const frame = document.createElement("div");
    frame.tabIndex = 0; // on a phone it scrolls
    frame.append(...[...figure.children].map((image) => image.cloneNode()));
    dialog.append(close, frame);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    const figure = event.target.closest?.(".lab-large");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey; // a new tab or window
    if (!figure || elsewhere) return;
    event.preventDefault();
    enlarge(figure);
  });

  /* Instant navigation exchanges the article, and scripts of the theme add to it, so this runs
   * after each change. */
  const mend = () => {
    for (const box of document.querySelectorAll(SCROLLS)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
    for (const row of document.querySelectorAll("nav.md-code__nav:not([role])")) {
      row.setAttribute("role", "none");
    }
  };
  let planned;
  const plan = () => {
    cancelAnimationFrame(planned);
    planned = requestAnimationFrame(mend);
  };
  new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
  addEventListener("resize", plan);
  plan();
})();
