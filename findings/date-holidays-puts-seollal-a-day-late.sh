#!/usr/bin/env bash
# What surprises: the three days of Seollal come one day late: in 2025 the eve, 28 January, is a working day and 31 January a holiday; in 2026
#   16 and 19 February. Chuseok, which has three days in the same way, is right.
# Seen with: date-holidays 3.37.0 (npm), Node.js 20.
# Why it matters: transfers, due dates and branch hours are counted in banking days around this holiday.
# Expected: the day before, the day itself and the day after, as by the decree on public holidays (관공서의 공휴일에 관한 규정, 제2조). The day itself is
#   1 January of the Korean lunar calendar, which Node.js has as "dangi".
# Public: commenthol/date-holidays#578 (closed).
# Output:
#   date-holidays 3.37.0
#   2025 설날 1/29: 1/28 working day, 1/29 holiday, 1/30 holiday, 1/31 holiday
#   2026 설날 2/17: 2/16 working day, 2/17 holiday, 2/18 holiday, 2/19 holiday
#   2026 추석 9/25: 9/24 holiday, 9/25 holiday, 9/26 holiday, 9/27 working day
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" date-holidays@3.37.0

node - <<'JAVASCRIPT'
const Holidays = require("date-holidays");
const { version } = require("date-holidays/package.json");

const korea = new Holidays("KR");
const lunar = new Intl.DateTimeFormat("en-u-ca-dangi", { timeZone: "Asia/Seoul", month: "numeric", day: "numeric" });
const noon = (year, dayOfYear) => new Date(Date.UTC(year, 0, dayOfYear, 3)); // 12:00 in Seoul
const lunarDay = (date) => {
  const parts = Object.fromEntries(lunar.formatToParts(date).map(({ type, value }) => [type, value]));
  return `${parts.month}/${parts.day}`;
};

console.log("date-holidays", version);
for (const [year, name, lunarDate, expected] of [
  [2025, "설날", "1/1", "working day, holiday, holiday, holiday"],
  [2026, "설날", "1/1", "working day, holiday, holiday, holiday"],
  [2026, "추석", "8/15", "holiday, holiday, holiday, working day"],
]) {
  let day = 1;
  while (lunarDay(noon(year, day)) !== lunarDate) day++;
  const days = [-1, 0, 1, 2].map((offset) => noon(year, day + offset));
  const short = (date) => `${date.getUTCMonth() + 1}/${date.getUTCDate()}`;
  const kinds = days.map((date) =>
    (korea.isHoliday(date) || []).some(({ type }) => type === "public") ? "holiday" : "working day",
  );
  console.log(`${year} ${name} ${short(days[1])}: ${days.map((date, i) => `${short(date)} ${kinds[i]}`).join(", ")}`);
  if (kinds.join(", ") !== expected) {
    console.log(`changed: ${name} of ${year} is ${kinds.join(", ")}`);
    process.exit(1);
  }
}
console.log("as recorded");
JAVASCRIPT
