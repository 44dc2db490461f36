/**
 * What the page keeps of what it is told, as a script of the page: bounded, whatever comes. `makeRecord` takes frames; a lane is a place in the pool,
 * and a new connection takes that of one that was thrown away.
 */
export const recordScript = `
const WINDOW_MS = 20000, MOST_MARKS = 900, MINUTE = 60, OTHERS = "others";
const makeLane = (id) => ({ id, gone: null, marks: [], rows: [0, 0, 0, 0], columns: [-1, -1, -1, -1], calls: 0, last: "", lastAt: 0, covered: 0 });
const endOf = (mark) => (/[qfcp]/.test(mark[0]) ? mark[2] + mark[3] : mark[2]);
const makeRecord = (size) => {
  const lanes = [], off = [], bands = [], seconds = [];
  const record = { lanes, off, bands, totals: null, stats: null, plan: null, errors: [], missed: 0, left: 0, toldAt: 0, seq: 0, offset: 0, msPerPx: 20 };
  let told = 0;
  const laneOf = (id, at) => {
    const known = lanes.find((lane) => lane.id === id) || (lanes.length === size && lanes[size - 1].id === OTHERS && lanes.every((lane) => lane.gone === null) ? lanes[size - 1] : undefined);
    if (known !== undefined) return known;
    const free = lanes.find((other) => other.gone !== null && other.gone <= at);
    if (free === undefined && lanes.length < size) { const lane = makeLane(id); lanes.push(lane); return lane; }
    const lane = free || lanes[size - 1];
    // more connections than lanes: the last lane is everybody else's
    lane.id = free ? id : OTHERS; lane.gone = null; lane.calls = 0; lane.last = ""; lane.rows.fill(0);
    return lane;
  };
  const push = (marks, mark) => { marks.push(mark); if (marks.length > MOST_MARKS) marks.splice(0, marks.length - MOST_MARKS); };
  const call = (lane, [, , at, ms, reuse]) => {
    const end = Math.max(at + ms, at + 4 * record.msPerPx), column = Math.floor(at / (3 * record.msPerPx));
    let row = lane.rows.findIndex((until) => until <= at);
    if (row < 0) row = lane.rows.indexOf(Math.min(...lane.rows));
    lane.gone = null; lane.calls++; lane.last = reuse; lane.lastAt = Math.max(lane.lastAt, at + ms);
    // what would be drawn over its like is counted alone
    if ((reuse === "warm" || reuse === "none") && lane.columns[row] === column && ms < 3 * record.msPerPx) { lane.covered++; return; }
    lane.rows[row] = end; lane.columns[row] = column;
    push(lane.marks, { kind: "q", at, ms, reuse, row });
  };
  const take = (mark) => {
    const [kind, id, at] = mark;
    if (kind === "q") call(laneOf(id === null ? "HTTP" : id, endOf(mark)), mark);
    else if (kind === "f") push(off, { kind, at: at + mark[3], from: at, code: mark[4] });
    else if (kind === "r") push(off, { kind, at });
    else if (kind === "b") {
      const open = bands.find((band) => band.kind === "breaker" && band.to === null);
      if (mark[3] === "closed" && open) open.to = at;
      if (mark[3] === "open" && !open) push(bands, { kind: "breaker", from: at, to: null, label: "breaker open" });
    }
    else if (kind === "s") push(bands, { kind: "strike", from: at, to: at + mark[4], label: mark[3] });
    else {
      const known = lanes.find((lane) => lane.id === id);
      if (kind === "d" && known === undefined) return;
      const lane = known || laneOf(id, endOf(mark));
      if (kind === "d") { lane.gone = at; lane.lastAt = at; lane.why = mark[3]; }
      push(lane.marks, { kind, at, ms: kind === "c" || kind === "p" ? mark[3] : 0, reason: mark[3] });
    }
  };
  // of a connection that was closed for being idle no event is told, but the pool counts fewer
  const closeIdle = ({ stats, at }) => {
    if (!stats || stats.transport === "http" || stats.total === undefined) return;
    const open = lanes.filter((lane) => lane.gone === null && lane.id !== OTHERS).sort((a, b) => a.lastAt - b.lastAt);
    open.slice(0, Math.max(0, open.length - stats.total)).forEach((lane) => { lane.gone = Math.max(lane.lastAt, at - 1000); lane.why = "idle"; });
  };
  record.frame = (seq, frame) => {
    if (record.seq !== 0 && seq > record.seq + 1) record.missed += Math.max(0, frame.from - told);
    if (seq <= record.seq) record.missed = 0;
    record.seq = seq; told = frame.totals.events; record.left = frame.left; record.toldAt = performance.now();
    const offset = frame.at - record.toldAt;
    record.offset = record.offset === 0 || Math.abs(offset - record.offset) > 500 ? offset : record.offset + (offset - record.offset) * 0.1;
    record.totals = frame.totals; record.stats = frame.stats;
    if (frame.errors) { record.errors = frame.errors; }
    frame.marks.sort((a, b) => endOf(a) - endOf(b)).forEach(take);
    closeIdle(frame);
    const second = Math.floor(frame.at / 1000), newest = seconds[seconds.length - 1];
    if (newest === undefined || newest.second < second) seconds.push({ second, totals: frame.totals }); 
    if (seconds.length > MINUTE) seconds.shift();
  };
  record.hello = (hello) => { record.plan = hello.plan; record.errors = hello.errors; };
  record.restart = () => { record.seq = 0; };
  record.now = () => performance.now() + record.offset - 200;
  record.since = (ms) => {
    const from = seconds.find(({ second }) => second * 1000 >= record.now() - ms) || seconds[0], to = record.totals;
    if (!from || !to) return null;
    const was = from.totals, spent = Math.max(1, Math.min(ms / 1000, record.now() / 1000 - from.second));
    return { seconds: spent, calls: to.calls - was.calls, failed: to.failed - was.failed, reused: to.reused - was.reused, fresh: to.fresh - was.fresh, histogram: to.histogram.map((n, i) => n - was.histogram[i]) };
  };
  record.forget = () => {
    const oldest = record.now() - WINDOW_MS - 1000;
    const old = (marks, end) => { let n = 0; while (n < marks.length && end(marks[n]) < oldest) n++; if (n > 0) marks.splice(0, n); };
    lanes.forEach((lane) => old(lane.marks, (mark) => mark.at + (mark.ms || 0)));
    old(off, (mark) => mark.at); old(bands, (band) => (band.to === null ? Infinity : band.to));
    for (let i = lanes.length - 1; i >= 0; i--) if ((lanes[i].gone !== null || lanes[i].id === OTHERS) && lanes[i].marks.length === 0) lanes.splice(i, 1);
  };
  return record;
};
`;
