"use strict";
// Shows the findings of the JSON above as a table. Text reaches the page through `textContent` only.
(() => {
  const PAGE_SIZE = 50;
  const FULL_PRINT = 500;
  const SHOWN_PLACES = 20;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const findings = data.findings;
  const view = { sort: "severity", ascending: false, page: 0, matching: [], printing: false };
  const opened = new Set();

  /** Makes an element of `class` that holds texts and elements; nothing is made of an empty text. */
  const make = (tag, className, ...content) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content.filter((part) => part !== ""));
    return element;
  };

  /** Splits a text so that what stands in backticks is set as code. */
  const rich = (text) => {
    const parts = text.split("`");
    return parts.length % 2 === 0 ? [text] : parts.map((part, at) => (at % 2 === 1 ? make("code", "", part) : part));
  };

  const sortKeys = {
    severity: (finding) => finding.rank,
    secret: (finding) => `${finding.title} ${finding.secret}`,
    place: (finding) => finding.places[0]?.at ?? "",
    since: (finding) => finding.since,
    days: (finding) => finding.days ?? -1,
    state: (finding) => finding.suppressed ? "~" : finding.state,
  };

  const states = {
    open: (finding) => !finding.suppressed,
    present: (finding) => !finding.suppressed && finding.present,
    past: (finding) => !finding.suppressed && !finding.present,
    client: (finding) => !finding.suppressed && finding.client,
    live: (finding) => finding.live.startsWith("active"),
    suppressed: (finding) => finding.suppressed !== "",
    all: () => true,
  };

  /** All words of a finding, made when first searched. */
  const words = (finding) => finding.words ??= [
    finding.title, finding.secret, finding.sha256, finding.exposure, finding.suppressed, data.rules[finding.rule].id,
    ...finding.facts.map((fact) => fact[1]),
    ...finding.places.map((place) => `${place.at} ${place.commit} ${place.original} ${place.snippet}`),
  ].join("\n").toLowerCase();

  const filter = () => {
    const terms = byId("query").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [severity, rule, environment] = ["severity", "rule", "environment"].map((id) => byId(id).value);
    const inState = states[byId("state").value];
    view.matching = findings.filter((finding) =>
      inState(finding)
      && (severity === "" || finding.severity === severity)
      && (rule === "" || finding.rule === Number(rule))
      && (environment === "" || (finding.environment || "unknown") === environment)
      && terms.every((term) => words(finding).includes(term)));
    sort();
  };

  const sort = () => {
    const key = sortKeys[view.sort];
    const direction = view.ascending ? 1 : -1;
    const keyed = view.matching.map((finding) => [key(finding), finding]);
    keyed.sort(([a, one], [b, two]) => (a < b ? -direction : a > b ? direction : one.order - two.order));
    view.matching = keyed.map(([, finding]) => finding);
    view.page = 0;
    show();
  };

  const show = () => {
    const count = view.matching.length;
    const from = view.printing ? 0 : view.page * PAGE_SIZE;
    const to = view.printing ? count : Math.min(from + PAGE_SIZE, count);
    const rows = document.createDocumentFragment();
    for (const finding of view.matching.slice(from, to)) {
      const isOpen = opened.has(finding.id) || (view.printing && count <= FULL_PRINT);
      rows.append(row(finding, isOpen));
      if (isOpen) rows.append(detail(finding));
    }
    byId("rows").replaceChildren(rows);
    byId("results").hidden = count === 0;
    byId("count").textContent = count === 0
      ? "No finding matches these filters."
      : `${count.toLocaleString("en")} of ${findings.length.toLocaleString("en")} findings`
        + (view.printing && count > FULL_PRINT ? `; details are printed for up to ${FULL_PRINT}, filter first` : "");
    byId("pager").hidden = count <= PAGE_SIZE || view.printing;
    byId("page").textContent = `${(from + 1).toLocaleString("en")} to ${to.toLocaleString("en")} of ${count.toLocaleString("en")}`;
    byId("previous").disabled = view.page === 0;
    byId("next").disabled = to === count;
  };

  const row = (finding, isOpen) => {
    const button = make("button", "open-row", finding.title);
    button.type = "button";
    button.setAttribute("aria-expanded", String(isOpen));
    button.setAttribute("aria-controls", `${finding.id}-detail`);
    const secret = make("td", "what", button, make("span", "sub", make("code", "", finding.secret), finding.environment && `, ${finding.environment}`));
    const more = finding.places.length - 1;
    const place = make("td", "place", make("code", "", finding.places[0]?.at ?? ""),
      more > 0 ? make("span", "sub", `and ${more.toLocaleString("en")} more ${more === 1 ? "place" : "places"}`) : "");
    const line = make("tr", "row",
      make("td", "", make("span", `chip ${finding.severity}`, finding.kind === "policy" ? "policy" : finding.severity)),
      secret, place,
      make("td", "nowrap", finding.since),
      make("td", "number", finding.days === null ? "" : finding.days.toLocaleString("en")),
      make("td", "", ...stateChips(finding)));
    line.id = finding.id;
    line.addEventListener("click", (event) => {
      if (!getSelection().toString() || event.target === button) toggle(finding, line, button);
    });
    return line;
  };

  const stateChips = (finding) => {
    const chips = [];
    if (finding.suppressed) chips.push(make("span", "chip plain", "suppressed"));
    if (finding.live) {
      const mood = finding.live.startsWith("active") ? "critical" : finding.live.startsWith("refused") ? "good" : "plain";
      chips.push(make("span", `chip ${mood}`, finding.live));
    }
    if (finding.client) chips.push(make("span", "chip high", "sent to browsers"));
    chips.push(make("span", "sub", finding.kind === "policy" ? "" : finding.state));
    return chips;
  };

  const toggle = (finding, line, button) => {
    const isOpen = !opened.delete(finding.id);
    if (isOpen) {
      opened.add(finding.id);
      line.after(detail(finding));
    } else {
      byId(`${finding.id}-detail`)?.remove();
    }
    button.setAttribute("aria-expanded", String(isOpen));
  };

  const section = (title, ...content) => make("section", "", make("h3", "", title), ...content);
  const list = (tag, className, items) => make(tag, className, ...items.map((item) => make("li", "", ...rich(item))));

  const detail = (finding) => {
    const rule = data.rules[finding.rule];
    const left = make("div", "",
      ...finding.places.slice(0, 1).map((place) => section("Snippet", snippet(place))),
      section("Why we believe it", list("ul", "", finding.evidence)),
      section(finding.places.length === 1 ? "Place" : "All places", places(finding)));
    const steps = list("ol", "steps", rule.steps);
    if (finding.limits.length > 0) {
      steps.append(make("li", "", ...rich(data.rewrite), make("div", "limits", "It does not reach:", list("ul", "", finding.limits))));
    }
    const facts = [
      ["severity", `${finding.severity}, ${finding.confidence} confidence`],
      ["found in", finding.exposure],
      ...(finding.suppressed ? [["suppressed", finding.suppressed]] : []),
      ...finding.facts,
      ["SHA-256", make("code", "", finding.sha256)],
      ["length", `${finding.length} characters`],
    ];
    const right = make("div", "",
      section("Exposure", make("dl", "facts", ...facts.flatMap(([label, text]) => [make("dt", "", label), make("dd", "", text)]))));
    const below = make("div", "below", section("What to do, in this order", steps));
    const cell = make("td", "", make("div", "panel", left, right, below));
    cell.colSpan = 6;
    const line = make("tr", "detail", cell);
    line.id = `${finding.id}-detail`;
    return line;
  };

  const snippet = (place) => {
    const parts = place.snippet.split("********");
    const marked = parts.flatMap((part, at) => (at === 0 ? [part] : [make("mark", "", "********"), part]));
    return make("pre", "snippet", make("span", "line-number", `${place.line}  `), ...marked);
  };

  const places = (finding) => {
    const items = finding.places.map((place) => [place.origin, place.commit, place.reach, place.original && `built from ${place.original}`])
      .map((notes, at) => make("li", "", make("code", "", finding.places[at].at), make("span", "sub", notes.filter(Boolean).join(" · "))));
    const shown = make("ul", "places", ...items.slice(0, SHOWN_PLACES));
    const hidden = items.slice(SHOWN_PLACES);
    if (hidden.length === 0) return shown;
    const more = make("button", "more", `Show ${hidden.length.toLocaleString("en")} more`);
    more.type = "button";
    more.addEventListener("click", () => { shown.append(...hidden); more.remove(); });
    return make("div", "", shown, more);
  };

  /** Opens the finding that the address names, on whatever page it is. */
  const followHash = () => {
    const id = location.hash.slice(1);
    const wanted = findings.find((finding) => finding.id === id);
    if (!wanted) return;
    if (!view.matching.includes(wanted)) {
      byId("filters").reset();
      if (wanted.suppressed) byId("state").value = "all";
      filter();
    }
    view.page = Math.floor(view.matching.indexOf(wanted) / PAGE_SIZE);
    opened.add(id);
    show();
    const line = byId(id);
    line.scrollIntoView({ block: "start" });
    line.querySelector("button").focus({ preventScroll: true });
  };

  const turnPage = (by) => {
    view.page += by;
    show();
    byId("findings").scrollIntoView();
  };

  const setUpTable = () => {
    if (!byId("filters")) return;
    findings.forEach((finding, order) => { finding.order = order; });
    data.rules.forEach((rule, at) => byId("rule").append(new Option(rule.title, at)));
    byId("filters").hidden = false;
    byId("filters").addEventListener("input", filter);
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", () => setTimeout(filter));
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        const key = button.dataset.sort;
        view.ascending = view.sort === key ? !view.ascending : !["severity", "days"].includes(key);
        view.sort = key;
        for (const head of document.querySelectorAll("thead th")) head.removeAttribute("aria-sort");
        button.parentElement.setAttribute("aria-sort", view.ascending ? "ascending" : "descending");
        sort();
      });
    }
    byId("previous").addEventListener("click", () => turnPage(-1));
    byId("next").addEventListener("click", () => turnPage(1));
    addEventListener("hashchange", followHash);
    filter();
    followHash();
  };

  const setUpPrinting = () => {
    const printing = (isPrinting) => {
      view.printing = isPrinting;
      for (const gap of document.querySelectorAll("details")) gap.open = isPrinting;
      if (byId("filters")) show();
    };
    addEventListener("beforeprint", () => printing(true));
    addEventListener("afterprint", () => printing(false));
    byId("print").addEventListener("click", () => print());
  };

  const setUpTheme = () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)");
    // Some browsers refuse storage to files; then a choice lasts as long as the page.
    const stored = (action) => { try { return action(localStorage); } catch { return null; } };
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
    const tell = () => byId("theme").setAttribute("aria-pressed", String(isDark()));
    const chosen = stored((storage) => storage.getItem("signleak-theme"));
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
    tell();
    system.addEventListener("change", tell);
    byId("theme").addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      stored((storage) => storage.setItem("signleak-theme", root.dataset.theme));
      tell();
    });
    document.querySelector(".actions").hidden = false;
  };

  setUpTheme();
  setUpPrinting();
  setUpTable();
})();
