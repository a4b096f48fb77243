#!/usr/bin/env bash
# Refuses a runner that GitHub does not host, unless `allow` (in ALLOW) says `self-hosted`: what a program leaves behind on
# a machine of one's own meets the next job.
set -euo pipefail

allowed=,$(tr -s ' \t\r\n' ',' <<<"${ALLOW-}"),
if [[ ${RUNNER_ENVIRONMENT-} != github-hosted && $allowed != *,self-hosted,* ]]; then
  echo '::error title=Plan Conveyor::SELF_HOSTED_NOT_ALLOWED expected a runner that GitHub hosts: what a program leaves behind on another meets the next job; or allow it by name: allow: self-hosted'
  exit 1
fi
