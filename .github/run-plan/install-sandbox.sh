#!/usr/bin/env bash
# Makes tier 3 of the sandbox possible on a hosted runner, before anything of a plan runs: bubblewrap, and on Ubuntu 24.04
# the AppArmor profile that lets bubblewrap, and no other program, make user namespaces.
# Whether it holds is not decided here: the run proves the tier itself, and `sandbox: required` refuses without it.
set -euo pipefail

readonly PROFILE=bwrap-userns-restrict

# True when bubblewrap can make the namespaces that the sandbox is made of.
can_make_namespaces() {
  bwrap --unshare-all --die-with-parent --ro-bind / / --proc /proc true 2>/dev/null
}

if can_make_namespaces; then
  echo "bubblewrap works: $(bwrap --version)"
  exit 0
fi
if ! command -v apt-get >/dev/null || ! sudo -n true 2>/dev/null; then
  echo '::warning title=Plan Conveyor::bubblewrap does not work here and cannot be installed: without it programs are held in tier 1'
  exit 0
fi
packages=()
command -v bwrap >/dev/null || packages+=(bubblewrap)
if [[ -d /sys/kernel/security/apparmor && ! -e /etc/apparmor.d/$PROFILE ]]; then packages+=(apparmor-profiles); fi
if ((${#packages[@]} > 0)); then
  sudo apt-get update --quiet
  sudo apt-get install --yes --quiet --no-install-recommends "${packages[@]}"
fi
if [[ -e /usr/share/apparmor/extra-profiles/$PROFILE && ! -e /etc/apparmor.d/$PROFILE ]]; then
  sudo install --mode=0644 "/usr/share/apparmor/extra-profiles/$PROFILE" "/etc/apparmor.d/$PROFILE"
fi
if [[ -e /etc/apparmor.d/$PROFILE ]]; then sudo apparmor_parser --replace "/etc/apparmor.d/$PROFILE"; fi
if can_make_namespaces; then
  echo "bubblewrap works: $(bwrap --version)"
else
  echo '::warning title=Plan Conveyor::bubblewrap was installed and does not work here: programs are held in tier 1'
fi
