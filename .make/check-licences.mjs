// Holds every dependency, of the engine and of the web client, to licences that Parlance can be shipped under, and
// every crate to crates.io. Works without a network. (cargo-deny does more, but takes minutes to compile, and its
// list of advisories is on a host that not every build can reach.)
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const ALLOWED = new Set([
  "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "Unicode-3.0",
  "Unlicense", "Zlib",
  // The root certificates of the web: data, free to use.
  "CDLA-Permissive-2.0",
]);
// Tools that build or test the web client and are no part of it may also have these.
const ALLOWED_FOR_TOOLS = new Set([...ALLOWED, "BlueOak-1.0.0", "CC-BY-4.0", "MPL-2.0", "Python-2.0"]);
const CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index";

/** Whether an SPDX expression, such as "(MIT OR Apache-2.0) AND Unicode-3.0", can be met with `allowed`. */
function isMet(expression, allowed) {
  // Older crates write "MIT/Apache-2.0".
  const words = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const either = () => {
    let met = both();
    while (words[at] === "OR") {
      at += 1;
      met = both() || met;
    }
    return met;
  };
  const both = () => {
    let met = one();
    while (words[at] === "AND") {
      at += 1;
      met = one() && met;
    }
    return met;
  };
  const one = () => {
    if (words[at] === "(") {
      at += 1;
      const met = either();
      at += 1;
      return met;
    }
    const met = allowed.has(words[at]);
    at += 1;
    // An exception only adds permissions.
    if (words[at] === "WITH") at += 2;
    return met;
  };
  return either() && at === words.length;
}

const complaints = [];

const metadata = JSON.parse(
  execFileSync(
    "cargo",
    ["metadata", "--format-version=1", "--locked", "--all-features", "--filter-platform=x86_64-unknown-linux-gnu"],
    { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] },
  ),
);
// The list of packages is that of all platforms; what is built here is what the resolution names.
const built = new Set(metadata.resolve.nodes.map((node) => node.id));
const crates = metadata.packages.filter((crate) => crate.source !== null && built.has(crate.id));
for (const { name, version, license, source } of crates) {
  if (!isMet(license ?? "", ALLOWED)) complaints.push(`crate ${name} ${version}: licence ${license ?? "not stated"}`);
  if (source !== CRATES_IO) complaints.push(`crate ${name} ${version}: comes from ${source}, not from crates.io`);
}

const lock = JSON.parse(readFileSync(new URL("../web/package-lock.json", import.meta.url), "utf8"));
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
for (const [path, { version, license, dev, integrity }] of packages) {
  const name = path.replace(/^.*node_modules\//, "");
  const allowed = dev ? ALLOWED_FOR_TOOLS : ALLOWED;
  if (!isMet(license ?? "", allowed)) complaints.push(`package ${name} ${version}: licence ${license ?? "not stated"}`);
  if (!integrity) complaints.push(`package ${name} ${version}: no hash in package-lock.json`);
}

if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  console.error("Choose another dependency, or allow the licence in .make/check-licences.mjs and say why.");
  process.exit(1);
}
console.log(`Licences: ${crates.length} crates and ${packages.length} packages are fine.`);
