#!/bin/bash
# Installs, upgrades, removes and purges the Debian package $1 in a clean root made with debootstrap.
#
#   BERTH_DEBIAN_MIRROR  where debootstrap gets Debian from; its own default without
set -euo pipefail
deb=$(readlink -f "$1")
work=$(mktemp -d)
root=$work/root
daemon=""
passed=0

clean_up() {
    [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true
    for mount in $(awk -v root="$root/" 'index($5, root) == 1 {print $5}' /proc/self/mountinfo | sort -r); do
        umount "$mount" || true
    done
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT

inside() {
    chroot "$root" env -u BERTH_SOCKET PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

# $1: what, then a command that must succeed.
check() {
    local what=$1
    shift
    if ! "$@" > "$work/last" 2>&1; then
        echo "FAILED: $what"
        cat "$work/last"
        exit 1
    fi
    passed=$((passed + 1))
    echo "passed: $what"
}

absent() { [ ! -e "$root$1" ]; }
present() { [ -e "$root$1" ]; }

check "a clean Debian root" debootstrap --variant=minbase --include=runc,conmon bookworm "$root" ${BERTH_DEBIAN_MIRROR:+"$BERTH_DEBIAN_MIRROR"}
for each in proc sys dev; do
    mkdir -p "$root/$each"
done
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --make-rslave "$root/sys"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
cp "$deb" "$root/berth.deb"

check "there is no Java in it" sh -c "! chroot $root sh -c 'command -v java'"
check "install" inside dpkg -i /berth.deb
check "the command runs" inside berth --version
check "the configuration is valid" inside berth config check /etc/berth/config.toml
check "manual pages are there" present /usr/share/man/man1/berth-run.1.gz
check "the manual page of the configuration is there" present /usr/share/man/man5/berth-config.5.gz
check "completion is there" present /usr/share/bash-completion/completions/berth
check "the service is there" present /lib/systemd/system/berth.service
check "the fast start fits" sh -c "chroot $root /usr/lib/berth/jvm/bin/java -XX:AOTCache=/usr/lib/berth/berth.aot -XX:AOTMode=on \
    @/usr/lib/berth/jvm.options/any.options \
    -cp \$(cd $root && ls usr/lib/berth/lib/*.jar | sed 's,^,/,' | paste -sd:) io.berth.cli.Main --version"
printf '\n[debug]\nlevel = "debug"\n' >> "$root/etc/berth/config.toml"

chroot "$root" /usr/bin/berth serve > "$work/daemon.log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
    [ ! -S "$root/run/berth/berth.sock" ] || break
    sleep 0.2
done
check "the daemon answers" inside berth version
kill "$daemon"
wait "$daemon" || true
daemon=""

check "upgrade" sh -c "chroot $root dpkg -i --force-confold /berth.deb"
check "the changed configuration survives the upgrade" grep -q 'level = "debug"' "$root/etc/berth/config.toml"
check "remove" inside dpkg -r berth
check "the program is gone" absent /usr/lib/berth
check "the configuration stays after remove" present /etc/berth/config.toml
check "the data stays after remove" present /var/lib/berth
check "purge" inside dpkg -P berth
check "the configuration is gone" absent /etc/berth
check "the data is gone" absent /var/lib/berth
echo "$passed passed, 0 failed: $(basename "$deb")"
