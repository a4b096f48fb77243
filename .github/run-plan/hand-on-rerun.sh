#!/usr/bin/env bash
# Makes what `conveyor verify --rerun --output FILE` wrote an output of the step, on one line whatever stands in it.
# Publish is given it as an input, which is a variable of its process, and Linux starts no process with one of 128 KiB: a
# report that long would end there, with a message of the runner's that nobody understands.
set -euo pipefail

readonly BYTES_MAX=120000

line=$(node -p 'JSON.stringify(JSON.parse(fs.readFileSync(process.argv[1], "utf8")))' "$1")
bytes=$(LC_ALL=C && echo "${#line}")
if ((bytes > BYTES_MAX)); then
  echo "::error title=Plan Conveyor::the report of the rerun has $bytes bytes, expected at most $BYTES_MAX, which is what one job can tell another: have the plan's required commands call scripts of the repository in place of long text, for example [bash, scripts/check.sh]"
  exit 1
fi
printf 'report=%s\n' "$line" >>"$GITHUB_OUTPUT"
