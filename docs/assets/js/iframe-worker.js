/* From file:// a browser starts no worker, and the search runs in one. A hidden frame does the
 * same work there. Only the offline site loads this file. Material's search looks for the name
 * IFrameWorker in its parent to know where it runs.
 */
(() => {
  "use strict";
  if (location.protocol !== "file:") return;

  class IFrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      this.onmessage = null;
      this.addEventListener("message", (event) => this.onmessage?.(event));
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      document.body.append(frame);
      const inside = frame.contentWindow,
        script = frame.contentDocument.createElement("script");
      const load = (source) =>
        new Promise((done, failed) => {
          const added = frame.contentDocument.createElement("script");
          Object.assign(added, { src: source, onload: done, onerror: failed });
          frame.contentDocument.body.append(added);
        });
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      inside.importScripts = (...sources) =>
        sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve());
      script.src = url;
      script.onload = () => {
        this.frame = inside;
        this.waiting.splice(0).forEach((data) => {
          this.postMessage(data);
        });
      };
      frame.contentDocument.body.append(script);
    }

    postMessage(data) {
      if (this.frame) this.frame.dispatchEvent(new this.frame.MessageEvent("message", { data }));
      else this.waiting.push(data);
    }

    terminate() {
      this.frame.frameElement.remove();
    }
  }

  window.IFrameWorker = window.Worker = IFrameWorker;
})();
