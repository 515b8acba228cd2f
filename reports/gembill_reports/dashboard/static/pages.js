// Owns: what pages do beyond links and forms: swap their content without a reload, keep the address, draw charts.
// Everything works without it, more plainly. Texts of pages are never put together as markup here.
"use strict";
(() => {
  let asked = 0;
  let loading = null;

  const inside = (address) => address.origin === location.origin && !/\.(json|csv)$/.test(address.pathname);

  // `quiet`: the same page again because the ledger changed; nothing moves, and a failure is not shown.
  async function show(address, push, quiet) {
    const mine = ++asked;
    const old = document.getElementById("page");
    if (!quiet) old.classList.add("busy");
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" });
      if (quiet && !answer.ok) return;
      const loaded = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = loaded.getElementById("page");
      if (mine !== asked) return;
      if (quiet && busy()) { due = true; return; }
      tip.hidden = true;
      if (!fresh) { location.assign(address); return; }
      const focused = place(document.activeElement, quiet);
      const unfolded = [...old.querySelectorAll("details[data-pick][open]")]
        .map((one) => [one.dataset.pick, one.querySelector(".options").scrollTop]);
      const before = scrollY;
      if (quiet) for (const figure of fresh.querySelectorAll("figure[data-chart]")) keep(figure, old);
      old.replaceWith(document.adoptNode(fresh));
      document.title = loaded.title;
      if (push) history.pushState(null, "", answer.redirected ? answer.url : address);
      for (const [name, scrolled] of unfolded) unfold(fresh, name, scrolled);
      const next = focused && [...document.querySelectorAll(focused)].find((one) => one.offsetParent);
      if (next) next.focus({ preventScroll: true });
      else if (push) arrive(address);
      if (quiet) scrollTo(0, before);
      listen();
      draw();
    } catch {
      if (mine === asked && !quiet) location.assign(address);
    }
  }

  // A chart that is drawn goes on in the page that takes the place of its own: plotly changes its bars.
  function keep(figure, old) {
    const title = (one) => one.querySelector("h2").textContent;
    const drawn = [...old.querySelectorAll(`figure[data-chart="${CSS.escape(figure.dataset.chart)}"][data-drawn]`)];
    const there = drawn.find((one) => title(one) === title(figure));
    if (!there) return;
    figure.querySelector(".plot").replaceWith(there.querySelector(".plot"));
    figure.querySelector(".sketch").hidden = true;
  }

  // Live: the server says when the ledger changed, and the page asks for itself again. A page that nobody sees does not
  // listen, and one in which somebody writes, chooses or points at something waits until that is done.
  const page = () => document.getElementById("page");
  let source = null, due = false, refused = 0, wanted = recalled() !== "off";

  function recalled() {
    try { return localStorage.getItem("gembill.live"); } catch { return null; }  // storage may be forbidden
  }

  function busy() {
    const now = document.activeElement;
    const writing = now && now.tagName === "INPUT" && now.type !== "checkbox" && now.value !== now.defaultValue;
    return writing || !tip.hidden || Boolean(document.querySelector("#page details[open]")) || String(getSelection());
  }

  function listen() {
    const box = document.getElementById("live");
    if (box) { box.closest("label").hidden = false; box.checked = wanted; }
    const mark = page() && page().dataset.mark;
    if (!wanted || !mark || document.hidden) {
      if (source) source.close();
      source = null;
    } else if (!source && Date.now() > refused) {
      source = new EventSource(`/live?since=${encodeURIComponent(mark)}`);
      source.addEventListener("change", (event) => { due = event.data !== page().dataset.mark; again(); });
      source.addEventListener("error", (event) => {  // one that was refused is not tried again by the browser
        if (event.target.readyState !== EventSource.CLOSED) return;
        source = null;
        refused = Date.now() + 60000;
      });
    }
  }

  function again() {
    if (!due || document.hidden || busy()) return;
    due = false;
    show(location.href, false, true);
  }

  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => { if (source) source.close(); source = null; });
  addEventListener("pageshow", listen);
  setInterval(() => { again(); listen(); }, 3000);

  // Where an element is, so that its successor has the focus after a choice: in the filter, or any link of a page that
  // asks for itself again; null if elsewhere.
  function place(element, quiet) {
    const link = quiet && element && element.closest("#page a[href]");
    if (link) return `#page a[href="${CSS.escape(link.getAttribute("href"))}"]`;
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
    if (event.target.id === "live") {
      wanted = event.target.checked;
      try { localStorage.setItem("gembill.live", wanted ? "on" : "off"); } catch { /* it is of this page only */ }
      listen();
      return;
    }
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

  function themed({ data, layout }, width) {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--quiet").trim(), line = style.getPropertyValue("--line").trim();
    const axis = { gridcolor: line, linecolor: line, tickcolor: line };
    const font = { color: ink, family: getComputedStyle(document.body).fontFamily, size: 12 };
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `${font.size}px ${font.family}`;
    const room = width - layout.margin.l - layout.margin.r;
    const fitting = layout.xaxis.nticks ? figures(layout.xaxis, data[0].y, room, pen) : names(layout.xaxis, data[0].x, room, pen);
    return { ...layout, font, xaxis: { ...fitting, ...axis }, yaxis: { ...layout.yaxis, ...axis } };
  }

  // The figures below bars that lie across, as many as there is room for beside the names of the bars.
  function figures(axis, bars, room, pen) {
    const longest = Math.max(0, ...bars.map((name) => pen.measureText(name).width));
    return { ...axis, nticks: Math.max(2, Math.min(axis.nticks, Math.floor((room - longest) / 60))) };
  }

  // The names below bars, as far as there is room for them; those of two lines, a date or an offset, come first.
  function names(axis, bars, room, pen) {
    const names = axis.ticktext;
    if (!names || !names.length) return axis;
    const bar = room / bars.length;
    const spans = names.map((name, n) => {
      const half = Math.max(...name.split("<br>").map((text) => pen.measureText(text).width)) / 2 + 5;
      const middle = (bars.indexOf(axis.tickvals[n]) + 0.5) * bar;
      return [middle - half, middle + half];
    });
    const kept = new Set();
    const free = (n) => [...kept].every((other) => spans[n][1] <= spans[other][0] || spans[other][1] <= spans[n][0]);
    for (const first of [true, false])
      names.forEach((name, n) => { if (name.includes("<br>") === first && free(n)) kept.add(n); });
    return { ...axis, tickvals: axis.tickvals.filter((_, n) => kept.has(n)), ticktext: names.filter((_, n) => kept.has(n)) };
  }

  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");  // the same numbers are in the table

  function told(kind, text, parent) {
    const element = document.createElement(kind);
    element.textContent = text;
    parent.append(element);
    return element;
  }

  function tell([name, heads, rows, note], leads, at) {
    tip.replaceChildren();
    told("strong", name, tip);
    if (rows.length) {
      const table = told("table", "", tip);
      const top = told("tr", "", table);
      for (const head of ["", ...heads]) told("th", head, top);
      for (const [color, ...cells] of rows) {
        const row = told("tr", "", table);
        if (!color) row.className = "sum";
        cells.forEach((cell) => told("td", cell, row));
        if (color) row.firstChild.prepend(Object.assign(document.createElement("i"), { style: `background:${color}` }));
      }
    }
    if (note) told("p", note, tip);
    if (leads) told("p", "Click for its calls", tip).className = "leads";
    document.body.append(tip);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const right = at.clientX + 16 + width < innerWidth ? at.clientX + 16 : at.clientX - 16 - width;
    tip.style.left = `${Math.max(6, Math.min(right, innerWidth - width - 6))}px`;
    tip.style.top = `${Math.max(6, Math.min(at.clientY - height / 2, innerHeight - height - 6))}px`;
  }

  let pointed = null;  // the plot that told of a bar last

  addEventListener("scroll", () => {
    tip.hidden = true;
    if (pointed) window.Plotly.Fx.unhover(pointed);  // else it tells of the same bar only after another one
    pointed = null;
  }, { passive: true });

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
      await library.react(plot, shape.data, themed(shape, plot.clientWidth), shape.config);
      sketch.hidden = true;
      figure.dataset.drawn = "1";
      point(plot, shape);
    }
  }

  function point(plot, { tips, links }) {
    const bar = (hit) => hit.points[0].pointNumber;
    let shown = null;
    for (const what of ["hover", "unhover", "click"]) plot.removeAllListeners(`plotly_${what}`);
    plot.on("plotly_hover", (hit) => {
      const at = bar(hit);
      plot.classList.toggle("leads", Boolean(links[at]));
      pointed = plot;
      tell(tips[at], links[at], hit.event);
    });
    plot.on("plotly_unhover", () => { tip.hidden = true; shown = null; plot.classList.remove("leads"); });
    plot.on("plotly_click", (hit) => {
      const at = bar(hit), link = links[at];
      if (matchMedia("(hover: none)").matches && shown !== at) {  // a finger reads first and follows then
        shown = at;
        tell(tips[at], link, hit.event);
        return;
      }
      tip.hidden = true;
      if (link && inside(new URL(link, location.href))) show(new URL(link, location.href).href, true);
    });
  }

  let width = innerWidth;
  addEventListener("resize", () => {  // names that had room may have none now
    if (innerWidth === width) return;
    width = innerWidth;
    draw();
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("load", () => requestAnimationFrame(() => setTimeout(draw)));
})();
