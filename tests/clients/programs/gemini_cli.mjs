// gemini-cli without a terminal: one prompt. Its user has chosen to log in by API key before, as the first start asks.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

mkdirSync(`${process.env.HOME}/.gemini`, { recursive: true });
const settings = { security: { auth: { selectedType: "gemini-api-key" } }, privacy: { usageStatisticsEnabled: false } };
writeFileSync(`${process.env.HOME}/.gemini/settings.json`, JSON.stringify(settings));
const cli = fileURLToPath(new URL("node_modules/@google/gemini-cli/bundle/gemini.js", import.meta.url));
const words = ["-m", "gemini-2.5-flash", "--skip-trust", "-p", "Good morning"];
const done = spawnSync(process.execPath, [cli, ...words], { encoding: "utf8" });
console.log(done.stdout.trim() && "answered"); // what it sends has the time of day in it, and so has the answer
console.error(done.stderr);
process.exitCode = done.status;
