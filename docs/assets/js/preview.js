/* A small preview of what a link refers to: a figure, a table, code, an exercise, an equation or a
 * source of the same page, or the sentence of a term.
 *
 * It shows while the mouse is on the link or on the preview, and while the keyboard's focus is on
 * the link; Escape closes it (WCAG 1.4.13). A finger follows the link. Nothing is fetched: the
 * page holds all of it. Instant navigation may run this again, which does nothing.
 */
(() => {
  "use strict";
  if (window.labPreview) return;
  window.labPreview = true;

  const SHOWN = ".lab-figure, .lab-tables, .lab-code, .lab-exercise, .lab-math, .lab-sources > li";
  const LEFT_OUT = "details, button, label, .lab-source, .headerlink, .md-code__nav";
  const [PATIENCE, GRACE, GAP, EDGE] = [150, 250, 6, 8]; // the first two in ms, the others in px

  /* What has an id on this page and can be shown small. */
  const target = (link) => {
    if (link.hash.length < 2 || link.pathname !== location.pathname) return null;
    const found = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    return found?.closest(SHOWN) ?? null;
  };

  /* A copy without ids, and without anything that could be clicked or focused. */
  const copy = (element) => {
    const clone = element.cloneNode(true);
    for (const part of clone.querySelectorAll(LEFT_OUT)) part.remove();
    for (const link of clone.querySelectorAll("a")) link.replaceWith(...link.childNodes);
    for (const part of [clone, ...clone.querySelectorAll("[id], [tabindex]")]) {
      part.removeAttribute("id");
      part.removeAttribute("tabindex");
    }
    if (clone.localName !== "li") return [clone];
    return [...clone.childNodes]; // an item without its list
  };

  /* A term's sentence is its title, which the browser would show a second time. */
  const sentence = (link) => {
    if (link.title) link.dataset.meaning = link.title;
    link.removeAttribute("title");
    return link.dataset.meaning;
  };

  const contents = (link) => {
    if (link.matches(".lab-term")) return [sentence(link)];
    const element = target(link);
    return element && !element.contains(link) ? copy(element) : null;
  };

  let open; // { link, box }
  let planned;

  const hide = () => {
    clearTimeout(planned);
    open?.box.remove();
    open?.link.removeAttribute("aria-describedby");
    open = undefined;
  };

  /* Below the link, or above it where there is more room; never beyond the page's edges. */
  const place = (box, link) => {
    const at = link.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const from = box.offsetParent.getBoundingClientRect();
    const below = innerHeight - at.bottom - GAP;
    const above = below < size.height && at.top > below;
    const top = above ? at.top - GAP - size.height : at.bottom + GAP;
    const right = document.documentElement.clientWidth - EDGE - size.width;
    const left = Math.max(EDGE, Math.min(at.left, right));
    box.style.top = `${top - from.top}px`;
    box.style.left = `${left - from.left}px`;
  };

  const show = (link) => {
    clearTimeout(planned);
    if (open?.link === link) return;
    const shown = contents(link);
    if (!shown) return;
    hide();
    const box = document.createElement("div");
    box.id = "lab-preview";
    box.className = "lab-preview md-typeset";
    box.role = "tooltip";
    box.append(...shown);
    link.closest("article").append(box);
    link.setAttribute("aria-describedby", box.id);
    open = { link, box };
    place(box, link);
  };

  const plan = (what, time) => {
    clearTimeout(planned);
    planned = setTimeout(what, time);
  };
  const linkAt = (event) => event.target.closest?.("article a[href]");

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = linkAt(event);
    if (link) plan(() => show(link), PATIENCE);
    else if (open?.box.contains(event.target)) clearTimeout(planned);
    else if (open && !open.link.matches(":focus-visible")) plan(hide, GRACE);
    else clearTimeout(planned);
  });
  document.addEventListener("focusin", (event) => {
    const link = linkAt(event);
    if (link?.matches(":focus-visible")) show(link);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("click", (event) => {
    if (!open?.box.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
})();
