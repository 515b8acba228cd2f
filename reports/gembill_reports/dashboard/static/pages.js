// Owns: what pages do beyond links and forms: swap their content without a reload, keep the address, draw charts.
// Everything works without it, more plainly. Texts of pages are never put together as markup here.
"use strict";
(() => {
  let asked = 0;
  let loading = null;

  const inside = (address) => address.origin === location.origin && !/\.(json|csv)$/.test(address.pathname);

  async function show(address, push) {
    const mine = ++asked;
    const old = document.getElementById("page");
    old.classList.add("busy");
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" });
      const loaded = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = loaded.getElementById("page");
      if (mine !== asked) return;
      if (!fresh) { location.assign(address); return; }
      const focused = place(document.activeElement);
      const unfolded = [...old.querySelectorAll("details[data-pick][open]")]
        .map((one) => [one.dataset.pick, one.querySelector(".options").scrollTop]);
      old.replaceWith(document.adoptNode(fresh));
      document.title = loaded.title;
      if (push) history.pushState(null, "", address);
      for (const [name, scrolled] of unfolded) unfold(fresh, name, scrolled);
      const again = focused && document.querySelector(focused);
      if (again) again.focus({ preventScroll: true });
      else if (push) arrive(address);
      draw();
    } catch {
      if (mine === asked) location.assign(address);
    }
  }

  // Where in the filter an element is, so that its successor has the focus after a choice; null if elsewhere.
  function place(element) {
    if (!element || !element.name || !element.form || element.form.id !== "filter") return null;
    const value = element.type === "checkbox" ? `[value="${CSS.escape(element.value)}"]` : "";
    return `#filter [name="${CSS.escape(element.name)}"]${value}`;
  }

  function unfold(page, name, scrolled) {
    const pick = page.querySelector(`details[data-pick="${CSS.escape(name)}"]`);
    if (!pick) return;
    pick.open = true;
    pick.querySelector(".options").scrollTop = scrolled;
  }

  function fold(but) {
    for (const one of document.querySelectorAll("details[data-pick][open]")) if (one !== but) one.open = false;
  }

  document.addEventListener("click", (event) => fold(event.target.closest && event.target.closest("details[data-pick]")));

  document.addEventListener("keydown", (event) => {
    const pick = event.key === "Escape" && event.target.closest && event.target.closest("details[data-pick][open]");
    if (!pick) return;
    pick.open = false;
    pick.querySelector("summary").focus();
  });

  function arrive(address) {
    const place = document.getElementById(new URL(address, location.href).hash.slice(1));
    if (place) place.scrollIntoView(); else scrollTo(0, 0);
  }

  function address(form) {
    const address = new URL(form.getAttribute("action"), location.href);
    for (const [name, value] of new FormData(form)) if (value) address.searchParams.append(name, value);
    return address;
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filter" && !event.target.classList.contains("find")) return;
    event.preventDefault();
    show(address(event.target).href, true);
  });

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || form.id !== "filter") return;
    if (event.target.name === "month") for (const end of ["since", "until", "through", "period"]) if (form.elements[end]) form.elements[end].value = "";
    show(address(form).href, true);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.hasAttribute("download") || link.target || !inside(new URL(link.href))) return;
    if (link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    show(link.href, true);
  });

  addEventListener("popstate", () => show(location.href, false));

  function plotly() {
    loading ||= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = document.body.dataset.plotly;
      script.onload = () => done(window.Plotly);
      script.onerror = failed;
      document.head.append(script);
    });
    return loading;
  }

  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--quiet").trim(), line = style.getPropertyValue("--line").trim();
    const axis = { gridcolor: line, linecolor: line, tickcolor: line };
    const font = { color: ink, family: getComputedStyle(document.body).fontFamily, size: 12 };
    return { ...layout, font, xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis } };
  }

  async function draw() {
    const figures = [...document.querySelectorAll("figure[data-chart]")];
    if (!figures.length) return;
    const library = await plotly();
    for (const figure of figures) {
      if (!figure.isConnected) return;
      const shape = JSON.parse(figure.querySelector("script").textContent);
      const sketch = figure.querySelector(".sketch"), plot = figure.querySelector(".plot");
      if (figure.classList.contains("across")) plot.style.height = `${34 * figure.dataset.rows + 40}px`;
      plot.hidden = false;
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", figure.querySelector("h2").textContent + ", the same numbers are in the table");
      await library.react(plot, shape.data, themed(shape.layout), shape.config);
      sketch.hidden = true;
      figure.dataset.drawn = "1";
      plot.removeAllListeners("plotly_click");
      plot.on("plotly_click", (hit) => {
        const link = hit.points[0].customdata && hit.points[0].customdata[0];
        if (link && inside(new URL(link, location.href))) show(new URL(link, location.href).href, true);
      });
    }
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("load", () => requestAnimationFrame(() => setTimeout(draw)));
})();
