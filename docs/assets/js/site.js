/* What each page needs in the browser, and what would make it heavier if it stood in it.
 *
 * Python gets its colors, and a heading its link. A drawing has a dark twin beside it, for the
 * dark page. The table of contents stands in the phone's menu, too. For readers who use a
 * keyboard or a screen reader: a formula, a table or code wider than the page scrolls, so the
 * keyboard must reach it; and the row of buttons on each code block is no landmark, for a page
 * has dozens.
 */
(() => {
  "use strict";
  const words = "False None True and as assert async await break class continue def del elif else "
    + "except finally for from global if import in is lambda nonlocal not or pass raise return try "
    + "while with yield";
  const strings = /[bfr]{0,2}(?:"""[^]*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")/.source;
  const python = new RegExp(`(#.*)|(${strings})|\\b(?:${words.replaceAll(" ", "|")})\\b`, "g");
  const color = (code) => {
    code.translate = false;
    code.innerHTML = code.innerHTML.replace(python, (all, comment, string) =>
      comment ? `<i>${all}</i>` : string ? `<u>${all}</u>` : `<b>${all}</b>`);
  };
  const link = (heading) => {
    const anchor = heading.appendChild(document.createElement("a"));
    Object.assign(anchor, { className: "headerlink", href: `#${heading.id}`, title: "Link here", textContent: "¶" });
  };
  const printed = matchMedia("print");
  const draw = () => {
    const dark = document.body.dataset.mdColorScheme === "slate" && !printed.matches;
    for (const image of document.querySelectorAll("img.lab-drawing")) {
      const wanted = image.src.replace(/(\.dark)?\.svg$/, dark ? ".dark.svg" : ".svg");
      if (printed.matches) image.loading = "eager";
      if (image.src !== wanted) image.src = wanted;
    }
  };
  const mend = () => {
    draw();
    document.querySelectorAll(":is(.lab-cell, .lab-code) pre > code:not([translate])").forEach(color);
    for (const heading of document.querySelectorAll(".md-typeset :is(h1, h2, h3, h4, h5, h6)[id]")) {
      if (!heading.querySelector(".headerlink")) link(heading);
    }
    const menu = document.querySelector(".md-nav--primary label[for=__toc]")?.parentElement;
    const contents = document.querySelector(".md-sidebar--secondary .md-nav--secondary");
    if (menu && contents && !menu.querySelector(".md-nav--secondary")) {
      const copy = menu.appendChild(contents.cloneNode(true));
      copy.querySelector("[data-md-component]")?.removeAttribute("data-md-component");
    }
    for (const box of document.querySelectorAll(".lab-math, .lab-table, .md-typeset__scrollwrap, pre > code")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
    for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "none");
  };
  let planned;
  const plan = () => { cancelAnimationFrame(planned); planned = requestAnimationFrame(mend); };
  new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
  new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  printed.addEventListener("change", draw);
  draw();
  addEventListener("resize", plan);
  plan();
})();
