// The workload through Segment's own engine: node actions.cjs workload.json events.ndjson [out]
//
// Run in a folder that has @segment/actions-core. Prints the seconds the processor worked for it.
const fs = require("fs");
const from = require("module").createRequire(process.cwd() + "/here.js");
const { transform } = from("@segment/actions-core");
const { parseFql, validate } = from("@segment/destination-subscriptions");

const [workload, events, out] = process.argv.slice(2);
const work = JSON.parse(fs.readFileSync(workload, "utf8"));
const wanted = parseFql(work.filter);
const bytes = fs.readFileSync(events);

const bodies = [];
const began = process.cpuUsage();
for (let at = 0; at < bytes.length; ) {
  let end = bytes.indexOf(10, at);
  if (end < 0) end = bytes.length;
  const event = JSON.parse(bytes.toString("utf8", at, end));
  at = end + 1;
  if (validate(wanted, event)) bodies.push(JSON.stringify(transform(work.mapping, event)));
}
const spent = process.cpuUsage(began);
const took = (spent.user + spent.system) / 1e6;
if (out) fs.writeFileSync(out, bodies.join("\n") + "\n");
console.log(took.toFixed(6));
