/* What only a browser can do to a page of the book.
 *
 * A figure opens as large as the window. Python gets its colors, and a heading its link. The table
 * of contents stands in the phone's menu, too. For readers who use a keyboard or a screen reader:
 * a formula, a table or code wider than the page scrolls, so the keyboard must reach it; and the
 * row of buttons on each code block is no landmark, for a page has dozens.
 */
(() => {
  "use strict";
  const SCROLLS = ".lab-math, .lab-table, .md-typeset__scrollwrap, pre > code";

  const words =
    "False None True and as assert async await break class continue def del elif else " +
    "except finally for from global if import in is lambda nonlocal not or pass raise return try " +
    "while with yield";
  const strings = /[bfr]{0,2}(?:"""[\s\S]*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")/.source;
  const python = new RegExp(`(#.*)|(${strings})|\\b(?:${words.replaceAll(" ", "|")})\\b`, "g");
  const color = (code) => {
    code.translate = false;
    code.innerHTML = code.innerHTML.replace(python, (all, comment, string) =>
      comment ? `<i>${all}</i>` : string ? `<u>${all}</u>` : `<b>${all}</b>`,
    );
  };
  const link = (heading) => {
    const anchor = heading.appendChild(document.createElement("a"));
    Object.assign(anchor, {
      className: "headerlink",
      href: `#${heading.id}`,
      title: "Link here",
      textContent: "¶",
    });
  };

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
    document
      .querySelectorAll(":is(.lab-cell, .lab-code) pre > code:not([translate])")
      .forEach(color);
    for (const heading of document.querySelectorAll(
      ".md-typeset :is(h1, h2, h3, h4, h5, h6)[id]",
    )) {
      if (!heading.querySelector(".headerlink")) link(heading);
    }
    const menu = document.querySelector(".md-nav--primary label[for=__toc]")?.parentElement;
    const contents = document.querySelector(".md-sidebar--secondary .md-nav--secondary");
    if (menu && contents && !menu.querySelector(".md-nav--secondary")) {
      const copy = menu.appendChild(contents.cloneNode(true));
      copy.querySelector("[data-md-component]")?.removeAttribute("data-md-component");
    }
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
