import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderReportHtml } from "../../src/render/report-html.ts";
import { HOSTILE, poisonPage } from "../render/hostile.ts";
import { richPage } from "../render/page-fixtures.ts";
import { GATES_OPEN, PLAN_PATH, TestRepository } from "../support/conveyor.ts";

// Needs the Debian package `chromium`; a machine without it fails here and says so.
const CHROMIUM = "/usr/bin/chromium";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "conveyor-page-"));
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`expected ${CHROMIUM}: apt-get install --no-install-recommends chromium`);
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", ...QUIET],
  });
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a page and keeps whatever it says to the console and whatever it asks for besides itself. */
async function open(path: string, width = 1280, colorScheme: "light" | "dark" = "light", bypassCSP = false) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP });
  const page = await context.newPage();
  const said: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (fault) => said.push(fault.message));
  page.on("dialog", (dialog) => {
    said.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  const url = pathToFileURL(path).href;
  page.on("request", (request) => {
    if (request.url() !== url) asked.push(request.url());
  });
  await page.goto(url);
  return { page, said, asked, close: () => context.close() };
}

async function openAllFolds(page: Page): Promise<void> {
  await page.locator("details").evaluateAll((folds) => {
    for (const fold of folds) fold.setAttribute("open", "");
  });
}

/** What axe finds wrong, with everything unfolded. The page's own policy would not let axe in: it is tried without. */
async function findBarriers(path: string, width = 1280, colorScheme: "light" | "dark" = "light"): Promise<string[]> {
  const { page, close } = await open(path, width, colorScheme, true);
  await openAllFolds(page);
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  await close();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`),
  );
}

const write = (name: string, html: string): string => {
  const path = join(folder, name);
  writeFileSync(path, html);
  return path;
};
const rich = write("rich.html", renderReportHtml(richPage()));

test.each([
  [1280, "light"],
  [1280, "dark"],
  [360, "light"],
  [360, "dark"],
] as const)(
  "a rich run at %i pixels, %s: no barrier, no error, no request, nothing beyond the edge",
  async (width, scheme) => {
    expect(await findBarriers(rich, width, scheme)).toEqual([]);
    const { page, said, asked, close } = await open(rich, width, scheme);
    await openAllFolds(page);
    const content = await page.locator("html").evaluate((html) => html.scrollWidth);
    expect(content).toBeLessThanOrEqual(width);
    expect({ said, asked }).toEqual({ said: [], asked: [] });
    await close();
  },
);

test("prints with its folds open, light also for who reads in the dark", async () => {
  const { page, said, close } = await open(rich, 1280, "dark");
  const pdf = await page.pdf({ format: "A4" });
  expect(Buffer.from(pdf.subarray(0, 5)).toString()).toBe("%PDF-");
  expect(pdf.length).toBeGreaterThan(20_000);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect
    .poll(() =>
      page.locator("body").evaluate((body) => body.ownerDocument.defaultView?.getComputedStyle(body).backgroundColor),
    )
    .toBe("rgb(255, 255, 255)");
  const folded = page.locator("details:not([open]) .log").first();
  expect(await folded.evaluate((log) => log.checkVisibility({ contentVisibilityAuto: true }))).toBe(true);
  expect(said).toEqual([]);
  await close();
});

test("texts that want to do something do nothing", async () => {
  for (const [index, hostile] of HOSTILE.entries()) {
    const path = write(`hostile-${index}.html`, renderReportHtml(poisonPage(hostile)));
    const { page, said, asked, close } = await open(path);
    await openAllFolds(page);
    const active = page.locator("script, img, iframe, object, embed, form, link, base, a:not([href^='#'])");
    expect([hostile, await active.count(), said, asked]).toEqual([hostile, 0, [], []]);
    await close();
  }
});

test("the page of a real run, and the same page rendered again", async () => {
  const repository = new TestRepository({ rows: [{ step_id: "01" }] });
  const ended = await repository.conveyor(["run", PLAN_PATH, ...GATES_OPEN]);
  expect(ended.code, ended.stderr).toBe(0);
  const saved = join(repository.runFolder(), "report.html");
  const again = join(folder, "again.html");
  expect((await repository.conveyor(["report", "--html", again])).code).toBe(0);
  expect(readFileSync(again, "utf8")).toBe(readFileSync(saved, "utf8"));
  const { page, said, asked, close } = await open(saved);
  expect(await page.locator("h1").innerText()).toMatch(/done\s+1 of 1 items passed/i);
  expect(await page.locator(".diff .a").first().innerText()).toContain("+");
  expect(await findBarriers(saved)).toEqual([]);
  expect({ said, asked }).toEqual({ said: [], asked: [] });
  await close();
});
