// Drives the Dagster UI as an analyst would: node drive.cjs URL CHROMIUM FOLDER [DAY]
// Writes screenshots into FOLDER and what it saw as JSON to its output; ends with 1 where something is not to be seen.
const { chromium } = require("playwright-core");

const [url, executablePath, folder, day] = process.argv.slice(2);
const seen = {};
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function graphql(query, variables = {}) {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function until(what, look, seconds = 90) {
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await pause(500);
  }
  throw new Error(`not seen within ${seconds} s: ${what}`);
}

const newestRun = async (filter) => {
  const query = "query($f: RunsFilter!){ runsOrError(filter: $f, limit: 1){ ... on Runs { results { runId status } } } }";
  return (await graphql(query, { f: filter })).runsOrError.results[0];
};

async function press(page, name) {
  await page.locator("button", { hasText: name }).first().click();
  // An asset whose upstream was never made is asked about first; whatever else opens is waited for by who pressed.
  const sure = page.locator("button", { hasText: "Confirm" });
  await sure.click({ timeout: 4000 }).catch(() => {});
}

async function graph(page) {
  await page.goto(`${url}/asset-groups`);
  await page.getByText("webhook_deliveries").or(page.getByText("delivery", { exact: true })).first().waitFor();
  await pause(2000);
  seen.graph = await page.locator("body").innerText();
  // The way from a text to a partner: what stands before the deliveries. Fitted to the page, and coloured once their states are known.
  await page.goto(`${url}/assets/core/webhook_deliveries?view=lineage&lineageScope=upstream&lineageDepth=9`);
  await page.getByText("funding_rounds").first().waitFor();
  await pause(8000);
  await page.screenshot({ path: `${folder}/asset-graph.png` });
}

async function pictures(page) {
  await page.goto(`${url}/assets/core/pictures`);
  await press(page, "Materialize");
  const query = '{ assetOrError(assetKey: {path: ["core", "pictures"]}){ ... on Asset { assetMaterializations(limit: 1){ runId } } } }';
  await until("core/pictures materialized", async () => (await graphql(query)).assetOrError.assetMaterializations?.length);
  await page.reload();
  await page.getByText("rounds_by_type").first().waitFor();
  const show = page.locator("tr", { hasText: "rounds_by_type" }).getByText(/show markdown/i);
  await show.first().click();
  const image = page.locator('img[src^="data:image/svg+xml"]').first();
  await image.waitFor();
  await pause(1000); // until the dialog has faded in
  seen.picture = await image.evaluate((element) => [element.naturalWidth, element.naturalHeight]);
  await page.screenshot({ path: `${folder}/asset-pictures.png` });
}

async function assetPage(page) {
  await page.goto(`${url}/assets/core/matches`);
  await page.getByText("Key of the match").waitFor();
  seen.columns = (await page.locator("body").innerText()).includes("from funding_rounds: round_id");
  await page.screenshot({ path: `${folder}/asset-matches.png` });
  await page.locator("tr", { hasText: "guide" }).getByText(/show markdown/i).first().click();
  await page.getByText("Shared domains").first().waitFor();
  seen.guide = await page.locator("h2", { hasText: "How rows are matched" }).count();
  await page.locator("button", { hasText: "Close" }).click();
  await page.locator("button", { hasText: "Plots" }).first().click();
  await page.locator("canvas").first().waitFor();
  await page.locator("canvas").first().scrollIntoViewIfNeeded();
  await pause(1500);
  seen.plots = await page.locator("canvas").count();
  await page.screenshot({ path: `${folder}/asset-plots.png` });
}

async function mart(page) {
  await page.goto(`${url}/assets/marts/missed_matches`);
  await page.getByText("from int_organizations: organization_slug").first().waitFor();
  const column = page.getByText("company_name", { exact: true }).first(); // below the key, which is made of nearly all
  await column.evaluate((element) => element.scrollIntoView({ block: "center" }));
  await pause(1000);
  seen.mart = await page.locator("body").innerText();
  await page.screenshot({ path: `${folder}/asset-mart.png` });
}

async function checks(page) {
  await page.goto(`${url}/assets/core/webhook_deliveries?view=checks`);
  await page.getByText("no_round_is_told_twice").first().waitFor();
  await page.locator("button", { hasText: "Execute all" }).first().click();
  await page.getByText("no_round_is_told_twice").first().click();
  await page.getByText("Passed").or(page.getByText("Succeeded")).first().waitFor({ timeout: 90000 });
  await page.locator("button:enabled", { hasText: "Execute all" }).first().waitFor({ timeout: 90000 });
  await page.locator("canvas").first().waitFor({ timeout: 5000 }).catch(() => page.getByText("Plots", { exact: true }).first().click());
  await page.locator("canvas").first().waitFor();
  await page.getByText("Passed").first().waitFor({ timeout: 90000 }); // not the one before: the button is back while they run
  await pause(1500);
  seen.checks = await page.locator("body").innerText();
  await page.screenshot({ path: `${folder}/asset-checks.png` });
}

async function deliveries(page) {
  await page.goto(`${url}/assets/core/webhook_deliveries`);
  await page.locator("tr", { hasText: "preview" }).getByText(/show markdown/i).first().click();
  await page.locator("th", { hasText: "reason" }).first().waitFor();
  await pause(1000);
  seen.deliveries = await page.locator("table", { hasText: "endpoint" }).last().innerText();
  await page.screenshot({ path: `${folder}/asset-deliveries.png` });
}

async function backfill(page) {
  await page.goto(`${url}/locations/fundingscout/jobs/backfill`);
  await page.locator("button", { hasText: "Materialize all" }).waitFor();
  await press(page, "Materialize all");
  const days = page.locator('[role="dialog"] input[type="text"], .bp5-dialog input[type="text"], .bp4-dialog input[type="text"]').first();
  await days.waitFor();
  await days.fill(day);
  await days.press("Tab");
  await pause(1000);
  await page.screenshot({ path: `${folder}/backfill.png` });
  await page.locator("button", { hasText: /^Launch/ }).last().click();
  const run = await until(
    "the backfill's run",
    async () => {
      const newest = await newestRun({ tags: [{ key: "dagster/asset_partition_range_start", value: day }] });
      const single = newest ?? (await newestRun({ pipelineName: "backfill" }));
      return single && ["SUCCESS", "FAILURE", "CANCELED"].includes(single.status) ? single : null;
    },
    180,
  );
  seen.backfill = run.status;
  await page.goto(`${url}/runs/${run.runId}`);
  await page.getByText("rematched_days").first().waitFor();
  await pause(2000);
  await page.screenshot({ path: `${folder}/backfill-run.png` });
}

(async () => {
  await graphql("mutation { setNuxSeen }");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(30000);
  let part = "";
  try {
    for (const [name, visit] of Object.entries({ graph, assetPage, mart, pictures, checks, deliveries, backfill })) {
      part = name;
      await visit(page);
    }
  } catch (error) {
    await page.screenshot({ path: `${folder}/failed-${part}.png` });
    console.error(`${part}: ${error.message}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(seen));
})();
