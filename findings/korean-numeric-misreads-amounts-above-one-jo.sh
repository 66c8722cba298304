#!/usr/bin/env bash
# What surprises: an amount in 조 (10^12) and 억 (10^8) is read as a tenth or less of itself: "2조 5천억원" as 200,000,000,000 and "1조 500억원"
#   as 100,000,000. Amounts in 조 alone, or in 억 and 만, are read right.
# Seen with: korean-numeric 1.1.4 (npm), Node.js 20.
# Why it matters: a bank's assets, deposits and loans are such amounts. A comparison of two of them comes out the wrong way round, and nothing
#   about the result looks wrong.
# Expected: 2,500,000,000,000 and 1,050,000,000,000. The package is for mixed notation up to 조, for chatbots among others
#   (https://www.npmjs.com/package/korean-numeric).
# Reason: the text is cut at 억, 만, 천, 백 and 십, not at 조.
# Output:
#   korean-numeric 1.1.4
#   3조원 = 3,000,000,000,000
#   12억 3천만원 = 1,230,000,000
#   2조 5천억원 = 200,000,000,000
#   이조 오천억원 = 200,000,000,000
#   1조 500억원 = 100,000,000
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" korean-numeric@1.1.4

node - <<'JAVASCRIPT'
const { tonumber } = require("korean-numeric");
const { version } = require("korean-numeric/package.json");

console.log("korean-numeric", version);
for (const [text, expected] of [
  ["3조원", 3_000_000_000_000],
  ["12억 3천만원", 1_230_000_000],
  ["2조 5천억원", 200_000_000_000],
  ["이조 오천억원", 200_000_000_000],
  ["1조 500억원", 100_000_000],
]) {
  const number = tonumber(text);
  console.log(`${text} = ${number.toLocaleString("en")}`);
  if (number !== expected) {
    console.log(`changed: ${text} is read as ${number}`);
    process.exit(1);
  }
}
console.log("as recorded");
JAVASCRIPT
