#!/bin/sh
# Does a clean copy of this tree work on a machine nobody prepared?
#
#   ./dev fresh [bookworm|trixie] [PYTEST-ARGUMENT...]
#
# Makes the smallest Debian of that name in a temporary folder, copies the files git would clone (and those it does
# not know yet) into it, and runs `./dev demo` and `./dev test` there with an empty environment: no HOME, no locale,
# no python. The new machine reaches packages the way this one does: same Debian mirror, same pip configuration, same
# certificates. All of that is copied while the script runs and none of it is written here. Real scans are copied too
# when SCRUTINEER_REAL_DATA is set. Needs root.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
suite=${1:-bookworm}
[ $# -eq 0 ] || shift

say() {
    printf 'fresh: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

case $suite in
    bookworm | trixie) ;;
    *) die "no such Debian: $suite (bookworm or trixie)" ;;
esac
[ "$(id -u)" -eq 0 ] || die "making a machine needs root: sudo -E ./dev fresh $suite"

# Mounts made below live in a namespace of their own and end with this process, however it ends.
if [ -z "${SCRUTINEER_FRESH_NAMESPACE:-}" ] && unshare --mount true 2>/dev/null; then
    SCRUTINEER_FRESH_NAMESPACE=1 exec unshare --mount sh "$0" "$suite" "$@"
fi

if ! command -v mmdebstrap >/dev/null || ! command -v git >/dev/null; then
    say "installing mmdebstrap and git"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends mmdebstrap git; } >/dev/null
fi

scratch=$(mktemp -d)
machine=$scratch/machine
clean_up() {
    umount -l "$machine/proc" "$machine/dev/shm" 2>/dev/null || true
    rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Seconds since $started.
started=$(date +%s)
elapsed() {
    printf '%s' "$(($(date +%s) - started))"
}

make_machine() {
    apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries|ForceIPv)' >"$scratch/apt.conf" || true
    # The $(WORDS) are apt's own.
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
    if ! mmdebstrap --quiet --variant=minbase --aptopt="$scratch/apt.conf" \
        "$suite" "$machine" ${mirror:+"$mirror"} >"$scratch/output" 2>&1 </dev/null; then
        cat "$scratch/output" >&2
        die "could not make a $suite"
    fi
    cp -L /etc/resolv.conf /etc/hosts "$machine/etc/"
    # Where mounting is not allowed the machine does without.
    mount -t proc proc "$machine/proc" 2>/dev/null || say "no /proc in the new machine"
    { mkdir -p "$machine/dev/shm" && mount -t tmpfs tmpfs "$machine/dev/shm"; } 2>/dev/null || true
}

# The bundle is put where programs look now, and where the ca-certificates package picks it up when it is installed.
copy_certificates() {
    bundle=/etc/ssl/certs/ca-certificates.crt
    [ -e "$bundle" ] || return 0
    mkdir -p "$machine/etc/ssl/certs" "$machine/usr/local/share/ca-certificates"
    cp -L "$bundle" "$machine$bundle"
    cp -L "$bundle" "$machine/usr/local/share/ca-certificates/of-the-host.crt"
}

copy_pip_configuration() {
    for file in /etc/pip.conf /etc/xdg/pip/pip.conf; do
        [ ! -e "$file" ] || { mkdir -p "$machine${file%/*}" && cp -L "$file" "$machine$file"; }
    done
    for file in "${HOME:-/root}/.pip/pip.conf" "${HOME:-/root}/.config/pip/pip.conf" "${PIP_CONFIG_FILE:-}"; do
        [ ! -f "$file" ] || { mkdir -p "$machine/root/.config/pip" && cp -L "$file" "$machine/root/.config/pip/pip.conf"; }
    done
    if [ -d "${PIP_FIND_LINKS:-}" ]; then
        mkdir -p "$machine$PIP_FIND_LINKS" && cp -R "$PIP_FIND_LINKS/." "$machine$PIP_FIND_LINKS/"
    fi
}

copy_tree() {
    mkdir -p "$machine/srv/scrutineer"
    git -c safe.directory="$root" -C "$root" ls-files --cached --others --exclude-standard >"$scratch/listed"
    while IFS= read -r file; do
        [ ! -e "$root/$file" ] || printf '%s\n' "$file"
    done <"$scratch/listed" >"$scratch/files"
    tar -C "$root" --no-recursion --verbatim-files-from -T "$scratch/files" -cf - |
        tar -C "$machine/srv/scrutineer" --no-same-owner -xf -
    if [ -n "${SCRUTINEER_REAL_DATA:-}" ]; then
        mkdir -p "$machine/srv/shared" && cp -R "$SCRUTINEER_REAL_DATA" "$machine/srv/shared/data"
        # The published schemas lie beside the scans.
        [ ! -d "$SCRUTINEER_REAL_DATA/../schemas" ] || cp -R "$SCRUTINEER_REAL_DATA/../schemas" "$machine/srv/shared/schemas"
    fi
}

# in_machine COMMAND...: nothing of this environment goes along but what pip and apt need to find packages.
in_machine() {
    (
        for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
            case $name in
                PIP_CONFIG_FILE | PIP_CERT) ;; # paths of this machine; both were copied to where pip looks
                PIP_* | http_proxy | https_proxy | no_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY) ;;
                *) unset "$name" 2>/dev/null || true ;;
            esac
        done
        unset PIP_CONFIG_FILE PIP_CERT
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        export PATH
        exec chroot "$machine" sh -c 'cd /srv/scrutineer && exec "$@"' sh "$@" </dev/null
    )
}

failed=
try() {
    started=$(date +%s)
    say "$suite: $*"
    if in_machine "$@"; then
        say "$suite: $* went well in $(elapsed) s"
    else
        say "$suite: $* failed with status $? after $(elapsed) s"
        failed=yes
    fi
}

say "making a minimal $suite in $machine"
make_machine
copy_certificates
copy_pip_configuration
copy_tree
say "made in $(elapsed) s; $(wc -l <"$scratch/files") files copied"
try ./dev demo
try ./dev test "$@"
[ -z "$failed" ] || die "$suite: not in order"
say "$suite: all in order"
