// `next start` in two processes on one port.
const cluster = require("node:cluster");

if (cluster.isPrimary) {
  for (let worker = 0; worker < 2; worker++) cluster.fork();
  process.on("SIGTERM", () => process.exit());
} else {
  require("./server.js");
}
