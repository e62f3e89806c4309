// Opens the HTML report in a real browser and uses it as a person would. Keys are drawn at random for every run.
//
//   SIGNLEAK=target/release/signleak NODE_MODULES=/where/npm/put/them node --test tests/browser/
//
// NODE_MODULES holds playwright-core and axe-core; CHROMIUM names the browser (default /usr/bin/chromium).

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const signleak = resolve(process.env.SIGNLEAK ?? "target/release/signleak");
const require = createRequire(join(resolve(process.env.NODE_MODULES ?? "node_modules"), "_"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const MARKUP = `</script><script>document.title="pwned"</script><img src=x onerror=alert(1)>{{7*7}}`;
const FOLDER = `docs/<img src=x onerror=document.title="pwned">"'&amp;--><!--`;
const folder = mkdtempSync(join(tmpdir(), "signleak-browser-"));
let browser, report, many;

const key = () => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 30 }, () => letters[randomInt(letters.length)]).join("") + "aZ";
};

/** Runs the scanner in the folder of the repository. Status 1 means that it found something, as it shall. */
const run = (args, input) => {
  const { status, stdout, stderr } = spawnSync(signleak, args, { cwd: join(folder, "repo"), input, maxBuffer: 1 << 28 });
  assert.ok(status === 0 || status === 1, String(stderr));
  return stdout;
};

const write = (name, text) => {
  const path = join(folder, "repo", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

const git = (date, ...args) => execFileSync("git", ["-c", "init.defaultBranch=main", ...args], {
  cwd: join(folder, "repo"),
  env: {
    ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date,
    GIT_AUTHOR_NAME: "A U Thor", GIT_AUTHOR_EMAIL: "author@example.invalid", GIT_COMMITTER_NAME: "A U Thor", GIT_COMMITTER_EMAIL: "author@example.invalid",
  },
});

/** A history with keys in HEAD, only in history, in a client bundle, under hostile names, and a suppressed one. */
const makeRepository = () => {
  mkdirSync(join(folder, "repo"));
  git("", "init", "-q");
  const commit = (date, message) => {
    git(date, "add", ".");
    git(date, "commit", "-qm", message);
  };
  write("old.env", `YOUSIGN_API_KEY=${key()}\n`);
  commit("2021-05-01T10:00:00Z", "first");
  write("deploy/.env.production", `YOUSIGN_BASE_URL=https://api.yousign.app/v3\nYOUSIGN_API_KEY=${key()}\n`);
  git("2022-05-01T10:00:00Z", "rm", "-q", "old.env");
  commit("2022-05-01T10:00:00Z", `deploy ${MARKUP} YOUSIGN_WEBHOOK_SECRET=${randomBytes(16).toString("hex")}`);
  write("web/dist/app.min.js", `e={VITE_YOUSIGN_API_KEY:"${key()}"};fetch("https://api-sandbox.yousign.app/v3/users")`);
  commit("2023-05-01T10:00:00Z", "bundle");
  write(`${FOLDER}/\u202egnp.md`, `${MARKUP} YOUSIGN_API_KEY=${key()}\n`);
  write("allowed.env", `YOUSIGN_API_KEY=${key()} # signleak:allow reason="<i>a test</i>"\n`);
};

/** A page that notes whatever it should not do: requests, console messages, violations of its policy, dialogs. */
const open = async (file, options = {}) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const trouble = [];
  page.on("console", (message) => trouble.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => trouble.push(`error: ${error}`));
  page.on("dialog", (dialog) => trouble.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => request.url() === pathToFileURL(file).href || trouble.push(`request: ${request.url()}`));
  await page.goto(pathToFileURL(file).href);
  return { page, trouble, close: () => context.close() };
};

const column = (page, number) => page.locator(`#rows .row td:nth-child(${number})`).allInnerTexts();
const shownCount = async (page) => Number((await page.locator("#count").innerText()).split(" of ")[0].replaceAll(",", ""));

before(async () => {
  makeRepository();
  writeFileSync(join(folder, "report.html"), run(["scan", "--format", "html"]));
  report = JSON.parse(run(["scan", "--format", "json"]));
  many = structuredClone(report);
  many.findings = Array.from({ length: 10_000 }, (_, at) => {
    const finding = structuredClone(report.findings[at % report.findings.length]);
    finding.secret.sha256 = randomBytes(32).toString("hex");
    finding.occurrences.forEach((place) => { place.path = `module-${at}/${place.path}`; });
    return finding;
  });
  writeFileSync(join(folder, "many.html"), run(["report", "--format", "html"], JSON.stringify(many)));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "report.html");
const isOpen = (finding) => finding.suppression === null;

test("markup in names and messages is text and does nothing", async () => {
  const { page, trouble, close } = await open(file());
  for (const button of await page.locator(".open-row").all()) await button.click();
  const text = await page.locator("body").innerText();
  assert.ok(text.includes(FOLDER), "the folder's name is shown as it is");
  assert.ok(text.includes("\\u{202e}gnp.md"), "what would turn the name around is shown as an escape");
  assert.ok(text.includes("<img src=x onerror=alert(1)>{{7*7}} YOUSIGN_WEBHOOK_SECRET"), "the message is shown as it is");
  assert.equal(await page.title(), `${report.summary.findings} leaked secrets – signleak`);
  assert.equal(await page.locator("script, img, iframe, object, embed").count(), 2, "only the page's own two scripts");
  assert.deepEqual(trouble, []);
  await close();
});

test("the policy stops what would get in all the same", async () => {
  const { page, close } = await open(file());
  const stopped = await page.evaluate(async () => {
    const violations = [];
    addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
    const script = document.createElement("script");
    try { script.textContent = "document.title = 'pwned'"; document.head.append(script); } catch { violations.push("text of a script"); }
    try { document.body.insertAdjacentHTML("beforeend", "<img src=x>"); } catch { violations.push("markup from a string"); }
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "https://example.invalid/x.css" }));
    await fetch("https://example.invalid/").catch(() => {});
    await new Promise((done) => setTimeout(done, 100));
    return violations;
  });
  assert.equal(await page.title(), `${report.summary.findings} leaked secrets – signleak`);
  for (const expected of ["text of a script", "markup from a string", "style-src-elem", "connect-src"]) {
    assert.ok(stopped.includes(expected), `${expected}: ${stopped}`);
  }
  await close();
});

test("filters show what the JSON report says", async () => {
  const { page, trouble, close } = await open(file());
  const expectCount = async (is, what) => assert.equal(await shownCount(page), report.findings.filter(is).length, what);
  await expectCount(isOpen, "open");
  for (const severity of ["critical", "high", "medium"]) {
    await page.selectOption("#severity", severity);
    await expectCount((finding) => isOpen(finding) && finding.severity === severity, severity);
  }
  await page.selectOption("#severity", "");
  await page.selectOption("#environment", "sandbox");
  await expectCount((finding) => isOpen(finding) && finding.environment === "sandbox", "sandbox");
  await page.locator("#filters button[type=reset]").click();
  await page.selectOption("#state", "suppressed");
  await expectCount((finding) => !isOpen(finding), "suppressed");
  await page.selectOption("#state", "past");
  const isHistory = (finding) => finding.occurrences.every((place) => place.reachability !== null && place.exposed?.in_head !== true);
  await expectCount((finding) => isOpen(finding) && isHistory(finding), "only in history");
  await page.selectOption("#state", "client");
  await expectCount((finding) => isOpen(finding) && finding.exposure === "client_bundle", "client");
  await page.locator("#filters button[type=reset]").click();
  await page.fill("#query", "GNP.md author@nowhere");
  assert.match(await page.locator("#count").innerText(), /No finding matches/);
  await page.fill("#query", "app.min");
  const holds = (finding) => JSON.stringify(finding).includes("app.min");
  await expectCount((finding) => isOpen(finding) && holds(finding), "search");
  assert.deepEqual(trouble, []);
  await close();
});

test("columns sort both ways and say so", async () => {
  const { page, trouble, close } = await open(file());
  const severities = ["policy", "low", "medium", "high", "critical"];
  const ranks = (await column(page, 1)).filter((text) => text !== "policy").map((text) => severities.indexOf(text));
  assert.deepEqual(ranks, ranks.toSorted((a, b) => b - a));
  await page.locator("[data-sort=place]").click();
  const places = (await column(page, 3)).map((text) => text.split("\n")[0]);
  assert.deepEqual(places, places.toSorted());
  assert.equal(await page.locator("th[aria-sort=ascending]").innerText(), "Place");
  await page.locator("[data-sort=place]").click();
  assert.deepEqual((await column(page, 3)).map((text) => text.split("\n")[0]), places.toReversed());
  await page.locator("[data-sort=days]").click();
  const days = (await column(page, 5)).map((text) => Number(text.replaceAll(",", "") || -1));
  assert.deepEqual(days, days.toSorted((a, b) => b - a));
  assert.equal(days[0], Math.max(...report.findings.flatMap((finding) => finding.occurrences.map((place) => place.exposed?.days ?? -1))));
  assert.deepEqual(trouble, []);
  await close();
});

test("a finding opens by mouse, by keyboard and by its bar in the picture", async () => {
  const { page, trouble, close } = await open(file());
  const first = page.locator(".open-row").first();
  await first.focus();
  await page.keyboard.press("Enter");
  assert.equal(await first.getAttribute("aria-expanded"), "true");
  const detail = await page.locator("#rows .detail").innerText();
  const [finding] = report.findings;
  assert.ok(detail.includes(finding.secret.sha256) && detail.includes(finding.evidence[0].text.replaceAll("`", "")), detail);
  assert.ok(detail.includes("Create a new key"), detail);
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#rows .detail").count(), 0);
  await page.locator("#rows .row").nth(1).locator("td").nth(3).click();
  assert.equal(await page.locator("#rows .detail").count(), 1);
  const bar = page.locator(".chart a").last();
  await bar.focus();
  await page.keyboard.press("Enter");
  const id = (await bar.getAttribute("href")).slice(1);
  await page.locator(`[id="${id}-detail"]`).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.closest("tr").id), id);
  assert.deepEqual(trouble, []);
  await close();
});

test("dark mode follows the system, can be chosen, and is remembered", async () => {
  const light = (page) => page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data[0] > 128;
  });
  const { page, trouble, close } = await open(file(), { colorScheme: "dark" });
  assert.equal(await light(page), false);
  assert.equal(await page.locator("#theme").getAttribute("aria-pressed"), "true");
  await page.locator("#theme").click();
  assert.equal(await light(page), true);
  await page.reload();
  assert.equal(await light(page), true);
  assert.deepEqual(trouble, []);
  await close();
});

test("print holds every finding with its details, and no controls", async () => {
  const { page, trouble, close } = await open(file());
  await page.evaluate(() => addEventListener("beforeprint", () => { window.printed = document.querySelectorAll("#rows .detail").length; }));
  const pdf = await page.pdf({ format: "A4" });
  assert.ok(pdf.length > 20_000 && pdf.subarray(0, 5).toString() === "%PDF-");
  assert.equal(await page.evaluate(() => window.printed), report.findings.filter(isOpen).length);
  assert.equal(await page.locator("#rows .detail").count(), 0, "closed again");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#filters").isVisible(), false);
  assert.equal(await page.locator("#theme").isVisible(), false);
  assert.deepEqual(trouble, []);
  await close();
});

test("without scripts a plain list stands in", async () => {
  const { page, close } = await open(file(), { javaScriptEnabled: false });
  assert.equal(await page.locator("article.plain").count(), report.findings.length);
  assert.equal(await page.locator("#filters").isVisible(), false);
  await close();
});

test("no barrier is known, light or dark, wide or narrow", async () => {
  for (const options of [{}, { colorScheme: "dark" }, { viewport: { width: 390, height: 800 } }]) {
    const { page, close } = await open(file(), options);
    await page.locator(".open-row").first().click();
    const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(found, []);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    await close();
  }
});

test("ten thousand findings stay usable", async (t) => {
  const { page, trouble, close } = await open(join(folder, "many.html"));
  const loaded = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  const timed = async (action) => {
    const start = performance.now();
    await action();
    return Math.round(performance.now() - start);
  };
  const open10k = many.findings.filter(isOpen).length;
  assert.equal(await shownCount(page), open10k);
  const search = await timed(async () => {
    await page.fill("#query", "module-9999/");
    await page.waitForFunction(() => document.querySelectorAll("#rows .row").length <= 1);
  });
  await page.fill("#query", "");
  const sort = await timed(() => page.locator("[data-sort=place]").click());
  await page.locator("#next").click();
  assert.match(await page.locator("#page").innerText(), /^51 to 100 of/);
  t.diagnostic(`load ${Math.round(loaded)} ms, first search ${search} ms, sort ${sort} ms`);
  assert.deepEqual(trouble, []);
  await close();
});
