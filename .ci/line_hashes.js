// Checks `primaryLocationLineHash` of a SARIF log against the definition of GitHub's line hash, written here once more and
// without rolling: node .ci/line_hashes.js LOG ROOT
const fs = require("fs");
const path = require("path");

const WINDOW = 100;
const MASK = (1n << 64n) - 1n;

/** The hashes of all lines: 37-adic value of the next 100 characters that are not blank, and a counter for equal ones. */
function lineHashes(text) {
    const units = [];
    const starts = [];
    let startsLine = true;
    const normal = text.replace(/\r\n|\r/g, "\n");
    for (const unit of [...Array(normal.length).keys()].map(at => normal.charCodeAt(at)).concat(65535)) {
        if (unit === 32 || unit === 9) continue;
        if (startsLine) starts.push(units.length);
        startsLine = unit === 10;
        units.push(BigInt(unit));
    }
    const seen = new Map();
    return starts.map(start => {
        let hash = 0n;
        for (let at = start; at < start + WINDOW; at++) hash = (hash * 37n + (units[at] ?? 0n)) & MASK;
        const count = (seen.get(hash) ?? 0) + 1;
        seen.set(hash, count);
        return `${hash.toString(16)}:${count}`;
    });
}

const [log, root] = process.argv.slice(2);
const files = new Map();
let wrong = 0;
for (const result of JSON.parse(fs.readFileSync(log, "utf8")).runs.flatMap(run => run.results)) {
    const place = result.locations[0].physicalLocation;
    const name = decodeURIComponent(place.artifactLocation.uri);
    const file = path.join(root, name);
    if (!fs.existsSync(file)) continue;
    if (!files.has(name)) files.set(name, lineHashes(fs.readFileSync(file, "utf8")));
    const expected = files.get(name)[place.region.startLine - 1];
    const told = result.partialFingerprints.primaryLocationLineHash;
    if (told !== expected) {
        wrong++;
        console.error(`${name}:${place.region.startLine}: ${told}, expected ${expected}`);
    }
}
console.log(`line hashes: ${files.size} files, ${wrong} wrong`);
process.exit(wrong || files.size < 20 ? 1 : 0);
