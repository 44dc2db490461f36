/**
 * Draws lanes, as a script of the page: `drawLanes` paints a record on a canvas, each call from its beginning to its end. Calls that are on their
 * way together stand below one another. Whatever differs by colour differs by shape.
 */
export const laneScript = `
const readColors = () => {
  const styles = getComputedStyle(document.documentElement), probe = document.createElement("span");
  document.body.append(probe);
  const colors = {};
  for (const name of ["ink", "soft", "line", "card", "faint", "warm", "cold", "thaw", "fail"]) {
    probe.style.color = "var(--" + name + ")";
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  colors.font = "11px " + styles.getPropertyValue("--mono");
  return colors;
};
// one call alone stands in the middle
const rowTops = [13, 19, 7, 25];
const diamond = (g, x, y) => { g.beginPath(); g.moveTo(x, y - 5); g.lineTo(x + 4, y); g.lineTo(x, y + 5); g.lineTo(x - 4, y); g.closePath(); g.lineWidth = 1.6; g.stroke(); };
const triangle = (g, x, y) => { g.beginPath(); g.moveTo(x, y - 6); g.lineTo(x + 5, y + 4); g.lineTo(x - 5, y + 4); g.closePath(); g.fill(); };
const cross = (g, x, y) => { g.beginPath(); g.moveTo(x - 4, y - 4); g.lineTo(x + 4, y + 4); g.moveTo(x + 4, y - 4); g.lineTo(x - 4, y + 4); g.lineWidth = 2; g.stroke(); };
const drawLanes = (canvas, record, colors, config) => {
  const ratio = Math.min(2, devicePixelRatio || 1), width = canvas.clientWidth, height = canvas.clientHeight;
  if (width === 0) return;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = colors.font; g.textBaseline = "middle";
  const gutter = width < 480 ? 46 : 70, right = width - 6, span = width < 480 ? WINDOW_MS / 2 : WINDOW_MS;
  const now = record.now(), from = now - span, perMs = (right - gutter) / span;
  record.msPerPx = 1 / perMs;
  const x = (at) => gutter + (at - from) * perMs;
  const { lane: step, axis, head } = config, floor = height - axis, offTop = floor - step;
  g.save(); g.beginPath(); g.rect(gutter, 0, width - gutter, height); g.clip();
  for (const band of record.bands) {
    const left = Math.max(gutter, x(band.from)), end = Math.min(right, band.to === null ? right : x(band.to));
    if (band.kind === "breaker" && end > left) { g.globalAlpha = 0.13; g.fillStyle = colors.fail; g.fillRect(left, head, end - left, floor - head); g.globalAlpha = 1; }
    if (band.kind === "strike") {
      if (end > left + 2) { g.globalAlpha = 0.1; g.fillStyle = colors.ink; g.fillRect(left, head, end - left, floor - head); g.globalAlpha = 1; }
      g.fillStyle = colors.soft; g.fillRect(x(band.from), 0, 1, floor);
    }
  }
  g.restore();
  g.fillStyle = colors.soft;
  for (let ago = 5; ago * 1000 < span; ago += 5) {
    const at = right - ago * 1000 * perMs;
    g.globalAlpha = 0.16; g.fillRect(at, head, 1, floor - head + 4); g.globalAlpha = 1;
    g.textAlign = "center"; g.fillText(ago + " s ago", at, floor + axis / 2 + 2);
  }
  g.textAlign = "right"; g.fillText("now", right, floor + axis / 2 + 2);
  record.lanes.slice(0, ((floor - head) / step | 0) - 1).forEach((lane, place) => {
    const top = head + place * step, middle = top + step / 2;
    g.fillStyle = colors.line; g.fillRect(gutter, top + step - 1, right - gutter, 1);
    g.textAlign = "left"; g.fillStyle = lane.gone === null ? colors.ink : colors.soft;
    g.fillText(shortId(lane.id, width), 8, middle);
    g.save(); g.beginPath(); g.rect(gutter, top, right - gutter + 4, step); g.clip();
    for (const mark of lane.marks) {
      const at = x(mark.at), wide = mark.ms * perMs;
      if (at + wide < gutter || at > right) continue;
      if (mark.kind === "q") {
        g.fillStyle = mark.reuse === "new" ? colors.cold : mark.reuse === "thaw" ? colors.thaw : mark.reuse === "none" ? colors.soft : colors.warm;
        g.fillRect(at, top + rowTops[mark.row], Math.max(2.5, wide), 5);
      } else if (mark.kind === "c") {
        g.strokeStyle = g.fillStyle = colors.cold;
        if (wide > 4) { g.globalAlpha = 0.5; g.fillRect(at, middle - 1, wide, 2); g.globalAlpha = 1; }
        diamond(g, at, middle);
      } else if (mark.kind === "t") { g.fillStyle = colors.thaw; triangle(g, at, middle); }
      else if (mark.kind === "p") { g.strokeStyle = colors.thaw; g.lineWidth = 1; g.strokeRect(at, top + 3, Math.max(3, wide), step - 8); }
      else if (mark.kind === "d") {
        g.fillStyle = colors.ink; g.fillRect(at - 1, top + 3, 2, step - 7);
      }
    }
    if (lane.gone !== null) { g.strokeStyle = colors.soft; g.lineWidth = 1; g.setLineDash([3, 4]); g.beginPath(); g.moveTo(x(lane.gone) + 4, middle); g.lineTo(right, middle); g.stroke(); g.setLineDash([]); }
    g.restore();
  });
  const middle = offTop + step / 2;
  g.fillStyle = colors.line; g.fillRect(0, offTop - 1, width, 1);
  g.textAlign = "left"; g.fillStyle = colors.soft; g.fillText(width < 480 ? "none" : "no answer", 8, middle);
  g.save(); g.beginPath(); g.rect(gutter, 0, right - gutter + 4, floor); g.clip();
  let busyUntil = -1;
  for (const mark of record.off) {
    const at = x(mark.at);
    if (mark.kind === "r") { if (at < busyUntil) continue; g.strokeStyle = colors.ink; g.lineWidth = 1.4; g.beginPath(); g.arc(at, middle + 6, 3.2, 0, 7); g.stroke(); }
    else { g.globalAlpha = 0.35; g.fillStyle = colors.fail; g.fillRect(x(mark.from), middle - 6, at - x(mark.from), 2); g.globalAlpha = 1; g.strokeStyle = colors.fail; cross(g, at, middle - 5); }
  }
  g.textAlign = "left";
  const taken = new Array(Math.floor(head / 13)).fill(0);
  for (const band of record.bands) {
    const words = g.measureText(band.label).width, line = Math.max(gutter, x(band.from)), begin = line + words + 6 > right ? line - words - 4 : line + 4;
    const row = taken.findIndex((until) => until <= begin);
    if (row < 0 || begin < gutter) continue;
    taken[row] = begin + words + 6;
    g.fillStyle = colors.faint; g.fillRect(begin - 2, row * 13 + 1, words + 4, 13);
    g.fillStyle = band.kind === "breaker" ? colors.fail : colors.ink; g.fillText(band.label, begin, row * 13 + 8);
  }
  g.restore();
};
const shortId = (id, width) => { const most = width < 480 ? 5 : 9; return id.length > most ? "…" + id.slice(1 - most) : id; };
`;
