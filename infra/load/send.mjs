// Sends reports at a steady rate: `node send.mjs ADDRESS RATE FILE`, in the folder where the tool is installed.
// FILE has a line for each: {"key": …, "body": …}. Each answer is told at once, as a line of JSON:
// {"number", "ms", "late", "status", "location"}, or {"number", "ms", "late", "error"} if none came.
//
// The tool sends the next one when it is due, whether or not those before have been answered. What it measures itself
// begins when it sends, and is in whole milliseconds: here it begins when the sending was due.
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { pathToFileURL } from "node:url";

const PATIENCE_MS = 60_000;
const { loadTest } = await import(pathToFileURL("node_modules/loadtest/index.js"));
const [address, rate, file] = process.argv.slice(2);
const reports = readFileSync(file, "utf8").trimEnd().split("\n").map(JSON.parse);
const agent = new Agent({ keepAlive: true, timeout: PATIENCE_MS / 2 }); // who rests that long is not used any more
let number = 0;
let began = 0;

function tell(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function next(_, given, request, tellTool) {
  const mine = number++;
  const now = performance.now();
  began ||= now;
  const due = Math.min(now, began + (mine * 1000) / rate);
  const told = (more) => tell({ number: mine, ms: performance.now() - due, late: now - due, ...more });
  const { key, body } = reports[mine];
  const headers = {
    ...given.headers,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    "Idempotency-Key": key,
  };
  const sent = request({ ...given, agent, headers }, (answer) => {
    answer.on("end", () => told({ status: answer.statusCode, location: answer.headers.location }));
    tellTool(answer);
  });
  sent.on("error", (error) => told({ error: error.code ?? error.message }));
  sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error("no answer")));
  sent.write(body);
  return sent;
}

await loadTest({
  url: address,
  method: "POST",
  requestsPerSecond: Number(rate),
  maxRequests: reports.length,
  requestGenerator: next,
  quiet: true,
});
agent.destroy();
