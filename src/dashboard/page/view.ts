/**
 * The page around the lanes, as a script of it: asks for events, writes numbers, words and errors, strikes, and says aloud what changed, not more
 * than every few seconds.
 */
export const viewScript = String.raw`
const config = JSON.parse(document.getElementById("config").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)"), dark = matchMedia("(prefers-color-scheme: dark)");
const byId = (id) => document.getElementById(id), base = location.pathname.replace(/\/?$/, "/");
const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const whole = new Intl.NumberFormat("en"), plural = (n, one) => whole.format(n) + " " + one + (n === 1 ? "" : "s");
const element = (name, text, kind) => { const made = document.createElement(name); if (text !== undefined) made.textContent = text; if (kind) made.className = kind; return made; };
let colors = readColors(), paused = false, spokenAt = 0, toSay = "";
dark.addEventListener("change", () => { colors = readColors(); });
const say = (text) => { toSay = text; };
const speak = () => { if (toSay !== "" && performance.now() - spokenAt > 4000) { write(byId("polite"), toSay); spokenAt = performance.now(); toSay = ""; } };

const makeSide = (side, place) => {
  const root = byId("side-" + place), find = (selector) => root.querySelector(selector), record = makeRecord(side.lanes);
  const facts = {}; root.querySelectorAll("[data-fact]").forEach((fact) => { facts[fact.dataset.fact] = fact.lastElementChild; });
  const bars = [...find(".bars").children], table = find("tbody");
  let state = "", errorsAt = -1, online = false;
  const source = new EventSource(base + side.path);
  source.addEventListener("hello", (event) => { online = true; record.restart(); record.hello(JSON.parse(event.data)); errorsAt = -1; if (place === 0) showPlan(record.plan); head(); });
  source.addEventListener("frame", (event) => { record.frame(Number(event.lastEventId.split("-")[1]), JSON.parse(event.data)); });
  source.addEventListener("error", () => { online = false; });
  const head = () => { const p = record.plan; write(find(".about"), p.trouble || [p.transport, "on " + p.runtime, p.max ? "up to " + plural(p.max, "connection") : "", p.server ? p.server.host + "/" + p.server.database : p.by].filter(Boolean).join(", ")); };
  const become = (next, kind, text) => {
    const chip = find(".chip");
    write(chip, text); chip.dataset.is = kind;
    if (state !== "" && next !== state) say(side.name + ": " + text + ".");
    state = next;
  };
  const judge = (recent) => {
    const quiet = performance.now() - record.toldAt > 3000;
    if (record.toldAt === 0 || (quiet && !online)) return become("lost", "bad", record.toldAt === 0 ? "No news yet" : "Lost the server");
    if (record.plan && record.plan.trouble) return become("lacking", "bad", "Not set up");
    const breaker = record.stats && record.stats.breaker;
    if (breaker === "open") return become("away", "bad", "Database away");
    if (recent && recent.failed > 0 && recent.failed === recent.calls) return become("away", "bad", "Database away");
    if (recent && recent.failed > 0) return become("some", "bad", "Some calls fail");
    if (breaker === "half-open") return become("half", "", "Asking whether it is back");
    if (recent && recent.calls > 0) return become("good", "good", "Answering");
    become("idle", "", "No calls now");
  };
  const numbers = () => {
    const t = record.totals, s = record.stats, recent = record.since(3000);
    judge(recent);
    if (t === null) return;
    const known = t.reused + t.fresh, done = t.calls - t.failed;
    write(facts.failed, whole.format(t.failed)); facts.failed.parentElement.className = t.failed > 0 ? "is-bad" : "";
    write(facts.answered, whole.format(done));
    write(facts.warm, known === 0 ? "–" : (Math.floor(t.reused / known * 1000) / 10).toFixed(1) + " %");
    write(facts.healed, whole.format(t.healed));
    const shown = s ? { open: s.total, idle: s.idle, "on the way": s.running, waiting: s.waiting, opened: s.connects, retried: s.retries, thawed: s.thaws, discarded: s.discarded, pipelined: s.pipelined, slow: t.slow, leaked: t.leaks } : {};
    for (const name in shown) write(facts[name], shown[name] === undefined || shown[name] === null ? "none" : whole.format(shown[name]));
    write(facts.breaker, s && s.breaker ? s.breaker : "none");
    const last = record.since(60000), most = last ? Math.max(1, ...last.histogram) : 1;
    bars.forEach((bar, i) => { bar.style.transform = "scaleY(" + (last ? Math.max(last.histogram[i] > 0 ? 0.04 : 0, last.histogram[i] / most) : 0) + ")"; });
    if (last && last.calls > last.failed) write(find(".quantiles"), [0.5, 0.95, 0.99].map((q) => "p" + q * 100 + " " + quantile(last.histogram, q)).join(" · ") + " ms · fates of failures: " + (Object.entries(t.fates).map(([fate, n]) => fate + " " + whole.format(n)).join(", ") || "none"));
    else write(find(".quantiles"), "no call answered · fates of failures: " + (Object.entries(t.fates).map(([fate, n]) => fate + " " + whole.format(n)).join(", ") || "none"));
    if (recent === null) return;
    const lanes = record.lanes.filter((lane) => lane.gone === null), rate = Math.round(recent.calls / recent.seconds);
    const sampled = record.left > 0 || record.lanes.some((lane) => lane.covered > 0), dropped = record.missed > 0 ? " " + plural(record.missed, "event") + " missed by this page." : "";
    record.lanes.forEach((lane) => { lane.covered = 0; });
    write(find(".words"), plural(s && s.total !== undefined ? s.total : lanes.length, "connection") + ", " + plural(rate, "call") + " a second: " + whole.format(recent.reused) + " warm, " + whole.format(recent.fresh) + " on new connections, " + whole.format(recent.failed) + " failed in the last 3 s." + (sampled ? " More calls than marks: a sample is drawn, all are counted." : "") + dropped);
    if (find("details").open) table.replaceChildren(...record.lanes.map((lane) => { const row = element("tr"); row.append(element("td", lane.id), element("td", whole.format(lane.calls)), element("td", lane.last || "none"), element("td", lane.gone === null ? "open" : "thrown away: " + lane.why)); return row; }));
    const list = record.errors, key = list.map((e) => e.at + e.code + e.times).join();
    if (key !== errorsAt) { errorsAt = key; find(".errors").replaceChildren(...(list.length === 0 ? [element("li", "None.", "none")] : list.map(errorItem))); }
  };
  const draw = () => { record.forget(); drawLanes(find(".lanes"), record, colors, config); };
  return { record, numbers, draw };
};
const quantile = (histogram, q) => {
  const all = histogram.reduce((a, b) => a + b, 0); let sum = 0;
  const at = histogram.findIndex((n) => (sum += n) >= all * q && sum > 0), end = config.bucketEndsMs[at];
  return end === undefined ? "over " + config.bucketEndsMs[config.bucketEndsMs.length - 1] : "≤ " + end;
};
const errorItem = (error) => {
  const item = element("li"), line = element("p");
  line.append(element("b", error.code), " ", element("span", error.fate || "", "fate"), " ", element("time", new Date(error.at).toLocaleTimeString("en-GB")), element("span", error.times > 1 ? " × " + whole.format(error.times) : "", "times"));
  item.append(line);
  if (error.message) item.append(element("p", error.message));
  if (error.excerpt) { const pre = element("pre", error.excerpt.replace(/^ {4}/gm, "")); pre.tabIndex = 0; item.append(pre); }
  return item;
};
const showPlan = (plan) => {
  const place = byId("plan");
  if (plan.trouble) return place.replaceChildren(element("p", plan.trouble, "warnings"));
  const table = element("table"), head = element("thead"), names = element("tr"), body = element("tbody");
  for (const name of ["choice", "taken", "because"]) { const cell = element("th", name); cell.scope = "col"; names.append(cell); }
  head.append(names); table.append(head, body);
  for (const [choice, reason] of Object.entries(plan.reasons || {})) {
    const row = element("tr"), name = element("th", choice); name.scope = "row";
    const taken = String(plan[choice]);
    row.append(name, element("td", taken), element("td", reason.startsWith(taken + ": ") ? reason.slice(taken.length + 2) : reason)); body.append(row);
  }
  const warnings = element("ul", undefined, "warnings"); (plan.warnings || []).forEach((warning) => warnings.append(element("li", warning)));
  place.replaceChildren(table, warnings);
};
const sides = config.sides.map(makeSide);
byId("pause").addEventListener("click", (event) => { paused = !paused; event.currentTarget.textContent = paused ? "Resume" : "Pause"; write(byId("line"), paused ? "Paused" : "Live"); });
document.querySelectorAll("[data-strike]").forEach((button) => button.addEventListener("click", async () => {
  button.disabled = true;
  const answer = await fetch(base + config.strikes[button.dataset.strike].path, { method: "POST" }).catch(() => null);
  const text = answer === null ? "The demo does not answer." : await answer.text();
  write(byId("said"), text); say(text); button.disabled = false; button.focus();
}));
let drawnAt = 0, cost = 0, numbersAt = 0;
window.liveFrames = { drawn: 0 };
const tick = (at) => {
  requestAnimationFrame(tick);
  if (paused || document.hidden) return;
  // of what is dear less is drawn, and where motion is not wanted a picture a second
  if (at - drawnAt >= (calm.matches ? 1000 : Math.min(250, cost * 3))) {
    const began = performance.now();
    sides.forEach((side) => side.draw());
    const spent = performance.now() - began;
    cost = cost * 0.9 + spent * 0.1; drawnAt = at;
    window.liveFrames.drawn++;
  }
  if (at - numbersAt >= 400) {
    numbersAt = at; sides.forEach((side) => side.numbers()); speak();
    const lost = sides.some(({ record }) => performance.now() - record.toldAt > 3000), line = byId("line");
    write(line, lost ? "No news" : "Live"); line.dataset.is = lost ? "bad" : "good";
  }
};
requestAnimationFrame(tick);
if (config.proof !== undefined) { const ask = async () => { const proof = byId("proof"); if (!proof || proof.dataset.running !== "true") return; const answer = await fetch(base + config.proof, { headers: { Accept: "text/html" } }).catch(() => null); if (answer && answer.ok) { const text = await answer.text(); const parsed = new DOMParser().parseFromString(text, "text/html").getElementById("proof"); if (parsed) proof.replaceWith(parsed); } setTimeout(ask, 2000); }; setTimeout(ask, 2000); }
`;
