#!/usr/bin/env bash
# Installs the coding agents that $AGENTS names into $RUNNER_TEMP/conveyor-agents and puts them on the PATH of the steps
# that follow. Runs before any key is in the environment and outside the checkout, whose .npmrc has no say here.
# Versions are exact, and no package's install script runs but the one that is named below.
set -euo pipefail

readonly FOLDER=$RUNNER_TEMP/conveyor-agents
read -ra packages <<<"${AGENTS//$'\n'/ }"
for package in "${packages[@]}"; do
  if [[ ! $package =~ ^(@[a-z0-9._-]+/)?[a-z0-9][a-z0-9._-]*@[0-9]+\.[0-9]+\.[0-9]+(-[A-Za-z0-9.-]+)?$ ]]; then
    echo '::error title=Plan Conveyor::agents: expected npm packages with exact versions, for example @openai/codex@0.169.0'
    exit 2
  fi
done
mkdir -p "$FOLDER"
cd "$FOLDER"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock -- "${packages[@]}"
# The package of claude brings a stand-in that its own install script replaces by the program.
if [[ -e node_modules/@anthropic-ai/claude-code/install.cjs ]]; then
  (cd node_modules/@anthropic-ai/claude-code && node install.cjs)
fi
echo "$FOLDER/node_modules/.bin" >>"$GITHUB_PATH"
